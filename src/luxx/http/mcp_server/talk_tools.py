"""Talk tools: the tools with which an MCP client reads conversations and takes part in them."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import mcp_types as types
from pydantic import Field, StringConstraints, ValidationError

from luxx.core.errors import InvalidRequest
from luxx.core.text import storable
from luxx.http import bodies
from luxx.http.mcp_server import markdown
from luxx.http.mcp_server.calls import Progress
from luxx.http.mcp_server.talk import Talk, TurnSoFar
from luxx.store.interface import ConversationStore
from luxx.store.records import Conversation, Turn
from luxx.turns.requests import AssistantMessageView, MessageView

B = TypeVar("B", bound=bodies.Body)
_WAIT = 50.0
"""Seconds; most clients give a call 60."""
_MOST_WAIT = 600.0

Id = Annotated[bodies.Id, Field(description="An id that another of these tools gave.")]
Wait = Annotated[
    float, Field(ge=0, le=_MOST_WAIT, description="How many seconds to wait for the answer, if it is not there yet.")
]


class ListConversations(bodies.Body):
    """List the person's conversations in Luxx, newest activity first."""

    query: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Words to look for in titles and texts."
    )
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = Field(
        None, description="`next_cursor` of the page before."
    )


class ReadConversation(bodies.Body):
    """Read the last messages of a conversation in Luxx, as Markdown."""

    conversation_id: Id
    before: Id | None = Field(None, description="Read the messages before the one with this id.")
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class SendMessage(bodies.Body):
    """Send a message to a model in Luxx and wait for its answer, for which it may use the person's tools.

    An answer that takes longer goes on all the same, whatever becomes of this call: `read_turn` with the `turn_id` gets it.
    """

    text: Annotated[str, StringConstraints(min_length=1)]
    conversation_id: Id | None = Field(
        None, description="The conversation to go on with; without it, a new one begins."
    )
    provider_id: Id | None = Field(None, description="Another provider than the conversation's.")
    model: bodies.ModelName | None = Field(None, description="Another model than the conversation's.")
    client_request_id: bodies.RequestId | None = Field(
        None, description="An id of your own: the same message with the same id is sent only once."
    )
    wait_seconds: Wait = _WAIT


class ReadTurn(bodies.Body):
    """Get the answer that `send_message` started, or what there is of it."""

    turn_id: Id
    wait_seconds: Wait = 0.0


class CancelTurn(bodies.Body):
    """Stop an answer that is being made; what there is of it is kept."""

    turn_id: Id


_Arguments = ListConversations | ReadConversation | SendMessage | ReadTurn | CancelTurn
_READS = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
_SENDS = types.ToolAnnotations(read_only_hint=False, destructive_hint=False, open_world_hint=True)
_STOPS = types.ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)
_TABLE: dict[str, tuple[type[_Arguments], types.ToolAnnotations]] = {
    "list_conversations": (ListConversations, _READS),
    "read_conversation": (ReadConversation, _READS),
    "send_message": (SendMessage, _SENDS),
    "read_turn": (ReadTurn, _READS),
    "cancel_turn": (CancelTurn, _STOPS),
}


def _tool(name: str, body: type[_Arguments], annotations: types.ToolAnnotations) -> types.Tool:
    schema = body.model_json_schema()
    description = schema.pop("description")
    return types.Tool(name=name, description=description, input_schema=schema, annotations=annotations)


TOOLS: dict[str, types.Tool] = {name: _tool(name, *row) for name, row in _TABLE.items()}
"""The tools by their names, as clients see them."""


