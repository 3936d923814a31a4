"""The model behind an endpoint of the Responses format, over a real connection."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any, Literal

import msgspec
import pytest

from luxx.core.errors import ContextOverflow, ProviderAuth, ProviderError, ProviderRejected, ProviderTimeout
from luxx.core.files import FileRef
from luxx.core.ports import ModelInfo
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.responses.model import OPENAI, ResponsesModel
from luxx.providers.transport import Patience, Transport
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.responses import call, completed, decode, event, message, only_done, reasoning, text_delta
from tests.providers.told import Told

_PNG = FileRef(id="1", name="a.png", media_type="image/png", size=3)
_TOOL = ToolSpec(name="f", description="d", parameters={"type": "object"})
REQUEST = ModelRequest(
    model="m",
    prompts=(UserPrompt("hi", (_PNG,)),),
    system="be",
    temperature=0.5,
    max_tokens=70,
    tools=(_TOOL,),
    thinking="low",
    conversation_id="c",
    files={"1": b"png"},
)
ANSWER = Answer(pieces=[only_done(message("a"))])


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: ResponsesModel, request: ModelRequest = REQUEST) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


def _refusal(message: str, param: str | None = None, status: int = 400, code: str | None = None) -> Answer:
    return json_answer({"error": {"message": message, "param": param, "code": code}}, status)


def _with_answer(*prompts: Prompt) -> ModelRequest:
    """Return a request after an answer whose reasoning is to go back."""
    told = decode(only_done(reasoning("why", encrypted_content="gAAA"), message("x"), call()))
    assert told.finish
    answer = AnswerPrompt(text="x", calls=(CallPrompt(id="call_a", name="f", arguments="{}"),), model="m", raw=told.raw)
    result = ResultPrompt(id="call_a", name="f", content="r", files=(_PNG,))
    return msgspec.structs.replace(REQUEST, prompts=(UserPrompt("q"), answer, result, *prompts))


def _types(body: dict[str, Any]) -> list[str]:
    return [item["type"] for item in body["input"]]


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/responses"),
        ("/", "/v1/responses"),
        ("/responses", "/v1/responses"),
        ("/openai/responses?api-version=2", "/v1/openai/responses?api-version=2"),
    ],
)
async def test_the_base_url_is_used_as_given(transport: Transport, suffix: str, path: str) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url + suffix, "key", transport))
        assert endpoint.asked[0].path == path


async def test_without_a_base_url_it_is_the_api_of_openai(transport: Transport) -> None:
    model = ResponsesModel(" ", "a\nb", transport)
    assert OPENAI == "https://api.openai.com/v1"
    with pytest.raises(ProviderAuth):
        await _ask(model)


@pytest.mark.parametrize("url", ["nonsense", "ftp://h/v1", "http://", "http://h:99999/v1", "http://[::1/v1"])
async def test_a_base_url_that_is_none_is_said_to_be_none(transport: Transport, url: str) -> None:
    with pytest.raises(ProviderRejected, match="base URL"):
        await _ask(ResponsesModel(url, "key", transport))


async def test_the_key_and_further_headers_are_sent(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, " key\n", transport, headers={"X-Title": "t"}))
        await _ask(ResponsesModel(endpoint.url, None, transport))
    first, second = (asked.headers for asked in endpoint.asked)
    assert (first["authorization"], first["x-title"]) == ("Bearer key", "t")
    assert "authorization" not in second


@pytest.mark.parametrize(("key", "header"), [("k", ("api-key", "k")), ("eyJ0", ("authorization", "Bearer eyJ0"))])
async def test_azure_has_a_header_of_its_own_for_keys(
    transport: Transport, monkeypatch: pytest.MonkeyPatch, key: str, header: tuple[str, str]
) -> None:
    async with Endpoint(ANSWER) as endpoint:
        monkeypatch.setenv("http_proxy", endpoint.url)
        await _ask(ResponsesModel("http://me.openai.azure.com/openai/v1?api-version=preview", key, transport))
    (asked,) = endpoint.asked
    assert asked.path.endswith("/openai/v1/responses?api-version=preview")
    assert {"api-key", "authorization"} & asked.headers.keys() == {header[0]}
    assert asked.headers[header[0]] == header[1]


_REFUSALS = [
    (
        _refusal(
            "Your organization must be verified to generate reasoning summaries.",
            "reasoning.summary",
            code="unsupported_value",
        ),
        ("reasoning", {"effort": "low"}),
    ),
    (_refusal("must be verified to generate reasoning summaries", status=403), ("reasoning", {"effort": "low"})),
    (
        _refusal("Unsupported parameter: 'reasoning.effort' is not supported with this model.", "reasoning.effort"),
        ("reasoning", {"summary": "auto"}),
    ),
    (_refusal("Argument not supported on this model: reasoningEffort"), ("reasoning", {"summary": "auto"})),
    (_refusal("Encrypted content is not supported with this model.", "include"), ("include", None)),
    (_refusal("body.include.0: Input should be 'message.output_text.logprobs'"), ("include", None)),
    (_refusal("Unsupported parameter: 'temperature' is not supported with this model."), ("temperature", None)),
    (_refusal("Unsupported parameter: max_output_tokens"), ("max_output_tokens", None)),
    (_refusal("Unrecognized request argument supplied: prompt_cache_key"), ("prompt_cache_key", None)),
    (json_answer({"detail": "Unsupported parameter: store"}, 400), ("store", None)),
    (_refusal("instructions is not supported by this endpoint"), ("instructions", None)),
]


@pytest.mark.parametrize(("refusal", "field"), _REFUSALS)
async def test_a_field_that_is_refused_is_left_out_from_then_on(
    transport: Transport, refusal: Answer, field: tuple[str, Any]
) -> None:
    async with Endpoint(refusal, ANSWER) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        assert (await _ask(model)).text == "a"
        assert (await _ask(model)).text == "a"
    first, second, third = (asked.json for asked in endpoint.asked)
    assert second == third
    name, value = field
    assert first.get(name) != second.get(name) == value


@pytest.mark.parametrize("thinking", [None, "low"])
async def test_a_model_that_takes_no_word_about_reasoning_is_told_none(
    transport: Transport, thinking: Literal["low"] | None
) -> None:
    refusal = _refusal("Unsupported parameter: 'reasoning' is not supported with this model.", "reasoning")
    async with Endpoint(*[refusal] * (2 if thinking else 1), ANSWER) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        await _ask(model, msgspec.structs.replace(REQUEST, thinking=thinking))
    assert "reasoning" not in endpoint.asked[-1].json


async def test_a_strict_that_is_refused_is_left_out(transport: Transport) -> None:
    async with Endpoint(_refusal("Unknown parameter: 'tools[0].strict'", "tools[0].strict"), ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport))
    assert "strict" not in endpoint.asked[1].json["tools"][0]


async def test_images_that_the_model_cannot_see_are_told_of_in_words(transport: Transport) -> None:
    said = "Invalid content type. image_url is only supported by certain models."
    async with Endpoint(_refusal(said, "input[0].content[0]"), ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport))
    assert [part["type"] for part in endpoint.asked[1].json["input"][0]["content"]] == ["input_text", "input_text"]


async def test_an_effort_that_the_model_does_not_know_is_replaced_by_the_next(transport: Transport) -> None:
    def unknown(level: str) -> Answer:
        return _refusal(f"Unsupported value: '{level}' is not supported with this model.", "reasoning.effort")

    async with Endpoint(unknown("none"), unknown("minimal"), ANSWER) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        await _ask(model, msgspec.structs.replace(REQUEST, thinking="off"))
        await _ask(model, msgspec.structs.replace(REQUEST, thinking="high"))
    efforts = [asked.json["reasoning"]["effort"] for asked in endpoint.asked]
    assert efforts == ["none", "minimal", "low", "high"]


async def test_a_limit_below_the_least_is_raised(transport: Transport) -> None:
    said = "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 7 instead."
    async with Endpoint(_refusal(said, "max_output_tokens"), ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport), msgspec.structs.replace(REQUEST, max_tokens=7))
    assert [asked.json["max_output_tokens"] for asked in endpoint.asked] == [7, 16]


async def test_a_model_of_openai_that_does_not_reason_is_not_asked_to(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        for name in ("gpt-4.1", "openai/gpt-4o-mini", "gpt-5-chat-latest"):
            await _ask(ResponsesModel(endpoint.url, "key", transport), msgspec.structs.replace(REQUEST, model=name))
    assert all(not {"reasoning", "include"} & asked.json.keys() for asked in endpoint.asked)


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("The encrypted content gAAA could not be verified.", code="invalid_encrypted_content"),
        _refusal("Reasoning input items can only be provided to a reasoning or computer use model."),
        _refusal("Item 'rs_1' of type 'reasoning' was provided without its required following item.", "input"),
        Answer(pieces=[event("error", code="invalid_encrypted_content", message="could not be decrypted or parsed")]),
        Answer(
            pieces=[
                completed(
                    kind="failed", error={"code": "invalid_encrypted_content", "message": "could not be verified"}
                )
            ]
        ),
    ],
)
async def test_reasoning_that_is_refused_stays_away_from_the_conversation(
    transport: Transport, refusal: Answer
) -> None:
    request = _with_answer()
    other = msgspec.structs.replace(request, conversation_id="other")
    async with Endpoint(refusal, ANSWER) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        for asked in (request, request, other):
            assert (await _ask(model, asked)).text == "a"
    assert ["reasoning" in _types(asked.json) for asked in endpoint.asked] == [True, False, False, True]


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("Missing required parameter: 'input[1].id'.", "input[1].id"),
        _refusal("Invalid input: id is required for reasoning items", "input"),
    ],
)
async def test_ids_are_sent_where_they_are_wanted(transport: Transport, refusal: Answer) -> None:
    async with Endpoint(refusal, ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
    assert ["id" in asked.json["input"][1] for asked in endpoint.asked] == [False, True]


async def test_an_endpoint_that_takes_items_neither_with_ids_nor_without_is_told_all_anew(transport: Transport) -> None:
    gone = "Item with id 'rs_0' not found. Items are not persisted when `store` is set to false."
    async with Endpoint(
        _refusal("Missing required parameter: 'input[1].id'.", "input[1].id"), _refusal(gone, "input", 404), ANSWER
    ) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
    assert _types(endpoint.asked[2].json) == ["message", "message", "function_call", "function_call_output"]


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("Unknown parameter: 'input[2].shiny'.", "input[2].shiny", code="unknown_parameter"),
        _refusal("Invalid 'input[1].content': array too long.", "input[1].content"),
        json_answer({"detail": [{"loc": ["body", "input"], "msg": "Input should be a valid string"}]}, 422),
    ],
)
async def test_items_that_are_refused_for_any_reason_are_told_anew(transport: Transport, refusal: Answer) -> None:
    async with Endpoint(refusal, ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
    assert "reasoning" not in _types(endpoint.asked[-1].json)


@pytest.mark.parametrize(
    "said",
    [
        "Invalid type for 'input[3].output': expected a string, but got an array instead.",
        "Output of tool call should be 'Input text'",
    ],
)
async def test_a_result_that_can_be_text_only_is_one(transport: Transport, said: str) -> None:
    async with Endpoint(_refusal(said), ANSWER) as endpoint:
        await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
    *_, result, images = endpoint.asked[1].json["input"]
    assert result["output"] == "r"
    assert images["content"][1]["type"] == "input_image"


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (_refusal("temperature: must be less than or equal to 2, unsupported value", "temperature"), ProviderRejected),
        (_refusal("max_output_tokens should be at most 4096", "max_output_tokens"), ProviderRejected),
        (_refusal("temperature is not supported", status=403), ProviderAuth),
        (_refusal("Your input exceeds the context window of this model.", "input"), ContextOverflow),
        (_refusal("The model `m` does not exist", "model", 404, "model_not_found"), ProviderRejected),
        (_refusal("Using a vector_store is not supported: nothing is stored or restored", "tools"), ProviderRejected),
    ],
)
async def test_a_mistake_of_the_person_is_reported_and_not_repaired(
    transport: Transport, refusal: Answer, kind: type[ProviderError]
) -> None:
    async with Endpoint(refusal) as endpoint:
        with pytest.raises(kind):
            await _ask(ResponsesModel(endpoint.url, "key", transport))
        assert len(endpoint.asked) == 1


async def test_an_endpoint_that_refuses_everything_is_asked_a_few_times_only(transport: Transport) -> None:
    said = "input: unsupported: reasoning.summary include prompt_cache_key store strict temperature encrypted content"
    async with Endpoint(_refusal(said)) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
        assert len(endpoint.asked) <= 8


async def test_what_did_not_help_is_not_remembered(transport: Transport) -> None:
    async with Endpoint(_refusal("store is not supported"), _refusal("store is not supported"), ANSWER) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        with pytest.raises(ProviderRejected):
            await _ask(model)
        await _ask(model)
    assert ["store" in asked.json for asked in endpoint.asked] == [True, False, True]


async def test_a_failure_after_something_was_told_is_not_asked_again(transport: Transport) -> None:
    failed = event("error", code="invalid_encrypted_content", message="could not be verified")
    async with Endpoint(Answer(pieces=[text_delta("a"), failed])) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(ResponsesModel(endpoint.url, "key", transport), _with_answer())
        assert len(endpoint.asked) == 1


@pytest.mark.parametrize("end", ["hold", "cut"])
async def test_nothing_is_waited_for_after_the_end_of_the_response(
    transport: Transport, end: Literal["hold", "cut"]
) -> None:
    async with Endpoint(Answer(pieces=[only_done(message("a"))], end=end)) as endpoint:
        told = await _ask(ResponsesModel(endpoint.url, "key", transport))
    assert (told.text, told.reason) == ("a", "stop")


async def test_a_gateway_that_does_not_stream_is_understood(transport: Transport) -> None:
    body = {"status": "completed", "output": [message("a")], "usage": {"input_tokens": 1, "output_tokens": 2}}
    async with Endpoint(json_answer(body)) as endpoint:
        told = await _ask(ResponsesModel(endpoint.url, "key", transport))
    assert told.text == "a"
    assert told.finish
    assert told.finish.usage


@pytest.mark.parametrize(
    "pieces", [[b"<html>"], [b'{"choices": []}'], [b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n']]
)
async def test_an_address_of_something_else_is_said_to_be_that(transport: Transport, pieces: Sequence[bytes]) -> None:
    async with Endpoint(Answer(pieces=pieces)) as endpoint:
        with pytest.raises(ProviderError):
            await _ask(ResponsesModel(endpoint.url, "key", transport))


async def test_an_endpoint_that_sends_nothing_but_signs_of_life_is_given_up() -> None:
    impatient = Transport(Patience(between_deltas_s=0))
    async with Endpoint(Answer(pieces=[b": still here\n\n"] * 3, end="hold")) as endpoint:
        with pytest.raises(ProviderTimeout, match="signs of life"):
            await _ask(ResponsesModel(endpoint.url, "key", impatient))
        await impatient.aclose()


async def test_models_are_listed(transport: Transport) -> None:
    body = {"data": [{"id": "a", "context_length": 10}, {"id": "b"}]}
    async with Endpoint(json_answer(body)) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        found = await model.list_models()
        assert [info.id for info in found] == ["a", "b"]
        assert isinstance(found[0], ModelInfo)
        assert (await model.check()).models == 2
        assert endpoint.asked[0].path == "/v1/models"


async def test_the_check_tells_what_is_wrong(transport: Transport) -> None:
    async with Endpoint(
        _refusal("no", status=404), _refusal("bad key", status=401), Answer(pieces=[b"<html>"])
    ) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        assert "no list of models" in (await model.check()).detail
        assert "key" in (await model.check()).detail
        assert "base URL" in (await model.check()).detail
    assert "Cannot reach" in (await ResponsesModel("http://127.0.0.1:9/v1", "key", transport).check()).detail


async def test_requests_are_utf_8_json(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(
            ResponsesModel(endpoint.url, "key", transport), ModelRequest(model="m", prompts=(UserPrompt("日本"),))
        )
        assert "日本".encode() in endpoint.asked[0].body
        assert json.loads(endpoint.asked[0].body)["stream"] is True
