"""Repeats: what became of the calls to which MCP clients gave an id, so that one that is sent again is not run again."""

import contextlib
from collections.abc import Generator

from luxx.core.errors import Conflict
from luxx.core.ports import ToolOutcome

MOST_KEPT = 256
"""Calls whose outcomes are kept, those that ended last."""
LARGEST_KEPT = 100_000
"""Characters of an outcome that is kept, its structured content included; of a larger one only that there was one."""

_STOPPED = "This call was stopped when it was sent the first time; what it did until then is not known."
_TOO_LARGE = "This call was made when it was sent the first time; its result was too large to be kept."

Call = tuple[str, str]
"""The name of a tool, and its arguments."""


class Sent:
    """A call that was sent. `outcome` is what became of it, if it was sent before; `begun` is to be set before it is made."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.begun = False
        self.outcome: ToolOutcome | None = None


class Repeats:
    """Owns the calls that run and those that are kept, in memory: each node has its own."""

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._most = most
        self._running: dict[str, Call] = {}
        self._ended: dict[str, Sent] = {}

    @contextlib.contextmanager
    def sent(self, request_id: str | None, call: Call) -> Generator[Sent]:
        """Take a call, with the outcome of the one before it that had the same id.

        What its outcome is when the context is left is kept; without an id nothing is. Raises Conflict for an id that another call had,
        or whose call runs.
        """
        known = self._ended.get(request_id or "")
        before = known.call if known else self._running.get(request_id or "")
        if before is not None and before != call:
            raise Conflict("request_id_reused", "This client_request_id was given to another call.")
        if before is not None and known is None:
            raise Conflict("call_running", "The call with this client_request_id is still running.")
        if known is not None or request_id is None:
            yield known or Sent(call)
            return
        made = Sent(call)
        self._running[request_id] = call
        try:
            yield made
        finally:
            del self._running[request_id]
            if made.begun:
                self._keep(request_id, made)

    def _keep(self, request_id: str, made: Sent) -> None:
        kept = Sent(made.call)
        kept.outcome = _kept(made.outcome)
        self._ended[request_id] = kept
        if len(self._ended) > self._most:
            del self._ended[next(iter(self._ended))]


def _kept(outcome: ToolOutcome | None) -> ToolOutcome:
    if outcome is None:
        return ToolOutcome(content=_STOPPED, failed=True)
    size = len(outcome.content) + len(repr(outcome.data))
    return outcome if size <= LARGEST_KEPT else ToolOutcome(content=_TOO_LARGE, files=outcome.files)
