"""The address: how a PostgreSQL is reached, and how long one waits for it."""

import msgspec
import psycopg
from psycopg import conninfo
from psycopg.abc import RV, PQGen

from luxx.core.errors import ConfigurationError

_SESSION = (
    "SET statement_timeout = {statement_ms}; SET idle_in_transaction_session_timeout = {idle_ms}; SET TimeZone = 'UTC';"
    " SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
)


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A database, and the seconds that a command may take before it counts as failed."""

    url: str
    patience: float

    def connect(self, patience: float | None = None) -> psycopg.Connection:
        """Open a connection that never waits for ever: not for a lost network, nor for a server that says nothing.

        Transactions are begun by hand. One that this process begins and does not end, because it is frozen, is ended by the
        server, or it would keep others from taking over. Raises psycopg.Error.
        """
        seconds = self.patience if patience is None else patience
        raw = _Bounded.connect(
            self.url,
            autocommit=True,
            connect_timeout=max(2, int(self.patience)),
            application_name="luxx",
            keepalives=1,
            keepalives_idle=2,
            keepalives_interval=1,
            keepalives_count=2,
            tcp_user_timeout=int(self.patience * 1000),
            client_encoding="utf8",
        )
        raw.patience = seconds + 1  # the server is to be the first to give up
        session = _SESSION.format(statement_ms=int(seconds * 1000), idle_ms=int(self.patience * 1000))
        raw.execute(session.encode())
        return raw

    def __str__(self) -> str:
        """Return the address without its password."""
        parts = conninfo.conninfo_to_dict(self.url)
        place = f"{parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"
        return f"{parts.get('dbname') or parts.get('user') or ''} at {place}"


def parsed(url: str, patience: float) -> Address:
    """Return the address that a URL or a list of libpq's keywords names. Raises ConfigurationError."""
    try:
        conninfo.conninfo_to_dict(url)
    except psycopg.Error as error:
        reason = str(error).strip().replace(url, "...")
        raise ConfigurationError(
            f"LUXX_DATABASE_URL is no address of a PostgreSQL database ({reason}). It looks like this: postgresql://user@host/luxx"
        ) from error
    return Address(url=url, patience=patience)


class _Bounded(psycopg.Connection):
    """A connection whose commands fail when the server has said nothing for `patience` seconds."""

    patience: float = 10.0

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Run a command, no longer than that; without waking up in between, as signals are the main thread's business."""
        seconds = self.patience if timeout is None else timeout
        return super().wait(gen, max(interval, seconds), seconds)
