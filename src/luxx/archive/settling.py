"""Settling: any draft becomes a whole tree: questions and answers in turn, each parent before its children, all times told."""

import heapq
from collections import defaultdict
from typing import NamedTuple, TypedDict

import msgspec
from msgspec.structs import replace

from luxx.archive.draft import Draft, Entry, Part
from luxx.archive.tally import Tally
from luxx.core import steps
from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedMessage
from luxx.core.ids import step_id
from luxx.core.ports import ModelCall
from luxx.core.steps import Notice, Source, Step, Text, Thinking, ToolCall, ToolResult
from luxx.core.usage import Usage

MOST_MESSAGES = 100_000
MOST_COPIED = 10_000
"""Pieces of answers that stand in more than one branch, in one conversation."""

UNTITLED = "Untitled"
NO_QUESTION = "(The export has no question here.)"
IMPORTED = "import"
"""The wire format of imported model calls: no provider's, so that nothing of them is sent back as its own."""

_EPOCH = "1980-01-01T00:00:00.000000Z"
_json = msgspec.json.Encoder()


class CannotSettle(Exception):
    """There is no conversation in the draft; the text says why."""


def settled(draft: Draft, provider: str, tally: Tally) -> ArchivedConversation:
    """Return the draft as a whole tree; `provider` is told as the answers' where they name none. Raises CannotSettle."""
    if len(draft.entries) > MOST_MESSAGES:
        raise CannotSettle(f"It has more than {MOST_MESSAGES:,} messages.")
    tree = _Tree(draft, provider, tally)
    messages = tree.messages()
    if not messages:
        raise CannotSettle("It has no messages.")
    created = draft.created_at or messages[0].created_at
    return ArchivedConversation(
        id=draft.id,
        title=draft.title or UNTITLED,
        title_source=draft.title_source,
        created_at=created,
        updated_at=draft.updated_at or max(created, max(message.created_at for message in messages)),
        settings=draft.settings,
        leaf_id=tree.shown(),
        messages=tuple(messages),
        files=draft.files,
    )


class _Place(NamedTuple):
    """Which message an entry became a part of, and how many pieces of that answer there are with it."""

    message_id: str
    pieces: int


class _Tree:
    """One draft's entries on their way into order; knows where each of them went."""

    def __init__(self, draft: Draft, provider: str, tally: Tally) -> None:
        self._draft = draft
        self._provider = provider
        self._tally = tally
        self._made: dict[str, ArchivedMessage] = {}
        self._answers: dict[str, list[Entry]] = {}
        self._places: dict[str, _Place | None] = {}
        self._fillers: dict[str, str] = {}
        self._copied = 0

    def messages(self) -> list[ArchivedMessage]:
        """Return the messages, parents first."""
        for entry in _in_order(self._draft.entries, self._tally):
            before = None if entry.parent_id is None else self._places[entry.parent_id]
            self._places[entry.id] = self._put(entry, before)
        return [self._finished(message) for message in self._made.values()]

    def shown(self) -> str:
        """Return the message that ends the branch shown: as the export says, else the last one."""
        leaf = None if self._draft.leaf_id is None else self._places.get(self._draft.leaf_id)
        return leaf.message_id if leaf else next(reversed(self._made))

    def _put(self, entry: Entry, before: _Place | None) -> _Place | None:
        """Add an entry after a place; return the place that what follows it hangs on."""
        parent = None if before is None else self._made[before.message_id]
        match entry.role, None if parent is None else parent.role:
            case None, _:
                return before
            case "user", "user":
                assert parent is not None
                return self._add(entry, self._empty_answer(entry, parent.id))
            case "user", _:
                return self._add(entry, None if parent is None else parent.id)
            case "assistant", "user":
                return self._add(entry, None if parent is None else parent.id, [entry])
            case _:
                return self._more_of_an_answer(entry, before)

    def _more_of_an_answer(self, entry: Entry, before: _Place | None) -> _Place:
        """Add a piece of an answer after another; where the answer went on already, as another answer that begins the same."""
        if before is None or entry.steps is not None:
            question = self._empty_question(entry, None if before is None else before.message_id)
            return self._add(entry, question, [entry])
        pieces = self._answers[before.message_id]
        if before.pieces == len(pieces):
            pieces.append(entry)
            return _Place(before.message_id, len(pieces))
        same = pieces[: before.pieces]
        self._copied += len(same)
        if self._copied > MOST_COPIED:
            self._tally.mend("branch_without_its_beginning")
            same = []
        return self._add(entry, self._made[before.message_id].parent_id, [*same, entry])

    def _add(self, entry: Entry, parent: str | None, pieces: list[Entry] | None = None) -> _Place:
        assert entry.role is not None
        last = self._made[next(reversed(self._made))].created_at if self._made else self._draft.created_at
        self._made[entry.id] = ArchivedMessage(
            id=entry.id,
            parent_id=parent,
            role=entry.role,
            created_at=entry.created_at or last or _EPOCH,
            text=entry.text if entry.role == "user" else "",
            files=entry.files,
        )
        if pieces is not None:
            self._answers[entry.id] = pieces
        return _Place(entry.id, 0 if pieces is None else len(pieces))

    def _empty_answer(self, entry: Entry, question: str) -> str:
        """Return the answer that stands for the one that is missing between two questions."""
        if question not in self._fillers:
            self._tally.mend("question_without_answer")
            empty = Entry(
                id=f"\0{len(self._made)}",
                parent_id=question,
                role="assistant",
                status="cancelled",
                created_at=entry.created_at,
            )
            self._fillers[question] = self._add(empty, question, [empty]).message_id
        return self._fillers[question]

    def _empty_question(self, entry: Entry, parent: str | None) -> str:
        self._tally.mend("answer_without_question")
        empty = Entry(
            id=f"\0{len(self._made)}", parent_id=parent, role="user", text=NO_QUESTION, created_at=entry.created_at
        )
        return self._add(empty, parent).message_id

    def _finished(self, message: ArchivedMessage) -> ArchivedMessage:
        entries = self._answers.get(message.id)
        return message if entries is None else replace(message, answer=_answer(entries, self._provider, self._tally))


