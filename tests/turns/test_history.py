"""History: what a model is told of a branch is the same, whatever of it is remembered from earlier turns."""

from collections.abc import Callable, Container
from typing import NamedTuple, TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.ports import ModelCall
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.steps import Step, Summary, Text, Thinking, ToolCall, ToolResult
from luxx.core.usage import Usage
from luxx.providers.openai.request import encode_request
from luxx.store.records import Message, Role, Turn
from luxx.turns.history import Histories, History
from tests.turns.fakes import SETTINGS, turn

T = TypeVar("T")

FORMAT = "openai"


class Answer(NamedTuple):
    """What a turn makes: a text, and tool calls with the ids that the provider gave them; some have no result.

    `sums_up` is how many messages back what its summary covers ends; 0 stands for all before its own, None for no summary.
    """

    text: str
    calls: tuple[tuple[str, bool], ...] = ()
    sums_up: int | None = None


class Past:
    """Conversations in memory, as a store reads their histories; `read` names the messages that each reading gave."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.read: list[list[str]] = []

    def ask(self, parent: str | None, conversation: str = "c", provider: str = "p") -> Turn:
        """Start a turn with a new question; its answer is ``a`` and a number, the question ``q`` and the same number."""
        number = len(self.messages) // 2
        question, answer = f"q{number}", f"a{number}"
        self._add(conversation, question, parent, "user", text=f"Question {number}")
        self._add(conversation, answer, question, "assistant")
        return msgspec.structs.replace(
            turn(f"t{number}"),
            conversation_id=conversation,
            message_id=answer,
            user_message_id=question,
            settings=msgspec.structs.replace(SETTINGS, provider=provider),
        )

    def end(self, asked: Turn, answer: Answer) -> None:
        """End a turn with an answer."""
        self.messages[asked.message_id] = msgspec.structs.replace(
            self.messages[asked.message_id],
            steps=tuple(
                msgspec.Raw(msgspec.json.encode(step)) for step in [*self._summary(asked, answer), *made(answer)]
            ),
            calls=(record(asked.settings.provider),),
        )

    async def history(
        self, owner: str, message_id: str, read: Callable[[tuple[Message, ...]], T], known: Container[str] = frozenset()
    ) -> T:
        """See ConversationStore."""
        path = [self.messages[message_id]]
        while (parent := path[-1].parent_id) is not None and parent not in known:
            path.append(self.messages[parent])
        self.read.append([message.id for message in reversed(path)])
        return read(tuple(reversed(path)))

    def _summary(self, asked: Turn, answer: Answer) -> list[Step]:
        if answer.sums_up is None:
            return []
        until = self.messages[asked.user_message_id].parent_id
        for _ in range(answer.sums_up):
            if until is not None:
                until = self.messages[self.messages[until].parent_id or ""].parent_id
        content = f"notes of {asked.message_id}"
        return [Summary(id="step-90", index=90, call=0, state="complete", content=content, until=until or "a-none")]

    def _add(self, conversation: str, message_id: str, parent: str | None, role: Role, text: str = "") -> None:
        self.messages[message_id] = Message(
            id=message_id, conversation_id=conversation, parent_id=parent, role=role, text=text, created_at=""
        )


def made(answer: Answer) -> list[Step]:
    """Return an answer's steps."""
    steps: list[Step] = [Thinking(id="step-0", index=0, state="complete", content="hm")]
    if answer.text:
        steps.append(Text(id="step-1", index=1, state="complete", content=answer.text))
    for index, (id_ref, has_result) in enumerate(answer.calls, 1):
        call, result = f"step-{index * 2}", f"step-{index * 2 + 1}"
        steps.append(ToolCall(id=call, index=index * 2, state="complete", id_ref=id_ref, name="get", arguments="{}"))
        if has_result:
            steps.append(ToolResult(id=result, index=index * 2 + 1, state="complete", id_ref=call, name="get"))
    return sorted(steps, key=lambda step: step.index)


def record(provider: str) -> ModelCall:
    raw = b'{"origin":"","fields":{"reasoning":"hm"},"calls":[]}'
    return ModelCall(n=1, provider=provider, model="m", format=FORMAT, finish_reason="stop", usage=Usage(), raw=raw)


async def told(histories: Histories, asked: Turn, format: str = FORMAT) -> History:
    """Read what a turn's model is told."""
    return await histories.read(asked, asked.settings.provider, format)


