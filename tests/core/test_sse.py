"""The parser of Server-Sent Events, held to the WHATWG rules."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.sse import EventTooLarge, ServerEvent, SSEParser

_FIELD = st.builds(
    lambda name, colon, value: name + colon + value,
    st.sampled_from([b"data", b"event", b"id", b"retry", b"", b"x"]),
    st.sampled_from([b":", b": ", b":  ", b""]),
    st.binary(max_size=6).filter(lambda value: not set(value) & {10, 13}),
)
_LINES = st.lists(st.one_of(st.just(b""), _FIELD), max_size=12)
_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


def _parse(*chunks: bytes) -> list[ServerEvent]:
    parser = SSEParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(st.data())
def test_a_stream_cut_anywhere_gives_the_same_events(data: st.DataObject) -> None:
    lines = data.draw(_LINES)
    body = data.draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + b"".join(line + data.draw(_ENDS) for line in lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    pieces = [body[a:b] for a, b in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert _parse(*pieces) == _parse(body) == _parse(*(body[i : i + 1] for i in range(len(body))))


@given(st.lists(st.binary(max_size=20).filter(lambda v: not set(v) & {10, 13}), max_size=5), _ENDS)
def test_any_line_of_data_comes_back_as_it_was(values: list[bytes], end: bytes) -> None:
    body = b"".join(b"data: " + value + end * 2 for value in values)
    assert [event.data for event in _parse(body)] == values


def test_data_lines_are_joined_with_a_newline() -> None:
    assert _parse(b"data: a\ndata: b\ndata\n\n") == [ServerEvent(b"a\nb\n")]


def test_one_space_after_the_colon_is_dropped_and_no_more() -> None:
    assert [e.data for e in _parse(b"data:a\n\ndata:  b\n\n")] == [b"a", b" b"]


def test_comments_and_unknown_fields_are_ignored() -> None:
    assert _parse(b": hello\n:\nfoo: bar\ndata: a\n\n") == [ServerEvent(b"a")]


def test_an_event_without_data_is_none_and_its_name_is_forgotten() -> None:
    assert _parse(b"event: ping\n\ndata: a\n\n") == [ServerEvent(b"a")]


def test_an_empty_data_line_is_an_event() -> None:
    assert _parse(b"data:\n\n") == [ServerEvent(b"")]


def test_the_id_stays_until_another_comes_and_one_with_nul_is_ignored() -> None:
    events = _parse(b"id: 7\ndata: a\n\ndata: b\n\nid: 8\0\ndata: c\n\nid\ndata: d\n\n")
    assert [event.id for event in events] == ["7", "7", "7", ""]


def test_an_id_counts_only_when_its_event_ends() -> None:
    parser = SSEParser()
    parser.feed(b"id: 7\n\nid: 8\ndata: cut")
    assert parser.last_event_id == "7"


def test_retry_is_digits_or_ignored() -> None:
    parser = SSEParser()
    parser.feed(b"retry: 1500\n\nretry: 1.5\n\nretry: x\n\n")
    assert parser.retry_ms == 1500


def test_separators_of_unicode_are_no_line_ends() -> None:
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg".encode()
    assert _parse(b"data: " + text + b"\n\n") == [ServerEvent(text)]


def test_a_byte_order_mark_counts_at_the_start_only() -> None:
    assert [e.data for e in _parse(b"\xef\xbb", b"\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n")] == [b"a"]


def test_a_crlf_split_over_two_chunks_is_one_line_end() -> None:
    assert _parse(b"data: a\r", b"\ndata: b\r", b"", b"\n\r", b"\n") == [ServerEvent(b"a\nb")]


def test_an_event_that_was_cut_off_is_dropped_but_can_be_looked_at() -> None:
    parser = SSEParser()
    assert parser.feed(b"event: e\ndata: a\ndata: b") == []
    assert parser.remainder() == ServerEvent(b"a\nb", "e")
    assert parser.remainder() is None


@pytest.mark.parametrize("body", [b"data: " + b"x" * 200, b"data: 1234567890\n" * 20, b": " + b"x" * 200])
def test_an_event_beyond_the_limit_is_refused(body: bytes) -> None:
    parser = SSEParser(limit=100)
    with pytest.raises(EventTooLarge):
        _ = [parser.feed(bytes([byte])) for byte in body]


def test_many_small_events_and_comments_do_not_add_up_to_the_limit() -> None:
    parser = SSEParser(limit=100)
    assert len(parser.feed(b": ping\ndata: 1234567890\n\n" * 50)) == 50
