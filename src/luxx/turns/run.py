"""Run: everything between a turn's row in the store and its last event."""

import structlog

from luxx.core.errors import NotFound, ProviderError, TurnAbandoned
from luxx.core.events import ProcessStep, Recovered
from luxx.core.ports import Decision, Toolbox, Tools
from luxx.core.prompts import ModelRequest
from luxx.core.replay import Replay
from luxx.core.rules import ToolRule
from luxx.engine.contents import Contents
from luxx.engine.loop import Loop
from luxx.engine.plan import Plan, RunLimits
from luxx.engine.resume import Resumption, closed, resume
from luxx.store.interface import Store
from luxx.store.records import Message, Turn
from luxx.turns.endpoints import Chosen, Endpoints
from luxx.turns.files import ConversationFiles
from luxx.turns.history import Histories, replay
from luxx.turns.journal import TurnLog

MAX_TAKEOVERS = 5

_log = structlog.get_logger()


class TurnRun:
    """One turn at work on this node, in the task that calls `run`; `loop` is there once the model can be asked."""

    def __init__(
        self,
        turn: Turn,
        log: TurnLog,
        store: Store,
        histories: Histories,
        endpoints: Endpoints,
        tools: Tools,
        limits: RunLimits,
        contents: Contents,
    ) -> None:
        self._turn = turn
        self._log = log
        self._store = store
        self._histories = histories
        self._endpoints = endpoints
        self._tools = tools
        self._limits = limits
        self._contents = contents
        self._loop: Loop | None = None
        self._decisions: list[tuple[int, Decision]] = []
        self._stopped = set(turn.settings.stopped)

    @property
    def unsafe_running(self) -> bool:
        """Whether an unsafe tool is under way, which a shutdown should wait for."""
        return self._loop is not None and self._loop.unsafe_running > 0

    def decided(self, index: int, decision: Decision) -> None:
        """Take what a person decided, once it is committed."""
        if self._loop is None:
            self._decisions.append((index, decision))
        else:
            self._loop.decided(index, decision)

    def cancel_call(self, index: int) -> bool:
        """Stop one tool that runs, or is about to run again, by the index of its call; tell whether it does."""
        if self._loop is None:
            self._stopped.add(index)
            return True
        return self._loop.cancel_call(index)

    async def run(self) -> None:
        """Run the turn, with the provider's fallback where the provider fails; see Loop.run for how it ends."""
        turn, settings = self._turn, self._turn.settings
        if turn.takeovers > MAX_TAKEOVERS:
            raise TurnAbandoned(f"Given up: the server stopped {turn.takeovers} times while it worked on this answer.")
        chosen = await self._endpoints.chosen(turn.owner_id, settings)
        folded = await self._folded()
        recovered = turn.epoch > 1 and not turn.woken
        tried = {settings.provider_id}
        while True:
            try:
                await self._ask(chosen, folded, recovered)
                return
            except ProviderError as error:
                fallback = await self._fallback(chosen, error, tried)
                if fallback is None:
                    raise
                chosen, folded, recovered = fallback, await self._noticed(chosen, fallback, error), False

    async def close_steps(self) -> None:
        """Close the steps that an earlier owner left open, for a turn that ends before it could go on. Raises StorageError."""
        if self._loop is not None:  # which has closed its own
            return
        folded = await self._folded()
        if folded is None:
            return
        if self._turn.epoch > 1 and not self._turn.woken:
            self._log.append(Recovered(self._turn.epoch, ()))
        for step in closed(folded.steps()):
            self._log.append(ProcessStep(step))

    async def _ask(self, chosen: Chosen, folded: Replay | None, recovered: bool) -> None:
        """Go on from what is in the log, with one provider."""
        turn, settings = self._turn, self._turn.settings
        toolbox = await self._tools.box(turn.owner_id, settings.tools, settings.targets)
        history = await self._histories.read(turn, chosen.provider_id, chosen.endpoint.format)
        request = ModelRequest(
            model=chosen.model,
            prompts=history.prompts,
            system=settings.system_prompt,
            temperature=settings.temperature,
            max_tokens=settings.max_tokens,
            tools=toolbox.specs(),
            thinking=settings.thinking,
            conversation_id=turn.conversation_id,
        )
        plan = Plan(
            turn_id=turn.id,
            message_id=turn.message_id,
            provider=chosen.provider_id,
            request=request,
            max_iterations=settings.max_iterations + settings.kept_calls,
            limits=self._limits,
            owner=turn.owner_id,
            conversation_id=turn.conversation_id,
            rules=self._rules,
            epoch=turn.epoch,
            recovered=recovered,
            start=self._resumption(folded, history.own, toolbox) if folded else None,
            calls=history.own.calls,
            stopped=self._stopped,  # the set itself: a person may stop one more before the loop begins
            marks=history.marks,
            window=lambda: self._endpoints.window(turn.owner_id, chosen.provider_id, chosen.model),
            price=lambda: chosen.price or self._endpoints.listed_price(turn.owner_id, chosen.provider_id, chosen.model),
            summary=settings.summary,
            approvals=folded.approvals if folded else {},
            highest_index=folded.highest_index if folded else -1,
        )
        files = ConversationFiles(self._store.files, turn.owner_id, turn.conversation_id)
        loop = Loop(plan, chosen.endpoint, toolbox, self._log, history.transcript, files, self._contents)
        if turn.epoch > 1:
            await self._read_decisions()
        for index, decision in self._decisions:
            loop.decided(index, decision)
        self._loop = loop
        await loop.run()

    async def _fallback(self, failed: Chosen, error: ProviderError, tried: set[str]) -> Chosen | None:
        """Return who is asked instead, if it can be: before anything of the answer came, and by a failure of the provider's own."""
        if self._loop is None or self._loop.said_something or not (error.retryable or error.elsewhere):
            return None
        owner = self._turn.owner_id
        try:
            fallback = await self._endpoints.fallback(owner, failed.provider_id)
        except (NotFound, ProviderError):
            return None
        if fallback is None or fallback.provider_id in tried:
            return None
        tried.add(fallback.provider_id)
        _log.warning("provider failed, another one is asked", turn_id=self._turn.id, error=error.message)
        return fallback

    async def _noticed(self, failed: Chosen, fallback: Chosen, error: ProviderError) -> Replay:
        """Say who goes on, and return the log as it is then."""
        await self._log.committed()
        folded = await replay(self._store.turns, self._turn.owner_id, self._turn.id)
        said = f"{failed.provider} failed: {error.message} {fallback.provider} ({fallback.model}) answers instead."
        if self._loop is not None:
            self._loop.note(max((step.call for step in folded.steps()), default=0), "provider_fallback", said)
        await self._log.committed()
        return await replay(self._store.turns, self._turn.owner_id, self._turn.id)

    async def _folded(self) -> Replay | None:
        """Return what an earlier owner or the kept part of another answer left, or None for a fresh turn."""
        if self._turn.epoch == 1 and self._turn.settings.kept is None:
            return None
        return await replay(self._store.turns, self._turn.owner_id, self._turn.id)

    async def _read_decisions(self) -> None:
        """Find what was decided while nobody worked on the turn."""
        for decided in await self._store.approvals.decisions(self._store.nodes.id):
            if decided.turn_id == self._turn.id:
                self._decisions.append((decided.index, decided.decision))

    async def _rules(self) -> tuple[ToolRule, ...]:
        """Read the person's rules on tools as they are now: also a turn that has begun heeds a change."""
        turn = self._turn
        conversation = await self._store.conversations.get(turn.owner_id, turn.conversation_id)
        return (*conversation.settings.rules, *conversation.person_rules)

    def _resumption(self, folded: Replay, own: Message, toolbox: Toolbox) -> Resumption:
        answered = {call.n for call in own.calls}
        return resume(folded.steps(), answered, toolbox.effect, self._turn.settings.kept_calls)
