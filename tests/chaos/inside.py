"""Inside: `luxx serve` with two doors for the suite, for what no signal from outside can aim at.

`python -m tests.chaos.inside serve ...` is `luxx serve` until the file `hold` beside the data directory names a point (see
`Hold`): the process that comes to it renames the file to `held` and stops itself with SIGSTOP, all its threads, at that
very place. And at SIGUSR1 it loses the tasks of its turns, while their rows and the process live on.

Its scripted model signs all that it says, and wants all of it back.
"""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from luxx.cli import main
from luxx.core.deltas import Delta, TextDelta, ThinkingDelta, ToolCallDelta, VerbatimDelta
from luxx.core.errors import ProviderRejected
from luxx.core.ports import CallContext, Decision, ToolOutcome
from luxx.core.prompts import AnswerPrompt, ModelRequest, UserPrompt
from luxx.providers.scripted import ScriptedModel
from luxx.store.records import Turn, TurnBatch
from luxx.store.sql.approvals import SqlApprovals
from luxx.tools.box import Toolbox
from luxx.turns.run import TurnRun
from luxx.turns.supervisor import Supervisor
from luxx.turns.turn_log import TurnLog

Point = Literal["stored", "appended", "committed", "claimed", "ran", "parked", "decided", "woken"]
"""stored: a turn is there, nothing was asked; appended: an entry has its seq, its commit has not begun; committed: it is in the
database, no reader here knows; claimed: a tool's claim is in the database, the tool not called; ran: the tool has ended, its
result is not in the log; parked: a turn that waits for a person is nobody's, which its task does not know; decided: a person's decision
is in the database, nobody has acted on it; woken: the turn is taken up again, its task has not begun."""


def hold(point: Point, where: str, seq: int = 0) -> str:
    """Return what is written to `hold`: `where` is a conversation, or the label of a tool's call."""
    return f"{point} {where} {seq}"


class _Door:
    def __init__(self, folder: Path) -> None:
        self._wanted, self._held = folder / "hold", folder / "held"

    def at(self, passed: Callable[[str], Iterable[str]]) -> None:
        """Stop here if this is where to; `passed` gives the points that are passed, by the place that is wanted."""
        try:
            wanted = self._wanted.read_text()
        except FileNotFoundError:
            return
        if wanted in passed(wanted.split()[1]):
            self._wanted.rename(self._held)
            os.kill(os.getpid(), signal.SIGSTOP)


def _hold_at(door: _Door) -> None:
    """Put the door before and behind what is to be held."""
    begin, seal, publish, call = TurnRun.run, TurnLog.seal, TurnLog.publish, Toolbox.run
    decide, take_up = SqlApprovals.decide, Supervisor.take_up

    async def run(self: TurnRun) -> None:
        door.at(lambda _: [hold("stored", self._turn.conversation_id)])
        await begin(self)

    def sealed(self: TurnLog) -> TurnBatch:
        batch = seal(self)
        door.at(lambda _: [hold("appended", self.turn.conversation_id, entry.seq) for entry in batch.entries])
        return batch

    def published(self: TurnLog, batch: TurnBatch) -> None:
        conversation = self.turn.conversation_id
        door.at(lambda _: [hold("committed", conversation, entry.seq) for entry in batch.entries])
        door.at(lambda _: [hold("parked", conversation)] * batch.parked)
        publish(self, batch)

    async def called(self: Toolbox, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        door.at(lambda label: [hold("claimed", label)] if f'"{label}"' in arguments else [])
        outcome = await call(self, name, arguments, context)
        door.at(lambda label: [hold("ran", label)] if f'"{label}"' in arguments else [])
        return outcome

    async def decided(self: SqlApprovals, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
        turn = await decide(self, owner, turn_id, index, decision)
        door.at(lambda _: [hold("decided", turn.conversation_id)])
        return turn

    def taken_up(self: Supervisor, turns: Iterable[Turn]) -> None:
        turns = tuple(turns)
        door.at(lambda _: [hold("woken", turn.conversation_id) for turn in turns if turn.woken])
        take_up(self, turns)

    TurnRun.run, TurnLog.seal, TurnLog.publish, Toolbox.run = run, sealed, published, called
    SqlApprovals.decide, Supervisor.take_up = decided, taken_up


def _sign() -> None:
    """Let the scripted model send signatures as providers do, and refuse a request that lacks one or has one too many.

    What follows a script is no script but a request to go on: then the round is played that comes next.
    """
    play = ScriptedModel.stream

    async def stream(self: ScriptedModel, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        for prompt in request.prompts:
            if isinstance(prompt, AnswerPrompt) and prompt.raw.count(b"call") != len(prompt.calls):
                raise ProviderRejected(f"{len(prompt.calls)} calls were signed, these signatures came: {prompt.raw!r}")
        told = tuple(it for it in request.prompts if not isinstance(it, UserPrompt) or it.by_person)
        async for deltas in play(self, replace(request, prompts=told)):
            yield [signed for delta in deltas for signed in _signed(delta)]

    ScriptedModel.stream = stream


def _signed(delta: Delta) -> Iterable[Delta]:
    yield delta
    if isinstance(delta, ThinkingDelta | TextDelta):
        yield VerbatimDelta(b"words")
    elif isinstance(delta, ToolCallDelta) and delta.id:
        yield VerbatimDelta(b"call")


def _lose_tasks_at(number: signal.Signals) -> None:
    start_up = Supervisor.start_up

    async def started(self: Supervisor) -> None:
        loop = asyncio.get_running_loop()
        losing: set[asyncio.Task[None]] = set()

        def lose() -> None:
            if turns := list(self.at_work()):
                losing.add(loop.create_task(self.let_go(turns)))

        loop.add_signal_handler(number, lose)
        await start_up(self)

    Supervisor.start_up = started


if __name__ == "__main__":
    _hold_at(_Door(Path(os.environ["LUXX_DATA_DIR"]).parent))  # noqa: TID251 - the suite's own process
    _lose_tasks_at(signal.SIGUSR1)
    _sign()
    main()
