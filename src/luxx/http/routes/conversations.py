"""Conversations: made, listed, changed, deleted."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from luxx.core.text import storable
from luxx.http import bodies
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface
from luxx.http.paths import IdInPath, PageSize
from luxx.http.replies import answers, nothing, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import ConversationList, ConversationView, conversation_view
from luxx.store.records import Conversation, ConversationChange, ConversationSettings, SettingsChange, TitleSource, Turn
from luxx.turns.requests import Notice

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/conversations", tags=["conversations"])

_UNTITLED = ""


@router.post("", status_code=201, responses=answers(201, ConversationView, "The conversation, made now or before."))
async def create(body: bodies.NewConversation, luxx: Luxx, owner: Caller) -> Response:
    """Make a conversation."""
    request = body.request("conversations")
    settings = ConversationSettings(**body.sent_settings())
    made = await luxx.parts.store.conversations.create(owner, body.title, settings, request)
    _tell(luxx, owner, made.id)
    return reply(await _view(luxx, owner, made), 201, {"Location": f"/api/conversations/{made.id}"})


@router.get("", responses=answers(200, ConversationList, "A page of conversations."))
async def list_all(
    luxx: Luxx,
    owner: Caller,
    limit: PageSize = 50,
    cursor: Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Words to look for in titles and texts.")] = None,
    pinned: Annotated[bool | None, Query(description="Only those that are pinned, or only those that are not.")] = None,
) -> Response:
    """List conversations, newest activity first."""
    query = storable(q).strip() if q else None
    page = await luxx.parts.store.conversations.list(owner, limit, cursor, query or None, pinned)
    return reply(ConversationList(await _views(luxx, owner, page.items), page.next_cursor))


@router.get("/{conversation_id}", responses=answers(200, ConversationView, "The conversation."))
async def get(conversation_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get a conversation."""
    return reply(await _view(luxx, owner, await luxx.parts.store.conversations.get(owner, conversation_id)))


@router.patch("/{conversation_id}", responses=answers(200, ConversationView, "The conversation as it is now."))
async def change(conversation_id: IdInPath, body: bodies.ChangeConversation, luxx: Luxx, owner: Caller) -> Response:
    """Change the fields that are sent; null clears a field."""
    title, title_source = _title(body)
    wanted = ConversationChange(
        title=title,
        title_source=title_source,
        settings=SettingsChange(**body.sent_settings()),
        leaf_id=body.given("leaf_id", body.leaf_id),
        pinned=UNSET if body.pinned is None else body.pinned,
        unread=UNSET if body.unread is None else body.unread,
    )
    after = await luxx.parts.store.conversations.change(owner, conversation_id, wanted)
    _tell(luxx, owner, conversation_id)
    return reply(await _view(luxx, owner, after))


@router.delete("/{conversation_id}", status_code=204)
async def delete(conversation_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Delete a conversation; its turns are stopped."""
    await luxx.parts.supervisor.delete_conversation(owner, conversation_id)
    return nothing()


def _title(body: bodies.ChangeConversation) -> tuple[str | UnsetType, TitleSource | UnsetType]:
    """Return a person's title; without one, the next message names the conversation again."""
    if "title" not in body.model_fields_set:
        return UNSET, UNSET
    return (body.title, "user") if body.title else (_UNTITLED, "auto")


def _tell(luxx: Surface, owner: str, conversation_id: str) -> None:
    luxx.parts.supervisor.publish(owner, Notice(kind="conversation_changed", conversation_id=conversation_id))


async def _view(luxx: Surface, owner: str, conversation: Conversation) -> ConversationView:
    return conversation_view(conversation, await luxx.parts.store.turns.unfinished(owner, conversation.id))


async def _views(luxx: Surface, owner: str, shown: Sequence[Conversation]) -> tuple[ConversationView, ...]:
    turns: dict[str, list[Turn]] = {conversation.id: [] for conversation in shown}
    for turn in await luxx.parts.store.turns.unfinished(owner, *turns):
        turns[turn.conversation_id].append(turn)
    return tuple(conversation_view(conversation, tuple(turns[conversation.id])) for conversation in shown)
