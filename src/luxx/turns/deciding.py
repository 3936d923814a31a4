"""Deciding: what a person says about single tool calls, brought to the turns that wait for it, wherever they are."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from luxx.core.errors import Conflict
from luxx.core.ids import step_id
from luxx.core.ports import Decision
from luxx.core.steps import ToolResult
from luxx.store.interface import Store
from luxx.store.records import Turn
from luxx.turns.history import replay
from luxx.turns.live import Live
from luxx.turns.words import CallWord, DecisionWord, Word


class Deciding:
    """Stores decisions and wakes the turns: `live` are those at work here, `claim` takes up what has become free, `tell` tells other
    nodes, and `changed` is called with a turn whose approvals are others now.
    """

    def __init__(
        self,
        store: Store,
        live: Mapping[str, Live],
        claim: Callable[[], Awaitable[None]],
        tell: Callable[[Word], None],
        changed: Callable[[Turn], None],
    ) -> None:
        self._store = store
        self._live = live
        self._claim = claim
        self._tell = tell
        self._changed = changed

    async def decide(self, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
        """See Supervisor.decide."""
        turn = await self._store.approvals.decide(owner, turn_id, index, decision)
        live = self._live.get(turn_id)
        if live is not None and live.log.open:
            live.run.decided(index, decision)
        elif live is not None and live.task:  # it is being parked
            await asyncio.wait((live.task,))
            await self._claim()
        elif turn.status == "waiting":
            await self._claim()
        else:
            self._tell(DecisionWord(turn_id))
        self._changed(turn)
        return await self._store.turns.get(owner, turn_id)

    async def cancel_call(self, owner: str, turn_id: str, index: int) -> Turn:
        """See Supervisor.cancel_call. It is stored as well: whoever goes on with the turn does not run the call again."""
        turn = await self._store.turns.get(owner, turn_id)
        live = self._live.get(turn_id)
        if live is None and turn.status == "active" and await self._runs(turn, index):
            await self._store.turns.stop_call(owner, turn_id, index)
            self._tell(CallWord(turn_id, index))
        elif live is not None and live.run.cancel_call(index):  # at once, also when nothing can be written
            await self._store.turns.stop_call(owner, turn_id, index)
        else:
            raise Conflict("not_running", "This tool is not running.", turn_id)
        return turn

    async def _runs(self, turn: Turn, index: int) -> bool:
        """Whether a tool is at work for a call, by the log of a turn of another node."""
        steps = (await replay(self._store.turns, turn.owner_id, turn.id)).steps()
        claims = (step for step in steps if isinstance(step, ToolResult) and step.state == "running")
        return any(claim.id_ref == step_id(index) for claim in claims)
