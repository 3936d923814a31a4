"""The history in a generateContent request: turns, signatures, ids, results and files."""

import base64
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.gemini.quirks import Quirk
from luxx.providers.gemini.request import encode_request
from tests.providers.generate_content import call, decode, said

HELLO = UserPrompt("hello")
DUMMY = "skip_thought_signature_validator"
G3, G25 = "gemini-3.1-pro-preview", "gemini-2.5-flash"
PNG = FileRef(id="i", name="a.png", media_type="image/png", size=3)
PDF = FileRef(id="p", name="a.pdf", media_type="application/pdf", size=3)
TEXT = FileRef(id="t", name="a.txt", media_type="text/plain", size=5)
GIF = FileRef(id="g", name="a.gif", media_type="image/gif", size=3)
FILES = {"i": b"png", "p": b"pdf", "t": b"words", "g": b"gif"}
INLINE = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(b"png").decode()}}


def _contents(*prompts: Prompt, model: str = G25, quirks: Sequence[Quirk] = (), new_ids: bool = True) -> list[Any]:
    request = ModelRequest(model=model, prompts=prompts, files=FILES)
    return json.loads(encode_request(request, quirks=frozenset(quirks), new_ids=new_ids))["contents"]


def _parts(contents: list[Any]) -> list[list[dict[str, Any]]]:
    return [content["parts"] for content in contents]


def _raw(*parts: dict[str, Any]) -> bytes:
    told = decode([said(*parts, finish="STOP")])
    assert told.finish
    return told.raw


def _calls(*named: tuple[str, str, str]) -> tuple[CallPrompt, ...]:
    return tuple(CallPrompt(id=id, name=name, arguments=arguments) for id, name, arguments in named)


def _result(id: str, name: str, content: str = "ok", **more: Any) -> ResultPrompt:  # noqa: ANN401 - fields of any type
    return ResultPrompt(id=id, name=name, content=content, **more)


def test_a_conversation_alternates_and_ends_with_the_user() -> None:
    told = _contents(HELLO, AnswerPrompt(text="hi", thinking="hm"), UserPrompt("a"), UserPrompt("b"))
    assert told == [
        {"role": "user", "parts": [{"text": "hello"}]},
        {"role": "model", "parts": [{"text": "hi"}]},
        {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
    ]


def test_answers_in_a_row_are_one_and_an_empty_one_is_none() -> None:
    told = _contents(
        HELLO, AnswerPrompt(text="a"), AnswerPrompt(), AnswerPrompt(text="b"), HELLO, AnswerPrompt(), HELLO
    )
    assert [content["role"] for content in told] == ["user", "model", "user"]
    assert told[1]["parts"] == [{"text": "a"}, {"text": "b"}]


def test_a_history_that_begins_or_ends_with_an_answer_is_framed_by_the_user() -> None:
    told = _contents(AnswerPrompt(calls=_calls(("1", "f", "{}"))), _result("1", "f"), AnswerPrompt(text="so"))
    assert [content["role"] for content in told] == ["user", "model", "user", "model", "user"]


def test_an_empty_message_is_no_empty_part() -> None:
    assert _contents(UserPrompt(""))[0]["parts"][0]["text"]


def test_signed_parts_go_back_as_they_came() -> None:
    parts = [
        {"text": "a"},
        {"text": "b", "thoughtSignature": "S1"},
        call("f", {"y": 1.0, "x": [1]}, signature="S2"),
        call("g", {}),
        {"text": "", "thoughtSignature": "S3"},
    ]
    answer = AnswerPrompt(
        text="ab", calls=_calls(("c1", "f", '{"x": [1], "y": 1.0}'), ("c2", "g", "{}")), raw=_raw(*parts)
    )
    told = _contents(HELLO, answer, _result("c2", "g", "two"), _result("c1", "f", "one"), model=G3)
    assert told[1] == {"role": "model", "parts": parts}
    assert told[2]["parts"] == [
        {"functionResponse": {"name": "f", "response": {"output": "one"}}},
        {"functionResponse": {"name": "g", "response": {"output": "two"}}},
    ]


def test_parts_go_back_as_they_came_though_the_answer_sets_its_texts_apart() -> None:
    parts = [{"text": "a"}, call("f", {}, signature="S"), {"text": "b", "thoughtSignature": "T"}]
    answer = AnswerPrompt(text="a\n\nb", calls=_calls(("c", "f", "{}")), raw=_raw(*parts))
    assert _contents(HELLO, answer, _result("c", "f"), model=G3)[1]["parts"] == parts


def test_ids_that_the_model_gave_go_back_on_calls_and_results() -> None:
    raw = _raw(call("f", {}, id="x"), call("f", {"a": 1}, id="y"))
    answer = AnswerPrompt(calls=_calls(("x", "f", "{}"), ("y_2", "f", '{"a":1}')), raw=raw)
    model, user = _parts(_contents(HELLO, answer, _result("x", "f"), _result("y_2", "f", failed=True)))[1:]
    assert [part["functionCall"]["id"] for part in model] == ["x", "y_2"]
    assert [part["functionResponse"] for part in user] == [
        {"id": "x", "name": "f", "response": {"output": "ok"}},
        {"id": "y_2", "name": "f", "response": {"error": "ok"}},
    ]


def test_arguments_that_a_person_changed_go_back_changed_and_signed() -> None:
    raw = _raw(call("f", {"x": 1}, signature="S"))
    told = _contents(HELLO, AnswerPrompt(calls=_calls(("c", "f", '{"x":2}')), raw=raw), _result("c", "f"), model=G3)
    assert told[1]["parts"] == [{"functionCall": {"name": "f", "args": {"x": 2}}, "thoughtSignature": "S"}]


def test_a_name_that_the_model_decorated_is_the_tools_in_call_and_result() -> None:
    raw = _raw(call("default_api:f", {}, signature="S"))
    told = _contents(HELLO, AnswerPrompt(calls=_calls(("c", "f", "{}")), raw=raw), _result("c", "f"))
    assert told[1]["parts"][0]["functionCall"]["name"] == "f"
    assert told[2]["parts"][0]["functionResponse"]["name"] == "f"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b'{"parts": [1]}',
        b'{"parts": []}',
        b'{"parts": [{"text": "other"}, {"functionCall": {"name": "f"}}]}',
        b'{"parts": [{"text": "a"}, {"functionCall": {"name": "g"}, "thoughtSignature": "S"}]}',
        b'{"parts": [{"text": "a"}]}',
        b'{"origin": "host", "fields": {}}',
    ],
)
def test_raw_that_does_not_fit_is_written_anew(raw: bytes) -> None:
    answer = AnswerPrompt(text="a", calls=_calls(("c", "f", '{"x":1}')), raw=raw)
    told = _contents(HELLO, answer, _result("c", "f"))
    assert told[1]["parts"] == [{"text": "a"}, {"functionCall": {"id": "c", "name": "f", "args": {"x": 1}}}]


