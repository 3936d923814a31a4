"""Providers: listed and tried by anyone here, changed by who has the owner's secret."""

from typing import Any

from fastapi import APIRouter, Depends
from msgspec import UNSET, UnsetType
from msgspec.structs import replace
from starlette.responses import Response

from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check
from luxx.core.presets import Preset
from luxx.core.prices import Price
from luxx.http import bodies
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface, owner_only
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import (
    ModelList,
    NewProviderView,
    PresetList,
    ProviderList,
    ProviderView,
    new_provider_view,
    preset_view,
    provider_view,
)
from luxx.store.records import NewProvider, Provider, ProviderChange

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/providers", tags=["providers"])
preset_router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/presets", tags=["providers"])

_ADDRESSED = frozenset({"openai"})
"""The formats whose providers need a base URL."""
_WITHOUT_ADDRESS = frozenset({"local", "scripted"})
"""The formats that have no address; the others have an official one, which a base URL replaces."""
_FALLBACK = "local"
"""The format that stands in while nothing else is set up, and gives way to the first provider that can answer."""
_SECRET: dict[str, Any] = {"security": [{"ownerSecret": []}]}


@router.get("", responses=answers(200, ProviderList, "All providers, oldest first."))
async def list_all(luxx: Luxx, owner: Caller) -> Response:
    """List providers; keys are never given back."""
    found = await luxx.parts.store.providers.list(owner)
    return reply(ProviderList(tuple(map(provider_view, found))))


@router.post(
    "",
    status_code=201,
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(201, NewProviderView, "The provider."),
)
async def create(body: bodies.NewProvider, luxx: Luxx, owner: Caller) -> Response:
    """Add a provider. With a preset but no default model, it is asked for its models to choose one. Needs the owner's secret."""
    preset = luxx.parts.endpoints.preset(body.preset) if body.preset else None
    new = _new_provider(body, preset)
    if new.format not in luxx.parts.endpoints.formats:
        known = ", ".join(luxx.parts.endpoints.formats)
        raise InvalidRequest(f"must be one of {known}", field="format")
    _check_address(new.format, new.base_url, preset)
    is_default = body.is_default
    if is_default is None:
        is_default = body.default_model is not None and await _gives_way(luxx, owner)
    made = await luxx.parts.store.providers.create(owner, replace(new, is_default=is_default))
    notice = None
    if preset and not made.default_model:
        made, notice = await _with_default_model(luxx, made, body, owner, preset)
    return reply(new_provider_view(made, notice), 201, {"Location": f"/api/providers/{made.id}"})


