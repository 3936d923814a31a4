"""The model behind generateContent: addresses, keys, refusals that are worked around, and the list of models."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from luxx.core.deltas import Finish
from luxx.core.errors import ProviderAuth, ProviderError, ProviderRejected
from luxx.core.files import FileRef
from luxx.core.ports import ModelInfo
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.gemini.catalogue import read_page
from luxx.providers.gemini.model import GOOGLE, GeminiModel
from luxx.providers.transport import Transport
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.generate_content import call, said
from tests.providers.told import Told

WHOLE = Answer(pieces=[said({"text": "hi"}, finish="STOP")])
TOOL = ToolSpec(name="a b", description="", parameters={"type": "object", "properties": {"x": {"type": "string"}}})
ANSWERED = (
    UserPrompt("hello"),
    AnswerPrompt(calls=(CallPrompt(id="1", name="a b", arguments="{}"),)),
    ResultPrompt(id="1", name="a b", content="ok"),
)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


def _refused(message: str) -> Answer:
    return json_answer([{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}], 400)


def _request(model: str = "gemini-3-flash-preview", **fields: Any) -> ModelRequest:  # noqa: ANN401 - fields of any type
    return ModelRequest(**{"model": model, "prompts": (UserPrompt("hello"),), **fields})


async def _ask(model: GeminiModel, request: ModelRequest) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


async def _asked(transport: Transport, base: str = "", model: str = "m", key: str | None = "AIza-key") -> Any:  # noqa: ANN401
    async with Endpoint(WHOLE) as endpoint:
        root = endpoint.url.removesuffix("/v1")
        await _ask(GeminiModel(root + base, key, transport), _request(model))
        return endpoint.asked[0]


@pytest.mark.parametrize(
    ("base", "model", "path"),
    [
        ("/v1beta", "gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ("/v1beta/", "models/gemini-2.5-pro", "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"),
        ("/v1beta/models", "x", "/v1beta/models/x:streamGenerateContent?alt=sse"),
        ("/v1beta", "tunedModels/x", "/v1beta/tunedModels/x:streamGenerateContent?alt=sse"),
        ("/v1/projects/p/publishers/google", "x", "/v1/projects/p/publishers/google/models/x:streamGenerateContent?alt=sse"),
        ("/v1?tenant=1", "google/x", "/v1/models/google/x:streamGenerateContent?tenant=1&alt=sse"),
    ],
)  # fmt: skip
async def test_the_address_of_a_model(transport: Transport, base: str, model: str, path: str) -> None:
    assert (await _asked(transport, base, model)).path == path


async def test_the_key_goes_into_googles_header_and_an_access_token_into_the_usual_one(transport: Transport) -> None:
    assert (await _asked(transport)).headers["x-goog-api-key"] == "AIza-key"
    token = await _asked(transport, key="ya29.token")
    assert token.headers["authorization"] == "Bearer ya29.token"
    assert "x-goog-api-key" not in token.headers
    assert "x-goog-api-key" not in (await _asked(transport, key=None)).headers


async def test_without_an_address_it_is_googles(transport: Transport) -> None:
    assert GOOGLE == "https://generativelanguage.googleapis.com/v1beta"
    await transport.aclose()
    with pytest.raises(ProviderError, match="shutting down"):
        await _ask(GeminiModel(" ", "k", transport), _request())


@pytest.mark.parametrize("name", ["../x", "a?b", "a#b", "", "a\nb"])
async def test_a_name_that_would_change_the_address_is_refused(transport: Transport, name: str) -> None:
    with pytest.raises(ProviderRejected, match="name of this model"):
        await _ask(GeminiModel(GOOGLE, "k", transport), _request(name))


@pytest.mark.parametrize("base", ["ftp://x", "nowhere", "http://"])
async def test_an_address_that_is_none_is_said(transport: Transport, base: str) -> None:
    check = await GeminiModel(base, "k", transport).check()
    assert not check.ok
    assert "http" in check.detail


async def test_a_key_that_is_none_is_said(transport: Transport) -> None:
    with pytest.raises(ProviderAuth):
        await _ask(GeminiModel(GOOGLE, "schlüssel", transport), _request())


async def test_calls_come_under_the_tools_own_names(transport: Transport) -> None:
    async with Endpoint(WHOLE) as endpoint:
        model = GeminiModel(endpoint.url, "k", transport)
        await _ask(model, _request(tools=(TOOL,)))
        wire = endpoint.asked[0].json["tools"][0]["functionDeclarations"][0]["name"]
        endpoint.answers = [Answer(pieces=[said(call(wire, {}), finish="STOP")])]
        assert (await _ask(model, _request(tools=(TOOL,)))).tools == [("", "a b", "{}")]


@pytest.mark.parametrize(
    ("message", "gone"),
    [
        ("Unknown name \"id\" at 'contents[1].parts[0].function_call': Cannot find field.", '"id"'),
        ("Unknown name \"parametersJsonSchema\" at 'tools[0].function_declarations[0]'", "parametersJsonSchema"),
        ("Thinking is not enabled for models/x", "thinkingConfig"),
        ('Unknown name "thoughtSignature" at contents[1].parts[0]: Cannot find field.', "thoughtSignature"),
    ],
)
async def test_what_is_refused_is_left_out_from_then_on(transport: Transport, message: str, gone: str) -> None:
    request = _request(prompts=ANSWERED, tools=(TOOL,))
    async with Endpoint(_refused(message), WHOLE) as endpoint:
        model = GeminiModel(endpoint.url, "k", transport)
        assert (await _ask(model, request)).text == "hi"
        await _ask(model, request)
        assert [gone in asked.body.decode() for asked in endpoint.asked] == [True, False, False]


async def test_one_refusal_after_the_other_is_worked_around(transport: Transport) -> None:
    refusals = [
        _refused("Thinking level MEDIUM is not supported for this model."),
        _refused("Thinking level is not supported for this model."),
        _refused("Developer instruction is not enabled for models/x"),
    ]
    async with Endpoint(*refusals, WHOLE) as endpoint:
        model = GeminiModel(endpoint.url, "k", transport)
        assert (await _ask(model, _request(thinking="medium", system="s"))).text == "hi"
        last = endpoint.asked[-1].json
    assert last["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}
    assert "systemInstruction" not in last


async def test_signatures_that_are_refused_are_left_out_in_that_conversation_only(transport: Transport) -> None:
    raw = json.dumps({"parts": [{"text": "a", "thoughtSignature": "SIGNED"}]}).encode()
    prompts = (UserPrompt("hello"), AnswerPrompt(text="a", raw=raw), UserPrompt("more"))
    async with Endpoint(_refused("Corrupted thought signature."), WHOLE) as endpoint:
        model = GeminiModel(endpoint.url, "k", transport)
        for conversation in ("one", "one", "two"):
            await _ask(model, _request(prompts=prompts, conversation_id=conversation))
        assert ["SIGNED" in asked.body.decode() for asked in endpoint.asked] == [True, False, False, True]


async def test_images_that_are_refused_are_told_of_in_words(transport: Transport) -> None:
    image = FileRef(id="i", name="a.png", media_type="image/png", size=1)
    note = FileRef(id="n", name="a.txt", media_type="text/plain", size=1)
    request = _request(prompts=(UserPrompt("look", (image, note)),), files={"i": b"x", "n": b"words"})
    async with Endpoint(_refused("Image input modality is not enabled for models/x"), WHOLE) as endpoint:
        await _ask(GeminiModel(endpoint.url, "k", transport), request)
        parts = endpoint.asked[1].json["contents"][0]["parts"]
    assert "cannot be shown" in parts[0]["text"]
    assert "words" in parts[1]["text"]


async def test_a_refusal_that_stays_is_told(transport: Transport) -> None:
    async with Endpoint(_refused("Thinking is not enabled for models/x")) as endpoint:
        with pytest.raises(ProviderRejected, match="not enabled"):
            await _ask(GeminiModel(endpoint.url, "k", transport), _request())
        assert len(endpoint.asked) == 2


async def test_a_stream_that_stays_open_after_its_end_mark_is_left(transport: Transport) -> None:
    pieces = [said({"text": "a"}, finish="STOP"), b"data: [DONE]\n\n"]
    async with Endpoint(Answer(pieces=pieces, end="hold")) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport), _request())
        assert (told.text, told.reason) == ("a", "stop")


async def test_a_json_array_in_place_of_events_is_an_answer(transport: Transport) -> None:
    parts = [{"candidates": [{"content": {"parts": [{"text": t}]}}]} for t in "ab"]
    last = {"candidates": [{"finishReason": "STOP"}]}
    async with Endpoint(json_answer([*parts, last])) as endpoint:
        for _ in range(2):
            told = await _ask(GeminiModel(endpoint.url, "k", transport), _request())
            assert (told.text, told.reason) == ("ab", "stop")
        assert endpoint.connections == 1


async def test_a_tool_loop_sends_back_what_came(transport: Transport) -> None:
    first = said({"text": "hm", "thought": True}, call("a b", {"x": "y"}, signature="SIG"), finish="STOP")
    async with Endpoint(Answer(pieces=[first]), WHOLE) as endpoint:
        model = GeminiModel(endpoint.url, "k", transport)
        told = await _ask(model, _request())
        assert isinstance(told.finish, Finish)
        calls = tuple(CallPrompt(id="call_1", name=name, arguments=text) for _, name, text in told.tools)
        answer = AnswerPrompt(text=told.text, thinking=told.reasoning, calls=calls, raw=told.raw)
        result = ResultPrompt(id="call_1", name="a b", content="ok")
        await _ask(model, _request(prompts=(UserPrompt("hello"), answer, result)))
        contents = endpoint.asked[1].json["contents"]
    assert [content["role"] for content in contents] == ["user", "model", "user"]
    (part,) = contents[1]["parts"]
    assert part["thoughtSignature"] == "SIG"
    assert part["functionCall"]["args"] == {"x": "y"}
    assert part["functionCall"]["name"] == contents[2]["parts"][0]["functionResponse"]["name"]


def _entry(name: str, **fields: object) -> dict[str, object]:
    return {"name": name, "supportedGenerationMethods": ["generateContent"], **fields}


async def test_models_are_listed_page_by_page(transport: Transport) -> None:
    first = {
        "models": [
            _entry(
                "models/gemini-3-flash",
                displayName="Gemini 3 Flash",
                inputTokenLimit=1048576,
                outputTokenLimit=65536,
                thinking=True,
            ),
            {"name": "models/embedding-1", "supportedGenerationMethods": ["embedContent"]},
        ],
        "nextPageToken": "p 2",
    }
    names = ("models/gemma-3-1b-it", "models/gemini-3-flash", "models/gemini-3-flash-preview-tts", "tunedModels/mine")
    second = {"models": [_entry(name) for name in names]}
    async with Endpoint(json_answer(first), json_answer(second)) as endpoint:
        models = await GeminiModel(endpoint.url, "k", transport).list_models()
        assert [asked.path.partition("?")[2] for asked in endpoint.asked] == [
            "pageSize=1000",
            "pageSize=1000&pageToken=p+2",
        ]
    assert models == (
        ModelInfo(
            id="gemini-3-flash",
            name="Gemini 3 Flash",
            context_window=1048576,
            max_output_tokens=65536,
            abilities=("tools", "images", "files", "thinking"),
        ),
        ModelInfo(id="gemma-3-1b-it"),
        ModelInfo(id="tunedModels/mine"),
    )


async def test_pages_without_an_end_are_left(transport: Transport) -> None:
    async with Endpoint(json_answer({"models": [_entry("models/m")], "nextPageToken": "again"})) as endpoint:
        assert len(await GeminiModel(endpoint.url, "k", transport).list_models()) == 1
        assert len(endpoint.asked) == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"models": 1}', b'{"x": []}', b"\xff"])
def test_what_is_no_list_of_models_is_none(body: bytes) -> None:
    assert read_page(body) is None


def test_lists_of_gateways_are_read_too() -> None:
    listed = json.dumps(
        {"data": [{"id": "gemini-x"}, {"id": 1}, 2], "publisherModels": [{"name": "publishers/google/models/y"}]}
    )
    page = read_page(listed.encode())
    assert page
    assert [model.id for model in page[0]] == ["y", "gemini-x"]
    assert read_page(b"{}") == ((), "")


async def test_the_check_says_what_is_wrong(transport: Transport) -> None:
    for answer, words in (
        (json_answer({"models": [_entry("models/m")]}), "serves 1 model"),
        (json_answer({}, 404), "/v1beta"),
        (Answer(pieces=[b"<title>Login</title>"]), "base URL"),
        (_refused("API key not valid. Please pass a valid API key."), "key"),
    ):
        async with Endpoint(answer) as endpoint:
            assert words in (await GeminiModel(endpoint.url, "k", transport).check()).detail
