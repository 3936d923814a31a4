"""Function calls of generateContent: whole ones, and those whose arguments come in pieces."""

import json
from typing import Any

import pytest

from luxx.core.deltas import ToolCallDone
from luxx.providers.gemini.answer import AnswerDecoder
from tests.providers.generate_content import call, decode, raw_of, said


def _more(*pieces: dict[str, Any], go_on: bool = True) -> dict[str, Any]:
    return call(partialArgs=list(pieces), willContinue=go_on or None)


def _text(path: str, text: str, go_on: bool = True) -> dict[str, Any]:
    return {"jsonPath": path, "stringValue": text, **({"willContinue": True} if go_on else {})}


def test_a_call_is_complete_as_soon_as_it_is_there() -> None:
    deltas = AnswerDecoder().feed(said(call("f", {"x": 1}, id="c1")))
    assert deltas[-1] == ToolCallDone(0)


def test_calls_without_ids_or_arguments_are_whole() -> None:
    told = decode([said(call("f"), call("g", {}), call("f", {"é": "✓"}), finish="STOP")])
    assert told.tools == [("", "f", "{}"), ("", "g", "{}"), ("", "f", '{"é": "✓"}')]
    assert told.done == {0, 1, 2}
    assert told.reason == "tool_calls"


def test_the_same_call_twice_without_ids_is_two_calls() -> None:
    told = decode([said(call("f", {})), said(call("f", {}), finish="STOP")])
    assert len(told.tools) == 2


def test_a_whole_call_in_an_answer_that_is_too_long_is_done() -> None:
    told = decode([said(call("f", {"x": 1}), finish="MAX_TOKENS")])
    assert (told.done, told.reason) == ({0}, "length")


def test_arguments_that_are_a_text_are_taken_as_it_is() -> None:
    assert decode([said(call("f", '{"x": 1}'), finish="STOP")]).tools == [("", "f", '{"x": 1}')]


def test_names_on_the_wire_are_told_as_the_tools_own() -> None:
    names = {"f": "f", "_a_b_1234": "a b"}
    pieces = [said(call("_a_b_1234", {}), call("default_api:f", {}), call("default_api.f"), call("new"), finish="STOP")]
    assert [name for _, name, _ in decode(pieces, names).tools] == ["a b", "f", "f", "new"]


def test_streamed_arguments_are_put_together_at_their_places() -> None:
    told = decode(
        [
            said(call("cook", willContinue=True, signature="S")),
            said(_more(_text("$.recipe.steps[0].text", "Bo"))),
            said(_more(_text("$.recipe.steps[0].text", "il"))),
            said(_more(_text("$.recipe.steps[0].text", "", go_on=False))),
            said(_more({"jsonPath": "$.recipe.steps[1].minutes", "numberValue": 5})),
            said(_more({"jsonPath": "$.recipe['hot stuff']", "boolValue": False})),
            said(_more({"jsonPath": "$.note", "nullValue": "NULL_VALUE"})),
            said(call(willContinue=True)),
            said({"functionCall": {}}),
            said(call("serve", {"now": True})),
            said({"text": ""}, finish="STOP"),
        ]
    )
    cooked = {"recipe": {"steps": [{"text": "Boil"}, {"minutes": 5}], "hot stuff": False}, "note": None}
    assert [(name, json.loads(arguments)) for _, name, arguments in told.tools] == [
        ("cook", cooked),
        ("serve", {"now": True}),
    ]
    assert told.done == {0, 1}
    assert raw_of(told) == [
        {"functionCall": {"name": "cook", "args": cooked}, "thoughtSignature": "S"},
        {"functionCall": {"name": "serve", "args": {"now": True}}},
    ]


def test_a_streamed_call_ends_with_a_piece_that_will_not_be_continued() -> None:
    decoder = AnswerDecoder()
    decoder.feed(said(call("f", willContinue=True, id="c1")))
    deltas = decoder.feed(said(_more({"jsonPath": "$.x", "numberValue": 0.5}, go_on=False)))
    assert deltas[-1] == ToolCallDone(0)
    told = decode([said(call("f", willContinue=True)), said(call("f", willContinue=True)), said(finish="STOP")])
    assert told.tools == [("", "f", "{}"), ("", "f", "{}")]


@pytest.mark.parametrize("finish", ["MAX_TOKENS", None])
def test_a_streamed_call_that_is_cut_is_not_done_and_not_sent_back(finish: str | None) -> None:
    told = decode(
        [
            said(call("g", {})),
            said(call("f", willContinue=True)),
            said(_more(_text("$.x", "par"))),
            *([said(finish=finish)] if finish else []),
        ]
    )
    assert told.done == {0}
    if finish:
        assert told.reason == "length"
        assert raw_of(told) == [{"functionCall": {"name": "g", "args": {}}}]


@pytest.mark.parametrize(
    "path", ["", "$", "$.", "$[", "$.a[99999999]", "$.a[100001]", "$" + ".a" * 100, "$..a", "a b[x]", "$.a[-1]"]
)
def test_odd_paths_are_passed_over(path: str) -> None:
    told = decode(
        [
            said(call("f", willContinue=True)),
            said(_more({"jsonPath": path, "numberValue": 1}, {"jsonPath": "$.ok", "numberValue": 2}, go_on=False)),
            said(finish="STOP"),
        ]
    )
    assert json.loads(told.tools[0][2]) == {"ok": 2}


def test_places_that_contradict_each_other_break_nothing() -> None:
    pieces = [
        {"jsonPath": "$.a", "numberValue": 1},
        {"jsonPath": "$.a.b", "numberValue": 2},
        {"jsonPath": "$.a[1]", "stringValue": "x"},
        {"jsonPath": "$[0]", "numberValue": 3},
        {"jsonPath": "$.c"},
    ]
    told = decode([said(call("f", willContinue=True)), said(_more(*pieces, go_on=False)), said(finish="STOP")])
    assert json.loads(told.tools[0][2]) == {"a": [None, "x"], "0": 3}
