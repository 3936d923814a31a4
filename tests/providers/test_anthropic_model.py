"""The model behind an endpoint of the Messages API, over a real connection."""

from collections.abc import AsyncIterator

import pytest

from luxx.core.deltas import Finish, TextDelta
from luxx.core.errors import (
    AnswerIncomplete,
    ProviderAuth,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
)
from luxx.core.ports import ModelInfo
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.usage import Usage
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.transport import Patience, Transport
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.messages import (
    begin,
    block,
    call,
    end,
    event,
    message,
    piece,
    refusal,
    start,
    text,
)
from tests.providers.told import Told

MODEL = "claude-opus-5"
REQUEST = ModelRequest(model=MODEL, prompts=(UserPrompt("hi"),), conversation_id="c")
ANSWER = Answer(pieces=[message(text(0, "a"))])


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: AnthropicModel, request: ModelRequest = REQUEST) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1", "/v1/messages"),
        ("/v1/", "/v1/messages"),
        ("", "/v1/messages"),
        ("/", "/v1/messages"),
        ("/v1/messages", "/v1/messages"),
        ("/anthropic", "/anthropic/v1/messages"),
        ("/anthropic/v1?x=1", "/anthropic/v1/messages?x=1"),
    ],
)
async def test_the_base_url_may_lack_its_version(transport: Transport, path: str, asked: str) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(AnthropicModel(endpoint.url.removesuffix("/v1") + path, "key", transport))
        assert endpoint.asked[0].path == asked


@pytest.mark.parametrize("url", ["nonsense", "ftp://h/v1", "http://", "http://h:99999/v1", "http://[::1/v1"])
async def test_a_base_url_that_is_none_is_said_to_be_none(transport: Transport, url: str) -> None:
    with pytest.raises(ProviderRejected, match="base URL"):
        await _ask(AnthropicModel(url, "key", transport))


