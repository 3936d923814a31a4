"""The text of an answer as programs get it, and as documents show it."""

from luxx.core.steps import Step, Text, Thinking, ToolCall, ToolResult, answer_text, whole_texts


def said(index: int, call: int, content: str) -> Text:
    return Text(id=f"step-{index}", index=index, state="complete", call=call, content=content)


def asked(index: int, call: int) -> ToolCall:
    return ToolCall(id=f"step-{index}", index=index, state="complete", call=call)


def got(index: int, call: int) -> ToolResult:
    return ToolResult(id=f"step-{index}", index=index, state="complete", call=call, id_ref="step-0", name="x")


def texts(*steps: Step) -> list[str]:
    return [step.content for step in whole_texts(steps) if isinstance(step, Text)]


def test_the_text_is_what_was_streamed() -> None:
    steps = (said(0, 1, "I look."), asked(1, 1), got(2, 1), said(3, 2, "It is wa"), said(4, 3, "rm."))
    assert answer_text(steps) == "I look.It is warm."


def test_void_steps_are_no_part_of_the_text() -> None:
    void = Text(id="step-1", index=1, state="void", call=1, content="no")
    assert answer_text((said(0, 1, "yes"), void)) == "yes"
    assert whole_texts((said(0, 1, "yes"), void)) == [said(0, 1, "yes")]


def test_a_cut_text_is_whole_with_what_goes_on_with_it() -> None:
    thought = Thinking(id="step-1", index=1, state="complete", call=2, content="hm")
    assert texts(said(0, 1, "It is wa"), thought, said(2, 2, "rm to"), said(3, 3, "day.")) == ["It is warm today."]


def test_texts_with_a_tool_between_their_calls_stay_apart() -> None:
    assert texts(said(0, 1, "I look."), asked(1, 1), got(2, 1), said(3, 2, "Warm.")) == ["I look.", "Warm."]
    assert texts(asked(0, 1), got(1, 1), said(2, 1, "I look."), said(3, 2, "Warm.")) == ["I look.", "Warm."]
    assert texts(said(0, 1, "a"), said(1, 1, "b")) == ["a", "b"]
