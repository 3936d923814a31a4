"""Listing: what the formats have in common when a provider is asked for its models, and tried out by that."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

from luxx.core.errors import ProviderError, ProviderRejected, ProviderTimeout
from luxx.core.ports import Check, ModelInfo, Unlisted

LIST_LIMIT = 8 * 1024 * 1024
"""The longest list that is read, in bytes."""
_PATIENCE_S = 30.0
_HINT = "Check the base URL; a few providers have no such list."
_NO_LIST = (404, 405, 501)


@contextlib.asynccontextmanager
async def in_time() -> AsyncGenerator[None, None]:
    """Bound the time that a list of models may take. Raises ProviderTimeout."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            yield
    except TimeoutError as error:
        raise ProviderTimeout(f"The list of models did not come within {_PATIENCE_S:g} s.") from error


def no_list() -> ProviderError:
    """Return the error for an answer that is something else than a list of models."""
    return ProviderRejected("The address does not answer with a list of models. Check this provider's base URL.")


async def check(list_models: Callable[[], Awaitable[Sequence[ModelInfo]]], hint: str = _HINT) -> Check:
    """Ask for the models, as a try-out of address and key; never raises. `hint` helps where there is no list."""
    try:
        models = await list_models()
    except ProviderError as error:
        if isinstance(error, ProviderRejected) and error.status in _NO_LIST:
            return Unlisted(ok=False, detail=f"It answers, but has no list of models. {hint}")
        return Check(ok=False, detail=error.message)
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    return Check(ok=True, detail=f"It answers, and serves {count}.", models=len(models))
