"""Conversations as endpoints of the Messages API are told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.files import FileRef
from luxx.core.prompts import (
    AnswerPrompt,
    CallPrompt,
    Prompt,
    ResultPrompt,
    Thinking,
    UserPrompt,
)
from luxx.providers.anthropic.quirks import Quirks, Relief
from tests.providers.messages import call, message, text, thinking
from tests.providers.messages_sent import NEW, OLD, TOOL, answered, body_for, messages_for, said


def test_the_results_of_an_answer_are_one_message_before_what_the_person_adds() -> None:
    calls = (CallPrompt(id="1", name="f", arguments='{"x": 1}'), CallPrompt(id="2", name="g", arguments=""))
    assert messages_for(
        UserPrompt("go"),
        AnswerPrompt(text="t", thinking="hm", calls=calls),
        ResultPrompt(id="2", name="g", content="two", failed=True),
        ResultPrompt(id="1", name="f", content=""),
        UserPrompt("and"),
        UserPrompt("more"),
    ) == [
        {"role": "user", "content": [said("go")]},
        {
            "role": "assistant",
            "content": [
                said("t"),
                {"type": "tool_use", "id": "1", "name": "f", "input": {"x": 1}},
                {"type": "tool_use", "id": "2", "name": "g", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "1"},
                {"type": "tool_result", "tool_use_id": "2", "content": [said("two")], "is_error": True},
                said("and"),
                said("more"),
            ],
        },
    ]


def test_results_that_are_missing_or_of_no_call_do_not_spoil_the_request() -> None:
    calls = (CallPrompt(id="1", name="f", arguments="{}"),)
    _, _, last = messages_for(
        UserPrompt("go"), AnswerPrompt(calls=calls), ResultPrompt(id="9", name="g", content="lost"), UserPrompt("on")
    )
    assert [part["type"] for part in last["content"]] == ["tool_result", "text", "text"]
    assert last["content"][0]["is_error"] is True
    assert "lost" in last["content"][1]["text"]


def test_empty_texts_are_not_sent() -> None:
    assert [m["role"] for m in messages_for(UserPrompt("a"), AnswerPrompt(text=" \n"), UserPrompt("b"))] == ["user"]
    assert messages_for(UserPrompt(""))[0]["content"][0]["text"].strip()
    assert messages_for(AnswerPrompt(text="a "))[-1]["content"] == [said("a")]
    assert "system" not in body_for(UserPrompt("a"), system=" ")


@pytest.mark.parametrize("arguments", ["", "{", '{"x":1,}', "[]", "null", '"x"', "[" * 9999])
def test_arguments_that_are_no_object_are_sent_as_an_empty_one(arguments: str) -> None:
    answer = AnswerPrompt(calls=(CallPrompt(id="1", name="f", arguments=arguments),))
    assert messages_for(UserPrompt("a"), answer)[1]["content"][0]["input"] == {}


def test_ids_and_names_of_others_are_made_to_fit_the_same_way_everywhere() -> None:
    calls = (
        CallPrompt(id="functions.f:0", name="my.tool", arguments="{}"),
        CallPrompt(id="", name="", arguments="{}"),
    )
    results = tuple(ResultPrompt(id=c.id, name=c.name, content="r") for c in calls)
    messages = messages_for(UserPrompt("a"), AnswerPrompt(calls=calls), *results)
    uses = messages[1]["content"]
    assert [part["tool_use_id"] for part in messages[2]["content"]] == [part["id"] for part in uses]
    assert [part["name"] for part in uses] == ["my_tool", "tool"]


_PNG = FileRef(id="p", name="a.png", media_type="image/png", size=3)
_PDF = FileRef(id="d", name="a.pdf", media_type="application/pdf", size=3)
_TXT = FileRef(id="t", name="a.txt", media_type="text/plain", size=3)
_ZIP = FileRef(id="z", name="a.zip", media_type="application/zip", size=3)
_GONE = FileRef(id="g", name="b.png", media_type="image/png", size=3)
_CONTENTS = {"p": b"png", "d": b"pdf", "t": "é".encode(), "z": b"zip"}


def test_files_are_shown_as_images_and_documents_or_told_of() -> None:
    user = UserPrompt("look", files=(_PNG, _PDF, _TXT, _ZIP, _GONE))
    (sent,) = messages_for(user, files=_CONTENTS)
    assert [part["type"] for part in sent["content"]] == ["image", "document", "text", "text", "text", "text"]
    assert sent["content"][0]["source"] == {"type": "base64", "media_type": "image/png", "data": "cG5n"}
    assert sent["content"][1]["title"] == "a.pdf"
    assert [part["text"] for part in sent["content"][2:]] == [
        '<file name="a.txt">\né\n</file>',
        '[The file "a.zip" (application/zip, 3 bytes) cannot be shown to this model.]',
        '[The file "b.png" (image/png, 3 bytes) cannot be shown to this model.]',
        "look",
    ]


def test_images_of_results_are_shown_in_them_and_those_of_answers_after_them() -> None:
    calls = (CallPrompt(id="1", name="f", arguments="{}"),)
    messages = messages_for(
        UserPrompt("go"),
        AnswerPrompt(calls=calls, files=(_PNG,)),
        ResultPrompt(id="1", name="f", content="", files=(_PNG,)),
        UserPrompt("on"),
        files=_CONTENTS,
    )
    assert [part["type"] for part in messages[2]["content"]] == ["tool_result", "text", "image", "text"]
    assert [part["type"] for part in messages[2]["content"][0]["content"]] == ["image"]


def test_an_image_that_is_too_large_is_told_of() -> None:
    (sent,) = messages_for(UserPrompt("a", files=(_PNG,)), files={"p": bytes(4 * 1024 * 1024)})
    assert sent["content"][0]["type"] == "text"


def test_when_all_files_are_too_much_the_newest_are_shown() -> None:
    files = [FileRef(id=str(n), name=f"{n}.pdf", media_type="application/pdf", size=1) for n in range(3)]
    contents = {file.id: bytes(9 * 1024 * 1024) for file in files}
    (sent,) = messages_for(*(UserPrompt("a", files=(file,)) for file in files), files=contents)
    assert [part["type"] for part in sent["content"]] == ["text", "text", "document", "text", "document", "text"]


def test_a_model_that_sees_no_files_is_told_of_them() -> None:
    (sent,) = body_for(UserPrompt("a", files=(_PNG,)), files=_CONTENTS, relief=Relief(quirks=Quirks(no_files=True)))[
        "messages"
    ]
    assert "cannot be shown" in sent["content"][0]["text"]


_WORDS = st.sampled_from(["", " ", "a", "b\n", "\ud83d"])
_IDS = st.sampled_from(["1", "x.y", "", "é", "tool:2"])
_BODIES = st.sampled_from(
    [
        message(thinking(0, "h", signature="s"), text(1, "a "), call(2, "1", "f", "{}"), reason="tool_use"),
        message(call(0, "s", "web_search", "{}", kind="server_tool_use"), text(1, " ")),
        message(thinking(0, signature="s")),
        message(text(0, "a"), call(1, "1", "g.h", "{"), reason="max_tokens"),
    ]
)


@st.composite
def _prompts(draw: st.DrawFn) -> tuple[Prompt, ...]:
    prompts: list[Prompt] = []
    for turn in range(draw(st.integers(1, 5))):
        prompts += [UserPrompt(draw(_WORDS)) for _ in range(draw(st.integers(0, 2)))]
        ids = draw(st.lists(_IDS, max_size=3, unique=True))
        calls = tuple(CallPrompt(id=f"t{turn}{id}", name=draw(_WORDS), arguments=draw(_WORDS)) for id in ids)
        answer = AnswerPrompt(text=draw(_WORDS), calls=calls)
        prompts.append(answered(draw(_BODIES)) if draw(st.booleans()) and not calls and turn == 0 else answer)
        told = prompts[-1]
        assert isinstance(told, AnswerPrompt)
        prompts += [
            ResultPrompt(id=c.id, name=c.name, content=draw(_WORDS), failed=draw(st.booleans())) for c in told.calls
        ]
    return (*prompts, UserPrompt(draw(_WORDS)))


@given(_prompts(), st.sampled_from([None, "off", "low", "high"]), st.sampled_from([OLD, NEW, "glm"]), st.booleans())
def test_whatever_the_history_the_request_keeps_the_rules(
    prompts: tuple[Prompt, ...], level: Thinking | None, model: str, plain: bool
) -> None:
    relief = Relief(quirks=Quirks(), plain=plain)
    body_for(*prompts, model=model, relief=relief, thinking=level, tools=(TOOL,), system="be")
