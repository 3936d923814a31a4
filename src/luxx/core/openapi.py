"""OpenAPI: web services that people bring by their documents, as the API deals with them."""

from typing import Literal, Protocol

import msgspec

from luxx.core.prompts import Effect
from luxx.core.tool_servers import HttpTarget, OpenApiTarget, ToolServer, origin_of


class DocumentSource(msgspec.Struct, frozen=True, kw_only=True):
    """What a person gives: either where the document lies, or its text; and where the service is, if the document is not to say it."""

    url: str = ""
    document: str = ""
    base_url: str = ""


class OfferedOperation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation that became a tool. `asks` says whether a person is asked before it runs."""

    tool: str
    method: str
    path: str
    description: str
    effect: Effect
    asks: Literal["always", "never", "depends"]


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a document offers. `left_out` says in words what could not become a tool, and why."""

    title: str = ""
    operations: tuple[OfferedOperation, ...] = ()
    left_out: tuple[str, ...] = ()


class OfferChange(msgspec.Struct, frozen=True, kw_only=True):
    """What is different about a document that was read again: the names of tools."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


class OpenApiHost(Protocol):
    """Who reads documents, as the API needs it."""

    async def take(self, owner: str, source: DocumentSource) -> OpenApiTarget:
        """Return what is to be stored of a document. Raises InvalidRequest with what is wrong with it."""
        ...

    async def take_again(
        self, owner: str, server: ToolServer, document: str | None
    ) -> tuple[OpenApiTarget, OfferChange]:
        """Return the document as it is now, where it lies or as the text given, and what is different.

        Raises InvalidRequest, and ToolServerFailed if it cannot be fetched.
        """
        ...

    async def offer(self, owner: str, server: ToolServer) -> Offer:
        """Return what a stored document offers. Raises NotFound, StorageError."""
        ...


def is_named(target: OpenApiTarget) -> bool:
    """Whether a person has named the origin of the service, so that secrets may go there: a document alone cannot ask for them."""
    return target.named or (bool(target.url) and origin_of(HttpTarget(url=target.url)) == origin_of(target))
