"""Windows: how many tokens the models of the providers can take, and what these cost, asked beside the turns, so that none of them waits."""

import time
from collections.abc import Awaitable, Callable, Sequence

import structlog

from luxx.core.errors import LuxxError
from luxx.core.ports import ModelInfo
from luxx.core.prices import Price
from luxx.turns.background import Background

_log = structlog.get_logger()
FRESH_S = 3600.0
"""After this many seconds a provider is asked again."""
AGAIN_S = 300.0
"""The same for one that could not tell."""


class Windows:
    """Knows the windows and the prices; `ask` lists the models of an owner's provider."""

    def __init__(self, ask: Callable[[str, str], Awaitable[Sequence[ModelInfo]]]) -> None:
        self._ask = ask
        self._known: dict[str, dict[str, ModelInfo]] = {}
        self._due: dict[str, float] = {}
        self._changes = 0
        self._asking: set[str] = set()
        self._background = Background()

    def window(self, owner: str, provider_id: str, model: str) -> int | None:
        """Return a model's window in tokens, None while nobody knows it; have the provider asked if it is time to."""
        known = self._model(owner, provider_id, model)
        return known.context_window if known else None

    def price(self, owner: str, provider_id: str, model: str) -> Price | None:
        """Return a model's price, as `window` does."""
        known = self._model(owner, provider_id, model)
        return known.price if known else None

    def _model(self, owner: str, provider_id: str, model: str) -> ModelInfo | None:
        if time.monotonic() >= self._due.get(provider_id, 0.0) and provider_id not in self._asking:
            self._asking.add(provider_id)
            self._background.spawn(self._learn(owner, provider_id))
        return self._known.get(provider_id, {}).get(model)

    def forget(self, provider_id: str) -> None:
        """Ask again at the next use: the provider has changed."""
        self._changes += 1
        self._due.pop(provider_id, None)
        self._known.pop(provider_id, None)

    async def close(self) -> None:
        """Stop asking."""
        await self._background.close()

    async def _learn(self, owner: str, provider_id: str) -> None:
        wait, changes = AGAIN_S, self._changes
        try:
            models = await self._ask(owner, provider_id)
            self._known[provider_id] = {model.id: model for model in models if model.context_window or model.price}
            wait = FRESH_S
        except LuxxError as error:
            _log.debug("the models of a provider are not known", provider_id=provider_id, error=error.message)
        finally:
            if changes != self._changes:  # what was told may be of before the change
                self._known.pop(provider_id, None)
                wait = 0.0
            self._due[provider_id] = time.monotonic() + wait
            self._asking.discard(provider_id)
