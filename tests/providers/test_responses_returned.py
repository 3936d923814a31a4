"""What of an answer goes back to the provider that made it, and what does not."""

import base64
import json
from typing import Any

import msgspec
import pytest

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.responses import quirks as q
from luxx.providers.responses.request import encode_request
from tests.providers.responses import call, completed, decode, done, message, only_done, reasoning

_PNG = FileRef(id="1", name="a.png", media_type="image/png", size=3)
_THOUGHT = reasoning("why", encrypted_content="gAAA", status="completed")


def _answer(*items: dict[str, Any], files: tuple[FileRef, ...] = ()) -> AnswerPrompt:
    told = decode(only_done(*items))
    assert told.finish
    calls = tuple(CallPrompt(id=id, name=name, arguments=arguments) for id, name, arguments in told.whole_tools)
    raw = told.raw
    return AnswerPrompt(text=told.text, thinking=told.reasoning, calls=calls, model="m", raw=raw, files=files)


def _input(*prompts: Prompt, quirks: frozenset[str] = frozenset(), model: str = "m") -> list[dict[str, Any]]:
    request = ModelRequest(model=model, prompts=prompts, files={"1": b"png"})
    return json.loads(encode_request(request, quirks=quirks))["input"]


def test_reasoning_goes_back_with_its_calls_in_order_and_without_ids() -> None:
    second = reasoning(id="rs_1", encrypted_content="gBBB", content=None)
    items = _input(_answer(_THOUGHT, message("Let me see."), call(arguments='{"x": 1}'), second, call("b", id="fc_1")))
    assert items == [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "why"}], "encrypted_content": "gAAA"},
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_a", "name": "f", "arguments": '{"x": 1}'},
        {"type": "reasoning", "summary": [], "encrypted_content": "gBBB"},
        {"type": "function_call", "call_id": "b", "name": "f", "arguments": "{}"},
    ]


def test_reasoning_of_a_last_answer_goes_back_too() -> None:
    assert [item["type"] for item in _input(_answer(_THOUGHT, message("a")))] == ["reasoning", "message"]


def test_reasoning_in_words_goes_back_with_its_id_and_what_else_it_has() -> None:
    words = [{"type": "reasoning_text", "text": "hm"}]
    thought = reasoning(content=words, signature="s", format="f", encrypted_content=None, status="completed")
    assert _input(_answer(thought, call()))[0] == {
        "type": "reasoning",
        "id": "rs_0",
        "summary": [],
        "content": words,
        "signature": "s",
        "format": "f",
    }


@pytest.mark.parametrize(
    "thought",
    [
        reasoning("why"),
        reasoning(content=[], encrypted_content=None),
        reasoning("why", encrypted_content="cut", status="incomplete"),
    ],
)
def test_reasoning_that_the_provider_could_not_read_again_does_not_go_back(thought: dict[str, Any]) -> None:
    assert [item["type"] for item in _input(_answer(thought, message("a", phase="commentary"), call()))] == [
        "message",
        "function_call",
    ]


def test_the_encrypted_content_of_the_end_stands_in_for_one_that_the_item_lacked() -> None:
    told = decode(done(0, reasoning("why")), done(1, call()), completed(_THOUGHT, call()))
    assert told.finish
    assert b"gAAA" in told.raw


def test_a_plain_answer_needs_nothing_back() -> None:
    assert _answer(message("a"), call()).raw == b""
    assert _answer(message("a")).raw == b""


def test_the_phase_of_a_message_goes_back() -> None:
    items = _input(_answer(message("a", phase="commentary"), call(), message("b", id="m", phase="final_answer")))
    assert [item.get("phase") for item in items] == ["commentary", None, "final_answer"]
    none = _input(_answer(message("a", phase="commentary")), quirks=frozenset({q.NO_PHASE}))
    assert none == [{"type": "message", "role": "assistant", "content": "a"}]


