"""Items of a Responses stream: whatever providers leave out, repeat and mix up, each thing is told once."""

from itertools import combinations
from typing import Any

import pytest

from luxx.core.deltas import ToolCallDone
from luxx.core.errors import AnswerIncomplete, ProviderOverloaded
from luxx.providers.responses.answer import AnswerDecoder
from tests.providers.responses import (
    added,
    call,
    completed,
    data,
    decode,
    done,
    event,
    message,
    only_done,
    reasoning,
    text_delta,
)


def _arguments(piece: str, index: int = 0, **more: object) -> bytes:
    fields = {"output_index": index, "item_id": f"fc_{index}", **more}
    return event("response.function_call_arguments.delta", delta=piece, **fields)


def _thought(piece: str, part: int = 0, index: int = 0, **more: object) -> bytes:
    fields = {"output_index": index, "item_id": f"rs_{index}", "summary_index": part, **more}
    return event("response.reasoning_summary_text.delta", delta=piece, **fields)


_TEXT = message("Hello")
_TEXT_DONE = {"output_index": 0, "item_id": "msg_0", "content_index": 0}
_FULL_TEXT = (
    added(0, message()),
    event("response.content_part.added", part={"type": "output_text", "text": ""}, **_TEXT_DONE),
    text_delta("Hel"),
    text_delta("lo"),
    event("response.output_text.done", text="Hello", **_TEXT_DONE),
    event("response.content_part.done", part={"type": "output_text", "text": "Hello"}, **_TEXT_DONE),
    done(0, _TEXT),
    completed(_TEXT),
)


_TEXT_GROUPS = (_FULL_TEXT[:1], _FULL_TEXT[1:2], _FULL_TEXT[2:4], *((piece,) for piece in _FULL_TEXT[4:]))


@pytest.mark.parametrize("kept", [k for n in range(1, 7) for k in combinations(range(7), n)], ids=str)
def test_a_text_is_told_once_whatever_its_provider_leaves_out(kept: tuple[int, ...]) -> None:
    end = () if 6 in kept else (completed(),)
    told = decode(*(piece for place in kept for piece in _TEXT_GROUPS[place]), *end)
    assert told.reason == "stop"
    assert told.text == ("Hello" if set(kept) & {2, 3, 4, 5, 6} else "")


_CALL = call(arguments='{"x": 1}')
_CALL_DONE = {"output_index": 0, "item_id": "fc_0"}
_FULL_CALL = (
    added(0, call(arguments="")),
    _arguments('{"x"'),
    _arguments(": 1}"),
    event("response.function_call_arguments.done", arguments='{"x": 1}', **_CALL_DONE),
    done(0, _CALL),
    completed(_CALL),
)


_NAMED = (0, 3, 4)
_WITH_ARGUMENTS = (1, 2, 3, 4)
_GROUPS = (_FULL_CALL[:1], _FULL_CALL[1:3], _FULL_CALL[3:4], _FULL_CALL[4:5], _FULL_CALL[5:])


@pytest.mark.parametrize("kept", [k for n in range(1, 6) for k in combinations(range(5), n)], ids=str)
def test_a_call_is_told_once_whatever_its_provider_leaves_out(kept: tuple[int, ...]) -> None:
    if not (set(kept) & set(_NAMED) and set(kept) & set(_WITH_ARGUMENTS)):
        return
    end = () if 4 in kept else (completed(),)
    told = decode(*(piece for place in kept for piece in _GROUPS[place]), *end)
    assert told.tools == [("call_a", "f", '{"x": 1}')]
    assert told.done == {0}
    assert told.reason == "tool_calls"


def test_a_call_is_done_as_soon_as_its_arguments_are() -> None:
    decoder = AnswerDecoder()
    deltas = decoder.feed(b"".join(_FULL_CALL[:4]))
    assert deltas[-1] == ToolCallDone(0)
    assert decoder.feed(b"".join(_FULL_CALL[4:])) == []


def test_items_without_indexes_are_told_apart_by_their_ids() -> None:
    pieces = (
        data(type="response.output_item.added", item=call("a", "f", "", id="fc_0")),
        data(type="response.output_item.added", item=call("b", "g", "", id="fc_1")),
        data(type="response.function_call_arguments.delta", item_id="fc_1", delta='{"y": 2}'),
        data(type="response.function_call_arguments.delta", item_id="fc_0", delta='{"x": 1}'),
        data(type="response.output_item.done", item=call("b", "g", '{"y": 2}', id="fc_1")),
        data(type="response.output_item.done", item=call("a", "f", '{"x": 1}', id="fc_0")),
    )
    told = decode(*pieces, completed())
    assert told.tools == [("a", "f", '{"x": 1}'), ("b", "g", '{"y": 2}')]
    assert told.done == {0, 1}


