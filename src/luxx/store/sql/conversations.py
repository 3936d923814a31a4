"""Conversations: luxx.store.interface.ConversationStore, for every engine."""

import builtins
from collections.abc import Callable, Container
from typing import TypeVar

import msgspec

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.ids import new_id
from luxx.store.clock import timestamp
from luxx.store.records import (
    Branch,
    ClientRequest,
    Conversation,
    ConversationChange,
    ConversationPage,
    ConversationSettings,
    Message,
    SettingsChange,
)
from luxx.store.sql import listing
from luxx.store.sql.approvals import write_rules
from luxx.store.sql.connection import Connection
from luxx.store.sql.conversation_rows import CONVERSATIONS, conversation_of
from luxx.store.sql.ends import Ending, cancel_queued
from luxx.store.sql.member import Member
from luxx.store.sql.messages import message_by_id, read_after, read_around, read_branch, read_history
from luxx.store.sql.readers import Readers
from luxx.store.sql.requests import earlier_result, remember
from luxx.store.sql.writer import Writer

T = TypeVar("T")

_INSERT = """
    INSERT INTO conversation (id, owner_id, title, title_source, created_at, updated_at, system_prompt, provider_id, model,
        temperature, max_tokens, tools_enabled, thinking, rules)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RETITLE = """
    UPDATE conversation SET title = ? WHERE id = ? AND owner_id = ? AND title_source = 'auto' AND deleted_at IS NULL
"""
_NEWEST_BELOW = """
    WITH RECURSIVE below (id) AS (
        SELECT ?
        UNION ALL
        SELECT m.id FROM below JOIN message m ON m.conversation_id = ? AND m.parent_id = below.id)
    SELECT m.id FROM below JOIN message m ON m.id = below.id ORDER BY m.ordinal DESC LIMIT 1
"""


class SqlConversations:
    """Conversations and their messages; see ConversationStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers, member: Member) -> None:
        self._writer = writer
        self._readers = readers
        self._member = member

    async def create(
        self, owner: str, title: str | None, settings: ConversationSettings, request: ClientRequest | None = None
    ) -> Conversation:
        """See ConversationStore."""
        return await self._writer.write(lambda connection: _create(connection, owner, title, settings, request))

    async def get(self, owner: str, conversation_id: str) -> Conversation:
        """See ConversationStore."""
        return await self._readers.read(lambda connection: _get(connection, owner, conversation_id))

    async def list(
        self, owner: str, limit: int, cursor: str | None, query: str | None, pinned: bool | None = None
    ) -> ConversationPage:
        """See ConversationStore."""
        after = None if cursor is None else listing.position(cursor)
        read = self._readers.read if query is None else self._readers.search
        return await read(lambda connection: listing.page(connection, owner, limit, after, query, pinned))

    async def change(self, owner: str, conversation_id: str, change: ConversationChange) -> Conversation:
        """See ConversationStore."""
        return await self._writer.write(lambda connection: _change(connection, owner, conversation_id, change))

    async def retitle(self, owner: str, conversation_id: str, title: str) -> bool:
        """See ConversationStore."""
        values = (title, conversation_id, owner)
        return await self._writer.write(lambda connection: connection.execute(_RETITLE, values).rowcount > 0)

    async def delete(self, owner: str, conversation_id: str) -> tuple[str, ...]:
        """See ConversationStore."""
        node = self._member.node
        unfinished = await self._writer.write(lambda connection: _delete(connection, node, owner, conversation_id))
        self._member.tell_cancelled(unfinished)
        self._member.tell_appended(unfinished)
        return unfinished

    async def message(self, owner: str, message_id: str) -> Message:
        """See ConversationStore."""
        return await self._readers.read(lambda connection: message_by_id(connection, owner, message_id))

    async def branch(
        self,
        owner: str,
        conversation_id: str,
        leaf: str | None,
        before: str | None,
        limit: int,
        read: Callable[[Branch], T],
        *,
        after: str | None = None,
        around: str | None = None,
    ) -> T:
        """See ConversationStore."""

        def job(connection: Connection) -> T:
            shown = _get(connection, owner, conversation_id).leaf_id
            end = leaf or shown
            if after is not None:
                return read(read_after(connection, owner, conversation_id, end, after, limit))
            if around is not None:
                return read(read_around(connection, owner, conversation_id, end, around, limit))
            return read(read_branch(connection, owner, conversation_id, end, before, limit))

        return await self._readers.read(job)

    async def history(
        self, owner: str, message_id: str, read: Callable[[tuple[Message, ...]], T], known: Container[str] = frozenset()
    ) -> T:
        """See ConversationStore."""
        return await self._readers.read(lambda connection: read(read_history(connection, owner, message_id, known)))


