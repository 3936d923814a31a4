"""Endpoints: the providers that a person set up, as models that can be asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from luxx.core.errors import InvalidRequest, NotFound, ProviderRejected
from luxx.core.ports import Check, Endpoint, ModelInfo, Unlisted
from luxx.core.presets import Preset
from luxx.core.prices import Price
from luxx.store.interface import ProviderStore
from luxx.store.records import Provider, TurnSettings
from luxx.turns.choosing import Choice, find_default
from luxx.turns.trying import try_model
from luxx.turns.windows import Windows

EndpointFactory = Callable[[Provider, str | None], Endpoint]
"""Makes an endpoint of a provider and its key."""
_UNTRIED = frozenset({"local", "scripted"})
"""The formats whose models have nothing that only an answer would show."""


class Chosen(NamedTuple):
    """Who is asked: a provider by its id and name, its endpoint, and the model, with its price if that is settled."""

    provider_id: str
    provider: str
    endpoint: Endpoint
    model: str
    price: Price | None


class Endpoints:
    """Makes an endpoint for each provider once, and keeps it until the provider changes; owns them.

    `factories` has one factory for each wire format that can be used; `presets` are the providers that are known by name.
    """

    def __init__(
        self, store: ProviderStore, factories: Mapping[str, EndpointFactory], presets: Sequence[Preset] = ()
    ) -> None:
        self.presets = tuple(presets)
        self._store = store
        self._factories = factories
        self._made: dict[tuple[str, str], Endpoint] = {}
        self._changes = 0
        self._windows = Windows(self.models)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats that a provider can have."""
        return tuple(self._factories)

    async def get(self, owner: str, provider_id: str) -> Endpoint:
        """Return the provider's endpoint. Raises NotFound, and ProviderRejected for a format that is not offered here."""
        made = self._made.get((owner, provider_id))
        if made is not None:
            return made
        changes = self._changes
        provider, key = await self._store.credentials(owner, provider_id)
        factory = self._factories.get(provider.format)
        if factory is None:
            raise ProviderRejected(
                f"The provider {provider.name!r} has the format {provider.format!r}, which is not offered."
            )
        endpoint = factory(provider, key)
        if changes == self._changes:  # else it may be of before the change
            self._made[owner, provider_id] = endpoint
        return endpoint

    async def chosen(self, owner: str, settings: TurnSettings) -> Chosen:
        """Return the provider that a turn asks. Raises as `get`."""
        endpoint = await self.get(owner, settings.provider_id)
        return Chosen(settings.provider_id, settings.provider, endpoint, settings.model, settings.price)

    async def fallback(self, owner: str, provider_id: str) -> Chosen | None:
        """Return who is asked when a provider fails, None if it names nobody. Raises as `get`."""
        fallback_id = (await self._store.get(owner, provider_id)).fallback_id
        if fallback_id is None:
            return None
        fallback = await self._store.get(owner, fallback_id)
        model = fallback.default_model
        if not model:
            return None
        endpoint = await self.get(owner, fallback.id)
        return Chosen(fallback.id, fallback.name, endpoint, model, self.price(owner, fallback, model))

    def window(self, owner: str, provider_id: str, model: str) -> int | None:
        """Return how many tokens a model can take, where its provider has told; it is asked in the background, once an hour."""
        return self._windows.window(owner, provider_id, model)

    def price(self, owner: str, provider: Provider, model: str) -> Price | None:
        """Return what a model costs: as the owner has entered it, else as its provider has told (see `listed_price`)."""
        return provider.prices.get(model) or self.listed_price(owner, provider.id, model)

    def listed_price(self, owner: str, provider_id: str, model: str) -> Price | None:
        """Return what a model costs by its provider's list, as `window` does."""
        return self._windows.price(owner, provider_id, model)

    async def models(self, owner: str, provider_id: str) -> tuple[ModelInfo, ...]:
        """Return what the provider serves. Raises NotFound, ProviderError."""
        return await (await self.get(owner, provider_id)).list_models()

    async def check(self, owner: str, provider_id: str) -> Check:
        """Try the provider out, and its default model if it has one: that is asked for a word. Raises NotFound."""
        endpoint = await self.get(owner, provider_id)
        provider = await self._store.get(owner, provider_id)
        check = await endpoint.check()
        if provider.default_model and provider.format not in _UNTRIED and (check.ok or isinstance(check, Unlisted)):
            return await try_model(endpoint, provider.default_model, check)
        return check

    def preset(self, preset_id: str) -> Preset:
        """Return a preset. Raises InvalidRequest."""
        for preset in self.presets:
            if preset.id == preset_id:
                return preset
        known = ", ".join(preset.id for preset in self.presets)
        raise InvalidRequest(f"must be one of {known}", field="preset")

    async def find_default(self, owner: str, provider_id: str, preset: Preset) -> Choice:
        """Choose a default model for a provider among those that it serves; it is given its time, not more."""
        return await find_default(lambda: self.models(owner, provider_id), preset)

    async def resolve(self, owner: str, provider_id: str | None) -> Provider:
        """Return the provider of this id, or the default. Raises InvalidRequest if there is none."""
        if provider_id is None:
            provider = await self._store.default(owner)
            if provider is None:
                raise InvalidRequest("There is no provider yet: add one, or name one.", field="provider_id")
            return provider
        try:
            return await self._store.get(owner, provider_id)
        except NotFound:
            raise InvalidRequest("There is no provider with this id.", field="provider_id") from None

    def forget(self, provider_id: str) -> None:
        """Make the endpoint again at its next use: the provider has changed."""
        self._changes += 1
        self._windows.forget(provider_id)
        self._made = {key: endpoint for key, endpoint in self._made.items() if key[1] != provider_id}

    async def close(self) -> None:
        """Ask no provider any more."""
        await self._windows.close()

    def forget_all(self) -> None:
        """Make all endpoints again at their next use."""
        self._changes += 1
        self._made.clear()