def test_citations_and_refusals_go_back_in_parts() -> None:
    note = {"type": "url_citation", "url": "u", "title": "t", "start_index": 0, "end_index": 1}
    part = {"type": "output_text", "text": "a", "annotations": [note], "logprobs": [{"token": "a"}]}
    refusal = {"type": "refusal", "refusal": "no"}
    (item,) = _input(_answer(message(part, refusal)))
    assert item["content"] == [{"type": "output_text", "text": "a", "annotations": [note]}, refusal]


def test_items_of_the_providers_own_tools_go_back_with_their_ids() -> None:
    search = {"type": "web_search_call", "id": "ws", "status": "completed", "action": {"type": "search", "query": "q"}}
    code = {"type": "code_interpreter_call", "id": "ci", "container_id": "c", "code": "1", "outputs": None}
    condensed = {"type": "compaction", "id": "cmp", "encrypted_content": "g", "created_by": "x"}
    unknown = {"type": "shiny", "id": "s", "what": [1]}
    items = _input(_answer(search, code, condensed, unknown, message("a")))
    assert items[:-1] == [
        search,
        {**code, "status": "completed"},
        {"type": "compaction", "encrypted_content": "g"},
        unknown,
    ]


@pytest.mark.parametrize(
    "item",
    [
        {"type": "custom_tool_call", "id": "x", "call_id": "c", "name": "t", "input": "i"},
        {"type": "computer_call", "id": "x", "call_id": "c", "action": {}},
        {"type": "local_shell_call", "id": "x", "call_id": "c", "action": {}},
        {"type": "mcp_approval_request", "id": "x", "name": "t"},
    ],
)
def test_a_call_that_nobody_answered_does_not_go_back(item: dict[str, Any]) -> None:
    assert [item["type"] for item in _input(_answer(_THOUGHT, item, message("a")))] == ["reasoning", "message"]


def test_a_call_that_the_provider_answered_itself_goes_back() -> None:
    shell = {"type": "shell_call", "id": "x", "call_id": "c"}
    output = {"type": "shell_call_output", "id": "y", "call_id": "c"}
    assert _input(_answer(shell, output, message("a")))[:2] == [shell, output]


def test_an_image_goes_back_as_it_was_kept() -> None:
    image = {"type": "image_generation_call", "id": "ig", "status": "generating", "size": "1024x1024"}
    made = _answer({**image, "result": base64.b64encode(b"other").decode()}, message("a"), files=(_PNG,))
    assert _input(made)[0] == {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "cG5n"}
    gone = msgspec.structs.replace(made, files=())
    assert [item["type"] for item in _input(gone)] == ["message"]


def test_images_go_back_with_the_calls_that_made_them() -> None:
    def drawn(id: str, status: str = "completed", **more: object) -> dict[str, Any]:
        return {"type": "image_generation_call", "id": id, "status": status, **more}

    result = base64.b64encode(b"png").decode()
    blocked = drawn("ig_0", "failed", result=None, error={"message": "moderation_blocked"})
    vector = drawn("ig_1", output_format="svg", result=base64.b64encode(b"<svg/>").decode())
    svg = FileRef(id="2", name="image.svg", media_type="text/xml", size=6)
    made = _answer(blocked, vector, drawn("ig_2", result=result), message("a"), files=(svg, _PNG))
    images = [item for item in _input(made) if item["type"] == "image_generation_call"]
    assert images == [drawn("ig_2", result="cG5n")]


def test_a_program_goes_back_whole_and_its_calls_get_their_results_as_its_own() -> None:
    program = {"type": "program", "id": "prog", "call_id": "p", "code": "f()", "fingerprint": "xyz"}
    caller = {"type": "program", "caller_id": "p"}
    first = _answer(program, call("a", caller=caller), call("b", id="fc_1", caller={"type": "direct"}))
    results = [ResultPrompt(id=id, name="f", content="r") for id in ("a", "b")]
    output = {"type": "program_output", "id": "out", "call_id": "p", "result": "1", "status": "completed"}
    items = _input(first, *results, _answer(output, message("done")))
    assert items[0] == program
    assert [item.get("caller") for item in items if item["type"] == "function_call_output"] == [caller, None]
    assert output in items


