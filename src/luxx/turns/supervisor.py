"""The supervisor: owns one task for every live turn of this node, and starts, follows, cancels and recovers turns."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Callable, Iterable

import msgspec
import structlog

from luxx.core.errors import Fenced, LimitReached, LuxxError, StorageError
from luxx.core.events import Cancelled, Done, Event, Failed, LogEntry
from luxx.core.ports import Decision, Tools
from luxx.engine.approvals import Parked
from luxx.engine.contents import Contents
from luxx.engine.plan import RunLimits
from luxx.store.interface import Store
from luxx.store.records import Appended, ClientRequest, NewTurn, StartedTurn, Status, Turn
from luxx.turns import views
from luxx.turns.aside import Aside
from luxx.turns.background import Background
from luxx.turns.deciding import Deciding
from luxx.turns.endpoints import Endpoints
from luxx.turns.history import Histories
from luxx.turns.journal import Journal, TurnLog
from luxx.turns.live import Live, status_of
from luxx.turns.membership import Membership
from luxx.turns.notices import Notices
from luxx.turns.requests import AnswerAgain, MessagePage, Notice, PostMessage
from luxx.turns.run import TurnRun
from luxx.turns.starting import Starter
from luxx.turns.telling import Telling
from luxx.turns.titles import Titles
from luxx.turns.upkeep import Upkeep
from luxx.turns.words import CallWord, DecisionWord, NoticeWord, ProviderWord, read_word

_log = structlog.get_logger()
CLOSE_PATIENCE = 3.0
"""Seconds that a stop waits for what is appended to be written."""
CANCEL_PATIENCE = 2.0
"""Seconds that a cancel waits for the turn's end before it answers that the turn is still active."""
INTERNAL = "Something went wrong inside Luxx; the log of the server says what."


