"""Answers that Gemini gives in parts, each asked for with a token."""

from collections.abc import AsyncIterator

import pytest

from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.usage import Usage
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.transport import Transport
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.generate_content import call, said
from tests.providers.told import Told

_REQUEST = ModelRequest(model="gemini-3-flash-preview", prompts=(UserPrompt("hello"),))


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: GeminiModel) -> Told:
    return Told([delta async for deltas in model.stream(_REQUEST) for delta in deltas])


def _part(*parts: dict[str, object], token: str = "", spent: int = 1) -> Answer:
    usage = {"promptTokenCount": 5, "candidatesTokenCount": spent, "totalTokenCount": 5 + spent}
    finish = "CONTINUATION" if token else "STOP"
    return Answer(pieces=[said(*parts, finish=finish, usage=usage, continuationToken=token or None)])


async def test_an_answer_in_parts_is_asked_for_to_its_end_and_is_one(transport: Transport) -> None:
    thought = {"text": "hm", "thought": True}
    first = _part(thought, {"text": "One "}, token="dG9rZW4=", spent=2)
    second = _part({"text": "and two."}, call("f", {"x": 1}, id="1", signature="s"), spent=3)
    async with Endpoint(first, second) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport))
    assert (told.reasoning, told.text, told.reason) == ("hm", "One and two.", "tool_calls")
    assert told.whole_tools == [("1", "f", '{"x": 1}')]
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=10, output_tokens=5, total_tokens=15)
    before, after = (asked.json for asked in endpoint.asked)
    assert after == {**before, "continuationToken": "dG9rZW4="}
    assert told.raw_items("parts")[0] == {"text": "One and two."}


async def test_a_call_that_is_cut_between_two_parts_is_one_call(transport: Transport) -> None:
    opened = call("f", partialArgs=[{"jsonPath": "$.a", "stringValue": "x", "willContinue": True}], willContinue=True)
    rest = call(partialArgs=[{"jsonPath": "$.a", "stringValue": "y"}])
    async with Endpoint(_part(opened, token="a"), _part(rest)) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport))
    assert told.whole_tools == [("", "f", '{"a": "xy"}')]


async def test_a_token_that_brings_nothing_new_is_not_asked_with_again(transport: Transport) -> None:
    async with Endpoint(_part({"text": "a"}, token="same")) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport))
        assert len(endpoint.asked) == 2
    assert (told.text, told.reason) == ("aa", "length")


async def test_parts_without_an_end_are_left(transport: Transport) -> None:
    async with Endpoint(*(_part({"text": "a"}, token=f"t{place}") for place in range(100))) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport))
        assert len(endpoint.asked) < 50
    assert told.reason == "length"


async def test_a_part_without_a_token_is_a_cut_answer(transport: Transport) -> None:
    async with Endpoint(Answer(pieces=[said({"text": "a"}, finish="CONTINUATION")])) as endpoint:
        told = await _ask(GeminiModel(endpoint.url, "k", transport))
        assert len(endpoint.asked) == 1
    assert (told.text, told.reason) == ("a", "length")