def test_the_ids_of_the_prompt_win() -> None:
    answer = _answer(_THOUGHT, call("call_0"), call("call_1", "g", id="fc_1"))
    calls = tuple(msgspec.structs.replace(call, id=f"{call.id}_2") for call in answer.calls)
    items = _input(
        msgspec.structs.replace(answer, calls=calls), *(ResultPrompt(id=c.id, name=c.name, content="") for c in calls)
    )
    assert [item["call_id"] for item in items[1:]] == ["call_0_2", "call_1_2"] * 2


def test_a_long_id_that_came_from_the_provider_goes_back_as_it_is() -> None:
    answer = _answer(_THOUGHT, call("x" * 100))
    items = _input(answer, ResultPrompt(id="x" * 100, name="f", content=""))
    assert [len(item["call_id"]) for item in items[1:]] == [100, 100]


def test_fields_of_a_call_that_nobody_knows_go_back() -> None:
    (item,) = _input(_answer(call(namespace="n", caller=None)))
    assert item == {"type": "function_call", "call_id": "call_a", "name": "f", "arguments": "{}", "namespace": "n"}


@pytest.mark.parametrize("raw", [b"\xff", b"{}", b"[]", b'{"items": 7}', b'{"items": [7]}', b'{"items": []}'])
def test_what_cannot_be_read_is_told_anew(raw: bytes) -> None:
    answer = msgspec.structs.replace(_answer(_THOUGHT, message("a"), call()), raw=raw)
    assert [item["type"] for item in _input(answer)] == ["message", "function_call"]


def test_what_does_not_fit_the_prompt_is_told_anew() -> None:
    answer = _answer(_THOUGHT, message("a"), call())
    for other in (
        msgspec.structs.replace(answer, text="b"),
        msgspec.structs.replace(answer, calls=()),
        msgspec.structs.replace(answer, calls=(CallPrompt(id="call_a", name="other", arguments="{}"),)),
    ):
        assert "reasoning" not in [item["type"] for item in _input(other)]


def test_reasoning_does_not_go_to_another_model() -> None:
    answer = _answer(_THOUGHT, message("a", phase="final_answer"))
    assert [item["type"] for item in _input(answer, model="other")] == ["message"]


def test_reasoning_stays_away_where_it_was_refused_and_ids_come_where_they_are_wanted() -> None:
    answer = _answer(_THOUGHT, message("a"), call())
    assert [item["type"] for item in _input(answer, quirks=frozenset({q.NO_REASONING}))] == ["message", "function_call"]
    with_ids = _input(answer, quirks=frozenset({q.WITH_IDS}))
    assert [item["id"] for item in with_ids] == ["rs_0", "msg_0", "fc_0"]
    assert with_ids[1]["content"] == [{"type": "output_text", "text": "a", "annotations": []}]
    plain = _input(answer, quirks=frozenset({q.NO_ITEMS}))
    assert plain == _input(msgspec.structs.replace(answer, raw=b""))


def test_a_cut_call_is_not_in_what_goes_back() -> None:
    cut = call("b", "g", '{"x', id="fc_1", status="incomplete")
    told = decode(done(0, _THOUGHT), done(1, call()), done(2, cut), completed(_THOUGHT, call(), cut, kind="incomplete"))
    assert told.finish
    assert b'"b"' not in told.raw


def test_what_is_too_large_to_keep_is_left_out() -> None:
    assert _answer(reasoning(encrypted_content="g" * 9_000_000), message("a")).raw == b""


def test_half_a_character_does_not_hide_the_rest() -> None:
    answer = _answer(_THOUGHT, message("a\ud83d"))
    assert answer.text == "a\ufffd"
    assert [item["type"] for item in _input(answer)] == ["reasoning", "message"]


def test_a_longer_conversation_begins_with_the_same_bytes() -> None:
    first = (UserPrompt("q"), _answer(_THOUGHT, message("x"), call()), ResultPrompt(id="call_a", name="f", content="r"))
    more = (*first, _answer(_THOUGHT, message("done", phase="final_answer")), UserPrompt("next"))
    short, longer = (encode_request(ModelRequest(model="m", prompts=prompts)) for prompts in (first, more))
    assert longer.startswith(short.removesuffix(b"]}"))
