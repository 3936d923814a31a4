"""Lookup: what a person names on the command line, as the server knows it."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from luxx.client import Client, Conversation, Provider
from luxx.core.errors import NotFound

LAST = "last"


class Named(Protocol):
    """What has an id and a name."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=Named)


def named(found: Sequence[T], wanted: str, what: str) -> T:
    """Return the one of that name or id. Raises NotFound, which lists the names; `what` says of what."""
    for one in found:
        if wanted in (one.id, one.name):
            return one
    names = ", ".join(one.name for one in found) or "none"
    raise NotFound(f"There is no {what} {wanted!r}; there are: {names}")


async def provider_named(client: Client, wanted: str) -> Provider:
    """Return a provider given by its name or id. Raises NotFound, which lists the names."""
    return named(await client.providers(), wanted, "provider")


async def conversation_named(client: Client, wanted: str) -> Conversation:
    """Return a conversation given by its id, or ``last``: the one with the newest activity. Raises NotFound."""
    if wanted != LAST:
        return await client.conversation(wanted)
    latest = (await client.list_conversations(limit=1)).items
    if not latest:
        raise NotFound("There is no conversation yet.")
    return await client.conversation(latest[0].id)