async def test_the_key_the_version_and_further_headers_are_sent(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        given = {"anthropic-beta": "x", "Anthropic-Version": "2030-01-01"}
        await _ask(AnthropicModel(endpoint.url, " key\n", transport, headers=given))
        await _ask(AnthropicModel(endpoint.url, None, transport))
        await _ask(AnthropicModel(endpoint.url, "sk-ant-oat01-x", transport))
    first, second, third = (asked.headers for asked in endpoint.asked)
    assert (first["x-api-key"], first["anthropic-beta"], first["anthropic-version"]) == ("key", "x", "2030-01-01")
    assert second["anthropic-version"] == "2023-06-01"
    assert not {"x-api-key", "authorization"} & second.keys()
    assert third["authorization"] == "Bearer sk-ant-oat01-x"
    assert "x-api-key" not in third


async def test_a_gateway_that_wants_the_key_as_a_bearer_token_gets_it_so(transport: Transport) -> None:
    async with Endpoint(refusal("no key", 401), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        assert (await _ask(model)).text == "a"
        assert (await _ask(model)).text == "a"
    assert [asked.headers.get("authorization") for asked in endpoint.asked] == [None, "Bearer key", "Bearer key"]


async def test_a_key_that_is_refused_in_both_ways_is_tried_in_both_again(transport: Transport) -> None:
    async with Endpoint(refusal("no", 401), refusal("no", 401), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        with pytest.raises(ProviderAuth):
            await _ask(model)
        assert (await _ask(model)).text == "a"
    assert ["x-api-key" in asked.headers for asked in endpoint.asked] == [True, False, True]


@pytest.mark.parametrize("key", ["sk-\u201cquoted\u201d", "a\nb", "a\0b"])
async def test_a_key_with_impossible_characters_is_not_sent(transport: Transport, key: str) -> None:
    async with Endpoint(ANSWER) as endpoint:
        with pytest.raises(ProviderAuth):
            await _ask(AnthropicModel(endpoint.url, key, transport))
        assert not endpoint.asked


async def test_an_answer_that_pauses_goes_on_as_one(transport: Transport) -> None:
    use = call(1, "s", "web_search", '{"query": "x"}', kind="server_tool_use")
    first = begin(input_tokens=5) + text(0, "Let me see. ") + use + end("pause_turn", output_tokens=2)
    found = block(0, type="web_search_tool_result", tool_use_id="s", content=[])
    second = (
        begin(input_tokens=9) + found + text(1, "Here.") + call(2, "t", "f", "{}") + end("tool_use", output_tokens=3)
    )
    async with Endpoint(Answer(pieces=[first]), Answer(pieces=[second])) as endpoint:
        told = await _ask(AnthropicModel(endpoint.url, "key", transport))
    assert (told.text, told.reason, told.tools) == ("Let me see. Here.", "tool_calls", [("t", "f", "{}")])
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=14, output_tokens=5, total_tokens=19)
    asked = endpoint.asked[1].json
    assert [part["type"] for part in asked["messages"][1]["content"]] == ["text", "server_tool_use"]
    kinds = [part["type"] for part in told.raw_items("content")]
    assert kinds == ["text", "server_tool_use", "web_search_tool_result"]


async def test_an_answer_that_pauses_for_ever_is_ended(transport: Transport) -> None:
    use = call(0, "s", "web_search", "{}", kind="server_tool_use")
    async with Endpoint(Answer(pieces=[message(use, reason="pause_turn")])) as endpoint:
        told = await _ask(AnthropicModel(endpoint.url, "key", transport))
        assert told.reason == "pause_turn"
        assert len(endpoint.asked) < 20


async def test_the_stream_may_stay_open_after_its_end_mark(transport: Transport) -> None:
    async with Endpoint(Answer(pieces=[message(text(0, "a"))], end="hold")) as endpoint:
        told = await _ask(AnthropicModel(endpoint.url, "key", transport))
    assert told.finish == Finish(reason="stop", usage=None)


async def test_a_connection_that_breaks_after_the_stop_reason_has_brought_all(transport: Transport) -> None:
    body = begin() + text(0, "a") + event("message_delta", delta={"stop_reason": "end_turn"})
    async with Endpoint(Answer(pieces=[body], end="cut")) as endpoint:
        assert (await _ask(AnthropicModel(endpoint.url, "key", transport))).reason == "stop"


async def test_a_connection_that_breaks_in_mid_answer_keeps_what_came(transport: Transport) -> None:
    body = begin() + start(0, type="text", text="") + piece(0, "text_delta", text="ha")
    async with Endpoint(Answer(pieces=[body], end="cut")) as endpoint:
        stream = AnthropicModel(endpoint.url, "key", transport).stream(REQUEST)
        assert await anext(stream) == [TextDelta("ha")]
        with pytest.raises(AnswerIncomplete):
            await anext(stream)


async def test_an_endpoint_that_sends_nothing_but_signs_of_life_is_given_up() -> None:
    impatient = Transport(Patience(between_deltas_s=0))
    async with Endpoint(Answer(pieces=[event("ping")] * 3, end="hold")) as endpoint:
        with pytest.raises(ProviderTimeout, match="signs of life"):
            await _ask(AnthropicModel(endpoint.url, "key", impatient))
    await impatient.aclose()


async def test_after_the_transport_was_closed_nothing_is_sent(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await transport.aclose()
        with pytest.raises(ProviderUnreachable):
            await _ask(AnthropicModel(endpoint.url, "key", transport))
        assert not endpoint.asked


def _page(*models: object, more: bool = False) -> Answer:
    last = models[-1]["id"] if models and isinstance(models[-1], dict) else None
    return json_answer({"data": list(models), "has_more": more, "last_id": last})


async def test_models_are_listed_page_by_page_with_what_they_can(transport: Transport) -> None:
    capabilities = {
        "image_input": {"supported": True},
        "pdf_input": {"supported": False},
        "thinking": {"supported": True},
    }
    known = {"id": "a", "display_name": "Model A", "max_input_tokens": 9, "max_tokens": 5, "capabilities": capabilities}
    async with Endpoint(_page(known, more=True), _page({"id": "b"}, "c", 7, {"id": ""}), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        assert await model.list_models() == (
            ModelInfo(
                id="a",
                name="Model A",
                context_window=9,
                max_output_tokens=5,
                abilities=("tools", "images", "thinking"),
            ),
            ModelInfo(id="b"),
            ModelInfo(id="c"),
        )
        await _ask(model, ModelRequest(model="a", prompts=REQUEST.prompts))
    first, second, third = endpoint.asked
    assert (first.path, second.path) == ("/v1/models?limit=1000", "/v1/models?limit=1000&after_id=a")
    assert third.json["max_tokens"] == 5


async def test_a_list_of_models_without_an_end_is_cut(transport: Transport) -> None:
    async with Endpoint(_page({"id": "a"}, more=True)) as endpoint:
        assert len(await AnthropicModel(endpoint.url, "key", transport).list_models()) == 1
        assert len(endpoint.asked) == 2


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"7", b'{"data": 7}', b"\xff", b"[" * 5000])
async def test_what_is_no_list_of_models_is_said_to_be_none(transport: Transport, body: bytes) -> None:
    async with Endpoint(Answer(pieces=[body])) as endpoint:
        check = await AnthropicModel(endpoint.url, "key", transport).check()
    assert not check.ok
    assert "base URL" in check.detail


async def test_a_check_tells_a_wrong_key_from_a_wrong_address(transport: Transport) -> None:
    async with Endpoint(_page({"id": "a"}), refusal("no", 404), refusal("bad key", 401)) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        assert (await model.check()).models == 1
        assert "no list of models" in (await model.check()).detail
        assert "key" in (await model.check()).detail