def _in_order(entries: list[Entry], tally: Tally) -> list[Entry]:
    """Return the entries as they stand, but each after its parent; circles are cut where they are met first."""
    known: dict[str, Entry] = {}
    for entry in entries:
        if entry.id in known:
            tally.omit("message_with_a_known_id")
        else:
            known[entry.id] = entry
    for entry in known.values():
        if entry.parent_id is not None and entry.parent_id not in known:
            tally.mend("parent_missing")
            entry.parent_id = None
    _cut_circles(known, tally)
    children: defaultdict[str | None, list[tuple[int, Entry]]] = defaultdict(list)
    for place, entry in enumerate(known.values()):
        children[entry.parent_id].append((place, entry))
    ordered: list[Entry] = []
    ready = [(place, entry.id) for place, entry in children[None]]
    while ready:
        _, entry_id = heapq.heappop(ready)
        ordered.append(known[entry_id])
        for place, child in children[entry_id]:
            heapq.heappush(ready, (place, child.id))
    return ordered


def _cut_circles(known: dict[str, Entry], tally: Tally) -> None:
    safe: set[str] = set()
    for entry in known.values():
        path: dict[str, Entry] = {}
        here: Entry | None = entry
        while here is not None and here.id not in safe:
            if here.id in path:
                tally.mend("circle_cut")
                here.parent_id = None
                break
            path[here.id] = here
            here = None if here.parent_id is None else known[here.parent_id]
        safe.update(path)


def _answer(entries: list[Entry], provider: str, tally: Tally) -> ArchivedAnswer:
    first, last = entries[0], entries[-1]
    model = next((entry.model for entry in reversed(entries) if entry.model), "")
    provider = first.provider or provider
    if first.steps is not None:
        made, calls = first.steps, first.calls
    else:
        found = _steps([part for entry in entries for part in entry.parts], tally)
        made = tuple(msgspec.Raw(_json.encode(step)) for step in found)
        calls = tuple(_call(n, provider, model) for n in sorted({step.call for step in found}))
    return ArchivedAnswer(
        status=last.status,
        provider=provider,
        model=model,
        steps=made,
        calls=calls,
        ended_at=last.ended_at or last.created_at,
        finish_reason=last.finish_reason or ("stop" if last.status == "done" else None),
        token_count=last.token_count,
        usage=last.usage,
        error_code=(last.error_code or "imported") if last.status == "failed" else None,
        error_content=last.error if last.status == "failed" else None,
    )


class _Head(TypedDict):
    id: str
    index: int
    call: int


def _steps(parts: list[Part], tally: Tally) -> list[Step]:
    """Return the parts as steps; a call and its result belong to one model call, what follows results to the next."""
    made: list[Step] = []
    open_calls: dict[str, ToolCall] = {}
    n, results = 1, False
    for part in parts:
        if results and part.kind not in ("tool_result", "notice"):
            n, results = n + 1, False
        head = _Head(id=step_id(len(made)), index=len(made), call=n)
        match part.kind:
            case "tool_call":
                call = ToolCall(
                    **head,
                    state="complete",
                    id_ref=part.ref or f"call_{len(made)}",
                    name=part.name,
                    arguments=part.content,
                )
                made.append(call)
                open_calls[part.ref or call.id] = call
            case "tool_result":
                made += _result(part, open_calls, head, tally)
                results = True
            case _:
                made.append(_plain(part, head))
    return made


def _result(part: Part, open_calls: dict[str, ToolCall], head: _Head, tally: Tally) -> list[Step]:
    """Return a result after its call, which is made up if there is none; one that names no call is that of the first open one."""
    key = part.ref or next(iter(open_calls), "")
    of = open_calls.pop(key, None)
    if of is not None:
        return [_ended(steps.tool_result(head["index"], of), part)]
    tally.mend("result_without_call")
    of = ToolCall(**head, state="complete", id_ref=f"call_{head['index']}", name=part.name or "tool", arguments="{}")
    return [of, _ended(steps.tool_result(head["index"] + 1, of), part)]


def _ended(result: ToolResult, part: Part) -> ToolResult:
    return replace(result, state="failed" if part.failed else "complete", content=part.content)


def _plain(part: Part, head: _Head) -> Step:
    match part.kind:
        case "thinking":
            return Thinking(**head, state="complete", content=part.content)
        case "source":
            return Source(**head, state="complete", url=part.name, title=part.ref, content=part.content)
        case "notice":
            return Notice(**head, state="complete", kind=part.name, content=part.content)
        case _:
            return Text(**head, state="complete", content=part.content)


def _call(n: int, provider: str, model: str) -> ModelCall:
    return ModelCall(n=n, provider=provider, model=model, format=IMPORTED, finish_reason="stop", usage=Usage())
