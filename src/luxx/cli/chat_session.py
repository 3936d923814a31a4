"""A chat: the conversation that the command line is in, and the turn that it shows."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from msgspec import UNSET

from luxx.cli.attachments import Attachment, check_files
from luxx.cli.console import Console
from luxx.cli.lookup import conversation_named, provider_named
from luxx.cli.views import View
from luxx.client import (
    ApiError,
    Client,
    ClientError,
    Conversation,
    ConversationFields,
    Message,
    Overrides,
    Reconnecting,
    TurnHandle,
    Unreachable,
)
from luxx.core.errors import Conflict, InvalidRequest
from luxx.core.events import Approval, Cancelled, Done, End, Event, Failed, LogEntry, decode
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.ports import Decision

_TICK_S = 0.25
_TURN_RUNNING = "turn_running"
_DEMONSTRATION = "A tiny demonstration model on this machine answers. To add a real one: luxx providers add"
CONFLICT = 409
UNFIT = 422


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What a person chose for the chat; None leaves it to the conversation or the server."""

    provider: str | None = None
    model: str | None = None
    system: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools: bool | None = None


class Asked(msgspec.Struct, frozen=True):
    """The turn that is shown waits for a person."""

    turn_id: str
    approval: Approval


Shown = End | Asked | None
"""How the showing of a turn ended; None if all of it had been seen before."""

Post = Callable[[], Awaitable[TurnHandle]]


class _Work:
    """A turn that is being started (by `post`) or shown, and how far it was shown.

    `known` is how long its log is known to be, `open` has what waits for a person.
    """

    def __init__(self, view: View, post: Post | None = None, turn_id: str | None = None, known: int = 0) -> None:
        self.view = view
        self.post = post
        self.turn_id = turn_id
        self.seen = 0
        self.known = known
        self.open: dict[int, Approval] = {}
        self.cancelling = False

    @property
    def asks(self) -> Approval | None:
        """What is to be decided now; what the log beyond `seen` has may be decided there."""
        return next(iter(self.open.values()), None) if self.seen >= self.known else None

    def take(self, entry: LogEntry, event: Event | None) -> None:
        """Show an entry, and note what it asks for."""
        self.seen = entry.seq
        self.view.show(entry, event)
        if isinstance(event, Approval):
            self.open.pop(event.index, None)
            if event.state == "requested":
                self.open[event.index] = event


