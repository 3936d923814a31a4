"""Talk: conversations as an MCP client reads them and takes part in them."""

import asyncio
import contextlib

import msgspec

from luxx.core import events
from luxx.core.errors import InvalidRequest
from luxx.core.events import Approval, Cancelled, Done, Failed, ProcessStep, StepDelta
from luxx.core.steps import ToolCall
from luxx.http import bodies
from luxx.http.mcp_server import markdown
from luxx.http.mcp_server.calls import Progress
from luxx.http.parts import HttpOptions, Parts
from luxx.store.records import Conversation, ConversationSettings, Turn
from luxx.turns.requests import AssistantMessageView, MessageView, Notice, PostMessage


class ConversationPart(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation with some of its messages; `before` is what to ask for the older ones with, None if there are none."""

    conversation: Conversation
    messages: tuple[MessageView, ...]
    before: str | None

    @property
    def text(self) -> str:
        """All of it as Markdown."""
        return markdown.cut(markdown.conversation(self.conversation.title, self.messages, before=self.before))


class TurnSoFar(msgspec.Struct, frozen=True):
    """A turn with its answer as far as it is; `waits_for` are the tools that a person has to decide about."""

    turn: Turn
    answer: AssistantMessageView
    waits_for: tuple[str, ...]

    @property
    def settled(self) -> bool:
        """Whether to wait is of no use: it has ended, or waits for a person."""
        return self.turn.ended or bool(self.waits_for)


class Talk:
    """What an MCP client may do with the conversations of one person."""

    def __init__(self, parts: Parts, options: HttpOptions, owner: str) -> None:
        self._parts = parts
        self._options = options
        self._owner = owner

    async def read(self, conversation_id: str, before: str | None, limit: int) -> ConversationPart:
        """Return the last messages of the branch shown, or of what is before a message: as many as fit. Raises NotFound."""
        conversation = await self._parts.store.conversations.get(self._owner, conversation_id)
        page = await self._parts.supervisor.messages(
            self._owner, conversation_id, leaf=None, before=before, limit=limit
        )
        messages = markdown.newest(page.items)
        has_more = page.has_more or len(messages) < len(page.items)
        return ConversationPart(
            conversation=conversation, messages=messages, before=messages[0].id if has_more and messages else None
        )

    async def send(self, conversation_id: str | None, body: bodies.NewMessage) -> Turn:
        """Send a message, to a new conversation if none is named, and return the turn that answers it.

        The same `client_request_id` again gives the same turn. Raises NotFound, InvalidRequest, Conflict, LimitReached.
        """
        most = self._options.max_message_chars
        if len(body.text) > most:
            raise InvalidRequest(f"must have at most {most} characters", field="text")
        if conversation_id is None:
            conversation_id = await self._new_conversation(body.client_request_id)
        message = PostMessage(
            conversation_id=conversation_id,
            text=body.text,
            overrides=body.overrides(),
            request=body.request(f"conversations/{conversation_id}/messages"),
        )
        return (await self._parts.supervisor.post(self._owner, message)).turn

    async def turn(self, turn_id: str) -> TurnSoFar:
        """Return a turn as it is. Raises NotFound."""
        turn = await self._parts.store.turns.get(self._owner, turn_id)
        page = await self._parts.supervisor.messages(
            self._owner, turn.conversation_id, leaf=turn.message_id, before=None, limit=1
        )
        answer = page.items[-1]
        assert isinstance(answer, AssistantMessageView)
        asked = () if turn.ended else await self._parts.store.approvals.open(self._owner)
        return TurnSoFar(turn, answer, tuple(one.approval.tool for one in asked if one.turn_id == turn_id))

    async def wait(self, turn_id: str, seconds: float, progress: Progress) -> TurnSoFar:
        """Return a turn when it has ended or waits for a person, or after so many seconds as it is by then. Raises NotFound."""
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not (found := await self.turn(turn_id)).settled:
                        if not await self._follow(found, progress):
                            break
        return await self.turn(turn_id)

    async def cancel(self, turn_id: str) -> Turn:
        """Stop a turn; one that has ended stays as it is. Raises NotFound."""
        return await self._parts.supervisor.cancel(self._owner, turn_id)

    async def _new_conversation(self, client_request_id: str | None) -> str:
        body = bodies.NewConversation(client_request_id=client_request_id)
        made = await self._parts.store.conversations.create(
            self._owner, None, ConversationSettings(), body.request("conversations")
        )
        notice = Notice(kind="conversation_changed", conversation_id=made.id)
        self._parts.supervisor.publish(self._owner, notice)
        return made.id

    async def _follow(self, found: TurnSoFar, progress: Progress) -> bool:
        """Follow a turn and tell how far it is; true when it asks a person or has ended, false when it cannot be followed here."""
        written, after = len(found.answer.text), found.answer.turn.seq if found.answer.turn else 0
        if written:
            progress.report(_written(written), float(after))
        async with contextlib.aclosing(self._parts.supervisor.follow(self._owner, found.turn.id, after)) as pages:
            async for entries in pages:
                for entry in entries:
                    event = events.decode(entry.name, entry.data)
                    if isinstance(event, Approval | Done | Failed | Cancelled):
                        return True
                    if isinstance(event, StepDelta):
                        written += len(event.text)
                        progress.report(_written(written), float(entry.seq))
                    elif isinstance(event, ProcessStep) and isinstance(event.step, ToolCall):
                        progress.report(f"calls {event.step.name}", float(entry.seq))
        return False


def _written(characters: int) -> str:
    return f"{characters:,} characters written"
