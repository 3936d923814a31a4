"""Tool servers: luxx.core.tool_servers.ToolServerStore, for every engine; secrets are encrypted before they are written."""

import builtins
import hashlib
from typing import Any

import msgspec

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.ids import new_id
from luxx.core.tool_servers import (
    NewToolServer,
    SecretsChange,
    Target,
    ToolServer,
    ToolServerChange,
    kind_of,
    origin_of,
)
from luxx.store.clock import timestamp
from luxx.store.secrets import SecretBox
from luxx.store.sql.connection import Connection, Value
from luxx.store.sql.kept import Kept
from luxx.store.sql.readers import Readers
from luxx.store.sql.writer import Writer

_SERVERS = "SELECT id, name, target, trusted, enabled, created_at, secrets, tools FROM tool_server "
_INSERT = """
    INSERT INTO tool_server (id, owner_id, name, kind, target, secrets, trusted, enabled, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_TAG_CHARS = 16

_targets: msgspec.json.Decoder[Target] = msgspec.json.Decoder(Target)
_secrets = msgspec.json.Decoder(dict[str, str])


class SqlToolServers:
    """Tool servers and their secrets; see ToolServerStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers, secrets: SecretBox, *, shared: bool) -> None:
        self._writer = writer
        self._readers = readers
        self._secrets = secrets
        self._kept: Kept[tuple[ToolServer, ...]] = Kept(readers, shared=shared)

    async def create(self, owner: str, new: NewToolServer) -> ToolServer:
        """See ToolServerStore."""
        server_id = new_id()
        sealed = self._seal(new.secrets)

        def job(connection: Connection) -> ToolServer:
            _refuse_taken_name(connection, owner, new.name, server_id)
            place = (server_id, owner, new.name, kind_of(new.target), msgspec.json.encode(new.target))
            connection.execute(_INSERT, (*place, sealed, new.trusted, new.enabled, timestamp()))
            return _get(connection, owner, server_id)

        return await self._writer.write(job, self._kept.forget)

    async def get(self, owner: str, server_id: str) -> ToolServer:
        """See ToolServerStore."""
        return await self._readers.read(lambda connection: _get(connection, owner, server_id))

    async def list(self, owner: str) -> tuple[ToolServer, ...]:
        """See ToolServerStore."""
        sql = _SERVERS + "WHERE owner_id = ? ORDER BY created_at, id"
        return await self._kept.read(
            owner, lambda connection: tuple(map(_server_of, connection.execute(sql, (owner,)).fetchall()))
        )

    async def change(self, owner: str, server_id: str, change: ToolServerChange) -> ToolServer:
        """See ToolServerStore."""

        def job(connection: Connection) -> ToolServer:
            self._change(connection, owner, _get(connection, owner, server_id), change)
            return _get(connection, owner, server_id)

        return await self._writer.write(job, self._kept.forget)

    async def delete(self, owner: str, server_id: str) -> None:
        """See ToolServerStore."""

        def job(connection: Connection) -> None:
            _get(connection, owner, server_id)
            connection.execute("DELETE FROM tool_server WHERE id = ? AND owner_id = ?", (server_id, owner))

        await self._writer.write(job, self._kept.forget)

    async def credentials(self, owner: str, server_id: str) -> tuple[ToolServer, dict[str, str]]:
        """See ToolServerStore."""

        def job(connection: Connection) -> tuple[ToolServer, bytes | None]:
            server = _get(connection, owner, server_id)
            return server, _sealed(connection, server_id)

        server, sealed = await self._readers.read(job)
        return server, self._open(sealed)

    async def change_secrets(self, owner: str, server: ToolServer, change: SecretsChange) -> bool:
        """See ToolServerStore."""
        # The first statement has the row to itself, so that no other node changes it between the reading and the writing.
        locking = "UPDATE tool_server SET secrets = secrets WHERE id = ? AND owner_id = ? AND target = ?"
        writing = "UPDATE tool_server SET secrets = ? WHERE id = ? AND owner_id = ?"
        place = (server.id, owner, msgspec.json.encode(server.target))

        def job(connection: Connection) -> bool:
            if connection.execute(locking, place).rowcount == 0:
                return False
            changed = change(self._open(_sealed(connection, server.id)))
            if changed is not None:
                connection.execute(writing, (self._seal(changed), server.id, owner))
            return changed is not None

        return await self._writer.write(job, self._kept.forget)

    async def set_tools(self, owner: str, server: ToolServer, tools: bytes) -> bool:
        """See ToolServerStore."""
        sql = "UPDATE tool_server SET tools = ? WHERE id = ? AND owner_id = ? AND target = ?"
        values = (tools, server.id, owner, msgspec.json.encode(server.target))
        return await self._writer.write(
            lambda connection: connection.execute(sql, values).rowcount > 0, self._kept.forget
        )

    def _open(self, sealed: bytes | None) -> dict[str, str]:
        return _secrets.decode(self._secrets.decrypt(bytes(sealed))) if sealed else {}

    def _seal(self, secrets: dict[str, str]) -> bytes | None:
        return self._secrets.encrypt(msgspec.json.encode(secrets).decode()) if secrets else None

    def _change(self, connection: Connection, owner: str, server: ToolServer, change: ToolServerChange) -> None:
        columns: dict[str, Value] = {}
        if change.name is not msgspec.UNSET:
            _refuse_taken_name(connection, owner, change.name, server.id)
            columns["name"] = change.name
        if change.target is not msgspec.UNSET and change.target != server.target:
            columns |= {"kind": kind_of(change.target), "target": msgspec.json.encode(change.target), "tools": None}
            if origin_of(change.target) != origin_of(server.target):
                columns |= {"secrets": None, "trusted": False}
        if change.secrets is not msgspec.UNSET:
            columns["secrets"] = self._seal(change.secrets)
        if change.trusted is not msgspec.UNSET:
            columns["trusted"] = change.trusted
        if change.enabled is not msgspec.UNSET:
            columns["enabled"] = change.enabled
        for name, value in columns.items():
            sql = f"UPDATE tool_server SET {name} = ? WHERE id = ? AND owner_id = ?"
            connection.execute(sql, (value, server.id, owner))