def test_items_that_all_have_one_index_are_told_apart_by_their_ids_and_kinds() -> None:
    told = decode(
        added(0, message(id="m")),
        text_delta("a", item_id="m"),
        added(0, call("a", "f", "", id="x")),
        added(0, call("b", "g", "", id="y")),
        _arguments("{}", item_id="x"),
        _arguments('{"y": 2}', item_id="y"),
        text_delta("b", item_id="m"),
        done(0, call("a", "f", "{}", id="x")),
        done(0, call("b", "g", '{"y": 2}', id="y")),
        done(0, message("ab", id="m")),
        completed(message("ab", id="m"), call("a", "f", "{}", id="x"), call("b", "g", '{"y": 2}', id="y")),
    )
    assert told.text == "ab"
    assert told.tools == [("a", "f", "{}"), ("b", "g", '{"y": 2}')]


def test_ids_that_change_with_every_event_change_nothing() -> None:
    told = decode(
        added(0, reasoning(id="1")),
        _thought("hm", item_id="2"),
        done(0, reasoning("hm", id="3", encrypted_content="g")),
        added(1, message(id="4")),
        text_delta("a", 1, item_id="5"),
        text_delta("b", 1, item_id="6"),
        done(1, message("ab", id="7")),
        added(2, call(arguments="", id="8")),
        _arguments("{}", 2, item_id="9"),
        done(2, call(id="10")),
        completed(reasoning("hm", id="11", encrypted_content="g"), message("ab", id="12"), call(id="13")),
    )
    assert (told.reasoning, told.text) == ("hm", "ab")
    assert told.tools == [("call_a", "f", "{}")]


@pytest.mark.parametrize(
    ("streamed", "whole"),
    [(("a", "b"), ("ab",)), (("ab",), ("a", "b")), (("a", "b"), ("a", "b")), (("a",), ("a", "b")), (("a", "b"), ())],
)
def test_messages_that_a_gateway_joins_or_parts_are_told_once(
    streamed: tuple[str, ...], whole: tuple[str, ...]
) -> None:
    pieces = [text_delta(text, place, item_id=f"s{place}") for place, text in enumerate(streamed)]
    told = decode(*pieces, completed(*(message(text, id=f"w{place}") for place, text in enumerate(whole))))
    assert told.text == "ab"


def test_a_whole_that_says_something_else_does_not_change_what_was_told() -> None:
    told = decode(text_delta("one"), done(0, message("two")), completed(message("three")))
    assert told.text == "one"


def test_a_content_index_that_is_not_the_one_of_the_item_doubles_nothing() -> None:
    part = {"output_index": 0, "item_id": "msg_0", "content_index": 1}
    told = decode(
        text_delta("a", content_index=1), event("response.output_text.done", text="a", **part), done(0, _TEXT)
    )
    assert told.text == "a"
    told = decode(text_delta("Hel", content_index=1), done(0, _TEXT), completed(_TEXT))
    assert told.text == "Hello"


def test_an_item_that_is_done_twice_is_told_once() -> None:
    told = decode(done(0, _TEXT), done(0, _TEXT), done(1, _CALL), done(1, _CALL), completed(_TEXT, _CALL))
    assert (told.text, len(told.tools)) == ("Hello", 1)


def test_calls_with_the_same_name_and_arguments_are_two_calls() -> None:
    first, second = call("a", id="1"), call("b", id="2")
    told = decode(only_done(first, second))
    assert [tool[0] for tool in told.tools] == ["a", "b"]


@pytest.mark.parametrize("arguments", ["", None, "{}"])
def test_a_call_without_arguments_has_an_empty_object(arguments: str | None) -> None:
    item = {**call(), "arguments": arguments}
    told = decode(added(0, {**item, "arguments": ""}), done(0, item), completed(item))
    assert told.tools == [("call_a", "f", "{}")]
    assert told.done == {0}


def test_arguments_that_are_an_object_and_not_its_text_are_taken() -> None:
    assert decode(only_done({**call(), "arguments": {"x": "é"}})).tools == [("call_a", "f", '{"x": "é"}')]


def test_an_empty_object_that_comes_first_is_a_placeholder() -> None:
    told = decode(added(0, call(arguments="")), _arguments("{}"), _arguments('{"x": 1}'), completed())
    assert told.tools == [("call_a", "f", '{"x": 1}')]


