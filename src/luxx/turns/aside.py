"""Aside: turns that cannot go on because something stored cannot be read or kept; tried again, then ended, else left to rest."""

import time
from collections.abc import Callable

import msgspec
import structlog
from msgspec.structs import replace

from luxx.core.errors import LuxxError, StorageError
from luxx.core.events import Failed, ProcessStep, Recovered
from luxx.engine.resume import closed
from luxx.store.interface import Store
from luxx.store.records import Appended, Turn
from luxx.turns.history import replay
from luxx.turns.turn_log import TurnLog

_log = structlog.get_logger()
TRIES = 3
"""How often a turn is taken up in vain, while the store can be written, before it is ended."""
FIRST_REST = 60.0
"""Seconds that a turn rests which can be neither begun nor ended; after each further try twice as long."""
LONGEST_REST = 3600.0
UNREADABLE = "Something that is stored of this conversation cannot be read; the log of the server says what."


class _Tried:
    __slots__ = ("rest", "rests_until", "tries")

    def __init__(self) -> None:
        self.tries = 0
        self.rest = FIRST_REST
        self.rests_until = float("-inf")


class Aside:
    """Owns the count of the vain tries. A row without a task is taken up again and again, which is right when the
    database was away, and would go on for ever where a page of it is broken. `clock` gives seconds.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._tried: dict[str, _Tried] = {}

    def rests(self, turn_id: str) -> bool:
        """Whether a turn is not to be taken up now."""
        tried = self._tried.get(turn_id)
        return tried is not None and self._clock() < tried.rests_until

    def forget(self, turn_id: str) -> None:
        """Count anew: the turn has ended, or waits for a person."""
        self._tried.pop(turn_id, None)

    async def leave(self, turn: Turn, log: TurnLog, error: Exception) -> Appended | None:
        """Leave a turn to be taken up again, as a row without a task is; one whose log is closed has ended or is another's.

        If it was ended here, return what its end did.
        """
        if not log.open:
            _log.info("turn ended by its log", turn_id=turn.id, reason=str(error))
            return None
        log.abandon(StorageError(str(error)))
        return await self.put(turn, error)

    async def put(self, turn: Turn, error: Exception) -> Appended | None:
        """Note that a turn could not be begun. If it was ended for that, return what its end did."""
        tried = self._tried.get(turn.id) or _Tried()
        if tried.tries < TRIES:
            _log.warning("turn set aside", turn_id=turn.id, error=str(error))
        if not await self._writable():
            return None
        self._tried[turn.id] = tried
        tried.tries += 1
        if tried.tries < TRIES:
            return None
        ended = await self._end(turn)
        if ended is not None:
            self.forget(turn.id)
            return ended
        if tried.tries == TRIES:
            _log.error("turn can be neither read nor ended, it is tried again now and then", turn_id=turn.id)
        tried.rests_until = self._clock() + tried.rest
        tried.rest = min(tried.rest * 2, LONGEST_REST)
        return None

    async def _writable(self) -> bool:
        """Whether the store works at all: when it does not, no turn is to blame."""
        try:
            await self._store.ping()
        except StorageError:
            return False
        return True

    async def _end(self, turn: Turn) -> Appended | None:
        """Write the end on its own, where it can stop no other turn."""
        try:
            folded = await replay(self._store.turns, turn.owner_id, turn.id)
        except (LuxxError, msgspec.MsgspecError):
            folded = None  # its own log is what cannot be read
        log = TurnLog(replace(turn, seq=folded.seq) if folded else turn, lambda _: None, self._store.nodes.check)
        if folded:
            if turn.epoch > 1 and not turn.woken:
                log.append(Recovered(turn.epoch, ()))
            for step in closed(folded.steps()):
                log.append(ProcessStep(step))
        log.append(Failed(content=UNREADABLE, code=StorageError.code, message_id=turn.message_id))
        try:
            appended = await self._store.turns.append((log.seal(),))
        except LuxxError:
            return None
        return None if turn.id in appended.fenced or turn.id in appended.refused else appended