def reseal(connection: Connection, secrets: SecretBox) -> None:
    """Encrypt all secrets anew with the newest secret key. Raises ConfigurationError if one cannot be decrypted."""
    sealed: builtins.list[tuple[str, bytes]] = connection.execute(
        "SELECT id, secrets FROM tool_server WHERE secrets IS NOT NULL"
    ).fetchall()
    for server_id, token in sealed:
        connection.send("UPDATE tool_server SET secrets = ? WHERE id = ?", (secrets.rotated(bytes(token)), server_id))


def any_secret(connection: Connection) -> bool:
    """Tell whether anything is stored encrypted."""
    return connection.execute("SELECT 1 FROM tool_server WHERE secrets IS NOT NULL LIMIT 1").fetchone() is not None


def _get(connection: Connection, owner: str, server_id: str) -> ToolServer:
    row = connection.execute(_SERVERS + "WHERE id = ? AND owner_id = ?", (server_id, owner)).fetchone()
    if row is None:
        raise NotFound("There is no such tool server.")
    return _server_of(row)


def _sealed(connection: Connection, server_id: str) -> bytes | None:
    row = connection.execute("SELECT secrets FROM tool_server WHERE id = ?", (server_id,)).fetchone()
    return row[0] if row else None


def _refuse_taken_name(connection: Connection, owner: str, name: str, server_id: str) -> None:
    sql = "SELECT 1 FROM tool_server WHERE owner_id = ? AND name = ? AND id <> ?"
    if connection.execute(sql, (owner, name, server_id)).fetchone() is not None:
        raise InvalidRequest("Another tool server has this name.", "name")


def _server_of(row: tuple[Any, ...]) -> ToolServer:
    return ToolServer(
        id=row[0],
        name=row[1],
        target=_targets.decode(row[2]),
        trusted=bool(row[3]),
        enabled=bool(row[4]),
        created_at=row[5],
        secrets_tag=hashlib.sha256(row[6]).hexdigest()[:_TAG_CHARS] if row[6] else "",
        tools=None if row[7] is None else bytes(row[7]),
    )
