"""OpenAPI bodies: what may be said of a web service, and how services are shown; secrets go in and never come out."""

from typing import Annotated

import msgspec
from msgspec import UNSET
from pydantic import AfterValidator, Field, StringConstraints

from luxx.core.errors import InvalidRequest
from luxx.core.openapi import DocumentSource, Offer, OfferChange, OfferedOperation
from luxx.core.tool_servers import OpenApiTarget, ToolServer, ToolServerChange
from luxx.http.bodies import BaseUrl, Body, FreeText, ProviderName
from luxx.http.mcp_bodies import Endpoint, Secret, checked_headers

_QUERY = "query:"
_MOST_SECRETS = 100
_NAME_CHARS = 128
_DOCUMENT_CHARS = 2_000_000


def _secrets(value: dict[str, str]) -> dict[str, str]:
    checked_headers({name: text for name, text in value.items() if not name.startswith(_QUERY)})
    for name, text in value.items():
        if name.startswith(_QUERY) and not (_is_word(name.removeprefix(_QUERY)) and text and text.isprintable()):
            raise ValueError(f"{name[:50]!r} is not a part of the query that can be set")
    return value


def _is_word(name: str) -> bool:
    return 0 < len(name) <= _NAME_CHARS and name.isascii() and name.isprintable() and " " not in name


Secrets = Annotated[dict[str, Secret], Field(max_length=_MOST_SECRETS), AfterValidator(_secrets)]
Document = Annotated[FreeText, StringConstraints(min_length=1, max_length=_DOCUMENT_CHARS)]


class NewOpenApiServer(Body):
    """A web service to add: by the `url` of its OpenAPI document, or by the `document` itself, a text in JSON or YAML.

    `base_url` is where the service is, if the document is not to say it. `secrets` are headers, and parts of the query under ``query:NAME``.
    """

    name: ProviderName
    url: Endpoint | None = None
    document: Document | None = Field(None, repr=False)
    base_url: BaseUrl | None = None
    secrets: Secrets = Field(default_factory=dict, repr=False)
    trusted: bool = False
    enabled: bool = True

    def source(self) -> DocumentSource:
        """Return what the person gives. Raises InvalidRequest if it is not the one or the other."""
        if (self.url is None) == (self.document is None):
            raise InvalidRequest("is required, or else a document", field="url")
        return DocumentSource(url=self.url or "", document=self.document or "", base_url=self.base_url or "")


class ChangeOpenApiServer(Body):
    """The fields to change; `secrets` replaces all that there were."""

    name: ProviderName | None = None
    base_url: BaseUrl | None = None
    secrets: Secrets | None = Field(None, repr=False)
    trusted: bool | None = None
    enabled: bool | None = None

    def change(self, target: OpenApiTarget) -> ToolServerChange:
        """Return the change to a service. Raises InvalidRequest for what cannot be cleared."""
        for name in ("name", "base_url", "trusted", "enabled"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise InvalidRequest("cannot be cleared", field=name)
        return ToolServerChange(
            name=self.name or UNSET,
            target=msgspec.structs.replace(target, base_url=self.base_url, named=True) if self.base_url else UNSET,
            secrets=(self.secrets or {}) if "secrets" in self.model_fields_set else UNSET,
            trusted=UNSET if self.trusted is None else self.trusted,
            enabled=UNSET if self.enabled is None else self.enabled,
        )


class RefreshOpenApiServer(Body):
    """The document as it is now, if it is not to be fetched."""

    document: Document | None = Field(None, repr=False)


class OpenApiServerView(msgspec.Struct, frozen=True, kw_only=True):
    """A web service; `url` is where its document lies, if it was fetched. `named` says that a person gave the `base_url`."""

    id: str
    name: str
    url: str | None
    base_url: str
    named: bool
    has_secrets: bool
    trusted: bool
    enabled: bool
    created_at: str


class OpenApiServerDetail(OpenApiServerView, frozen=True, kw_only=True):
    """A web service with what its document offers; `secrets` names those that there are."""

    secrets: tuple[str, ...]
    title: str
    operations: tuple[OfferedOperation, ...]
    left_out: tuple[str, ...]


class OpenApiServerList(msgspec.Struct, frozen=True):
    """All web services, oldest first."""

    items: tuple[OpenApiServerView, ...]


class OpenApiServerRefreshed(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about a document that was read again; `moved` says that it names another origin, which gets neither the
    secrets nor the trust.
    """

    change: OfferChange
    moved: bool
    server: OpenApiServerDetail


def openapi_server_view(server: ToolServer, target: OpenApiTarget) -> OpenApiServerView:
    """Show a service."""
    return OpenApiServerView(
        id=server.id,
        name=server.name,
        url=target.url or None,
        base_url=target.base_url,
        named=target.named,
        has_secrets=bool(server.secrets_tag),
        trusted=server.trusted,
        enabled=server.enabled,
        created_at=server.created_at,
    )


def openapi_server_detail(
    server: ToolServer, target: OpenApiTarget, offer: Offer, secrets: tuple[str, ...]
) -> OpenApiServerDetail:
    """Show a service with what its document offers."""
    return OpenApiServerDetail(
        **msgspec.structs.asdict(openapi_server_view(server, target)),
        secrets=secrets,
        title=offer.title,
        operations=offer.operations,
        left_out=offer.left_out,
    )
