"""Providers: listed and tried by anyone here, changed by who has the owner's secret."""

from typing import Any

from fastapi import APIRouter, Depends
from msgspec import UNSET, UnsetType
from starlette.responses import Response

from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check
from luxx.http import bodies
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface, owner_only
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, nothing, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import ModelList, ProviderList, ProviderView, provider_view
from luxx.store.records import NewProvider, ProviderChange

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api/providers", tags=["providers"])

_ADDRESSED = frozenset({"openai"})
"""The formats whose providers need a base URL; the others have no address."""
_FALLBACK = "local"
"""The format that stands in while nothing else is set up, and gives way to the first provider that a person adds."""
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
    responses=answers(201, ProviderView, "The provider."),
)
async def create(body: bodies.NewProvider, luxx: Luxx, owner: Caller) -> Response:
    """Add a provider. Needs the owner's secret."""
    if body.format not in luxx.parts.endpoints.formats:
        known = ", ".join(luxx.parts.endpoints.formats)
        raise InvalidRequest(f"must be one of {known}", field="format")
    _check_address(body.format, body.base_url)
    is_default = await _becomes_default(luxx, owner) if body.is_default is None else body.is_default
    new = NewProvider(
        name=body.name,
        format=body.format,
        base_url=body.base_url,
        api_key=body.api_key,
        default_model=body.default_model,
        is_default=is_default,
    )
    made = await luxx.parts.store.providers.create(owner, new)
    return reply(provider_view(made), 201, {"Location": f"/api/providers/{made.id}"})


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
        _check_address(before.format, body.base_url)
    after = await providers.change(
        owner,
        provider_id,
        ProviderChange(
            name=_required(body, "name", body.name),
            base_url=body.given("base_url", body.base_url),
            api_key=body.given("api_key", body.api_key),
            default_model=body.given("default_model", body.default_model),
            is_default=_required(body, "is_default", body.is_default),
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


def _check_address(format_name: str, base_url: str | None) -> None:
    if format_name in _ADDRESSED and base_url is None:
        raise InvalidRequest(f"is required for the format {format_name}", field="base_url")
    if format_name not in _ADDRESSED and base_url is not None:
        raise InvalidRequest(f"is not used by the format {format_name}", field="base_url")


def _required(body: bodies.ChangeProvider, name: str, value: bodies.T | None) -> bodies.T | UnsetType:
    """Return the value of a field that was sent, else UNSET. Raises InvalidRequest for null."""
    if name not in body.model_fields_set:
        return UNSET
    if value is None:
        raise InvalidRequest("cannot be cleared", field=name)
    return value


async def _becomes_default(luxx: Surface, owner: str) -> bool:
    """Whether a new provider that does not say so is the default: if none is, or only the embedded model."""
    default = await luxx.parts.store.providers.default(owner)
    return default is None or default.format == _FALLBACK