def test_the_first_call_of_another_providers_answer_gets_the_documented_signature() -> None:
    answer = AnswerPrompt(text="a", thinking="hm", calls=_calls(("1", "f", "{}"), ("2", "g", "{}")))
    prompts = (HELLO, answer, _result("1", "f"), _result("2", "g"))
    parts = _contents(*prompts, model=G3)[1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == [None, DUMMY, None]
    assert "hm" not in json.dumps(parts)
    assert all("thoughtSignature" not in part for part in _contents(*prompts, model=G25)[1]["parts"])
    assert _contents(*prompts, model=G25, quirks=["stand_in_signatures"])[1]["parts"][1]["thoughtSignature"] == DUMMY


def test_signatures_that_were_refused_are_left_out_with_what_they_are_for() -> None:
    raw = _raw(
        {"text": "hm", "thought": True, "thoughtSignature": "S0"},
        {"text": "a", "thoughtSignature": "S1"},
        call("f", {}, signature="S2"),
        {"text": "", "thoughtSignature": "S3"},
    )
    answer = AnswerPrompt(text="a", calls=_calls(("c", "f", "{}")), raw=raw)
    prompts = (HELLO, answer, _result("c", "f"))
    made = {"functionCall": {"name": "f", "args": {}}}
    assert _contents(*prompts, quirks=["no_signatures"])[1]["parts"] == [{"text": "a"}, made]
    assert _contents(*prompts, model=G3, quirks=["no_signatures"])[1]["parts"] == [
        {"text": "a"},
        {**made, "thoughtSignature": DUMMY},
    ]
    assert _contents(*prompts, model=G3, quirks=["no_signature_field"])[1]["parts"] == [{"text": "a"}, made]


def test_ids_are_left_out_where_they_are_refused() -> None:
    answers = (
        AnswerPrompt(calls=_calls(("1", "f", "{}"))),
        AnswerPrompt(calls=_calls(("2", "f", "{}")), raw=_raw(call("f", {}, id="2"))),
    )
    prompts = (HELLO, answers[0], _result("1", "f"), answers[1], _result("2", "f"))
    assert '"id"' not in json.dumps(_contents(*prompts, quirks=["no_call_ids"]))
    own_only = json.dumps(_contents(*prompts, new_ids=False))
    assert '"id": "1"' not in own_only
    assert own_only.count('"id": "2"') == 2


def test_a_call_without_a_result_gets_one_and_a_result_without_a_call_is_told() -> None:
    told = _contents(HELLO, AnswerPrompt(calls=_calls(("1", "f", "{}"))), _result("9", "g", "stray"), UserPrompt("so?"))
    (first,), (stray, asked) = _parts(told)[2:]
    assert first["functionResponse"]["response"].keys() == {"error"}
    assert "stray" in stray["text"]
    assert asked == {"text": "so?"}


@pytest.mark.parametrize("arguments", ["", "[1]", "{", "null", '"x"', '{"a": NaN}x'])
def test_arguments_that_are_no_object_are_an_empty_one(arguments: str) -> None:
    told = _contents(HELLO, AnswerPrompt(calls=_calls(("1", "f", arguments))), _result("1", "f"))
    assert told[1]["parts"][0]["functionCall"]["args"] == {}


def test_files_of_a_message_go_before_its_text() -> None:
    parts = _contents(
        UserPrompt("look", (PNG, PDF, TEXT, GIF, FileRef(id="?", name="x", media_type="image/png", size=1)))
    )
    images, pdf, text, gif, gone, said_last = parts[0]["parts"]
    assert images == INLINE
    assert pdf["inlineData"]["mimeType"] == "application/pdf"
    assert "words" in text["text"]
    assert "cannot be shown" in gif["text"]
    assert "cannot be shown" in gone["text"]
    assert said_last == {"text": "look"}


def test_nothing_stands_beside_results() -> None:
    answer = AnswerPrompt(calls=_calls(("1", "f", "{}")))
    told = _contents(HELLO, answer, _result("1", "f"), UserPrompt("stop"), AnswerPrompt(), UserPrompt("go"))
    assert [content["role"] for content in told] == ["user", "model", "user", "user"]
    assert told[3]["parts"] == [{"text": "stop"}, {"text": "go"}]


def test_images_of_a_result_are_within_it_or_beside_all_results() -> None:
    answer = AnswerPrompt(calls=_calls(("1", "f", "{}"), ("2", "g", "{}")))
    prompts = (HELLO, answer, _result("1", "f", files=(PNG,)), _result("2", "g", files=(GIF,)))
    newer = _contents(*prompts, model=G3)
    first, second = (part["functionResponse"] for part in newer[2]["parts"])
    assert first["parts"] == [INLINE]
    assert "cannot be shown" in second["response"]["output"]
    assert len(newer) == 3
    for older in (_contents(*prompts), _contents(*prompts, model=G3, quirks=["images_beside"])):
        assert [list(part) for part in older[2]["parts"]] == [["functionResponse"]] * 2
        assert older[3]["parts"][1] == INLINE


def test_images_that_the_model_made_go_back_on_their_own_part() -> None:
    image = {**INLINE, "thoughtSignature": "S"}
    raw = _raw({"text": "Here"}, image)
    told = _contents(HELLO, AnswerPrompt(text="Here", raw=raw, files=(PNG,)), UserPrompt("nice"))
    assert told[1]["parts"] == [{"text": "Here"}, image]
    gone = _contents(HELLO, AnswerPrompt(text="Here", raw=raw), UserPrompt("nice"))
    assert gone[1]["parts"] == [{"text": "Here"}]


def test_images_that_another_model_made_are_shown_by_the_user() -> None:
    told = _contents(HELLO, AnswerPrompt(files=(PNG,), text="Here"), UserPrompt("nice"))
    assert told[1]["parts"] == [{"text": "Here"}]
    assert INLINE in told[2]["parts"]
    assert told[2]["parts"][-1] == {"text": "nice"}


def test_each_request_begins_with_the_bytes_of_the_one_before() -> None:
    raw = _raw({"text": "a", "thoughtSignature": "S"}, call("f", {"x": 1}, signature="S"))
    prompts: list[Prompt] = [
        HELLO,
        AnswerPrompt(text="a", calls=_calls(("c", "f", '{"x":1}')), raw=raw),
        _result("c", "f"),
        AnswerPrompt(text="done"),
        UserPrompt("more", (PNG,)),
        AnswerPrompt(calls=_calls(("d", "f", "{}"))),
        _result("d", "f", "bad\ud800"),
        AnswerPrompt(text="\ud83d"),
        UserPrompt("end"),
    ]
    bodies = [
        encode_request(ModelRequest(model=G3, prompts=tuple(prompts[:end]), system="s", temperature=0.5, files=FILES))
        for end in (1, 3, 5, 7, 9)
    ]
    for before, after in pairwise(bodies):
        assert after.startswith(before.rstrip(b"]}"))
    assert bodies[0] == encode_request(ModelRequest(model=G3, prompts=(HELLO,), system="s", temperature=0.5))
