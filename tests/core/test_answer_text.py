"""The text of an answer as programs get it, and as documents show it."""

from pathlib import Path

import msgspec
import pytest

from luxx.core.steps import Step, Text, ToolCall, ToolResult, answer_text, whole_texts


class Case(msgspec.Struct):
    """Steps, each as its type, its call and its text; their whole texts, and how the page joins these."""

    name: str
    steps: list[list[str | int]]
    whole: list[str]
    text: str


SHARED = Path(__file__).parents[2] / "webui/src/state/answer-texts.json"
"""The cases which the page's tests read, too."""
CASES = msgspec.json.decode(SHARED.read_bytes(), type=list[Case])
REQUIRED = {
    "id_ref": "x",
    "name": "x",
    "state": "complete",
    "content": "",
    "file_id": "x",
    "media_type": "x",
    "size": 1,
    "url": "x",
    "kind": "x",
}
"""Members without which one type of step or another is none."""


def said(index: int, call: int, content: str) -> Text:
    return Text(id=f"step-{index}", index=index, state="complete", call=call, content=content)


def asked(index: int, call: int) -> ToolCall:
    return ToolCall(id=f"step-{index}", index=index, state="complete", call=call)


def got(index: int, call: int) -> ToolResult:
    return ToolResult(id=f"step-{index}", index=index, state="complete", call=call, id_ref="step-0", name="x")


def made(index: int, said: list[str | int]) -> Step:
    """Return the step of a case, with what any step must have."""
    fields = dict(zip(("type", "call", "content"), said, strict=False))
    return msgspec.convert(REQUIRED | {"id": f"step-{index}", "index": index} | fields, Step)


def test_the_text_is_what_was_streamed() -> None:
    steps = (said(0, 1, "I look."), asked(1, 1), got(2, 1), said(3, 2, "It is wa"), said(4, 3, "rm."))
    assert answer_text(steps) == "I look.It is warm."


def test_void_steps_are_no_part_of_the_text() -> None:
    void = Text(id="step-1", index=1, state="void", call=1, content="no")
    assert answer_text((said(0, 1, "yes"), void)) == "yes"
    assert whole_texts((said(0, 1, "yes"), void)) == [said(0, 1, "yes")]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_text_is_whole_with_those_that_go_on_with_it(case: Case) -> None:
    steps = [made(index, step) for index, step in enumerate(case.steps)]
    assert [step.content for step in whole_texts(steps) if isinstance(step, Text) and step.content] == case.whole
