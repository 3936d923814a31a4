"""What endpoints of the Responses format are sent."""

import json
from typing import Any, get_args

import pytest

from luxx.core.files import FileRef
from luxx.core.prompts import (
    AnswerPrompt,
    CallPrompt,
    ModelRequest,
    Prompt,
    ResultPrompt,
    Thinking,
    ToolSpec,
    UserPrompt,
)
from luxx.providers.attachments import as_text
from luxx.providers.failures import Report
from luxx.providers.responses import quirks as q
from luxx.providers.responses.request import encode_request

_TOOL = ToolSpec(name="f", description="d", parameters={"type": "object", "properties": {"z": {}, "a": {}}})
_PNG = FileRef(id="1", name="a.png", media_type="image/png", size=3)
_PDF = FileRef(id="2", name="b.pdf", media_type="application/pdf", size=3)
_NOTE = FileRef(id="3", name="c.txt", media_type="text/plain", size=3)
_ZIP = FileRef(id="4", name="d.zip", media_type="application/zip", size=3)
_GONE = FileRef(id="5", name="e.png", media_type="image/png", size=3)
_CONTENTS = {"1": b"png", "2": b"pdf", "3": b"txt", "4": b"zip"}
_IMAGE = {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,cG5n"}


def _input(*prompts: Prompt, quirks: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    request = ModelRequest(model="m", prompts=prompts, files=_CONTENTS)
    return json.loads(encode_request(request, quirks=quirks))["input"]


def _call(id: str = "1", arguments: str = "{}", name: str = "f") -> CallPrompt:
    return CallPrompt(id=id, name=name, arguments=arguments)


def test_a_plain_request_asks_for_no_more_than_to_see_the_reasoning() -> None:
    body = json.loads(encode_request(ModelRequest(model="m", prompts=(UserPrompt("hi"),))))
    assert body == {
        "model": "m",
        "stream": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"summary": "auto"},
        "input": [{"type": "message", "role": "user", "content": "hi"}],
    }


def test_a_full_request_holds_all_of_it() -> None:
    request = ModelRequest(
        model="m",
        prompts=(UserPrompt("hi"),),
        system="be",
        temperature=0.0,
        max_tokens=9,
        tools=(_TOOL,),
        thinking="high",
        conversation_id="c",
    )
    body = json.loads(encode_request(request))
    assert body["instructions"] == "be"
    assert (body["temperature"], body["max_output_tokens"], body["prompt_cache_key"]) == (0.0, 9, "c")
    assert body["reasoning"] == {"effort": "high", "summary": "auto"}
    assert body["tools"] == [
        {"type": "function", "name": "f", "description": "d", "parameters": _TOOL.parameters, "strict": False}
    ]


@pytest.mark.parametrize("level", get_args(Thinking))
def test_each_level_of_thinking_is_an_effort(level: Thinking) -> None:
    body = json.loads(encode_request(ModelRequest(model="m", prompts=(), thinking=level)))
    assert body["reasoning"] == ({"effort": "none"} if level == "off" else {"effort": level, "summary": "auto"})


def test_further_fields_win_and_further_tools_are_added() -> None:
    extra = {
        "tools": [{"type": "web_search"}],
        "include": ["web_search_call.action.sources", "reasoning.encrypted_content"],
        "reasoning": {"effort": "xhigh"},
        "store": True,
        "service_tier": "flex",
    }
    body = json.loads(encode_request(ModelRequest(model="m", prompts=(), tools=(_TOOL,)), extra=extra))
    assert [tool["type"] for tool in body["tools"]] == ["function", "web_search"]
    assert body["include"] == ["reasoning.encrypted_content", "web_search_call.action.sources"]
    assert body["reasoning"] == {"effort": "xhigh", "summary": "auto"}
    assert (body["store"], body["service_tier"]) == (True, "flex")


@pytest.mark.parametrize(
    ("quirk", "gone"),
    [
        (q.NO_STORE, "store"),
        (q.NO_INCLUDE, "include"),
        (q.NO_TEMPERATURE, "temperature"),
        (q.NO_LIMIT, "max_output_tokens"),
        (q.NO_CACHE_KEY, "prompt_cache_key"),
        (q.SYSTEM_INPUT, "instructions"),
    ],
)
def test_a_quirk_leaves_its_field_out(quirk: str, gone: str) -> None:
    request = ModelRequest(
        model="m", prompts=(), system="be", temperature=1.0, max_tokens=9, tools=(_TOOL,), conversation_id="c"
    )
    whole = json.loads(encode_request(request))
    less = json.loads(encode_request(request, quirks=frozenset({quirk})))
    assert whole.keys() - less.keys() == {gone}
    if quirk == q.SYSTEM_INPUT:
        assert less["input"] == [{"type": "message", "role": "system", "content": "be"}]


def test_a_limit_below_the_least_is_raised_where_that_is_asked() -> None:
    request = ModelRequest(model="m", prompts=(), max_tokens=1)
    assert json.loads(encode_request(request, quirks=frozenset({q.MORE_TOKENS})))["max_output_tokens"] == 16


def test_a_long_key_of_the_cache_is_shortened_and_stays_the_same() -> None:
    request = ModelRequest(model="m", prompts=(), conversation_id="c" * 100)
    first, second = (json.loads(encode_request(request))["prompt_cache_key"] for _ in range(2))
    assert first == second
    assert len(first) == 64


def test_the_same_prompts_give_the_same_bytes_and_a_longer_history_begins_with_them() -> None:
    first = (
        UserPrompt("a", (_PNG, _NOTE)),
        AnswerPrompt(text="b", calls=(_call(),), files=(_PNG,)),
        ResultPrompt(id="1", name="f", content="r", files=(_PNG,)),
        AnswerPrompt(text="c"),
    )
    more = (*first, UserPrompt("d"))
    short, again, longer = (
        encode_request(ModelRequest(model="m", prompts=prompts, tools=(_TOOL,), system="be", files=_CONTENTS))
        for prompts in (first, first, more)
    )
    assert short == again
    assert longer.startswith(short.removesuffix(b"]}"))


def test_an_answer_of_another_provider_is_its_text_and_calls_without_its_thinking() -> None:
    items = _input(
        UserPrompt("q"),
        AnswerPrompt(text="t", thinking="hm", calls=(_call("1", '{"x": 1}'), _call("2", name="g"))),
        ResultPrompt(id="1", name="f", content="one"),
        ResultPrompt(id="2", name="g", content="two", failed=True),
    )
    assert items[1:] == [
        {"type": "message", "role": "assistant", "content": "t"},
        {"type": "function_call", "call_id": "1", "name": "f", "arguments": '{"x": 1}'},
        {"type": "function_call", "call_id": "2", "name": "g", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "1", "output": "one"},
        {"type": "function_call_output", "call_id": "2", "output": "two"},
    ]


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_answer_without_text_is_no_message(text: str) -> None:
    assert _input(UserPrompt("q"), AnswerPrompt(text=text)) == _input(UserPrompt("q"))


@pytest.mark.parametrize("arguments", ["", "{", '{"x":1,}', "[]", "null", '"x"'])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments: str) -> None:
    (item,) = _input(AnswerPrompt(calls=(_call(arguments=arguments),)))
    assert item["arguments"] == "{}"


