"""Book: what a turn writes besides its tools' results: its steps under their numbers, and the record and cost of each model call."""

import itertools
from collections.abc import Callable, Iterator

from luxx.core.events import Event, ProcessStep
from luxx.core.ids import step_id
from luxx.core.ports import BROKEN_OFF, Emit, ModelCall
from luxx.core.prices import Price, priced
from luxx.core.steps import Notice
from luxx.core.usage import NOTHING, Usage


class Book:
    """Owns the numbers of a turn's steps and the sum of its `usage`.

    `provider`, `model` and `format` are those of the calls to come; `price` is asked whenever one of them ends or breaks off, and counts
    where the provider did not tell the cost. `indexes` gives the next free index of a step.
    """

    def __init__(
        self,
        emit: Emit,
        highest_index: int,
        provider: str,
        model: str,
        format: str,
        price: Callable[[], Price | None],
    ) -> None:
        self.indexes: Iterator[int] = itertools.count(highest_index + 1)
        self.usage = NOTHING
        self._emit = emit
        self._provider = provider
        self._model = model
        self._format = format
        self._price = price

    def append(self, *entries: Event | ModelCall) -> None:
        """Write to the log. Raises Fenced."""
        for entry in entries:
            self._emit.append(entry)

    def note(self, call: int, kind: str, text: str) -> None:
        """Tell the person something."""
        index = next(self.indexes)
        notice = Notice(id=step_id(index), index=index, state="complete", call=call, kind=kind, content=text)
        self._emit.append(ProcessStep(notice))

    def record(self, call: int, reason: str, usage: Usage, raw: bytes = b"") -> ModelCall:
        """Write that a model call has ended."""
        record = self._record(call, reason, priced(usage, self._price()), raw)
        self.count(record)
        self._emit.append(record)
        return record

    def broke_off(self, usage: Usage) -> None:
        """Write what an answer has cost that has no end, apart from its call, which may be made again. Raises Fenced."""
        record = self._record(-next(self.indexes), BROKEN_OFF, priced(usage, self._price()), b"")
        self.count(record)
        self._emit.append(record)

    def part(self, index: int, raw: bytes) -> ModelCall:
        """Return the record of what goes back to the provider with a step (see ModelCall)."""
        return self._record(-index, "", NOTHING, raw)

    def count(self, record: ModelCall) -> None:
        """Add the cost of a call that is recorded already."""
        if record.counts:
            self.usage += record.usage

    def _record(self, n: int, reason: str, usage: Usage, raw: bytes) -> ModelCall:
        return ModelCall(
            n=n,
            provider=self._provider,
            model=self._model,
            format=self._format,
            finish_reason=reason,
            usage=usage,
            raw=raw,
        )