class TalkTools:
    """The tools, for one person."""

    def __init__(self, conversations: ConversationStore, talk: Talk, owner: str) -> None:
        self._conversations = conversations
        self._talk = talk
        self._owner = owner

    async def call(self, name: str, arguments: Mapping[str, Any], progress: Progress) -> types.CallToolResult:
        """Call one of TOOLS. Raises LuxxError."""
        match body := _read(_TABLE[name][0], arguments):
            case ListConversations():
                return await self._list(body)
            case ReadConversation():
                return await self._read(body)
            case SendMessage():
                return await self._send(body, progress)
            case ReadTurn():
                return _answer(await self._talk.wait(body.turn_id, body.wait_seconds, progress))
            case CancelTurn():
                turn = await self._talk.cancel(body.turn_id)
                return _result(f"The turn is {turn.status}.", _turn(turn))

    async def _list(self, body: ListConversations) -> types.CallToolResult:
        query = storable(body.query).strip() if body.query else None
        page = await self._conversations.list(self._owner, body.limit, body.cursor, query or None)
        lines = [f"- {one.title or 'Untitled'} ({one.updated_at}): {one.id}" for one in page.items]
        if page.next_cursor is not None:
            lines.append(f"[there are more: cursor {page.next_cursor}]")
        data = {"items": [_conversation(one) for one in page.items], "next_cursor": page.next_cursor}
        return _result("\n".join(lines) or "There are no such conversations.", data)

    async def _read(self, body: ReadConversation) -> types.CallToolResult:
        part = await self._talk.read(body.conversation_id, body.before, body.limit)
        data = {
            "conversation": _conversation(part.conversation),
            "messages": [_message(view) for view in part.messages],
            "before": part.before,
        }
        return _result(part.text, data)

    async def _send(self, body: SendMessage, progress: Progress) -> types.CallToolResult:
        own = {"conversation_id", "wait_seconds"}
        message = _read(bodies.NewMessage, body.model_dump(exclude_unset=True, exclude=own))
        turn = await self._talk.send(body.conversation_id, message)
        return _answer(await self._talk.wait(turn.id, body.wait_seconds, progress))


def _read(kind: type[B], arguments: Mapping[str, Any]) -> B:
    """Return the arguments if they fit. Raises InvalidRequest."""
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        field = ".".join(map(str, wrong["loc"])) or "arguments"
        raise InvalidRequest(wrong["msg"], field=field) from error


def _result(text: str, data: dict[str, Any]) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], structured_content=data)


def _answer(found: TurnSoFar) -> types.CallToolResult:
    """Show a turn: its answer, and what there is to do if it is not whole."""
    turn, answer = found.turn, found.answer
    text, notes = markdown.cut(answer.text), list[str]()
    if found.waits_for:
        notes.append(f"The person has to decide about {', '.join(found.waits_for)} in Luxx before the answer goes on.")
    elif answer.error is not None:
        notes.append(f"The answer failed: {answer.error.content}")
    elif turn.status == "cancelled":
        notes.append("The answer was stopped.")
    if not turn.ended:
        notes.append(f'It is not whole yet: read_turn("{turn.id}") gets the rest.')
    data = {
        **_turn(turn),
        "text": text,
        "error": answer.error.content if answer.error else None,
        "waits_for": list(found.waits_for),
    }
    shown = "\n\n".join(part for part in (text, *(f"[{note}]" for note in notes)) if part)
    failed = turn.status == "failed" and not text
    return types.CallToolResult(content=[types.TextContent(text=shown)], structured_content=data, is_error=failed)


def _turn(turn: Turn) -> dict[str, Any]:
    return {
        "turn_id": turn.id,
        "status": turn.status,
        "conversation_id": turn.conversation_id,
        "message_id": turn.message_id,
        "user_message_id": turn.user_message_id,
    }


def _conversation(found: Conversation) -> dict[str, Any]:
    return {"id": found.id, "title": found.title, "created_at": found.created_at, "updated_at": found.updated_at}


def _message(view: MessageView) -> dict[str, Any]:
    shown = {"id": view.id, "role": view.role, "text": markdown.cut(view.text), "created_at": view.created_at}
    if isinstance(view, AssistantMessageView):
        return {**shown, "status": view.status, "model": view.model}
    return shown
