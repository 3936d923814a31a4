"""Reading: an answer from its connection, with what is to be done when that breaks, falls silent or stays open."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from luxx.core.deltas import Delta, Finish, UsageDelta
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderTimeout, ProviderUnreachable
from luxx.providers.transport import Reply

# How long to wait for the usage and the end mark once the finish reason is there: some endpoints leave the stream open.
_LINGER_S = 5.0
# An end of the body that comes with the end mark, or right after it, leaves the connection open for the next request.
_END_PATIENCE_S = 0.05


class Decoder(Protocol):
    """What makes deltas of an answer's bytes, in any format."""

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be read: the end mark came, or a failure."""
        ...

    @property
    def has_reason(self) -> bool:
        """Whether the finish reason came: what follows can only add to it."""
        ...

    def feed(self, data: bytes) -> Sequence[Delta]:
        """Return what these bytes bring."""
        ...

    def end(self) -> Sequence[Delta]:
        """Return what is left when no more bytes come."""
        ...

    def finish(self) -> Finish:
        """Return the end of the answer. Raises ProviderError if it failed or has none."""
        ...


async def read_answer(reply: Reply, decoder: Decoder, patience_s: float) -> AsyncGenerator[Sequence[Delta], None]:
    """Yield what each read brings; at the end, the rest with the Finish, or an error.

    `patience_s` is how long to wait for something to show while only signs of life come.
    """
    begun = False
    broken: ProviderError | None = None
    try:
        async for deltas in _batches(reply, decoder, patience_s):
            begun = begun or _shows(deltas)
            yield deltas
    except (ProviderUnreachable, ProviderTimeout) as error:
        broken = error
    rest = decoder.end()
    if broken and not decoder.has_reason:
        if rest:
            yield rest
        cut = begun and isinstance(broken, ProviderUnreachable)
        raise AnswerIncomplete(f"{broken.message} The answer is cut.") if cut else broken
    try:
        last = decoder.finish()
    except ProviderError:
        if rest:
            yield rest
        raise
    yield [*rest, last]
    if decoder.ended and not broken:
        with contextlib.suppress(ProviderError):
            await reply.read(_END_PATIENCE_S)


async def _batches(reply: Reply, decoder: Decoder, patience_s: float) -> AsyncGenerator[Sequence[Delta], None]:
    """Yield what reads bring, until the answer's end. Raises ProviderUnreachable, ProviderTimeout."""
    clock = asyncio.get_running_loop().time
    shown_at = clock()
    while not decoder.ended and (data := await reply.read(_LINGER_S if decoder.has_reason else None)):
        if deltas := decoder.feed(data):
            yield deltas
        if deltas and _shows(deltas):
            shown_at = clock()
        elif clock() - shown_at > patience_s:
            raise ProviderTimeout(f"The provider sent nothing but signs of life for {patience_s:g} s.")


def _shows(deltas: Sequence[Delta]) -> bool:
    """Whether there is anything of the answer; what it costs is told before that."""
    return len(deltas) > 1 or not isinstance(deltas[0], UsageDelta)
