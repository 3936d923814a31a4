"""Inspection: what can be told about a database from outside, without joining those that work on it or changing it."""

import contextlib

import psycopg

from luxx.core.errors import ConfigurationError
from luxx.store.migrations import head
from luxx.store.postgres.address import Address, parsed
from luxx.store.postgres.connection import PostgresConnection
from luxx.store.postgres.schema import usable
from luxx.store.records import Inspected

_PATIENCE = 3.0
_FINGERPRINT = "SELECT value FROM meta WHERE name = 'secret_key_fingerprint'"
_NODES = "SELECT count(*) FILTER (WHERE expires > clock_timestamp()), count(*) FROM node"


def inspect(url: str) -> Inspected:
    """Look at a database. Raises ConfigurationError for one that cannot be reached or used."""
    address = parsed(url, _PATIENCE)
    try:
        with contextlib.closing(PostgresConnection(address)) as connection:
            connection.begin_reading()
            try:
                return _inspect(connection, address)
            finally:
                connection.rollback()
    except psycopg.Error as error:
        reason = str(error).strip().replace("\n", " ")
        raise ConfigurationError(f"The database {address} cannot be opened: {reason}") from error


def _inspect(connection: PostgresConnection, address: Address) -> Inspected:
    revision = usable(connection, address)
    (server,) = connection.execute("SELECT current_setting('server_version')").fetchone()
    seen = Inspected(place=str(address), server=server.split()[0], revision=revision, wanted=head())
    if revision != seen.wanted:
        return seen
    known = connection.execute(_FINGERPRINT).fetchone()
    alive, nodes = connection.execute(_NODES).fetchone()
    return Inspected(
        place=seen.place,
        server=seen.server,
        revision=revision,
        wanted=seen.wanted,
        fingerprint=None if known is None else known[0],
        alive=alive,
        expired=nodes - alive,
    )