def test_a_call_without_a_call_id_has_its_own() -> None:
    assert decode(only_done({**call(), "call_id": None})).tools[0][0] == "fc_0"


def test_a_name_that_comes_with_the_whole_item_only_is_waited_for() -> None:
    told = decode(added(0, {"type": "function_call", "id": "fc_0"}), _arguments("{}"), done(0, call()), completed())
    assert told.tools == [("call_a", "f", "{}")]


@pytest.mark.parametrize("status", ["incomplete", "completed"])
def test_a_call_that_the_token_limit_cut_is_not_complete(status: str) -> None:
    cut = call(arguments='{"x": "lo', status=status)
    whole = call("call_b", "g", "{}", id="fc_1")
    limit = {"incomplete_details": {"reason": "max_output_tokens"}}
    told = decode(done(0, whole), added(1, call(arguments="")), _arguments('{"x": "lo', 1), done(1, cut))
    assert isinstance(told.error, AnswerIncomplete)
    told = decode(
        done(0, whole),
        added(1, call(arguments="", id="fc_1x")),
        _arguments('{"x": "lo', 1, item_id="fc_1x"),
        done(1, {**cut, "id": "fc_1x"}),
        completed(whole, {**cut, "id": "fc_1x"}, kind="incomplete", **limit),
    )
    assert told.reason == "length"
    assert told.done == {0}
    assert told.whole_tools == [("call_b", "g", "{}")]


def test_arguments_that_are_wrong_in_a_whole_answer_are_left_to_the_tool() -> None:
    told = decode(only_done(call(arguments='{"x":')))
    assert told.tools == [("call_a", "f", '{"x":')]
    assert told.done == {0}


def test_parts_of_a_summary_are_paragraphs() -> None:
    whole = reasoning("one", "two", encrypted_content="g")
    told = decode(_thought("o"), _thought("ne"), _thought("two", 1), done(0, whole), completed(whole))
    assert told.reasoning == "one\n\ntwo"
    assert decode(only_done(whole)).reasoning == "one\n\ntwo"


def test_reasoning_that_is_also_summarised_is_shown_once() -> None:
    whole = reasoning("short", content=[{"type": "reasoning_text", "text": "long"}])
    place = {"output_index": 0, "item_id": "rs_0", "content_index": 0}
    streamed = decode(event("response.reasoning_text.delta", delta="long", **place), _thought("short"), done(0, whole))
    assert streamed.reasoning == decode(only_done(whole)).reasoning == "long"


@pytest.mark.parametrize("name", ["reasoning_text", "reasoning", "reasoning_summary", "reasoning_summary_text"])
def test_reasoning_comes_under_several_names(name: str) -> None:
    pieces = event(f"response.{name}.delta", delta="a"), event(f"response.{name}.done", text="ab")
    assert decode(*pieces, completed()).reasoning == "ab"


def test_a_reasoning_part_of_vllm_is_told_once() -> None:
    place = {"output_index": 0, "item_id": "rs_0", "content_index": 0}
    part = {"type": "reasoning_text", "text": "ab"}
    told = decode(
        event("response.reasoning_part.added", part={**part, "text": ""}, **place),
        event("response.reasoning_text.delta", delta="a", **place),
        event("response.reasoning_part.done", part=part, **place),
        completed(),
    )
    assert told.reasoning == "ab"


def test_commentary_and_the_final_answer_are_both_text() -> None:
    told = decode(only_done(message("Let me see. ", phase="commentary"), message("4", id="m2", phase="final_answer")))
    assert told.text == "Let me see. 4"


def test_arguments_that_only_the_announcement_has_are_not_lost() -> None:
    assert decode(added(0, _CALL), completed()).tools == [("call_a", "f", '{"x": 1}')]


@pytest.mark.parametrize("output", [(), (message("a", phase="commentary"), _CALL)])
def test_items_that_are_done_out_of_order_are_kept_in_their_order(output: tuple[dict[str, Any], ...]) -> None:
    told = decode(done(1, _CALL), done(0, message("a", phase="commentary")), completed(*output))
    assert told.finish
    assert [item["type"] for item in told.raw_items("items")] == ["message", "function_call"]


def test_more_items_than_an_answer_can_have_are_an_error() -> None:
    told = decode(*(added(place, {"type": "x"}) for place in range(2002)), completed())
    assert isinstance(told.error, ProviderOverloaded)