class Supervisor:
    """Owns the live turns and the journal. `start_up` must have returned before a turn is started."""

    def __init__(
        self,
        store: Store,
        endpoints: Endpoints,
        tools: Tools,
        starter: Starter,
        titles: Titles,
        *,
        limits: RunLimits,
        max_active: int,
        heartbeat: float,
        compact_after: float,
        on_death: Callable[[], None] = lambda: signal.raise_signal(signal.SIGTERM),
    ) -> None:
        self.notices = Notices()
        self.ready = False
        self.draining = False
        self._store = store
        self._histories = Histories(store.conversations)
        self._endpoints = endpoints
        self._tools = tools
        self._starter = starter
        self._titles = titles
        self._limits = limits
        self._contents = Contents()
        self._max_active = max_active
        self._live: dict[str, Live] = {}
        self._starting = 0
        self._on_death = on_death
        self._idle = asyncio.Event()
        self._idle.set()
        self._background = Background(self._died)
        self._others = Telling(store.nodes, self._background)
        self._aside = Aside(store)
        self._journal = Journal(store, self._on_appended, self._on_asked)
        self._membership = Membership(store, self, self._aside.rests)
        self._deciding = Deciding(store, self._live, self._claim_now, self._others.tell, self._on_asked)
        self._upkeep = Upkeep(store, self._journal, self.notices, heartbeat, compact_after)

    async def start_up(self) -> None:
        """Begin to work: take up what a process that died has left."""
        self._background.spawn(self._journal.run(), vital=True)
        self._background.spawn(self._upkeep.run(), vital=True)
        self.take_up(await self._store.turns.claim(self._max_active))
        self._background.spawn(self._membership.run(), vital=True)
        self.ready = True

    async def post(self, owner: str, post: PostMessage) -> StartedTurn:
        """Store a message and start the turn that answers it. Raises NotFound, InvalidRequest, Conflict, LimitReached."""
        started = await self._replayed(owner, post.request)
        started = started or await self._start(owner, await self._starter.post(owner, post))
        if post.on_busy == "interrupt":
            await self.steer(owner, started.turn.id)
        return started

    async def regenerate(self, owner: str, again: AnswerAgain) -> StartedTurn:
        """Start another answer beside a message. Raises as `post`."""
        if replayed := await self._replayed(owner, again.request):
            return replayed
        return await self._start(owner, await self._starter.again(owner, again, keep=False))

    async def continue_answer(self, owner: str, again: AnswerAgain) -> StartedTurn:
        """Start an answer that goes on where a message ended. Raises as `post`."""
        if replayed := await self._replayed(owner, again.request):
            return replayed
        return await self._start(owner, await self._starter.again(owner, again, keep=True))

    async def cancel(self, owner: str, turn_id: str) -> Turn:
        """Stop a turn and return it as it is after that; one that has ended stays as it is. Raises NotFound."""
        live = self._live.get(turn_id)
        if live is not None:
            await self._store.turns.get(owner, turn_id)
            live.cancel()  # at once, also when nothing can be written: the provider costs money
        stopped = await self._store.turns.request_cancel(owner, turn_id)
        self._dropped(stopped.dropped)
        turn = stopped.turn
        if live is None and turn.status == "waiting":
            await self._claim_now()
            live = self._live.get(turn_id)
        if live is not None and live.task:
            await asyncio.wait((live.task,), timeout=CANCEL_PATIENCE)
            turn = await self._store.turns.get(owner, turn_id)
        elif turn.ended:
            self._tell(turn, "turn_ended", turn.status)
        self._journal.wake(turn_id)
        return turn

    async def steer(self, owner: str, turn_id: str) -> Turn:
        """Let a queued turn start now: the answer before it is stopped. Raises NotFound, Conflict ``turn_running``."""
        if before := await self._store.turns.steer(owner, turn_id):
            await self.cancel(owner, before)
        return await self._store.turns.get(owner, turn_id)

    async def decide(self, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
        """Take what a person decided about a call, or answered to a question, and return the turn.

        Raises NotFound, Conflict ``already_decided`` and ``turn_ended``.
        """
        return await self._deciding.decide(owner, turn_id, index, decision)

    async def cancel_call(self, owner: str, turn_id: str, index: int) -> Turn:
        """Stop one tool of a turn, by the index of its call. Raises NotFound, Conflict ``not_running``."""
        return await self._deciding.cancel_call(owner, turn_id, index)

    @property
    def room(self) -> int:
        """How many turns of dead nodes may be taken up here."""
        return 0 if self.draining else self._max_active - len(self._live)

    def at_work(self) -> dict[str, int]:
        """Return the turns that have a task here, with their epochs."""
        return {turn_id: live.turn.epoch for turn_id, live in self._live.items()}

    def take_up(self, turns: Iterable[Turn]) -> None:
        """Go on with turns that another process, or a task that died, has left."""
        for turn in turns:
            live = self._live.get(turn.id)
            if live is None or not live.log.open:  # one that has just been parked may be there still
                _log.info("turn woken" if turn.woken else "turn recovered", turn_id=turn.id, epoch=turn.epoch)
                self._begin(turn)

    def stop(self, turn_id: str) -> None:
        """Stop a turn: its cancellation is in the store already."""
        if live := self._live.get(turn_id):
            live.cancel()

    def decided(self, turn_id: str, index: int, decision: Decision) -> None:
        """Take a decision that was stored by another node."""
        if live := self._live.get(turn_id):
            live.run.decided(index, decision)

    async def let_go(self, turn_ids: Iterable[str] | None = None) -> None:
        """Stop the tasks of turns that are others' by now, without a trace; return when they have ended."""
        going = [live for turn_id in turn_ids or list(self._live) if (live := self._live.get(turn_id))]
        for live in going:
            live.log.abandon(Fenced("Another owner has taken the turn over."))
            if live.task:
                live.task.cancel()
        if tasks := [live.task for live in going if live.task]:
            await asyncio.wait(tasks)

    def heard(self, turn_ids: Iterable[str]) -> None:
        """Look at the logs of these turns of other nodes."""
        self._journal.heard(turn_ids)

    def publish(self, owner: str, notice: Notice) -> None:
        """Tell a person's pages, on whatever node they are."""
        self.notices.publish(owner, notice)
        self._others.tell(NoticeWord(owner, notice))

    def provider_changed(self, provider_id: str) -> None:
        """Use a provider as it is now, on all nodes."""
        self._endpoints.forget(provider_id)
        self._others.tell(ProviderWord(provider_id))

    def told(self, text: str) -> None:
        """Take what another node told."""
        match read_word(text):
            case NoticeWord(owner=owner, notice=notice):
                self.notices.publish(owner, notice)
            case ProviderWord(provider_id=provider_id):
                self._endpoints.forget(provider_id)
            case DecisionWord():
                self._membership.look()
            case CallWord(turn_id=turn_id, index=index):
                if live := self._live.get(turn_id):
                    live.run.cancel_call(index)
            case None:
                pass

    def missed(self) -> None:
        """Assume that news were lost: make all endpoints anew at their next use."""
        self._endpoints.forget_all()

    async def delete_conversation(self, owner: str, conversation_id: str) -> None:
        """Delete a conversation and stop its turns. Raises NotFound."""
        for turn_id in await self._store.conversations.delete(owner, conversation_id):
            if live := self._live.get(turn_id):
                live.cancel()
            self._journal.wake(turn_id)
        self.publish(owner, Notice(kind="conversation_deleted", conversation_id=conversation_id))

    async def messages(
        self,
        owner: str,
        conversation_id: str,
        *,
        leaf: str | None,
        before: str | None,
        limit: int,
        after: str | None = None,
        around: str | None = None,
    ) -> MessagePage:
        """Return a part of a branch; answers in progress are folded to exactly the seq that they name. Raises NotFound."""
        conversations = self._store.conversations
        return await conversations.branch(
            owner, conversation_id, leaf, before, limit, views.message_page, after=after, around=around
        )

    def follow(self, owner: str, turn_id: str, after: int) -> AsyncGenerator[tuple[LogEntry, ...], None]:
        """Yield a turn's entries after a seq as they are committed; see Journal.tail. The caller has checked the owner."""
        return self._journal.tail(owner, turn_id, after)

    async def drain(self, patience: float) -> None:
        """Take no more turns, end the streams, give the turns `patience` seconds, and unsafe tools their own time."""
        self.ready, self.draining = False, True
        self._journal.drain()
        self.notices.close()
        try:
            async with asyncio.timeout(patience):
                await self._idle.wait()
        except TimeoutError:
            await self._wait_for_unsafe_tools()

    async def close(self) -> None:
        """Stop, after what turns have made so far is written; turns in progress stay active in the store and go on elsewhere, or
        at the next start."""
        self.ready, self.draining = False, True
        self._journal.drain()
        self.notices.close()
        going = list(self._live.values())
        for live in going:
            live.log.refuse(Fenced("The server stops."))
            if live.task:
                live.task.cancel()
        if tasks := [live.task for live in going if live.task]:
            await asyncio.wait(tasks, timeout=CLOSE_PATIENCE)
        for live in going:
            live.log.abandon(Fenced("The server stops."))
        await self._background.close()
        await self._endpoints.close()

    async def _replayed(self, owner: str, request: ClientRequest | None) -> StartedTurn | None:
        return await self._store.turns.replayed(owner, request) if request else None

    async def _start(self, owner: str, new: NewTurn) -> StartedTurn:
        if not self.ready:
            reason = "draining" if self.draining else "starting"
            raise LimitReached(reason, "The server is starting or stopping: try again in a moment.")
        if len(self._live) + self._starting >= self._max_active:
            raise LimitReached("too_many_turns", f"{self._max_active} turns are in progress: try again later.")
        self._starting += 1
        try:
            started = await self._store.turns.start(owner, new)
        finally:
            self._starting -= 1
        if not started.replayed and started.turn.status == "active":
            self._begin(started.turn)
        elif not started.replayed:
            self.publish(owner, Notice(kind="conversation_changed", conversation_id=new.conversation_id))
        return started

    def _begin(self, turn: Turn) -> None:
        log = self._journal.open(turn)
        run = TurnRun(
            turn, log, self._store, self._histories, self._endpoints, self._tools, self._limits, self._contents
        )
        live = self._live[turn.id] = Live(turn, log, run)
        self._idle.clear()
        live.task = asyncio.create_task(self._run(live), name=f"turn {turn.id}")
        self._journal.wake(turn.id)
        self._tell(turn, "turn_started", "active")

    async def _run(self, live: Live) -> None:
        """Run a turn to its last event; nothing that happens in it gets further than this."""
        live.started = True
        message_id = live.turn.message_id
        try:
            if not live.cancelled:
                await live.run.run()
            else:
                await self._end(live, Cancelled(message_id))
        except asyncio.CancelledError:
            await self._stopped(live)
        except Parked:
            live.log.park()
        except Fenced:
            _log.info("turn let go", turn_id=live.turn.id)
        except StorageError as error:
            await self._set_aside(live, error)
        except LuxxError as error:
            await self._end(live, Failed.of(error, message_id))
        except Exception:
            _log.exception("turn failed", turn_id=live.turn.id)
            await self._end(live, Failed(content=INTERNAL, code="internal", message_id=message_id))
        finally:
            await self._finish(live)

    async def _stopped(self, live: Live) -> None:
        message_id = live.turn.message_id
        if live.cancelled:
            await self._end(live, Cancelled(message_id))
        elif live.log.open:  # nobody asked for it: a library's own
            await self._end(live, Failed(content=INTERNAL, code="internal", message_id=message_id))

    async def _end(self, live: Live, end: Event) -> None:
        try:
            await live.run.close_steps()
            live.log.append(end)
        except (LuxxError, msgspec.MsgspecError) as error:
            await self._set_aside(live, error)

    async def _set_aside(self, live: Live, error: Exception) -> None:
        if ended := await self._aside.leave(live.turn, live.log, error):
            self._tell(live.turn, "turn_ended", "failed")
            self._on_appended(ended, ())

    async def _finish(self, live: Live) -> None:
        try:
            await live.log.closed()
        finally:
            if live.log.end is not None or live.log.parked:
                self._aside.forget(live.turn.id)
            self._journal.close(live.log)
            if self._live.get(live.turn.id) is live:
                del self._live[live.turn.id]
            if not self._live:
                self._idle.set()

    async def _claim_now(self) -> None:
        """Take up what has become free, without waiting for the next look."""
        if (room := self.room) > 0:
            self.take_up(await self._store.turns.claim(room))

    def _on_asked(self, turn: Turn) -> None:
        notice = Notice(kind="approvals_changed", conversation_id=turn.conversation_id, turn_id=turn.id)
        self.publish(turn.owner_id, notice)

    def _on_appended(self, appended: Appended, ended: tuple[TurnLog, ...]) -> None:
        for log in ended:
            self._tell(log.turn, "turn_ended", status_of(log.end))
            if isinstance(log.end, Done):
                self._background.spawn(self._titles.improve(log.turn))
        if not self.draining:  # else they are taken up by whoever comes next
            self.take_up(appended.released)
        self._dropped(appended.dropped)

    def _dropped(self, turns: tuple[Turn, ...]) -> None:
        for turn in turns:
            self._journal.wake(turn.id)
            self._tell(turn, "turn_ended", "cancelled")

    def _died(self) -> None:
        """Stop the process when a part dies without which nothing is committed: the next start goes on where this one was."""
        self.ready = False
        self._on_death()

    def _tell(self, turn: Turn, kind: str, status: Status) -> None:
        notice = Notice(kind=kind, conversation_id=turn.conversation_id, turn_id=turn.id, status=status)
        self.publish(turn.owner_id, notice)

    async def _wait_for_unsafe_tools(self) -> None:
        while running := [live.task for live in self._live.values() if live.task and live.run.unsafe_running]:
            await asyncio.wait(running, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