def sent(history: History) -> tuple[bytes, object]:
    """Return what a model would be sent, and how the transcript goes on after it."""
    body = encode_request(ModelRequest(model="m", prompts=history.prompts))
    goes_on = history.transcript.answers(made(Answer("", (("a", True), ("", False), ("b", True)))), ())
    return body, (history.prompts, history.marks, goes_on, history.own)


answers = st.builds(
    Answer,
    text=st.sampled_from(["", "So.", "ü" * 300]),
    calls=st.lists(st.tuples(st.sampled_from(["", "a", "a_2", "b"]), st.booleans()), max_size=3).map(tuple),
    sums_up=st.sampled_from([None, None, 0, 1]),
)
turns = st.lists(
    st.tuples(st.integers(min_value=0), st.sampled_from("pq"), st.sampled_from(["old", "new"]), answers), max_size=12
)


@given(turns, st.sampled_from([0, 3_000, 1_000_000]))
@settings(deadline=None)
async def test_a_remembered_history_is_told_in_the_same_bytes(turns: list[tuple], limit: int) -> None:
    past = Past()
    remembering = Histories(past, limit)
    ended: dict[str, list[str | None]] = {"old": [None], "new": [None]}
    for choice, provider, conversation, answer in turns:
        places = ended[conversation]
        parent = places[-1 - choice % len(places)]  # mostly the last one, else a branch or a new root
        asked = past.ask(parent, conversation, provider)
        assert sent(await told(remembering, asked)) == sent(await told(Histories(past), asked))
        past.end(asked, answer)
        places.append(asked.message_id)


async def test_a_turn_reads_what_is_new_since_the_last_one() -> None:
    past = Past()
    histories = Histories(past)
    for parent in (None, "a0", "a1"):
        asked = past.ask(parent)
        await told(histories, asked)
        past.end(asked, Answer("So."))
    again = msgspec.structs.replace(past.ask("a1"), message_id="a2")
    await told(histories, again)
    await told(histories, past.ask("a0"))
    assert past.read == [["q0", "a0"], ["a0", "q1", "a1"], ["a1", "q2", "a2"], ["a2"], ["q4", "a4"]]


async def test_another_provider_or_format_is_told_from_the_root() -> None:
    past = Past()
    histories = Histories(past)
    first = past.ask(None)
    await told(histories, first)
    past.end(first, Answer("So."))
    await told(histories, past.ask("a0", provider="q"))
    await told(histories, past.ask("a0"), "anthropic")
    await told(histories, past.ask("a0"))
    assert past.read[1:] == [["q0", "a0", "q1", "a1"], ["q0", "a0", "q2", "a2"], ["a0", "q3", "a3"]]


async def test_what_was_asked_longest_ago_is_forgotten_first() -> None:
    past = Past()
    histories = Histories(past, limit=3 * 400)
    asked = {name: past.ask(None, name) for name in ("one", "two", "three")}
    for name in ("one", "two", "three", "one"):
        await told(histories, asked[name])
    await told(histories, past.ask(None, "four"))
    for name in ("one", "two"):
        await told(histories, asked[name])
    assert past.read[-2:] == [["a0"], ["q1", "a1"]]


async def test_a_history_larger_than_all_that_may_be_kept_is_not_kept() -> None:
    past = Past()
    histories = Histories(past, limit=100)
    asked = past.ask(None)
    await told(histories, asked)
    await told(histories, asked)
    assert past.read == [["q0", "a0"], ["q0", "a0"]]


async def test_a_summary_is_told_in_the_place_of_what_it_sums_up_in_its_own_branch_only() -> None:
    past = Past()
    histories = Histories(past)
    for parent, sums_up in ((None, None), ("a0", None), ("a1", 1)):
        asked = past.ask(parent)
        await told(histories, asked)
        past.end(asked, Answer("So.", sums_up=sums_up))
    after = await told(histories, past.ask("a2"))
    texts = [prompt.text for prompt in after.prompts if isinstance(prompt, UserPrompt)]
    assert "notes of a2" in texts[0]
    assert texts[1:] == ["Question 1", "Question 2", "Question 3"]
    other = await told(histories, past.ask("a1"))
    assert [prompt.text for prompt in other.prompts if isinstance(prompt, UserPrompt)] == [
        "Question 0",
        "Question 1",
        "Question 4",
    ]
