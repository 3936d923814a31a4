"""Call ids and tool names from elsewhere, in the characters that chat-completions endpoints take."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.errors import ProviderRejected
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.openai.ids import CallIds
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.openai.request import Quirk, encode_request
from luxx.providers.transport import Transport
from tests.providers.chat import text
from tests.providers.endpoint import Answer, Endpoint, json_answer

_LONG = "call_" + "x" * 60
_MISTRAL = "Tool call id was toolu_1 but must be a-z, A-Z, 0-9, with a length of 9."
_SHORT: frozenset[Quirk] = frozenset({"short_ids"})


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


def _called(*ids: str, name: str = "f", raw: bytes = b"") -> tuple[Prompt, ...]:
    calls = tuple(CallPrompt(id=id, name=name, arguments="{}") for id in ids)
    results = (ResultPrompt(id=id, name=name, content=id) for id in ids)
    return (UserPrompt("q"), AnswerPrompt(calls=calls, raw=raw), *results)


def _sent(*prompts: Prompt, quirks: frozenset[Quirk] = frozenset()) -> list[dict[str, Any]]:
    request = ModelRequest(model="m", prompts=prompts)
    return json.loads(encode_request(request, origin="h:1", quirks=quirks))["messages"]


def _ids(messages: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the only answer's calls, which its results have to share."""
    calls = [call["id"] for call in messages[1]["tool_calls"]]
    assert calls == [message["tool_call_id"] for message in messages[2:]]
    return calls


def test_ids_that_fit_stay_as_they_are() -> None:
    own = ["toolu_1", "functions.f:0", "x" * 40, "0"]
    assert _ids(_sent(*_called(*own))) == own


@pytest.mark.parametrize("id", [_LONG, "", "a b", "ä", "a\n", "\ud800"])
def test_an_id_that_does_not_fit_is_replaced_by_one_that_always_is_the_same(id: str) -> None:
    first, second = (_ids(_sent(*_called(id))) for _ in range(2))
    assert first == second
    assert first[0].startswith("call_")
    assert len(first[0]) == 37


def test_an_id_is_never_given_twice() -> None:
    (made,) = _ids(_sent(*_called(_LONG)))
    assert len(set(_ids(_sent(*_called(_LONG, made))))) == 2
    assert len(set(_ids(_sent(*_called(made, _LONG))))) == 2


@given(st.lists(st.text(max_size=50), unique=True), st.booleans())
def test_any_ids_stay_apart_and_a_longer_history_keeps_those_of_the_shorter(ids: list[str], short: bool) -> None:
    given, again = CallIds(short=short), CallIds(short=short)
    first = [given.of(id) for id in ids]
    assert len(set(first)) == len(ids)
    assert [again.of(id) for id in [*ids, "more"]][: len(ids)] == first
    assert [given.of(id) for id in ids] == first


def test_an_endpoint_gets_its_own_ids_back_whatever_they_are() -> None:
    raw = b'{"origin": "h:1", "fields": {"reasoning_details": [{"id": "x"}]}}'
    assert _ids(_sent(*_called(_LONG, raw=raw))) == [_LONG]
    assert _ids(_sent(*_called(_LONG, raw=raw.replace(b"h:1", b"h:2")))) != [_LONG]


def test_what_came_with_a_call_finds_it_under_its_new_id() -> None:
    raw = json.dumps({"origin": "h:1", "fields": {}, "calls": [["gone", 1], [_LONG, {"s": 2}]]}).encode()
    (call,) = _sent(*_called(_LONG, raw=raw), quirks=_SHORT)[1]["tool_calls"]
    assert (call["extra_content"], len(call["id"])) == ({"s": 2}, 9)


@pytest.mark.parametrize(
    ("name", "sent"), [("f", "f"), ("a.b c/d", "a_b_c_d"), ("ä", "_"), ("", "unknown"), ("x" * 65, "x" * 64)]
)
def test_names_are_put_in_the_characters_of_the_format(name: str, sent: str) -> None:
    assert _sent(*_called("1", name=name))[1]["tool_calls"][0]["function"]["name"] == sent


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, _MISTRAL), (422, _MISTRAL), (500, "Tool call IDs should be alphanumeric strings with length 9!")],
)
async def test_ids_are_nine_letters_and_digits_where_that_is_wanted(
    transport: Transport, status: int, message: str
) -> None:
    refusal = json_answer({"object": "error", "message": message, "type": "invalid_request_error"}, status)
    request = ModelRequest(model="m", prompts=_called("toolu_1", "AbCdEf123", _LONG))
    async with Endpoint(refusal, Answer(pieces=[text("a")])) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for _ in range(2):
            assert [delta async for deltas in model.stream(request) for delta in deltas]
        first, second, third = (_ids(asked.json["messages"]) for asked in endpoint.asked)
    assert first[:2] == ["toolu_1", "AbCdEf123"]
    assert second == third
    assert second[1] == "AbCdEf123"
    assert all(len(id) == 9 and id.isascii() and id.isalnum() for id in second)
    assert len(set(second)) == 3


async def test_short_ids_that_are_refused_too_are_reported(transport: Transport) -> None:
    async with Endpoint(json_answer({"message": _MISTRAL}, 400)) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        with pytest.raises(ProviderRejected):
            await anext(model.stream(ModelRequest(model="m", prompts=_called("toolu_1"))))
        assert len(endpoint.asked) == 2
