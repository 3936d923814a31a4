"""PostgreSQL's connections: how the shared statements run on one, with few round trips, and what becomes of one that breaks."""

import contextlib
import select
from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple

import psycopg
from psycopg import ClientCursor, Cursor, errors
from psycopg.pq import TransactionStatus

from luxx.core.errors import InvalidRequest, StorageError
from luxx.store.postgres.address import Address
from luxx.store.sql.connection import Result, Rows, Value, Values
from luxx.store.sql.dialect import Dialect, postgres

_LEASE = "SELECT 1 FROM node WHERE id = ? AND expires > clock_timestamp() FOR KEY SHARE"
_BROKEN = (psycopg.OperationalError, psycopg.InterfaceError)
_OTHERS_FIRST = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
)


class PostgresLease:
    """See luxx.store.sql.connection.Lease."""

    answer: bool | None = None

    def held(self) -> bool:
        """See Lease."""
        assert self.answer is not None, "no statement has run after the question"
        return self.answer


class _Waiting(NamedTuple):
    """A statement whose answer can wait; `lease` wants to know whether it gave a row."""

    query: bytes
    values: Values
    lease: PostgresLease | None = None


class PostgresConnection:
    """See luxx.store.sql.connection.Connection.

    What need not be answered at once waits for the next statement, and then goes to the server in one round trip, with its values
    in its text. (psycopg's pipelines would do as well, but for a trap: each ends with a message that stops the server's watch over
    transactions that are left idle, so that a process that freezes right then could not be taken over.) A connection is opened
    when the first transaction begins, and anew after it broke.
    """

    failures = psycopg.Error
    culpable = (
        psycopg.IntegrityError,
        psycopg.DataError,
        psycopg.ProgrammingError,
        psycopg.NotSupportedError,
        errors.ProgramLimitExceeded,
        ValueError,
        OverflowError,
    )

    def __init__(self, address: Address, patience: float | None = None) -> None:
        """`patience` is that of its commands, if not the address's."""
        self._address = address
        self._patience = patience
        self._opened: psycopg.Connection | None = None
        self._dialect: Dialect | None = None
        self._queries: dict[str, bytes] = {}
        self._inserts: dict[Rows, bytes] = {}
        self._waiting: list[_Waiting] = []
        self._reading = False
        self.in_transaction = False

    @property
    def _raw(self) -> psycopg.Connection:
        if self._opened is None:
            raise psycopg.InterfaceError("no transaction has begun")
        return self._opened

    @property
    def version(self) -> int:
        """The server's version, such as 180006."""
        return self._raw.info.server_version

    def execute(self, statement: str, values: Values = ()) -> Result:
        """See Connection."""
        return self._run(self._query(statement), values)

    def execute_each(self, statement: str, rows: Sequence[Values]) -> int:
        """See Connection."""
        query = self._query(statement)
        self._catch_up()
        self._waiting += [_Waiting(query, row) for row in rows]
        return self._catch_up()

    def send(self, statement: str, values: Values = ()) -> None:
        """See Connection."""
        self._waiting.append(_Waiting(self._query(statement), values))

    def insert(self, rows: Rows, values: Iterable[Values]) -> int:
        """See Connection: each column goes over as one array."""
        query = self._inserts.get(rows)
        if query is None:
            arrays = ", ".join(f"%b::{kind}[]" for _, kind in rows.columns)
            query = self._inserts[rows] = rows.insert(f"SELECT * FROM unnest({arrays})").encode()
        columns = [list(column) for column in zip(*values, strict=True)]
        return self._run(query, columns).rowcount if columns else 0

    def lease(self, node: str) -> PostgresLease:
        """See Connection. The lock lets the lease be renewed, but not be deleted."""
        lease = PostgresLease()
        self._waiting.append(_Waiting(self._query(_LEASE), (node,), lease))
        return lease

    def begin(self) -> None:
        """See Connection."""
        self._begin(b"BEGIN", reading=False)

    def begin_reading(self) -> None:
        """See Connection."""
        self._begin(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", reading=True)

    def commit(self) -> None:
        """See Connection."""
        self._send_at_once(b"COMMIT")
        self.in_transaction = False

    def rollback(self) -> None:
        """See Connection; a connection that cannot even do that is closed."""
        self._waiting.clear()
        if not self.in_transaction:
            return
        self.in_transaction = False
        try:
            if self._reading and self._raw.info.transaction_status == TransactionStatus.INTRANS:
                self._send_at_once(b"COMMIT")  # at a rollback, psycopg forgets the statements that it has prepared
            else:
                self._raw.rollback()
        except psycopg.Error:
            self._raw.close()

    def savepoint(self, name: str) -> None:
        """See Connection."""
        self._send_at_once(f"SAVEPOINT {name}".encode())

    def release(self, name: str) -> None:
        """See Connection."""
        self._send_at_once(f"RELEASE {name}".encode())

    def undo(self, name: str) -> None:
        """See Connection."""
        self._waiting.clear()
        self._send_at_once(f"ROLLBACK TO {name}; RELEASE {name}".encode())

    def translated(self, error: Exception) -> Exception:
        """See Connection."""
        match error:
            case UnicodeEncodeError() | OverflowError():
                meaning = InvalidRequest("A text holds a lone surrogate, or a number is too large to be stored.")
            case psycopg.DataError():
                meaning = InvalidRequest(f"The database does not take this: {_first_line(error)}")
            case psycopg.Error():
                meaning = StorageError(f"The database failed: {_first_line(error)}")
            case _:
                return error
        meaning.__cause__ = error
        return meaning

    def may_repeat(self, error: Exception) -> bool:
        """See Connection; what was only read can be read again where the connection broke."""
        if isinstance(error, _OTHERS_FIRST):
            return True
        return self._reading and isinstance(error, _BROKEN) and not isinstance(error, errors.QueryCanceled)

    def close(self) -> None:
        """See Connection."""
        if self._opened is not None:
            self._opened.close()

    def _query(self, statement: str) -> bytes:
        query = self._queries.get(statement)
        if query is None:
            self._dialect = self._dialect or postgres(self.version)
            query = self._queries[statement] = self._dialect(statement).encode()
        return query

    def _begin(self, query: bytes, *, reading: bool) -> None:
        self._ready()
        self._reading = reading
        self._waiting.append(_Waiting(query, ()))
        self.in_transaction = True

    def _send_at_once(self, query: bytes) -> None:
        self._waiting.append(_Waiting(query, ()))
        self._catch_up()

    def _run(self, query: bytes, values: Values | list[list[Value]]) -> Cursor:
        """Run a statement, after those that wait."""
        self._catch_up()
        cursor = self._raw.cursor(binary=True)
        with self._closed_if_broken():
            cursor.execute(query, values)
        return cursor

    def _catch_up(self) -> int:
        """Run what waits, in one round trip; return how many rows it changed."""
        if not self._waiting:
            return 0
        waiting, self._waiting = self._waiting, []
        changed = 0
        cursor = ClientCursor(self._raw)
        with self._closed_if_broken():
            cursor.execute(b";".join(cursor.mogrify(query, values).encode() for query, values, _ in waiting))
        for one, result in zip(waiting, cursor.results(), strict=False):
            changed += max(0, result.rowcount)
            if one.lease is not None:
                one.lease.answer = result.fetchone() is not None
        return changed

    @contextlib.contextmanager
    def _closed_if_broken(self) -> Generator[None]:
        """Close the connection after an error that does not come from the server: nothing more can be said on it."""
        try:
            yield
        except _BROKEN as error:
            if error.sqlstate is None:
                self._raw.close()
            raise

    def _ready(self) -> None:
        """Make sure that the connection is there, as far as can be told without asking the server."""
        self._waiting.clear()
        raw = self._opened
        if raw is not None:
            if not raw.closed and not raw.broken and not _has_news(raw.fileno()):
                return
            raw.close()
        self._opened = self._address.connect(self._patience)


def _has_news(socket: int) -> bool:
    """Whether something came while nothing was asked: that the server is going away, as a rule."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return bool(poll.poll(0))


def _first_line(error: Exception) -> str:
    """Return what happened, without the values that PostgreSQL adds in further lines."""
    return str(error).strip().partition("\n")[0]
