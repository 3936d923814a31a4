"""Tool calls of chat completions, in every form in which they come."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.deltas import Delta, ToolCallDelta, ToolCallDone
from luxx.providers.openai.answer import AnswerDecoder
from tests.providers.chat import DONE, call, calls, delta, event
from tests.providers.told import decode


def test_arguments_come_in_pieces() -> None:
    told = decode([calls(call(0, "a", "f", ""), call(0, arguments='{"x"'), call(0, arguments=":1}"))])
    assert told.tools == [("a", "f", '{"x":1}')]
    assert told.reason == "tool_calls"
    assert told.done == {0}


def test_a_call_without_arguments_is_a_call() -> None:
    assert decode([calls(call(0, "a", "f"))]).tools == [("a", "f", "")]
    assert decode([calls(call(0, "a", "f", "{}"))]).tools == [("a", "f", "{}")]


@pytest.mark.parametrize("index", ["", "null", "1", '"0"', "0.0", '"x"', "-1"])
def test_an_index_that_is_missing_odd_or_first_as_one_is_a_call_all_the_same(index: str) -> None:
    field = f'"index":{index},' if index else ""
    one = (
        '{"choices":[{"delta":{"tool_calls":[{'
        + field
        + '"id":"a","function":{"name":"f","arguments":"{\\"x\\":1}"}}]}}]}'
    )
    told = decode([b"data: " + one.encode() + b"\n\n" + delta("tool_calls") + DONE])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_tool_calls_null_are_none() -> None:
    told = decode([delta(content="x", tool_calls=None) + delta("stop", tool_calls=[]) + DONE])
    assert (told.text, told.tools, told.reason) == ("x", [], "stop")


def test_calls_are_told_in_the_order_of_their_indexes() -> None:
    told = decode(
        [calls(call(1, "b", "g", "{"), call(0, "a", "f", "{"), call(1, arguments="}"), call(0, arguments="}"))]
    )
    assert told.tools == [("a", "f", "{}"), ("b", "g", "{}")]


def test_interleaved_calls_are_kept_apart() -> None:
    pieces = [call(i, f"i{i}", "f", '{"x":') for i in range(3)] + [call(i, arguments=f"{i}}}") for i in (2, 0, 1)]
    assert decode([calls(*pieces)]).tools == [(f"i{i}", "f", f'{{"x":{i}}}') for i in range(3)]


def test_a_call_above_a_gap_goes_on_as_soon_as_it_grows() -> None:
    decoder = AnswerDecoder()
    assert decoder.feed(delta(tool_calls=[call(1, "a", "f", "{")])) == []
    assert decoder.feed(delta(tool_calls=[call(1, arguments='"x"')]))


def test_a_second_id_on_one_index_starts_a_new_call() -> None:
    told = decode([calls(call(0, "a", "f", '{"x":1}'), call(0, "b", "f", '{"x":2}'), call(0, "c", "g", ""))])
    assert told.tools == [("a", "f", '{"x":1}'), ("b", "f", '{"x":2}'), ("c", "g", "")]


def test_a_fresh_id_with_every_piece_goes_on_with_an_incomplete_call() -> None:
    told = decode([calls(call(0, "a", "f", '{"x"'), call(0, "b", arguments=":1"), call(0, "c", arguments="}"))])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_a_piece_under_a_new_index_without_id_and_name_goes_on_with_the_last_call() -> None:
    told = decode([calls(call(0, "b", "g", ""), call(1, arguments='{"y":2}'))])
    assert told.tools == [("b", "g", '{"y":2}')]


def test_a_repeated_name_and_id_are_not_appended() -> None:
    told = decode([calls(*(call(0, "a", "f", piece) for piece in ("", '{"x"', ":1}")))])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_a_name_in_fragments_is_appended() -> None:
    assert decode([calls(call(0, "a", "get_", ""), call(0, name="x", arguments="{}"))]).tools == [("a", "get_x", "{}")]


def test_a_name_that_is_told_anew_as_it_grows_is_not_doubled() -> None:
    pieces = [call(0, "a", "get"), call(0, "a", "get_"), call(0, "a", "get_x", "{}")]
    assert decode([calls(*pieces)]).tools == [("a", "get_x", "{}")]


def test_a_name_and_an_id_may_come_late() -> None:
    told = decode([calls(call(0, arguments='{"x":'), call(0, "a", "f", arguments="1}"))])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_calls_without_index_and_id_are_told_apart_by_their_complete_arguments() -> None:
    told = decode([calls(call(name="f", arguments='{"x":1}'), call(name="f", arguments='{"x":2}'), call(name="g"))])
    assert told.tools == [("", "f", '{"x":1}'), ("", "f", '{"x":2}'), ("", "g", "")]


def test_calls_without_index_are_told_apart_by_their_ids() -> None:
    told = decode([calls(call(id="a", name="f", arguments="{}"), call(id="b", name="f", arguments="{}"))])
    assert told.tools == [("a", "f", "{}"), ("b", "f", "{}")]


def test_an_id_may_be_a_number_or_empty() -> None:
    assert decode([calls({**call(0, name="f"), "id": 7})]).tools == [("7", "f", "")]
    told = decode([calls(call(0, "", "f", "{}"), call(0, "", "g", "{}"))])
    assert told.tools == [("", "f", "{}"), ("", "g", "{}")]


def test_arguments_may_be_an_object() -> None:
    assert decode([calls(call(0, "a", "f", {"x": "é"}))]).tools == [("a", "f", '{"x": "é"}')]


def test_an_empty_object_before_the_real_arguments_is_a_placeholder() -> None:
    told = decode([calls(call(0, "a", "f", "{}"), call(0, arguments='{"x"'), call(0, arguments=":1}"))])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_complete_arguments_that_are_told_again_are_not_doubled() -> None:
    told = decode([calls(call(0, "a", "f", '{"x":1}'), call(0, "a", arguments='{"x":1}'))])
    assert told.tools == [("a", "f", '{"x":1}')]


def test_arguments_that_are_no_json_are_kept_as_written() -> None:
    told = decode([calls(call(0, "a", "f", '{"x":1,}'))])
    assert told.tools == [("a", "f", '{"x":1,}')]
    assert told.done == {0}


def test_the_old_function_call_is_a_tool_call() -> None:
    body = delta(function_call={"name": "f", "arguments": ""}) + delta(function_call={"arguments": "{}"})
    told = decode([body + delta("function_call") + DONE])
    assert (told.tools, told.reason) == ([("", "f", "{}")], "tool_calls")


def test_many_parallel_calls_keep_their_order() -> None:
    pieces = [call(i, f"i{i}", "f", f'{{"x":{i}}}') for i in range(100)]
    assert decode([calls(*pieces)]).tools == [(f"i{i}", "f", f'{{"x":{i}}}') for i in range(100)]


def _done(deltas: list[Delta]) -> list[int]:
    return [d.slot for d in deltas if isinstance(d, ToolCallDone)]


@pytest.mark.parametrize(
    "next_chunk",
    [
        delta(tool_calls=[call(1, "b", "g", "")]),
        delta(content="x"),
        delta(reasoning_content="x"),
        delta("tool_calls"),
    ],
)
def test_a_call_is_done_when_something_else_begins(next_chunk: bytes) -> None:
    decoder = AnswerDecoder()
    assert _done(decoder.feed(delta(tool_calls=[call(0, "a", "f", '{"x":1}')]))) == []
    assert _done(decoder.feed(next_chunk)) == [0]


@pytest.mark.parametrize("arguments", ["", "{}", '{"x":', '{"x":1,}'])
def test_a_call_that_may_still_grow_is_not_done(arguments: str) -> None:
    decoder = AnswerDecoder()
    decoder.feed(delta(tool_calls=[call(0, "a", "f", arguments)]))
    assert _done(decoder.feed(delta(tool_calls=[call(1, "b", "g", "")]) + delta(content="x"))) == []


def test_of_an_answer_cut_by_length_the_incomplete_call_stays_open() -> None:
    body = delta(tool_calls=[call(0, "a", "f", '{"x":1}')]) + delta(tool_calls=[call(1, "b", "g", '{"y"')])
    told = decode([body + delta("length") + DONE])
    assert (told.reason, told.done, len(told.tools)) == ("length", {0}, 2)


def test_of_an_answer_that_broke_off_no_further_call_is_done() -> None:
    told = decode([delta(tool_calls=[call(0, "a", "f", '{"x":1}')]) + event({"error": {"message": "x", "code": 502}})])
    assert told.tools == [("a", "f", '{"x":1}')]
    assert told.done == set()


def test_complete_calls_before_the_end_mark_need_no_finish_reason() -> None:
    told = decode([delta(tool_calls=[call(0, "a", "f", "{}")]) + DONE])
    assert (told.reason, told.done, told.error) == ("tool_calls", {0}, None)
    assert decode([delta(tool_calls=[call(0, "a", "f", "{}")])]).error
    assert decode([delta(tool_calls=[call(0, "a", "f", '{"x')]) + DONE]).error


def test_a_stop_after_calls_means_the_calls_and_calls_that_are_not_there_mean_a_stop() -> None:
    assert decode([delta(tool_calls=[call(0, "a", "f", "{}")]) + delta("stop")]).reason == "tool_calls"
    assert decode([delta(content="x") + delta("tool_calls")]).reason == "stop"


def test_a_call_that_the_provider_refused_is_left_to_the_tool_to_explain() -> None:
    generation = '{"name": "f", "arguments": {"x": 1}}'
    error = {"error": {"message": "no", "code": "tool_use_failed", "failed_generation": generation, "status_code": 400}}
    told = decode([delta(reasoning="r") + b"event: error\n" + event(error)])
    assert (told.tools, told.reason, told.done) == ([("", "f", '{"x": 1}')], "tool_calls", {0})


async def test_long_arguments_in_many_pieces_that_look_like_ends_take_time_in_proportion() -> None:
    piece, count = "{}" * 200, 20_000
    parts = ["{", '"x":"', *[piece] * count, '"}']
    decoder = AnswerDecoder()

    def read() -> list[Delta]:
        return [d for part in parts for d in decoder.feed(delta(tool_calls=[call(0, "a", "f", part)]))]

    async with asyncio.timeout(20):
        told = await asyncio.to_thread(read)
    assert "".join(d.arguments for d in told if isinstance(d, ToolCallDelta)) == "".join(parts)
    assert ToolCallDone(0) in decoder.feed(delta("tool_calls"))


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        (['{"a":', '"}"', "}"], True),
        (['{"a":"\\', '"}'], False),
        (['{"a":[{', "}]}  ", "\n"], True),
        (['{"a":1}', " {}"], False),
        (['{"a":1}', "}"], False),
        (['[{"a":1}', "]"], False),
        (["}"], False),
        (['"{}"'], False),
    ],
)
def test_arguments_are_complete_when_their_object_is(pieces: list[str], whole: bool) -> None:
    told = decode(
        [delta(tool_calls=[call(0, "a", "f", "")]), *[delta(tool_calls=[call(0, arguments=p)]) for p in pieces]]
    )
    assert told.done == set()
    told = decode(
        [*[delta(tool_calls=[call(0, "a", "f", p)]) for p in pieces], delta(content="x"), delta("length"), DONE]
    )
    assert told.done == ({0} if whole else set())


_PIECE = st.builds(
    call,
    index=st.none() | st.integers(0, 3),
    id=st.none() | st.sampled_from(["", "a", "b"]),
    name=st.none() | st.sampled_from(["", "f", "g"]),
    arguments=st.none()
    | st.sampled_from(["", "{}", "{", "}", '{"x":1}', "\ud83d", "\ude00", " ", '"'])
    | st.just({"x": 1}),
)


@given(st.lists(_PIECE, max_size=8), st.booleans())
def test_whatever_the_pieces_the_deltas_keep_their_rules(pieces: list[dict[str, object]], chatty: bool) -> None:
    say = delta(content="x") if chatty else b""
    body = b"".join(delta(tool_calls=[piece]) + say for piece in pieces)
    told = decode([body + delta("tool_calls") + DONE])
    assert told.error is None
    assert told.done == set(range(len(told.tools)))
