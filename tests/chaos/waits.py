"""Waits: the verdict on turns that waited for a person; pure of I/O."""

import re
from collections.abc import Iterable, Mapping, Sequence

from luxx.core.events import Approval, Event, LogEntry, Recovered, decode
from luxx.core.replay import is_end
from luxx.tools.demo import LedgerLine
from tests.chaos.asked import Asked, Decided
from tests.chaos.cluster import TTL

UNASKED = "calls run without an approval"
FORBIDDEN = "calls run that were not allowed"
UNKNOWN = "decisions acknowledged that do not stand in the log"
UNDECIDED = "decisions that nobody made"
LATE = "decided turns that did not go on in time"
LISTED = "approvals listed for turns that have ended"
UNDEAD = "takeovers shown of turns that were only woken"
AGAIN = "questions asked again in spite of `always`"
KINDS = (UNASKED, FORBIDDEN, UNKNOWN, UNDECIDED, LATE, LISTED, UNDEAD, AGAIN)
IN_TIME = TTL + 4
"""Seconds from a decision to the sight of it, when nothing strikes."""
_WOKEN = re.compile(r"turn woken\s+.*")
_FIELD = re.compile(r"\b(epoch|turn_id)=(\S+)")
Wrong = tuple[str, str]


class _Log:
    """What a log says of approvals: the last word on each call, when it was asked for, and which calls are void."""

    def __init__(self, log: Sequence[LogEntry]) -> None:
        self.asked: dict[int, tuple[int, Approval]] = {}
        self.settled: dict[int, tuple[int, Approval]] = {}
        self.void: set[int] = set()
        for entry in log:
            match _event(entry):
                case Approval(state="requested") as event:
                    self.asked[event.index] = entry.seq, event
                case Approval() as event:
                    self.settled[event.index] = entry.seq, event
                case Recovered(discarded=discarded):
                    self.void.update(discarded)
                case _:
                    pass

    def labels(self, *states: str) -> set[str]:
        """Return the labels of the calls for which the last word is one of these."""
        return {event.arguments["label"] for _, event in self.settled.values() if event.state in states}


def of_turn(asked: Asked, log: Sequence[LogEntry], ledger: Iterable[LedgerLine]) -> list[Wrong]:
    """Hold what was decided and what was run against the log."""
    name, said = f"turn {asked.number} ({asked.turn_id})", _Log(log)
    done = bool(log) and log[-1].name == "done"
    wrong = [(UNKNOWN, f"{name}: {why}") for one in asked.decisions if (why := _unknown(one, said, done))]
    wrong += [
        ("answers that should not be", f"{name}: {one.status} {one.code}") for one in asked.decisions if _strange(one)
    ]
    wrong += [(UNDECIDED, f"{name}: call {index}") for index in said.settled if _invented(asked, said, index)]
    wrong += [(LATE, f"{name}: call {one.index}") for one in asked.decisions if one.in_calm and _late(asked, one)]
    wrong += [(kind, f"{name}: {what}") for kind, what in _of_calls(asked, said, ledger)]
    wrong += [(AGAIN, f"{name}: call {index}") for index in _asked_again(asked, said)]
    for shown in asked.readers:
        for entry, at in zip(shown.entries, shown.times, strict=True):
            if entry.name == Recovered.name and at > asked.only_woken_since:
                wrong.append((UNDEAD, f"{shown.name}: seq {entry.seq}"))
    return wrong


def _strange(one: Decided) -> bool:
    return one.status not in (0, 200) and one.code not in ("already_decided", "turn_ended")


def _unknown(one: Decided, said: _Log, done: bool) -> str:
    """Say how the log differs from a decision that was acknowledged; one about what is void, or of a turn that was ended, may be missing."""
    if one.status != 200:
        return ""
    if one.index not in said.settled:
        return f"call {one.index} is not decided" if done and one.index not in said.void else ""
    _, standing = said.settled[one.index]
    wanted = one.body.get("arguments") or said.asked[one.index][1].arguments
    state = "approved" if one.body["approve"] else "denied"
    if standing.state != state or (state == "approved" and standing.arguments != wanted):
        return f"call {one.index}: {one.body} was acknowledged, {standing} stands"
    return ""


def _invented(asked: Asked, said: _Log, index: int) -> bool:
    """Whether the log has a decision that nobody can have made."""
    state = said.settled[index][1].state
    made = [one for one in asked.decisions if one.index == index and one.body["approve"] == (state == "approved")]
    return state != "expired" and all(one.code == "already_decided" for one in made)


