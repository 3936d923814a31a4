"""Approvals: which calls of a turn wait for a person, and what was decided about them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from luxx.core.errors import StorageError
from luxx.core.events import Approval, Question
from luxx.core.ports import Decision, Emit
from luxx.core.rules import ToolRule, action_for
from luxx.core.steps import ToolCall, Unfinished

DENIED = "Denied: the person did not allow this call. It was not run."
FORBIDDEN = "Not run: the person does not allow this tool."
EXPIRED = "Not run: nobody allowed this call in time."


Rules = Callable[[], Awaitable[Sequence[ToolRule]]]
"""Reads the person's rules as they are now, those of the conversation first."""


async def no_rules() -> Sequence[ToolRule]:
    """Read the rules of a person who has none."""
    return ()


class Parked(Exception):
    """A turn that can go on only when a person has decided: it needs no process until then."""


class Refused(Exception):
    """A call that is not to be run; the text tells the model why, `why` the reader."""

    def __init__(self, text: str, why: Unfinished) -> None:
        super().__init__(text)
        self.why: Unfinished = why


class GivenUp(Exception):
    """The turn ends without waiting for the person."""


class Approvals:
    """Asks for the calls of one turn, in the log, and takes the decisions; `patience_s` is how long a person has.

    `known` are the approvals that stand in the log already, by their index. `waiting` counts the calls that wait for a decision, and
    `moved` is set whenever that changes.
    """

    def __init__(self, emit: Emit, rules: Rules, known: Mapping[int, Approval], patience_s: float) -> None:
        self.waiting = 0
        self.moved = asyncio.Event()
        self._emit = emit
        self._rules = rules
        self._always: set[str] = set()
        self._known = dict(known)
        self._patience_s = patience_s
        self._decisions: dict[int, asyncio.Future[Decision]] = {}
        self._early: dict[int, Decision] = {}
        self._given_up = False

    async def rule(self, tool: str) -> str | None:
        """Return what the person's rules say of a tool now. Raises StorageError, NotFound for a conversation that is gone."""
        return "allow" if tool in self._always else action_for(await self._rules(), tool)

    def refuse(self, call: ToolCall) -> None:
        """End what was asked for a call that is forbidden by now."""
        asked = self._known.get(call.index)
        if asked is not None and asked.state in ("requested", "approved"):
            self._close(asked, Decision(state="denied"))

    def wait_for_all(self, calls: int) -> bool:
        """Whether so many calls are all that wait for a person, so that nothing goes on without one."""
        return not self._given_up and calls == self.waiting

    def asked(self, call: ToolCall) -> bool:
        """Whether this call has been asked for already."""
        return call.index in self._known

    def take(self, index: int, decision: Decision) -> None:
        """Take a decision that is committed, however often it comes."""
        future = self._decisions.get(index)
        if future is None:
            self._early[index] = decision
        elif not future.done():
            future.set_result(decision)

    def give_up(self) -> None:
        """Let nothing wait any longer: the turn ends."""
        self._given_up = True
        for future in self._decisions.values():
            if not future.done():
                future.set_exception(GivenUp())

    async def arguments(self, call: ToolCall) -> str | None:
        """Ask whether a call may run; return the arguments that a person made of the model's, None if they are the same.

        Raises Refused, GivenUp.
        """
        asked = self._known.get(call.index)
        if asked is None:
            asked = self._request(call.index, call.name, _object(call.arguments))
        if asked.state == "requested":
            self._wait(1)
            try:
                asked = await self._decided(asked)
            finally:
                self._wait(-1)
        match asked.state:
            case "approved":
                return self.changed(call)
            case "denied":
                raise Refused(DENIED, "denied")
            case _:
                raise Refused(EXPIRED, "expired")

    def changed(self, call: ToolCall) -> str | None:
        """Return the arguments that a person made of the model's, None if they are the same."""
        asked = self._known.get(call.index)
        if asked is None or asked.state != "approved" or asked.arguments == _object(call.arguments):
            return None
        return _text(asked.arguments)

    async def answer(self, index: int, tool: str, question: Question) -> Approval:
        """Ask what a running tool wants to know, under an index of its own; return the answer. Raises GivenUp."""
        asked = self._request(index, tool, {}, question)
        try:
            return await self._decided(asked)
        except (asyncio.CancelledError, GivenUp):
            with contextlib.suppress(StorageError):  # the turn may be another's by now
                self._close(asked, Decision(state="expired"))
            raise

    def close_questions(self) -> None:
        """End the questions of tools that have died with their process."""
        for asked in list(self._known.values()):
            if asked.question is not None and asked.state == "requested":
                self._close(asked, Decision(state="expired"))

    def _wait(self, more: int) -> None:
        self.waiting += more
        self.moved.set()

    def _request(self, index: int, tool: str, arguments: dict[str, Any], question: Question | None = None) -> Approval:
        expires = datetime.now(UTC) + timedelta(seconds=self._patience_s)
        asked = Approval(
            index=index,
            tool=tool,
            arguments=arguments,
            state="requested",
            expires_at=expires.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            question=question,
        )
        self._known[index] = asked
        self._emit.append(asked)
        return asked

    async def _decided(self, asked: Approval) -> Approval:
        if self._given_up:
            raise GivenUp
        decision = self._early.pop(asked.index, None)
        if decision is None:
            future = self._decisions[asked.index] = asyncio.get_running_loop().create_future()
            try:
                decision = await future
            finally:
                del self._decisions[asked.index]
        return self._close(asked, decision)

    def _close(self, asked: Approval, decision: Decision) -> Approval:
        arguments = asked.arguments if decision.arguments is None else decision.arguments
        closed = msgspec.structs.replace(asked, state=decision.state, arguments=arguments, expires_at=None)
        if decision.always and decision.state == "approved":
            self._always.add(asked.tool)
        self._known[asked.index] = closed
        self._emit.append(closed)
        return closed


def _object(arguments: str) -> dict[str, Any]:
    """Return arguments as an object; what is none is shown as it is."""
    try:
        return msgspec.json.decode(arguments or "{}", type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {"arguments": arguments}


def _text(arguments: dict[str, Any]) -> str:
    return msgspec.json.encode(arguments).decode()
