"""Nodes: the rows of the processes that work on a database."""

from luxx.store.clock import timestamp
from luxx.store.sql.connection import Connection


def join(connection: Connection, node: str) -> None:
    """Enter a node that needs no lease, as it is the only one."""
    connection.execute("INSERT INTO node (id, started_at) VALUES (?, ?)", (node, timestamp()))


def leave(connection: Connection, node: str) -> None:
    """Remove a node; the foreign key frees its turns."""
    connection.execute("DELETE FROM node WHERE id = ?", (node,))


def bury(connection: Connection, nodes: list[str]) -> None:
    """Remove nodes that have died; their turns count it."""
    for node in nodes:
        connection.send("UPDATE turn SET takeovers = takeovers + 1 WHERE node = ?", (node,))
        connection.send("DELETE FROM node WHERE id = ?", (node,))
