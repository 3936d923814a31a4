"""Run: everything between a turn's row in the store and its last event."""

import msgspec

from luxx.core.errors import TurnAbandoned
from luxx.core.events import ProcessStep, Recovered
from luxx.core.ports import Toolbox
from luxx.core.prompts import ModelRequest
from luxx.core.replay import Replay
from luxx.engine.loop import Loop, Plan
from luxx.engine.resume import Resumption, resume, settled
from luxx.store.interface import Store
from luxx.store.records import Message, Turn
from luxx.turns.endpoints import Endpoints
from luxx.turns.history import Histories, replay
from luxx.turns.journal import TurnLog

MAX_TAKEOVERS = 5


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What every turn of a node is bounded by: tries of a model call before its first token, tools at once, length of an answer."""

    attempts: int = 3
    parallel_tools: int = 16
    max_answer_chars: int = 4_000_000


class TurnRun:
    """One turn at work on this node, in the task that calls `run`; `loop` is there once the model can be asked."""

    def __init__(
        self,
        turn: Turn,
        log: TurnLog,
        store: Store,
        histories: Histories,
        endpoints: Endpoints,
        tools: Toolbox,
        limits: RunLimits,
    ) -> None:
        self._turn = turn
        self._log = log
        self._store = store
        self._histories = histories
        self._endpoints = endpoints
        self._tools = tools
        self._limits = limits
        self._loop: Loop | None = None

    @property
    def unsafe_running(self) -> bool:
        """Whether an unsafe tool is under way, which a shutdown should wait for."""
        return self._loop is not None and self._loop.unsafe_running > 0

    async def run(self) -> None:
        """Run the turn; see Loop.run for how it ends."""
        turn, settings = self._turn, self._turn.settings
        if turn.takeovers > MAX_TAKEOVERS:
            raise TurnAbandoned(f"Given up: the server stopped {turn.takeovers} times while it worked on this answer.")
        model = await self._endpoints.get(turn.owner_id, settings.provider_id)
        prompts, transcript, own = await self._histories.read(turn, model.format)
        request = ModelRequest(
            model=settings.model,
            prompts=prompts,
            system=settings.system_prompt,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            tools=self._tools.specs(),
        )
        folded = await self._folded()
        plan = Plan(
            turn_id=turn.id,
            message_id=turn.message_id,
            provider=settings.provider,
            request=request,
            max_iterations=settings.max_iterations + settings.kept_calls,
            attempts=self._limits.attempts,
            parallel_tools=self._limits.parallel_tools,
            max_answer_chars=self._limits.max_answer_chars,
            epoch=turn.epoch,
            start=self._resumption(folded, own) if folded else None,
            calls=own.calls,
            highest_index=folded.highest_index if folded else -1,
        )
        self._loop = Loop(plan, model, self._tools, self._log, transcript)
        await self._loop.run()

    async def settle(self) -> None:
        """Close the steps that an earlier owner left open, for a turn that ends before it could go on. Raises StorageError."""
        if self._loop is not None:  # which has closed its own
            return
        folded = await self._folded()
        if folded is None:
            return
        if self._turn.epoch > 1:
            self._log.append(Recovered(self._turn.epoch, ()))
        for step in settled(folded.steps()):
            self._log.append(ProcessStep(step))

    async def _folded(self) -> Replay | None:
        """Return what an earlier owner or the kept part of another answer left, or None for a fresh turn."""
        if self._turn.epoch == 1 and self._turn.settings.kept is None:
            return None
        return await replay(self._store.turns, self._turn.owner_id, self._turn.id)

    def _resumption(self, folded: Replay, own: Message) -> Resumption:
        answered = {call.n for call in own.calls}
        return resume(folded.steps(), answered, self._tools.effect, self._turn.settings.kept_calls)
