"""The verdict: everything that must not happen, counted; pure of I/O."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from luxx.client import Message, Turn
from luxx.core.events import End, Failed, LogEntry, ProcessStep, decode
from luxx.core.replay import Replay, is_end
from luxx.core.steps import ToolResult, answer_text
from luxx.tools.demo import LedgerLine
from luxx.turns.run import MAX_TAKEOVERS
from tests.chaos import waits
from tests.chaos.asked import Asked
from tests.chaos.plan import WIRES

MUST_NOT_HAPPEN = (
    "events shown that are not in the log",
    "gaps",
    "doubles and seqs out of order",
    "events after the end",
    "texts that differ from the saved message",
    "answers that are not what was to be said",
    "finished tools run again",
    "unsafe tools started twice",
    "turns without an end",
    "turns that ended as they should not",
    "readers left behind",
    "POSTs that did two things",
    "answers that should not be",
    "streams that are no streams",
    "writes refused by the store",
    "parts of a server that died",
    "stops that hung",
    "model calls that nobody stopped",
    "nodes whose memory grew",
    *waits.KINDS,
)
_LOGGED = {
    "writes refused by the store": re.compile(r".*turn refused by the store.*"),
    "parts of a server that died": re.compile(
        r".*(?:background work failed|a vital part|turn failed|was never retrieved).*"
    ),
}
CUT = ("answer_incomplete", "provider_unreachable", "provider_error")
"""How a turn may end whose provider was cut off after the first piece of an answer."""
_LABEL = re.compile(r"\((\d+-wait\w*)\)")
Wrong = tuple[str, str]


class Kept(msgspec.Struct, frozen=True):
    """What the servers say of a turn when all is over, and whether the wire to its provider was cut in mid-answer."""

    turn: Turn
    log: tuple[LogEntry, ...]
    messages: tuple[Message, ...]
    cut: bool = False


def of_turn(asked: Asked, kept: Kept) -> list[Wrong]:
    """Hold what was shown of a turn against its log, and its log against its message."""
    name = f"turn {asked.number} ({asked.turn_id})"
    wrong: list[Wrong] = []
    log = {entry.seq: entry for entry in kept.log}
    for shown in asked.readers:
        phantoms = [entry.seq for entry in shown.entries if log.get(entry.seq) != entry]
        wrong += [("events shown that are not in the log", f"{shown.name}: seq {seq}") for seq in phantoms]
    if [entry.seq for entry in kept.log] != list(range(1, len(kept.log) + 1)):
        wrong.append(("gaps", f"{name}: in the log itself"))
    if not kept.turn.ended or not kept.log or not is_end(kept.log[-1]):
        return [*wrong, ("turns without an end", f"{name}: {kept.turn.status} at seq {kept.turn.seq}")]
    return wrong + _of_message(asked, kept, name)


def _of_message(asked: Asked, kept: Kept, name: str) -> list[Wrong]:
    wrong: list[Wrong] = []
    replay = Replay()
    for entry in kept.log:
        replay.apply(entry)
    if [message.role for message in kept.messages] != ["user", "assistant"]:
        wrong.append(("POSTs that did two things", f"{name}: {[message.role for message in kept.messages]}"))
    said, saved = answer_text(replay.steps()), kept.messages[-1]
    if saved.text != said or saved.steps != replay.steps():
        strange = [step for step in saved.steps if step not in replay.steps()]
        wrong.append(("texts that differ from the saved message", f"{name}: {strange or 'a step is missing'}"))
    if not _fits(asked, said, kept.turn.status == "done"):
        wrong.append(("answers that are not what was to be said", name))
    if unfit := _unfit(asked, kept, replay.end):
        wrong.append(("turns that ended as they should not", f"{name}: {unfit}"))
    return wrong


def _fits(asked: Asked, said: str, whole: bool) -> bool:
    if asked.begins is not None:
        return said.startswith(asked.begins)
    return said == asked.answer if whole else asked.answer.startswith(said)


def _unfit(asked: Asked, kept: Kept, end: End | None) -> str:
    """Say what is wrong with a turn's end: it may be cut short by a cancel, a row that is refused, a cut to its provider, or because
    it was taken over too often.
    """
    match end:
        case Failed(code="storage") if asked.refused:
            return ""
        case Failed() if kept.cut and end.code in CUT:
            return ""
        case Failed(code="turn_abandoned") if _takeovers_in_vain(kept.log) > MAX_TAKEOVERS:
            return ""
        case Failed():
            return f"{end.code} {end.content}"
        case _ if kept.turn.status == "cancelled":
            return "" if asked.cancelled else "nobody cancelled it"
        case _:
            return "the database took what it refuses" if asked.refused else ""


def _takeovers_in_vain(log: Sequence[LogEntry]) -> int:
    """Count the takeovers, the last one included, without a step that ended between them."""
    names = [
        entry.name if entry.name != ProcessStep.name or b'"state":"running"' in entry.data else "ended" for entry in log
    ]
    until_last = names[: len(names) - names[::-1].index("recovered")] if "recovered" in names else []
    since = len(until_last) - until_last[::-1].index("ended") if "ended" in until_last else 0
    return until_last[since:].count("recovered")


def of_deleted(asked: Asked) -> list[Wrong]:
    """Hold the readers of a deleted turn against each other: its log is gone."""
    known: dict[int, LogEntry] = {}
    return [
        ("events shown that are not in the log", f"{shown.name}: seq {entry.seq}, of a deleted turn")
        for shown in asked.readers
        for entry in shown.entries
        if known.setdefault(entry.seq, entry) != entry
    ]


def of_tools(asked: Iterable[Asked], ledger: Sequence[LedgerLine]) -> list[Wrong]:
    """Hold what tools wrote down against the results that were shown; labels are unique, keys could be made twice."""
    unsafe = Counter(line.label for line in ledger if line.event == "start" and line.tool == "wait_unsafe")
    wrong: list[Wrong] = [("unsafe tools started twice", f"{it}: {n} times") for it, n in unsafe.items() if n > 1]
    finished: dict[str, float] = {}
    asked = list(asked)
    late = {turn.may_come_late for turn in asked}
    for turn in asked:
        for shown in turn.readers:
            for at, label in _results(shown.entries, shown.times):
                finished[label] = min(at, finished.get(label, at))
    for line in ledger:
        if line.event == "start" and line.at > finished.get(line.label, line.at) and line.label not in late:
            wrong.append(("finished tools run again", f"{line.label} ({line.key})"))
    return wrong


def _results(entries: Sequence[LogEntry], times: Sequence[float]) -> Iterable[tuple[float, str]]:
    for entry, at in zip(entries, times, strict=True):
        if entry.name == ProcessStep.name and b'"tool_result"' in entry.data:
            event = decode(entry.name, entry.data)
            assert isinstance(event, ProcessStep)
            if isinstance(event.step, ToolResult) and event.step.state == "complete":
                yield from ((at, label) for label in _LABEL.findall(event.step.content))


def of_server_log(log: str, asked: Iterable[Asked]) -> list[Wrong]:
    """Find what a server logs only when something is broken inside it."""
    refused = [turn.turn_id for turn in asked if turn.refused]
    return [
        (kind, line.strip())
        for kind, pattern in _LOGGED.items()
        for line in pattern.findall(log)
        if not any(turn_id in line for turn_id in refused)
    ]


def takeovers(asked: Iterable[Asked], done: Sequence[tuple[float, str]]) -> dict[str, list[float]]:
    """Return, for each kind of fault, the seconds from the last one to the sight of a `recovered` after it."""
    found: dict[str, list[float]] = {}
    freeing = [(at, kind) for at, kind in done if kind not in WIRES]
    for turn in asked:
        first: dict[int, float] = {}
        for shown in turn.readers:
            for entry, at in zip(shown.entries, shown.times, strict=True):
                if entry.name == "recovered":
                    first[entry.seq] = min(at, first.get(entry.seq, at))
        for at in first.values():
            if before := [(since, kind) for since, kind in freeing if since <= at]:
                found.setdefault(before[-1][1], []).append(at - before[-1][0])
    return found