class ChatSession:
    """One person's chat. It owns the turn that is shown, and is driven by one caller at a time.

    `attached` files go with the next message.

    When a call raises Unreachable, `resume` goes on where it was, with the `client` that it has got by then.
    """

    def __init__(self, client: Client, console: Console, view: Callable[[], View], choice: Choice) -> None:
        self.client = client
        self.choice = choice
        self.conversation: Conversation | None = None
        self.attached: tuple[FileRef, ...] = ()
        self._console = console
        self._new_view = view
        self._work: _Work | None = None
        self._introduced = False

    async def open(self, wanted: str) -> Conversation:
        """Go on in a conversation: an id, or ``last`` for the one with the newest activity. Raises NotFound."""
        self.conversation = await conversation_named(self.client, wanted)
        return self.conversation

    async def latest(self, limit: int) -> tuple[Conversation, ...]:
        """Return the conversations with the newest activity."""
        return (await self.client.list_conversations(limit=limit)).items

    def leave(self) -> None:
        """Let the next message begin a new conversation."""
        self.conversation = None

    async def ask(self, text: str, *, queue: bool = False) -> Shown:
        """Send a message with what is attached, and show its answer."""
        request, files, fresh = new_id(), [file.id for file in self.attached], self.conversation is None
        prepared: tuple[Conversation, Overrides] | None = None
        await self._introduce()

        async def post() -> TurnHandle:
            nonlocal prepared, fresh
            most = (await self.client.limits()).message_chars
            if len(text) > most:
                raise InvalidRequest(f"A message may have at most {most:,} characters; this one has {len(text):,}.")
            conversation, overrides = prepared = prepared or await self._prepare(request)
            try:
                started = await self.client.post_message(
                    conversation.id, text, overrides, attachments=files, queue=queue, client_request_id=request
                )
            except Unreachable:
                fresh = False  # it may have arrived: from now on its conversation stays
                raise
            except ApiError:
                if fresh:
                    await self._take_back(conversation)
                raise
            self.attached = ()
            return started

        return await self._begin(_Work(self._new_view(), post))

    async def attach_files(self, files: Sequence[Attachment]) -> tuple[FileRef, ...]:
        """Upload files, which go with the next message; none of them if the server would not take all. Raises InvalidRequest."""
        before = len(self.attached)
        check_files(files, before, await self.client.limits())
        for file in files:
            self.attached += (await self.client.upload_file(file.name, file.data),)
        return self.attached[before:]

    async def take_back(self) -> tuple[FileRef, ...]:
        """Send nothing along with the next message; return what would have been."""
        files, self.attached = self.attached, ()
        for file in files:
            await self.client.delete_file(file.id)
        return files

    async def retry(self) -> Shown:
        """Show another answer to the last message. Raises InvalidRequest if there is none."""
        answer, overrides, request = await self._last_answer(), await self._overrides(), new_id()

        def post() -> Awaitable[TurnHandle]:
            return self.client.regenerate(answer.id, overrides, client_request_id=request)

        return await self._begin(_Work(self._new_view(), post))

    async def go_on(self) -> Shown:
        """Go on where the last answer was cut. Raises InvalidRequest if there is none."""
        answer, overrides, request = await self._last_answer(), await self._overrides(), new_id()

        def post() -> Awaitable[TurnHandle]:
            return self.client.continue_message(answer.id, overrides, client_request_id=request)

        return await self._begin(_Work(self._new_view(), post))

    async def attach(self, turn_id: str) -> Shown:
        """Show a running or finished turn from its start."""
        turn = await self.client.turn(turn_id)
        await self.open(turn.conversation_id)
        return await self._begin(_Work(self._new_view(), turn_id=turn_id, known=turn.seq))

    async def attach_running(self) -> Shown:
        """Show the conversation's oldest turn in progress, if there is one."""
        turns = self.conversation.turns if self.conversation else ()
        return await self._begin(_Work(self._new_view(), turn_id=turns[0].id, known=turns[0].seq)) if turns else None

    async def cancel(self) -> None:
        """Stop the turn that is shown, or the one that is being started as soon as it has its id."""
        if self._work is None:
            return
        self._work.cancelling = True
        self._work.open.clear()
        if self._work.turn_id is None:
            return
        try:
            await self.client.cancel(self._work.turn_id)
        except ClientError as error:
            self._console.error(f"the turn could not be stopped: {error.message}")

    async def decide(self, asked: Asked, decision: Decision) -> bool:
        """Decide about what the turn that is shown asked for; a decision that came before this one stands.

        Return whether it is decided: arguments that do not fit are refused, with a word about what is wrong with them.
        """
        approve = decision.state == "approved"
        try:
            await self.client.decide(
                asked.turn_id, asked.approval.index, approve, arguments=decision.arguments, always=decision.always
            )
        except ApiError as error:
            if error.status == UNFIT and decision.arguments is not None:
                self._console.error(error.detail)
                return False
            if error.status != CONFLICT:
                raise
            self._console.note(error.message)
        if self._work:
            self._work.open.pop(asked.approval.index, None)
        return True

    @property
    def interrupted(self) -> bool:
        """Whether there is something that `resume` goes on with."""
        return self._work is not None

    def leave_waiting(self) -> None:
        """Show no more of what was interrupted."""
        if self._work:
            self._work.view.close()
            self._work = None

    async def branch(self, limit: int = 20) -> tuple[Message, ...]:
        """Return the end of the branch shown."""
        if not self.conversation:
            return ()
        return (await self.client.messages(self.conversation.id, limit=limit)).items

    async def choose_provider(self, wanted: str | None) -> None:
        """Use another provider from now on, or the conversation's own again. Raises NotFound."""
        provider = await provider_named(self.client, wanted) if wanted else None
        self.choice = msgspec.structs.replace(self.choice, provider=provider.id if provider else None, model=None)

    async def _prepare(self, request: str) -> tuple[Conversation, Overrides]:
        """Make the conversation if there is none yet; return it, and what this turn does otherwise than it says."""
        overrides = await self._overrides()
        system = self.choice.system
        if self.conversation is None:
            fields = ConversationFields(system_prompt=UNSET if system is None else system, **overrides.body())
            self.conversation = await self.client.create_conversation(fields, client_request_id=request)
            return self.conversation, Overrides()
        if system is not None and (system or None) != self.conversation.system_prompt:
            fields = ConversationFields(system_prompt=system or None)
            self.conversation = await self.client.change_conversation(self.conversation.id, fields)
        return self.conversation, overrides

    async def _introduce(self) -> None:
        """Say once, to a person who watches, that it is the embedded model that will answer."""
        if self._introduced or not self._console.err.is_terminal:
            return
        chosen = self.choice.provider or (self.conversation.provider_id if self.conversation else None)
        with contextlib.suppress(ClientError):  # what is wrong, the message itself meets and tells
            for provider in await self.client.providers():
                answers = chosen in (provider.id, provider.name) if chosen else provider.is_default
                if answers and provider.format == "local":
                    self._introduced = True
                    self._console.note(_DEMONSTRATION)

    async def _take_back(self, conversation: Conversation) -> None:
        """Undo the making of a conversation whose first message was refused."""
        self.conversation = None
        with contextlib.suppress(ClientError):
            await self.client.delete_conversation(conversation.id)

    async def _overrides(self) -> Overrides:
        choice = self.choice
        return Overrides(
            provider_id=(await provider_named(self.client, choice.provider)).id if choice.provider else UNSET,
            model=UNSET if choice.model is None else choice.model,
            temperature=UNSET if choice.temperature is None else choice.temperature,
            max_tokens=UNSET if choice.max_tokens is None else choice.max_tokens,
            tools_enabled=UNSET if choice.tools is None else choice.tools,
        )

    async def _last_answer(self) -> Message:
        for message in reversed(await self.branch(limit=2)):
            if message.role == "assistant":
                return message
        raise InvalidRequest("There is no answer in this conversation yet.")

    async def _posted(self, post: Post) -> TurnHandle:
        """Post; if another answer is in the way, say how to see it or to wait for it."""
        try:
            return await post()
        except ApiError as error:
            if error.reason != _TURN_RUNNING or error.turn_id is None:
                raise
            hint = f"`luxx chat --attach {error.turn_id}` shows it, --queue waits for it"
            raise Conflict(error.reason, f"{error.detail.rstrip('.')}: {hint}", error.turn_id) from error

    async def _begin(self, work: _Work) -> Shown:
        self._work = work
        return await self.resume()

    async def resume(self) -> Shown:
        """Go on with what Unreachable, or a question, interrupted."""
        work = self._work
        if work is None:
            return None
        ticker = _Ticker(work.view.tick)
        keep = False
        try:
            if work.turn_id is None and work.post:
                work.turn_id = (await self._posted(work.post)).turn_id
                if work.cancelling:
                    await self.cancel()
            shown = await self._show(work)
            keep = isinstance(shown, Asked)
            return shown
        except Unreachable:
            keep = True
            raise
        finally:
            ticker.stop()
            if not keep:
                work.view.close()
                self._work = None

    async def _asked(self, work: _Work) -> Asked | None:
        """Return what a person is to decide now. What was decided meanwhile comes in the log."""
        while approval := work.asks:
            waiting = {(each.turn_id, each.approval.index) for each in await self.client.approvals()}
            if (work.turn_id, approval.index) in waiting:
                return Asked(work.turn_id or "", approval)
            del work.open[approval.index]
        return None

    async def _show(self, work: _Work) -> Shown:
        turn_id = work.turn_id or ""
        end: End | None = None
        if asked := await self._asked(work):
            return asked
        try:
            entries = self.client.follow(turn_id, work.seen, lambda wait: _tell(work.view, wait))
            async with contextlib.aclosing(entries):
                async for entry in entries:
                    event = decode(entry.name, entry.data)
                    work.take(entry, event)
                    if asked := await self._asked(work):
                        return asked
                    end = event if isinstance(event, Done | Failed | Cancelled) else end
        except Unreachable as error:
            raise Unreachable(f"{error.message}. The answer may go on: luxx chat --attach {turn_id}") from error
        return end


class _Ticker:
    """Calls a function a few times a second until it is stopped."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(_TICK_S, self._again)

    def stop(self) -> None:
        """Call no more."""
        self._next.cancel()

    def _again(self) -> None:
        self._tick()
        self._next = self._loop.call_later(_TICK_S, self._again)


def _tell(view: View, wait: Reconnecting) -> None:
    """Say once that the server is away."""
    if wait.attempt == 1:
        view.notice(f"{wait.reason}; connecting again…")
