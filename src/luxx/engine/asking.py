"""Asking: one model call, from the request to the last delta in the log."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from luxx.core.deltas import Delta, FileDelta, NoticeDelta
from luxx.core.errors import AnswerIncomplete, AnswerTooLong, InvalidRequest, ProviderError
from luxx.core.events import Event, ProcessStep
from luxx.core.files import FileRef, Files
from luxx.core.ports import Emit, Model, ModelCall
from luxx.core.prompts import ModelRequest
from luxx.core.steps import ToolCall
from luxx.engine.book import Book
from luxx.engine.contents import Contents, Held
from luxx.engine.estimate import usage_of
from luxx.engine.fold import Fold
from luxx.engine.retry import pause

FILE_NAME = "file"
"""The name of a file to which the model gave none."""


class Asking:
    """Asks the model: up to `attempts` times as long as nothing of the answer came, which may have `max_chars` characters."""

    def __init__(
        self, model: Model, book: Book, emit: Emit, files: Files, contents: Contents, attempts: int, max_chars: int
    ) -> None:
        self._model = model
        self._book = book
        self._emit = emit
        self._files = files
        self._contents = contents
        self._attempts = attempts
        self._max_chars = max_chars

    def close(self, fold: Fold) -> None:
        """End the steps of an answer that are open, and keep what it has cost if it has no end. Raises Fenced."""
        self._append(fold, fold.close())
        self._count_broken_off(fold)

    async def ask(self, request: ModelRequest, fold: Fold, begin: Callable[[ToolCall], None]) -> ModelCall:
        """Stream one answer into `fold` and the log; `begin` is called with each tool call that is complete. Raises ProviderError."""
        async with self._contents.of(request.prompts, self._files) as held:
            await self._stream(replace(request, files=held.files), fold, begin, held)
        finish = fold.finish
        if finish is None:
            raise AnswerIncomplete("The provider's stream ended before the answer did.")
        used = finish.usage or usage_of(request, fold.characters)
        return self._book.record(fold.call, finish.reason, used, fold.rest)

    async def _stream(self, request: ModelRequest, fold: Fold, begin: Callable[[ToolCall], None], held: Held) -> None:
        attempt = 1
        while True:
            try:
                return await self._read(request, fold, begin, held)
            except ProviderError as error:
                if fold.started or not error.retryable or attempt == self._attempts:
                    raise
                await asyncio.sleep(pause(error, attempt))
                self._count_broken_off(fold)
                fold.begin_again()
                attempt += 1

    async def _read(self, request: ModelRequest, fold: Fold, begin: Callable[[ToolCall], None], held: Held) -> None:
        """Read one stream into the log; what was sent along is given back as soon as nothing is asked again."""
        await self._emit.room()
        async with contextlib.aclosing(self._model.stream(request)) as stream:
            async for deltas in stream:
                self._append(fold, fold.feed(await self._kept(deltas)))
                if fold.started:
                    held.give_back()
                if fold.characters > self._max_chars:
                    raise AnswerTooLong(f"Stopped: the answer is longer than {self._max_chars:,} characters.")
                for call in fold.ready_calls():
                    begin(call)
                await self._emit.room()

    def _count_broken_off(self, fold: Fold) -> None:
        if fold.spent:
            self._book.broke_off(fold.spent)

    def _append(self, fold: Fold, events: Iterable[Event]) -> None:
        """Write events, each step that has ended with what goes back to the provider with it."""
        for event in events:
            self._book.append(event)
            if isinstance(event, ProcessStep) and event.step.state != "running":
                raw = fold.verbatim.get(event.step.index)
                if raw is not None:
                    self._book.append(self._book.part(event.step.index, raw))

    async def _kept(self, deltas: Sequence[Delta]) -> Sequence[Delta | FileRef]:
        """Store the files among the deltas, for what is shown is stored."""
        if not any(isinstance(delta, FileDelta) for delta in deltas):
            return deltas
        kept: list[Delta | FileRef] = []
        for delta in deltas:
            if not isinstance(delta, FileDelta):
                kept.append(delta)
                continue
            try:
                kept.append(await self._files.keep(delta.name or FILE_NAME, delta.data))
            except InvalidRequest as error:
                kept.append(NoticeDelta(kind="file_refused", text=f"A file of the model was not kept: {error.message}"))
        return kept
