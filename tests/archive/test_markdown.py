"""Markdown: an export that nothing in it can break."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from luxx.archive.markdown import closed, fenced, markdown
from luxx.archive.sharing import frozen
from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedMessage
from luxx.core.errors import NotFound
from luxx.core.steps import Step, Text, Thinking, ToolCall, ToolResult, Unfinished

WHEN = "2026-01-01T00:00:00.000000Z"
STEPS = (
    Thinking(id="step-0", index=0, state="complete", content="Hm\n\nyes"),
    ToolCall(id="step-1", index=1, state="complete", name="a_b", arguments='{"x": "```"}'),
    ToolResult(id="step-2", index=2, state="failed", id_ref="step-1", name="a_b", content="no"),
    Text(id="step-3", index=3, state="complete", content="~~~\ncut off"),
)


def talk(steps: tuple[Step, ...] = STEPS) -> ArchivedConversation:
    raw = tuple(msgspec.Raw(msgspec.json.encode(step)) for step in steps)
    question = ArchivedMessage(id="q", role="user", created_at=WHEN, text="Hi")
    answer = ArchivedMessage(
        id="a",
        parent_id="q",
        role="assistant",
        created_at=WHEN,
        answer=ArchivedAnswer(model="m", steps=raw, status="cancelled"),
    )
    return ArchivedConversation(
        id="c", title="A *b*\n<c>", created_at=WHEN, updated_at=WHEN, leaf_id="a", messages=(question, answer)
    )


def test_a_text_that_goes_on_in_a_later_model_call_is_one_with_what_was_cut() -> None:
    cut = Text(id="step-0", index=0, state="complete", content="```\nfor x")
    rest = Text(id="step-1", index=1, state="complete", call=2, content=" in y\n```\nDone.")
    assert "## m\n\n```\nfor x in y\n```\nDone.\n\n*Stopped.*" in markdown(talk((cut, rest)))
    assert [part.content for part in frozen(talk((cut, rest)), "a", (), {}, WHEN).messages[1].parts] == [
        "```\nfor x in y\n```\nDone."
    ]


def test_a_branch_is_written_as_it_happened() -> None:
    assert markdown(talk()) == (
        "# A \\*b\\* \\<c\\>\n\n## You\n\nHi\n\n## m\n\n> Hm\n>\n> yes\n\n**Tool: a\\_b**\n\n"
        '````json\n{"x": "```"}\n````\n\n**Failed: a\\_b**\n\n```\nno\n```\n\n~~~\ncut off\n~~~\n\n*Stopped.*\n'
    )
    assert markdown(talk(), "q").endswith("## You\n\nHi\n")
    with pytest.raises(NotFound):
        markdown(talk(), "x")


@pytest.mark.parametrize(
    ("why", "word"),
    [
        (None, "Failed"),
        ("denied", "Not run"),
        ("expired", "Not run"),
        ("forbidden", "Not allowed"),
        ("limit", "Not run"),
        ("off", "Not run"),
        ("missing", "No such tool"),
        ("cancelled", "Stopped"),
        ("unknown", "Outcome unknown"),
    ],
)
def test_a_call_that_was_not_run_to_its_end_has_not_failed(why: Unfinished | None, word: str) -> None:
    ended = msgspec.structs.replace(STEPS[2], unfinished=why)
    conversation = talk((*STEPS[:2], ended))
    assert f"**{word}: a\\_b**\n\n```\nno\n```" in markdown(conversation)
    call, result = frozen(conversation, "a", ("tool_results",), {}, WHEN).messages[1].parts
    assert (call.ending, result.ending) == ("" if why is None else word, word)


def test_a_text_that_was_cut_and_continued_is_one() -> None:
    steps = (
        Text(id="step-0", index=0, state="complete", content="```\n1\n"),
        Thinking(id="step-1", index=1, state="complete", call=2, content="Hm"),
        Text(id="step-2", index=2, state="complete", call=2, content="2\n```"),
    )
    assert "## m\n\n```\n1\n2\n```\n\n> Hm\n" in markdown(talk(steps))


@given(st.text(st.sampled_from("`~ \na"), max_size=40))
def test_what_follows_a_text_is_never_part_of_its_code(text: str) -> None:
    for block in (closed(text), fenced(text)):
        tokens = MarkdownIt("commonmark").parse(f"{block}\n\n## After\n")
        assert [token.tag for token in tokens if token.type == "heading_open"][-1:] == ["h2"]