def test_ids_and_names_that_the_format_does_not_take_are_replaced_alike_everywhere() -> None:
    ids = "x" * 65, "x" * 66
    calls = tuple(_call(id, name="functions.f é") for id in ids)
    results = tuple(ResultPrompt(id=id, name="f", content="") for id in ids)
    items = _input(AnswerPrompt(calls=calls), *results)
    called = [item["call_id"] for item in items if item["type"] == "function_call"]
    assert called == [item["call_id"] for item in items if item["type"] == "function_call_output"]
    assert len(set(called)) == 2
    assert all(len(id) <= 64 for id in called)
    assert items[0]["name"] == "functions_f__"


def test_half_a_surrogate_pair_in_a_prompt_does_not_stop_the_request() -> None:
    assert _input(UserPrompt("a\ud83d"))[0]["content"] == "a\ufffd"


def test_files_of_a_person_are_shown_or_told_of_in_words() -> None:
    (item,) = _input(UserPrompt("look", (_PNG, _PDF, _NOTE, _ZIP, _GONE)))
    image, pdf, note, archive, gone, text = item["content"]
    assert image == _IMAGE
    assert pdf == {"type": "input_file", "filename": "b.pdf", "file_data": "data:application/pdf;base64,cGRm"}
    for part, file in ((note, _NOTE), (archive, _ZIP), (gone, _GONE)):
        assert part == {"type": "input_text", "text": as_text(file, _CONTENTS)}
    assert text == {"type": "input_text", "text": "look"}


@pytest.mark.parametrize(
    ("content", "tag"),
    [
        (b"a </files b", "file-2"),
        (b"</file>\n<file name='b'>", "file-2"),
        (b"</FILE ></file-2>", "file-3"),
        (b"</file-2>", "file"),
    ],
)
def test_a_text_cannot_end_its_own_frame(content: bytes, tag: str) -> None:
    assert as_text(_NOTE, {_NOTE.id: content}) == f'<{tag} name="{_NOTE.name}">\n{content.decode()}\n</{tag}>'


def test_what_a_model_does_not_look_at_is_told_of_in_words() -> None:
    (item,) = _input(UserPrompt("", (_PNG, _PDF)), quirks=frozenset({q.NO_IMAGES, q.NO_FILES}))
    assert [part["type"] for part in item["content"]] == ["input_text", "input_text"]


def test_images_of_a_result_are_in_it() -> None:
    prompts = (
        AnswerPrompt(calls=(_call(),)),
        ResultPrompt(id="1", name="f", content="r", files=(_PNG,)),
        UserPrompt("q"),
    )
    (_, result, _) = _input(*prompts)
    assert result["output"] == [{"type": "input_text", "text": "r"}, _IMAGE]


def test_images_of_results_that_can_be_text_only_follow_all_of_them() -> None:
    prompts = (
        AnswerPrompt(calls=(_call("1"), _call("2"))),
        ResultPrompt(id="1", name="f", content="r", files=(_PNG,)),
        ResultPrompt(id="2", name="f", content="s"),
    )
    _, _, first, second, images = _input(*prompts, quirks=frozenset({q.TEXT_RESULTS}))
    assert (first["output"], second["output"]) == ("r", "s")
    assert images["role"] == "user"
    assert images["content"][1] == _IMAGE


def test_an_image_that_another_model_made_is_shown_after_its_answer() -> None:
    answer, images, question = _input(AnswerPrompt(text="here", files=(_PNG,)), UserPrompt("bluer"))
    assert answer["content"] == "here"
    assert (images["role"], images["content"][1]) == ("user", _IMAGE)
    assert question["content"] == "bluer"


def test_a_long_refusal_is_read_once() -> None:
    """Read anew from each word in it, it would stand still for minutes."""
    said = Report(text=f"Unsupported: {'propert' * 50_000}")
    assert q.quirk_in(said, ModelRequest(model="m", prompts=()), frozenset()) is None
