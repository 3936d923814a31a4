"""Approvals: calls that wait for a person, what was decided, and the rules that spare the question."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from glob import escape

import msgspec

from luxx.core.errors import Conflict, InvalidRequest, NotFound
from luxx.core.events import Approval, encode
from luxx.core.ports import Decision
from luxx.core.rules import ToolRule
from luxx.store.records import Decided, OpenApproval, Turn
from luxx.store.sql.connection import Connection
from luxx.store.sql.readers import Readers
from luxx.store.sql.turn_rows import turn_by_id
from luxx.store.sql.writer import Writer

MOST_RULES = 200

_ASK = """
    INSERT INTO approval (turn, idx, tool, state, asked, always, expires_at, applied)
    VALUES (?, ?, ?, 'requested', ?, false, {later}, false)
"""
_CLOSE = """
    UPDATE approval SET applied = true, state = CASE state WHEN 'requested' THEN ? ELSE state END WHERE turn = ? AND idx = ?
"""
_OTHERS = """
    SELECT a.turn, a.idx, a.asked FROM approval a JOIN turn t ON t.number = a.turn
    WHERE t.conversation_id = ? AND t.ended_at IS NULL AND a.state = 'requested' AND a.tool = ?
"""
_OVERDUE = "UPDATE approval SET state = 'expired' WHERE state = 'requested' AND expires_at <= {later} AND NOT applied"
_DECIDE = """
    UPDATE approval SET state = ?, arguments = ?, always = ? WHERE turn = ? AND idx = ? AND state = 'requested'
"""
_ONE = """
    SELECT t.number, t.ended_at, t.conversation_id, a.tool, a.state, a.arguments, a.always, a.asked
    FROM turn t JOIN conversation c ON c.id = t.conversation_id JOIN approval a ON a.turn = t.number
    WHERE t.id = ? AND t.owner_id = ? AND c.deleted_at IS NULL AND a.idx = ?
"""
_DECIDED = """
    SELECT t.id, a.idx, a.state, a.arguments, a.always FROM approval a JOIN turn t ON t.number = a.turn
    WHERE a.state <> 'requested' AND NOT a.applied AND t.node = ?
"""
_OPEN = """
    SELECT t.id, t.conversation_id, a.asked FROM approval a JOIN turn t ON t.number = a.turn
    JOIN conversation c ON c.id = t.conversation_id
    WHERE a.state = 'requested' AND t.owner_id = ? AND t.ended_at IS NULL AND c.deleted_at IS NULL ORDER BY a.turn, a.idx