@router.get("/{provider_id}", responses=answers(200, ProviderView, "The provider."))
async def get(provider_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Get a provider."""
    return reply(provider_view(await luxx.parts.store.providers.get(owner, provider_id)))


@router.patch(
    "/{provider_id}",
    dependencies=[Depends(owner_only)],
    openapi_extra=_SECRET,
    responses=answers(200, ProviderView, "The provider as it is now."),
)
async def change(provider_id: IdInPath, body: bodies.ChangeProvider, luxx: Luxx, owner: Caller) -> Response:
    """Change the fields that are sent; a new base URL deletes the key unless a new one comes with it. Needs the owner's secret."""
    providers = luxx.parts.store.providers
    before = await providers.get(owner, provider_id)
    if "base_url" in body.model_fields_set:
        presets = luxx.parts.endpoints.presets
        preset = next((preset for preset in presets if preset.id == before.preset), None)
        _check_address(before.format, body.base_url, preset)
    after = await providers.change(
        owner,
        provider_id,
        ProviderChange(
            name=_required(body, "name", body.name),
            base_url=body.given("base_url", body.base_url),
            api_key=body.given("api_key", body.api_key),
            default_model=body.given("default_model", body.default_model),
            is_default=await _is_default(luxx, body, owner, before),
            fallback_id=body.given("fallback_id", body.fallback_id),
            prices=_prices(body, before),
        ),
    )
    luxx.parts.supervisor.provider_changed(provider_id)
    return reply(provider_view(after))


@router.delete("/{provider_id}", status_code=204, dependencies=[Depends(owner_only)], openapi_extra=_SECRET)
async def delete(provider_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Delete a provider with its key. Needs the owner's secret."""
    await luxx.parts.store.providers.delete(owner, provider_id)
    luxx.parts.supervisor.provider_changed(provider_id)
    return nothing()


@router.get("/{provider_id}/models", responses=answers(200, ModelList, "What the provider serves."))
async def models(provider_id: IdInPath, luxx: Luxx, owner: Caller) -> Response:
    """Ask the provider which models it serves."""
    return reply(ModelList(await luxx.parts.endpoints.models(owner, provider_id)))


@router.post("/{provider_id}/test", responses=answers(200, Check, "What the try found."))
async def try_out(provider_id: IdInPath, luxx: Luxx, owner: Caller, body: bodies.Nothing | None = None) -> Response:
    """Try the provider's address and key. The key goes to the stored address only, so no secret is needed."""
    return reply(await luxx.parts.endpoints.check(owner, provider_id))


@preset_router.get("", responses=answers(200, PresetList, "All presets."))
async def list_presets(luxx: Luxx) -> Response:
    """List the providers that are known by name: one of these and a key are enough to add a provider."""
    return reply(PresetList(tuple(map(preset_view, luxx.parts.endpoints.presets))))


def _new_provider(body: bodies.NewProvider, preset: Preset | None) -> NewProvider:
    """Return what to store: what the body says, else what the preset does. Raises InvalidRequest."""
    name = body.name or (preset and preset.name)
    format_name = body.format or (preset and preset.format)
    if not name:
        raise InvalidRequest("is required without a preset", field="name")
    if not format_name:
        raise InvalidRequest("is required without a preset", field="format")
    if preset and preset.key == "needed" and not body.api_key:
        raise InvalidRequest(f"is required by {preset.name}: get a key at {preset.key_url}", field="api_key")
    return NewProvider(
        name=name,
        format=format_name,
        base_url=body.base_url or (preset.base_url if preset else None),
        api_key=body.api_key,
        default_model=body.default_model,
        preset=preset.id if preset else None,
        fallback_id=body.fallback_id,
        prices={model: told.price() for model, told in (body.prices or {}).items()},
    )


async def _with_default_model(
    luxx: Surface, made: Provider, body: bodies.NewProvider, owner: str, preset: Preset
) -> tuple[Provider, str | None]:
    """Give a new provider a default model; else say why it has none."""
    choice = await luxx.parts.endpoints.find_default(owner, made.id, preset)
    if choice.model is None:
        return made, choice.notice
    becomes = body.is_default is None and await _gives_way(luxx, owner)
    found = ProviderChange(default_model=choice.model, is_default=becomes or UNSET)
    made = await luxx.parts.store.providers.change(owner, made.id, found)
    luxx.parts.supervisor.provider_changed(made.id)
    return made, None


def _check_address(format_name: str, base_url: str | None, preset: Preset | None) -> None:
    needed = format_name in _ADDRESSED or (preset is not None and preset.base_url is None)
    if needed and base_url is None:
        asker = preset.name if preset else f"the format {format_name}"
        hint = f": {preset.hint}" if preset and preset.hint else ""
        raise InvalidRequest(f"is required for {asker}{hint}", field="base_url")
    if format_name in _WITHOUT_ADDRESS and base_url is not None:
        raise InvalidRequest(f"is not used by the format {format_name}", field="base_url")


def _prices(body: bodies.ChangeProvider, before: Provider) -> dict[str, Price | None] | UnsetType:
    if "prices" not in body.model_fields_set:
        return UNSET
    if body.prices is None:
        return dict.fromkeys(before.prices)
    return {model: told.price() if told else None for model, told in body.prices.items()}


def _required(body: bodies.ChangeProvider, name: str, value: bodies.T | None) -> bodies.T | UnsetType:
    """Return the value of a field that was sent, else UNSET. Raises InvalidRequest for null."""
    if name not in body.model_fields_set:
        return UNSET
    if value is None:
        raise InvalidRequest("cannot be cleared", field=name)
    return value


async def _is_default(luxx: Surface, body: bodies.ChangeProvider, owner: str, before: Provider) -> bool | UnsetType:
    """Return whether a provider becomes the default: what was sent, else as a new one does with its first model."""
    first_model = before.default_model is None and body.default_model is not None
    if first_model and "is_default" not in body.model_fields_set and await _gives_way(luxx, owner):
        return True
    return _required(body, "is_default", body.is_default)


async def _gives_way(luxx: Surface, owner: str) -> bool:
    """Whether there is no default that a person set up and that has a model to answer with."""
    default = await luxx.parts.store.providers.default(owner)
    return default is None or default.format == _FALLBACK or default.default_model is None
