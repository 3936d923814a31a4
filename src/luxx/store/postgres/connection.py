"""PostgreSQL's connections: how the shared statements run on one, with few round trips, and what becomes of one that breaks."""

import select
from collections.abc import Iterable, Sequence

import psycopg
from psycopg import Cursor, errors
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

Queued = tuple[Cursor, bytes, Values | list[list[Value]]]


class PostgresLease:
    """See luxx.store.sql.connection.Lease."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def held(self) -> bool:
        """See Lease."""
        return self._cursor.fetchone() is not None


class PostgresConnection:
    """See luxx.store.sql.connection.Connection.

    What need not be answered at once waits for the next statement, and all go to the server in one round trip. It is opened when
    the first transaction begins, and anew after it broke.
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
        self._queue: list[Queued] = []
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
        cursors = [self._enqueue(query, row) for row in rows]
        self._flush()
        return sum(cursor.rowcount for cursor in cursors)

    def send(self, statement: str, values: Values = ()) -> None:
        """See Connection."""
        self._enqueue(self._query(statement), values)

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
        return PostgresLease(self._enqueue(self._query(_LEASE), (node,)))

    def begin(self) -> None:
        """See Connection."""
        self._ready()
        self._reading = False
        self._enqueue(b"BEGIN", ())
        self.in_transaction = True

    def begin_reading(self) -> None:
        """See Connection."""
        self._ready()
        self._reading = True
        self._enqueue(b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", ())
        self.in_transaction = True

    def commit(self) -> None:
        """See Connection."""
        self._run(b"COMMIT", ())
        self.in_transaction = False

    def rollback(self) -> None:
        """See Connection; a connection that cannot even do that is closed."""
        self._queue.clear()
        if not self.in_transaction:
            return
        self.in_transaction = False
        status = self._raw.info.transaction_status
        try:
            if status != TransactionStatus.IDLE:  # psycopg forgets what it has prepared at each ROLLBACK
                self._run(b"COMMIT" if self._reading and status == TransactionStatus.INTRANS else b"ROLLBACK", ())
        except psycopg.Error:
            self._raw.close()

    def savepoint(self, name: str) -> None:
        """See Connection."""
        self._enqueue(f"SAVEPOINT {name}".encode(), ())
        self._flush()

    def release(self, name: str) -> None:
        """See Connection."""
        self._enqueue(f"RELEASE {name}".encode(), ())
        self._flush()

    def undo(self, name: str) -> None:
        """See Connection."""
        self._queue.clear()
        self._enqueue(f"ROLLBACK TO {name}".encode(), ())
        self._enqueue(f"RELEASE {name}".encode(), ())
        self._flush()

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

    def _enqueue(self, query: bytes, values: Values | list[list[Value]]) -> Cursor:
        cursor = self._raw.cursor(binary=True)
        self._queue.append((cursor, query, values))
        return cursor

    def _run(self, query: bytes, values: Values | list[list[Value]]) -> Cursor:
        cursor = self._enqueue(query, values)
        self._flush()
        return cursor

    def _flush(self) -> None:
        """Run what waits, in one round trip."""
        queue, self._queue = self._queue, []
        try:
            if len(queue) == 1:
                cursor, query, values = queue[0]
                cursor.execute(query, values)
                return
            with self._raw.pipeline():
                for cursor, query, values in queue:
                    cursor.execute(query, values)
        except _BROKEN as error:
            if error.sqlstate is None:  # it does not come from the server: nothing more can be said on this connection
                self._raw.close()
            raise

    def _ready(self) -> None:
        """Make sure that the connection is there, as far as can be told without asking the server."""
        self._queue.clear()
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