"""

_rules = msgspec.json.Decoder(tuple[ToolRule, ...])
_asked = msgspec.json.Decoder(Approval)
_object = msgspec.json.Decoder(dict[str, object])
_json = msgspec.json.Encoder()


class SqlApprovals:
    """Approvals; see ApprovalStore for what each method does."""

    def __init__(self, writer: Writer, readers: Readers) -> None:
        self._writer = writer
        self._readers = readers

    async def decide(self, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
        """See ApprovalStore."""
        return await self._writer.write(lambda connection: _decide(connection, owner, turn_id, index, decision))

    async def decisions(self, node: str) -> tuple[Decided, ...]:
        """See ApprovalStore."""
        return await self._readers.read(
            lambda connection: tuple(
                Decided(turn_id, index, _decision(state, arguments, always))
                for turn_id, index, state, arguments, always in connection.execute(_DECIDED, (node,))
            )
        )

    async def open(self, owner: str) -> tuple[OpenApproval, ...]:
        """See ApprovalStore."""
        return await self._readers.read(
            lambda connection: tuple(
                OpenApproval(turn_id, conversation_id, _asked.decode(asked))
                for turn_id, conversation_id, asked in connection.execute(_OPEN, (owner,))
            )
        )

    async def rules(self, owner: str) -> tuple[ToolRule, ...]:
        """See ApprovalStore."""

        def job(connection: Connection) -> tuple[ToolRule, ...]:
            return read_rules(connection.execute("SELECT rules FROM person WHERE id = ?", (owner,)).fetchone()[0])

        return await self._readers.read(job)

    async def set_rules(self, owner: str, rules: Sequence[ToolRule]) -> None:
        """See ApprovalStore."""
        written = write_rules(rules)
        await self._writer.write(
            lambda connection: connection.send("UPDATE person SET rules = ? WHERE id = ?", (written, owner))
        )


def read_rules(column: bytes | None) -> tuple[ToolRule, ...]:
    """Return the rules that a column holds."""
    return () if column is None else _rules.decode(column)


def write_rules(rules: Sequence[ToolRule]) -> bytes | None:
    """Return rules as a column. Raises InvalidRequest for too many."""
    if len(rules) > MOST_RULES:
        raise InvalidRequest(f"must be at most {MOST_RULES} rules", "rules")
    return _json.encode(rules) if rules else None


def write_approvals(connection: Connection, number: int, approvals: Iterable[Approval]) -> None:
    """Write what a turn asked for, and that it has taken note of what was decided."""
    for approval in approvals:
        if approval.state == "requested":
            connection.send(_ASK, (number, approval.index, approval.tool, encode(approval), _seconds_left(approval)))
        else:
            connection.send(_CLOSE, (approval.state, number, approval.index))


def drop_approvals(connection: Connection, voided: Sequence[tuple[int, int]]) -> None:
    """Nobody waits any longer for what was asked for void steps, given by turn and index."""
    connection.execute_each(_CLOSE, [("expired", number, index) for number, index in voided])


def park(connection: Connection, number: int) -> None:
    """Let a turn wait without an owner."""
    connection.send("UPDATE turn SET status = 'waiting', node = NULL WHERE number = ?", (number,))


def expire(connection: Connection) -> None:
    """Let the time of those run out that nobody has decided."""
    connection.send(_OVERDUE, (0,))


def _decide(connection: Connection, owner: str, turn_id: str, index: int, decision: Decision) -> Turn:
    row = connection.execute(_ONE, (turn_id, owner, index)).fetchone()
    if row is None:
        raise NotFound("There is no such approval.")
    number, ended_at, conversation_id, tool, _, _, _, asked = row
    if ended_at is not None:
        raise Conflict("turn_ended", "The turn has ended: there is nothing to decide any more.", turn_id)
    expire(connection)
    arguments = None if decision.arguments is None else _json.encode(decision.arguments)
    decided = connection.execute(_DECIDE, (decision.state, arguments, decision.always, number, index)).rowcount
    if not decided:
        *_, state, standing, _, _ = connection.execute(_ONE, (turn_id, owner, index)).fetchone()
        if state != decision.state or not _same(standing, decision.arguments):
            raise Conflict("already_decided", f"This has been decided already: {state}.", turn_id)
    if decision.always and decision.state == "approved" and _asked.decode(asked).question is None:
        _allow(connection, conversation_id, tool)
    return turn_by_id(connection, turn_id)


def _seconds_left(approval: Approval) -> float:
    """Return how long a person has, which is counted by the database's clock: those of the nodes need not agree."""
    if approval.expires_at is None:
        return 0.0
    return (datetime.fromisoformat(approval.expires_at) - datetime.now(UTC)).total_seconds()


def _same(standing: bytes | None, arguments: dict[str, object] | None) -> bool:
    return (None if standing is None else _object.decode(standing)) == arguments


def _allow(connection: Connection, conversation_id: str, tool: str) -> None:
    """Add a rule to a conversation, before those that it has, and let calls of the tool go that wait already."""
    (column,) = connection.execute("SELECT rules FROM conversation WHERE id = ? {lock}", (conversation_id,)).fetchone()
    pattern = escape(tool)
    others = tuple(rule for rule in read_rules(column) if rule.tool != pattern)
    rules = write_rules((ToolRule(tool=pattern, action="allow"), *others))
    for number, index, asked in connection.execute(_OTHERS, (conversation_id, tool)).fetchall():
        if _asked.decode(asked).question is None:
            connection.send(_DECIDE, ("approved", None, False, number, index))
    connection.send("UPDATE conversation SET rules = ? WHERE id = ?", (rules, conversation_id))


def _decision(state: str, arguments: bytes | None, always: bool) -> Decision:
    given = None if arguments is None else _object.decode(arguments)
    return msgspec.convert({"state": state, "arguments": given, "always": bool(always)}, Decision)
