"""Trees: whole conversations, read to be kept elsewhere."""

from luxx.core.archive import (
    ArchivedAnswer,
    ArchivedConversation,
    ArchivedFile,
    ArchivedMessage,
    ArchivedSettings,
)
from luxx.core.errors import NotFound
from luxx.store.records import Conversation, Message, Turn
from luxx.store.sql.connection import Connection
from luxx.store.sql.conversation_rows import CONVERSATIONS, conversation_of
from luxx.store.sql.messages import read_tree

_FILES = "SELECT id, name, media_type, size FROM file WHERE conversation_id = ? ORDER BY created_at, id"


def whole(connection: Connection, owner: str, conversation_id: str) -> ArchivedConversation:
    """Do what ArchiveStore.whole says."""
    row = connection.execute(
        CONVERSATIONS + "WHERE c.id = ? AND c.owner_id = ? AND c.deleted_at IS NULL", (conversation_id, owner)
    ).fetchone()
    if row is None:
        raise NotFound("There is no such conversation.")
    conversation = conversation_of(row)
    files = connection.execute(_FILES, (conversation_id,)).fetchall()
    return ArchivedConversation(
        id=conversation.id,
        title=conversation.title,
        title_source=conversation.title_source,
        created_at=conversation.created_at,
        updated_at=conversation.updated_at,
        settings=_settings(connection, conversation),
        leaf_id=conversation.leaf_id,
        messages=tuple(_message(message) for message in read_tree(connection, conversation_id)),
        files=tuple(ArchivedFile(id=f[0], name=f[1], media_type=f[2], size=f[3]) for f in files),
    )


def _settings(connection: Connection, conversation: Conversation) -> ArchivedSettings:
    chosen = conversation.settings
    row = connection.execute("SELECT name FROM provider WHERE id = ?", (chosen.provider_id,)).fetchone()
    return ArchivedSettings(
        system_prompt=chosen.system_prompt,
        provider=None if row is None else row[0],
        model=chosen.model,
        temperature=chosen.temperature,
        max_tokens=chosen.max_tokens,
        tools_enabled=chosen.tools_enabled,
        thinking=chosen.thinking,
        rules=chosen.rules,
    )


def _message(message: Message) -> ArchivedMessage:
    return ArchivedMessage(
        id=message.id,
        parent_id=message.parent_id,
        role=message.role,
        created_at=message.created_at,
        text=message.text if message.turn is None else "",
        files=tuple(file.id for file in message.files),
        answer=None if message.turn is None else _answer(message, message.turn),
    )


def _answer(message: Message, turn: Turn) -> ArchivedAnswer:
    return ArchivedAnswer(
        status="done" if turn.status == "done" else "failed" if turn.status == "failed" else "cancelled",
        provider=turn.settings.provider,
        model=turn.settings.model,
        steps=message.steps,
        calls=message.calls,
        ended_at=turn.ended_at,
        finish_reason=turn.finish_reason,
        token_count=turn.token_count,
        usage=turn.usage,
        error_code=turn.error_code,
        error_content=turn.error_content,
    )
