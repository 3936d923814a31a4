"""Recorded streams: whole and cut anywhere they give what is expected of them."""

import random
from itertools import pairwise

import pytest

from luxx.core.errors import AnswerIncomplete
from tests.providers import cassettes
from tests.providers.recorded.wires import WIRES, Wire
from tests.providers.told import Told, decode_with

EXPECTED = cassettes.expectations()
STREAMS = [pytest.param(wire, stream, id=stream.id) for wire in WIRES for stream in cassettes.streams(wire.kind)]
FOREIGN = cassettes.streams("ndjson") + cassettes.streams("other")


def _check(wire: Wire, stream: cassettes.Stream, told: Told) -> None:
    expected = EXPECTED.get(stream.id, cassettes.Expected())
    otherwise = wire.otherwise.get(stream.id)
    text = otherwise.text if otherwise and otherwise.text is not None else expected.text
    reasoning = otherwise.reasoning if otherwise and otherwise.text is None else expected.reasoning
    assert text in (None, told.text)
    assert reasoning in (None, told.reasoning)
    assert expected.finish is None or wire.reason(expected.finish) == told.reason
    if expected.tools is not None:
        assert [tool[:2] for tool in told.tools] == [tool[:2] for tool in expected.tools]
        for ours, theirs in zip(told.tools, expected.tools, strict=True):
            assert cassettes.same_arguments(ours[2], theirs[2])


def _cut(body: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(set(at)), len(body)]
    return [body[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize(("wire", "stream"), STREAMS)
def test_a_recorded_stream_gives_what_is_expected_however_it_is_cut(wire: Wire, stream: cassettes.Stream) -> None:
    body = stream.body
    whole = decode_with(wire.decoder(), [body])
    _check(wire, stream, whole)
    dice = random.Random(stream.id)
    ways = [
        [body[i : i + 1] for i in range(len(body))],
        [event + b"\n\n" for event in body.split(b"\n\n")],
        *(_cut(body, [dice.randrange(len(body)) for _ in range(count)]) for count in (1, 3, 10, 100)),
    ]
    for pieces in ways:
        assert decode_with(wire.decoder(), pieces).same_as(whole)


@pytest.mark.parametrize(("wire", "stream"), STREAMS)
def test_a_recorded_stream_that_breaks_off_before_its_end_is_incomplete(wire: Wire, stream: cassettes.Stream) -> None:
    end = wire.end_of(stream)
    for at in (0, end // 3, end // 2) if end else ():
        told = decode_with(wire.decoder(), [stream.body[:at]])
        assert told.reason is not None or isinstance(told.error, AnswerIncomplete)


@pytest.mark.parametrize("stream", FOREIGN, ids=lambda stream: stream.id)
@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.kind)
def test_a_stream_in_another_format_is_an_error_and_no_answer(wire: Wire, stream: cassettes.Stream) -> None:
    told = decode_with(wire.decoder(), [stream.body])
    assert told.error
    assert told.text == ""
