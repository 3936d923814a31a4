"""Attachments: the files that come with messages, put there and read."""

from collections import defaultdict
from collections.abc import Sequence

from luxx.core.errors import InvalidRequest
from luxx.core.files import FileRef
from luxx.store.records import FileLimits, NewTurn
from luxx.store.sql.connection import Connection
from luxx.store.sql.dialect import wanted
from luxx.store.sql.files import check_room, file_of

FIELD = "attachments"

_THEIR_OWN = """
    SELECT id, conversation_id, size FROM file WHERE owner_id = ? AND id IN (SELECT value FROM {wanted}) ORDER BY id {lock}
"""
_TAKE = """
    UPDATE file SET conversation_id = ? WHERE conversation_id IS NULL AND id IN (SELECT value FROM {wanted})
"""
_OF_MESSAGES = """
    SELECT a.message_id, f.id, f.name, f.media_type, f.size FROM {wanted} JOIN message_file a ON a.message_id = wanted.value
    JOIN file f ON f.id = a.file_id ORDER BY a.message_id, a.ordinal
"""


def attach(connection: Connection, owner: str, new: NewTurn, limits: FileLimits) -> None:
    """Put the files of a turn's user message into its conversation and tie them to the message, which is there by now.

    Raises InvalidRequest for a file that is not there, or that belongs to somebody else or to another conversation.
    """
    if new.user is None or not new.user.files:
        return
    files, conversation_id = new.user.files, new.conversation_id
    if len(files) > limits.per_message:
        raise InvalidRequest(f"A message may have at most {limits.per_message} files.", FIELD)
    if len(set(files)) < len(files):
        raise InvalidRequest("A file is named twice.", FIELD)
    ids = wanted(list(files))
    rows = connection.execute(_THEIR_OWN, (owner, ids)).fetchall()
    usable = {file_id for file_id, place, _ in rows if place in (None, conversation_id)}
    if missing := [file_id for file_id in files if file_id not in usable]:
        raise InvalidRequest(f"There is no file {missing[0]} that can be sent here.", FIELD)
    check_room(connection, conversation_id, sum(size for _, place, size in rows if place is None), limits, FIELD)
    connection.send(_TAKE, (conversation_id, ids))
    connection.execute_each(
        "INSERT INTO message_file (message_id, ordinal, file_id) VALUES (?, ?, ?)",
        [(new.user.id, ordinal, file_id) for ordinal, file_id in enumerate(files)],
    )


def attachments(connection: Connection, message_ids: Sequence[str]) -> dict[str, tuple[FileRef, ...]]:
    """Return the files of those of the messages that have some."""
    files: defaultdict[str, list[FileRef]] = defaultdict(list)
    if message_ids:
        for message_id, *row in connection.execute(_OF_MESSAGES, (wanted(list(message_ids)),)):
            files[message_id].append(file_of((row[0], row[1], row[2], row[3])))
    return {message_id: tuple(found) for message_id, found in files.items()}