def _late(asked: Asked, one: Decided) -> bool:
    """Whether readers saw nothing of what was decided, or not in time, though nothing struck."""
    seen = [
        at
        for shown in asked.readers
        for entry, at in zip(shown.entries, shown.times, strict=True)
        if is_end(entry)
        or (isinstance(event := _event(entry), Approval) and event.index == one.index and event.state != "requested")
    ]
    return one.status == 200 and (not seen or min(seen) > one.answered + IN_TIME)


def _of_calls(asked: Asked, said: _Log, ledger: Iterable[LedgerLine]) -> Iterable[Wrong]:
    tools = {event.tool for _, event in said.asked.values()}
    allowed, refused = said.labels("approved"), said.labels("denied", "expired")
    labels = {event.arguments["label"] for _, event in said.asked.values()}
    always = {event.tool for event, _ in _always(asked, said)}
    yes = [one.sent for one in asked.decisions if one.body["approve"]]
    for line in ledger:
        if line.event != "start" or not line.label.startswith(f"{asked.number}-") or line.tool not in tools:
            continue
        if line.tool in always and line.label not in labels:
            continue
        if line.label not in allowed:
            yield (FORBIDDEN if line.label in refused else UNASKED), line.label
        elif line.at < min(yes, default=line.at + 1):
            yield UNASKED, f"{line.label}, before anybody decided"


def _asked_again(asked: Asked, said: _Log) -> Iterable[int]:
    """Return the calls of a tool that came after it was allowed always."""
    for standing, seq in _always(asked, said):
        yield from (index for index, (at, event) in said.asked.items() if at > seq and event.tool == standing.tool)


def _always(asked: Asked, said: _Log) -> Iterable[tuple[Approval, int]]:
    """Return the decisions that hold for a tool from then on, with their seqs."""
    for index, (seq, standing) in said.settled.items():
        sent = [one for one in asked.decisions if one.index == index and one.body.get("always")]
        if sent and standing.state == "approved":
            yield standing, seq


def of_deleted(asked: Asked, ledger: Iterable[LedgerLine]) -> list[Wrong]:
    """Hold what was run against what was decided: the log is gone."""
    if not asked.asking:
        return []
    said = _Log([entry for shown in asked.readers for entry in shown.entries])
    yes = any(one.body["approve"] for one in asked.decisions)
    tools = {event.tool for _, event in said.asked.values()}
    mine = [it for it in ledger if it.label.startswith(f"{asked.number}-") and it.event == "start" and it.tool in tools]
    return [(UNASKED, it.label) for it in mine if not yes]


def of_woken(asked: Iterable[Asked], logs: Iterable[str]) -> list[Wrong]:
    """Find the takeovers that were shown of turns that a server says it only woke."""
    fields = [dict(_FIELD.findall(line)) for log in logs for line in _WOKEN.findall(log)]
    woken = {(it["turn_id"], int(it["epoch"])) for it in fields}
    return [
        (UNDEAD, f"{shown.name}: seq {entry.seq}")
        for turn in asked
        for shown in turn.readers
        for entry in shown.entries
        if isinstance(event := _event(entry), Recovered) and (turn.turn_id, event.epoch) in woken
    ]


def seconds_to_go_on(asked: Iterable[Asked]) -> list[float]:
    """Return how long it took from the answer to each decision to the first sight of it."""
    found: list[float] = []
    for turn in asked:
        first: dict[int, float] = {}
        for shown in turn.readers:
            for entry, at in zip(shown.entries, shown.times, strict=True):
                if isinstance(event := _event(entry), Approval) and event.state in ("approved", "denied"):
                    first[event.index] = min(at, first.get(event.index, at))
        sent = {one.index: one.answered for one in reversed(turn.decisions) if one.status == 200}
        found += [max(0.0, at - sent[index]) for index, at in first.items() if index in sent]
    return found


def counts(asked: Sequence[Asked]) -> str:
    """Say what was asked and decided."""
    waiting = [turn for turn in asked if turn.asking]
    settled = [event.state for turn in waiting for _, event in _Log(_longest(turn)).settled.values()]
    states: Mapping[str, int] = {state: settled.count(state) for state in sorted(set(settled))}
    sent = [one for turn in waiting for one in turn.decisions]
    refused = sum(one.code == "already_decided" for one in sent)
    told = ", ".join(f"{number} {state}" for state, number in states.items())
    taken, calm = sum(one.status == 200 for one in sent), sum(one.in_calm for one in sent)
    return (
        f"{len(waiting)} turns that ask, calls: {told or 'none'}; {len(sent)} decisions sent, {taken} acknowledged,"
        f" {refused} too late or against another; {calm} in calm"
    )


def _longest(turn: Asked) -> list[LogEntry]:
    return max((shown.entries for shown in turn.readers), key=len, default=[])


def _event(entry: LogEntry) -> Event | None:
    return decode(entry.name, entry.data) if entry.name in (Approval.name, Recovered.name) else None
