"""Client requests: what an earlier POST with the same id made."""

from luxx.core.errors import InvalidRequest
from luxx.store.clock import timestamp
from luxx.store.records import ClientRequest
from luxx.store.sql.connection import Connection


def earlier_result(connection: Connection, owner: str, request: ClientRequest | None) -> str | None:
    """Return the id of what the request made before, or None. Raises InvalidRequest if its body was another."""
    if request is None:
        return None
    row = connection.execute(
        "SELECT body_hash, result FROM request WHERE owner_id = ? AND target = ? AND client_request_id = ?",
        (owner, request.target, request.id),
    ).fetchone()
    if row is None:
        return None
    body_hash, result = row
    if body_hash != request.body_hash:
        raise InvalidRequest("client_request_id was used before with another body.", "client_request_id")
    return result


def remember(
    connection: Connection, owner: str, request: ClientRequest | None, result: str, conversation_id: str
) -> None:
    """Store what the request made; it is forgotten with the conversation."""
    if request is not None:
        connection.send(
            "INSERT INTO request (owner_id, target, client_request_id, body_hash, result, conversation_id, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (owner, request.target, request.id, request.body_hash, result, conversation_id, timestamp()),
        )