def _get(connection: Connection, owner: str, conversation_id: str, lock: str = "") -> Conversation:
    row = connection.execute(
        CONVERSATIONS + "WHERE c.id = ? AND c.owner_id = ? AND c.deleted_at IS NULL " + lock, (conversation_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such conversation.")
    return conversation_of(row)


def _create(
    connection: Connection,
    owner: str,
    title: str | None,
    settings: ConversationSettings,
    request: ClientRequest | None,
) -> Conversation:
    if earlier := earlier_result(connection, owner, request):
        return _get(connection, owner, earlier)
    conversation_id, now = new_id(), timestamp()
    source = "user" if title else "auto"
    values = (conversation_id, owner, title or "", source, now, now, *_columns(connection, owner, settings))
    connection.execute(_INSERT, values)
    remember(connection, owner, request, conversation_id, conversation_id)
    return _get(connection, owner, conversation_id)


def _columns(
    connection: Connection, owner: str, settings: ConversationSettings
) -> tuple[str | float | bytes | None, ...]:
    """Return the settings as columns. Raises InvalidRequest for a provider that is not there."""
    _check_provider(connection, owner, settings.provider_id)
    return (
        settings.system_prompt,
        settings.provider_id,
        settings.model,
        settings.temperature,
        settings.max_tokens,
        settings.tools_enabled,
        settings.thinking,
        write_rules(settings.rules),
    )


def _changed_columns(change: SettingsChange) -> dict[str, str | float | bytes | None]:
    columns = {name: getattr(change, name) for name in change.__struct_fields__}
    if change.rules is not msgspec.UNSET:
        columns["rules"] = write_rules(change.rules)
    return {name: value for name, value in columns.items() if value is not msgspec.UNSET}


def _check_provider(connection: Connection, owner: str, provider_id: str | msgspec.UnsetType | None) -> None:
    if provider_id is None or provider_id is msgspec.UNSET:
        return
    sql = "SELECT 1 FROM provider WHERE id = ? AND owner_id = ?"
    if connection.execute(sql, (provider_id, owner)).fetchone() is None:
        raise InvalidRequest("There is no such provider.", "provider_id")


def _change(connection: Connection, owner: str, conversation_id: str, change: ConversationChange) -> Conversation:
    """Write the columns that the change names, and no other: what is changed elsewhere at the same time stays."""
    _get(connection, owner, conversation_id, "{lock}")
    _check_provider(connection, owner, change.settings.provider_id)
    columns = _changed_columns(change.settings)
    for name in ("title", "title_source", "pinned", "unread"):
        if (value := getattr(change, name)) is not msgspec.UNSET:
            columns[name] = value
    if change.leaf_id is not msgspec.UNSET:
        columns["leaf_id"] = _leaf(connection, conversation_id, change.leaf_id)
    if columns:
        assignments = ", ".join(f"{name} = ?" for name in columns)
        connection.execute(
            f"UPDATE conversation SET {assignments} WHERE id = ? AND owner_id = ?",
            (*columns.values(), conversation_id, owner),
        )
    return _get(connection, owner, conversation_id)


def _leaf(connection: Connection, conversation_id: str, leaf_id: str | None) -> str | None:
    """Return the leaf to show: a message in the middle stands for the newest answer below it, where its branch went on."""
    if leaf_id is None:
        return None
    row = connection.execute(
        "SELECT 1 FROM message WHERE id = ? AND conversation_id = ?", (leaf_id, conversation_id)
    ).fetchone()
    if row is None:
        raise InvalidRequest("There is no such message in this conversation.", "leaf_id")
    return connection.execute(_NEWEST_BELOW, (leaf_id, conversation_id)).fetchone()[0]


def _delete(connection: Connection, node: str, owner: str, conversation_id: str) -> tuple[str, ...]:
    _get(connection, owner, conversation_id)
    connection.execute("SELECT 1 FROM conversation WHERE id = ? {lock}", (conversation_id,)).fetchone()
    now = timestamp()
    unfinished: builtins.list[tuple[int, str, str]] = connection.execute(
        "SELECT number, id, message_id FROM turn WHERE conversation_id = ? AND ended_at IS NULL ORDER BY number",
        (conversation_id,),
    ).fetchall()
    still_queued = "SELECT 1 FROM turn WHERE number = ? AND status = 'queued' AND ended_at IS NULL"
    for number, _, message_id in unfinished:
        if connection.execute(still_queued, (number,)).fetchone():
            cancel_queued(connection, Ending(node, now), number, message_id)
    connection.execute(
        "UPDATE turn SET cancel = true WHERE conversation_id = ? AND ended_at IS NULL", (conversation_id,)
    )
    connection.execute("UPDATE conversation SET deleted_at = ? WHERE id = ?", (now, conversation_id))
    return tuple(turn_id for _, turn_id, _ in unfinished)
