"""Recorded chat-completions streams: whole and cut anywhere they give what is expected of them."""

import random
from itertools import pairwise

import pytest

from luxx.core.errors import AnswerIncomplete
from tests.providers import cassettes
from tests.providers.told import Told, decode

EXPECTED = cassettes.expectations()
STREAMS = cassettes.streams("chat-completions")

# Where an expectation is not what is right: the clients it was taken from overlook this.
OTHERWISE = {
    "syn__two-choices": cassettes.Expected(text="right"),  # choices other than 0 are ignored
    "mistral__magistral-medium-latest__b1d276": cassettes.Expected(reasoning=None),  # thinking parts are reasoning
    "snowflake__claude-sonnet-4-6__684fea": cassettes.Expected(reasoning="15 * 27 = 405"),  # and so are details
}


def _check(stream: cassettes.Stream, told: Told) -> None:
    expected = EXPECTED.get(stream.id, cassettes.Expected())
    otherwise = OTHERWISE.get(stream.id)
    text = otherwise.text if otherwise and otherwise.text is not None else expected.text
    reasoning = otherwise.reasoning if otherwise and otherwise.text is None else expected.reasoning
    assert text in (None, told.text)
    assert reasoning in (None, told.reasoning)
    assert expected.finish in (None, told.reason)
    if expected.tools is not None:
        assert [tool[:2] for tool in told.tools] == [tool[:2] for tool in expected.tools]
        for ours, theirs in zip(told.tools, expected.tools, strict=True):
            assert cassettes.same_arguments(ours[2], theirs[2])


def _cut(body: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(set(at)), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.id)
def test_a_recorded_stream_gives_what_is_expected_however_it_is_cut(stream: cassettes.Stream) -> None:
    body = stream.body
    whole = decode([body])
    _check(stream, whole)
    dice = random.Random(stream.id)
    ways = [
        [body[i : i + 1] for i in range(len(body))],
        [event + b"\n\n" for event in body.split(b"\n\n")],
        *(_cut(body, [dice.randrange(len(body)) for _ in range(count)]) for count in (1, 3, 10, 100)),
    ]
    for pieces in ways:
        assert decode(pieces).same_as(whole)


@pytest.mark.parametrize("stream", [s for s in STREAMS if s.has_reason], ids=lambda stream: stream.id)
def test_a_recorded_stream_that_breaks_off_before_its_finish_reason_is_incomplete(stream: cassettes.Stream) -> None:
    body = stream.body
    end = body.rindex(b"finish_reason")
    for at in (0, end // 3, end // 2):
        told = decode([body[:at]])
        assert told.reason is not None or isinstance(told.error, AnswerIncomplete)


@pytest.mark.parametrize("stream", cassettes.streams("ndjson") + cassettes.streams("other"), ids=lambda s: s.id)
def test_a_stream_in_another_format_is_an_error_and_no_answer(stream: cassettes.Stream) -> None:
    told = decode([stream.body])
    assert told.error
    assert told.text == ""
