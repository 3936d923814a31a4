"""The client: one method for each route of the API."""

import re
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Self

import msgspec

from luxx.client.archive import Archive
from luxx.client.follow import Follower, OnWait
from luxx.client.mcp_servers import McpServers
from luxx.client.openapi_servers import OpenApiServers
from luxx.client.patience import Retry
from luxx.client.records import (
    Conversation,
    ConversationFields,
    ConversationPage,
    Health,
    Limits,
    MessagePage,
    OpenApproval,
    Overrides,
    Preset,
    Provider,
    ProviderFields,
    StartedTurn,
    Turn,
)
from luxx.client.transport import Transport
from luxx.core.errors import InvalidRequest
from luxx.core.events import LogEntry
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.ports import Check, ModelInfo, ToolInfo
from luxx.core.rules import ToolRule

_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class _Providers(msgspec.Struct, frozen=True):
    items: tuple[Provider, ...]


class _Presets(msgspec.Struct, frozen=True):
    items: tuple[Preset, ...]


class _Models(msgspec.Struct, frozen=True):
    items: tuple[ModelInfo, ...]


class _Files(msgspec.Struct, frozen=True):
    items: tuple[FileRef, ...]


class _Tools(msgspec.Struct, frozen=True):
    items: tuple[ToolInfo, ...]


class _Approvals(msgspec.Struct, frozen=True):
    items: tuple[OpenApproval, ...]


class _Rules(msgspec.Struct, frozen=True):
    items: tuple[ToolRule, ...]


class Client:
    """A connection to one server; use it as an async context manager.

    `token` is the owner's secret, which only changes of providers need. Requests that may be repeated are repeated when the
    server goes away in the middle, for as long as `retry` says. All methods raise ClientError: ApiError for a refusal,
    Unreachable, ProtocolError; and InvalidRequest for an id that cannot be one.
    """

    def __init__(self, base_url: str, token: str | None = None, retry: Retry | None = None) -> None:
        self._transport = Transport(base_url, token, retry or Retry())
        self.mcp_servers = McpServers(self._transport)
        self.archive = Archive(self._transport)
        self.openapi_servers = OpenApiServers(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    @property
    def changed(self) -> bool:
        """Whether a call was sent that may have changed something."""
        return self._transport.changed

    async def close(self) -> None:
        """Close the connections; the turns go on."""
        await self._transport.close()

    # conversations

    async def create_conversation(
        self, fields: ConversationFields | None = None, *, client_request_id: str | None = None
    ) -> Conversation:
        """Make a conversation, once however often the request has to be repeated."""
        body = _repeatable((fields or ConversationFields()).body(), client_request_id)
        return await self._transport.call("POST", "api/conversations", Conversation, body=body)

    async def list_conversations(
        self, limit: int = 50, cursor: str | None = None, query: str | None = None
    ) -> ConversationPage:
        """Return a page of conversations, newest activity first; `query` looks in titles and texts."""
        params = _params(limit=str(limit), cursor=cursor, q=query)
        return await self._transport.call("GET", "api/conversations", ConversationPage, params=params)

    async def conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation."""
        return await self._transport.call("GET", f"api/conversations/{_id(conversation_id)}", Conversation)

    async def change_conversation(self, conversation_id: str, fields: ConversationFields) -> Conversation:
        """Change the fields that are set."""
        path = f"api/conversations/{_id(conversation_id)}"
        return await self._transport.call("PATCH", path, Conversation, body=fields.body())

    async def delete_conversation(self, conversation_id: str) -> None:
        """Delete a conversation; its turns are stopped."""
        await self._delete(f"api/conversations/{_id(conversation_id)}")

    async def messages(
        self, conversation_id: str, *, leaf: str | None = None, before: str | None = None, limit: int = 50
    ) -> MessagePage:
        """Return the last `limit` messages of the branch that ends in `leaf`, or of what is before the message `before`."""
        params = _params(limit=str(limit), leaf=leaf, before=before)
        return await self._transport.call(
            "GET", f"api/conversations/{_id(conversation_id)}/messages", MessagePage, params=params
        )

    # turns

    async def post_message(
        self,
        conversation_id: str,
        text: str,
        overrides: Overrides | None = None,
        *,
        attachments: Sequence[str] = (),
        parent_id: str | msgspec.UnsetType | None = msgspec.UNSET,
        queue: bool = False,
        client_request_id: str | None = None,
    ) -> "TurnHandle":
        """Send a message and start its answer, once however often the request has to be repeated.

        `attachments` are ids of files, which may stand alone. `parent_id` UNSET is the end of the branch shown, None a new
        root. If the parent is an answer in progress, the turn waits for it with `queue`, else ApiError ``turn_running`` is
        raised.
        """
        body: dict[str, Any] = {"text": text, **(overrides or Overrides()).body()}
        if attachments:
            body["attachments"] = list(attachments)
        if parent_id is not msgspec.UNSET:
            body["parent_id"] = parent_id
        if queue:
            body["on_busy"] = "queue"
        return await self._start(f"api/conversations/{_id(conversation_id)}/messages", body, client_request_id)

    async def regenerate(
        self, message_id: str, overrides: Overrides | None = None, *, client_request_id: str | None = None
    ) -> "TurnHandle":
        """Make another answer beside this one."""
        body = (overrides or Overrides()).body()
        return await self._start(f"api/messages/{_id(message_id)}/regenerate", body, client_request_id)

    async def continue_message(
        self, message_id: str, overrides: Overrides | None = None, *, client_request_id: str | None = None
    ) -> "TurnHandle":
        """Go on where a cut answer ended."""
        body = (overrides or Overrides()).body()
        return await self._start(f"api/messages/{_id(message_id)}/continue", body, client_request_id)

    async def turn(self, turn_id: str) -> Turn:
        """Return a turn."""
        return await self._transport.call("GET", f"api/turns/{_id(turn_id)}", Turn)

    async def cancel(self, turn_id: str) -> Turn:
        """Stop a turn; one that has ended stays as it is."""
        return await self._transport.call("POST", f"api/turns/{_id(turn_id)}/cancel", Turn, body={})

    async def decide(
        self,
        turn_id: str,
        index: int,
        approve: bool,
        *,
        arguments: dict[str, Any] | None = None,
        always: bool = False,
    ) -> Turn:
        """Allow a call or refuse it, or answer a tool's question; the first decision stands, the same again changes nothing.

        `arguments` replace those of the model; with `always` the tool runs without asking in this conversation.
        """
        body: dict[str, Any] = {"approve": approve, "always": always}
        if arguments is not None:
            body["arguments"] = arguments
        return await self._transport.call("POST", f"api/turns/{_id(turn_id)}/approvals/{index}", Turn, body=body)

    async def cancel_call(self, turn_id: str, index: int) -> Turn:
        """Stop one tool that is running; the turn goes on."""
        return await self._transport.call("POST", f"api/turns/{_id(turn_id)}/calls/{index}/cancel", Turn, body={})

    async def approvals(self) -> tuple[OpenApproval, ...]:
        """Return all that waits for a decision, oldest first."""
        return (await self._transport.call("GET", "api/approvals", _Approvals)).items

    async def rules(self) -> tuple[ToolRule, ...]:
        """Return your rules on tools."""
        return (await self._transport.call("GET", "api/rules", _Rules)).items

    async def set_rules(self, rules: Sequence[ToolRule]) -> tuple[ToolRule, ...]:
        """Replace your rules on tools."""
        body = {"items": msgspec.to_builtins(rules)}
        return (await self._transport.call("PUT", "api/rules", _Rules, body=body)).items

    def follow(self, turn_id: str, after: int = 0, on_wait: OnWait | None = None) -> AsyncGenerator[LogEntry]:
        """Yield a turn's log after the seq `after`, each entry once and in order, up to its end.

        It reads on through cut connections and restarts of the server; `on_wait` is told of each. Close it (aclosing) if
        you leave before the end.
        """
        return Follower(self._transport, f"api/turns/{_id(turn_id)}/events", after, on_wait).entries()

    # files

    async def limits(self) -> Limits:
        """Return what a message and its files may have."""
        return await self._transport.call("GET", "api/limits", Limits)

    async def upload_file(self, name: str, data: bytes) -> FileRef:
        """Upload a file, to be named in the attachments of a message within a day; its type is found by its content."""
        return await self._transport.upload("api/files", FileRef, data, {"name": name})

    async def files(self, conversation_id: str) -> tuple[FileRef, ...]:
        """Return a conversation's files, oldest first."""
        path = f"api/conversations/{_id(conversation_id)}/files"
        return (await self._transport.call("GET", path, _Files)).items

    async def file(self, file_id: str) -> FileRef:
        """Return what is known of a file."""
        return await self._transport.call("GET", f"api/files/{_id(file_id)}", FileRef)

    async def file_content(self, file_id: str) -> bytes:
        """Return a file's content."""
        return await self._transport.fetch(f"api/files/{_id(file_id)}/content")

    async def delete_file(self, file_id: str) -> None:
        """Delete a file that was uploaded and not sent."""
        await self._delete(f"api/files/{_id(file_id)}")

    # providers

    async def providers(self) -> tuple[Provider, ...]:
        """Return all providers, oldest first."""
        return (await self._transport.call("GET", "api/providers", _Providers)).items

    async def presets(self) -> tuple[Preset, ...]:
        """Return the providers that are known by name."""
        return (await self._transport.call("GET", "api/presets", _Presets)).items

    async def create_provider(self, fields: ProviderFields) -> Provider:
        """Store a provider. The request is not repeated if its answer is lost."""
        return await self._transport.call("POST", "api/providers", Provider, body=fields.body(), repeat=False)

    async def change_provider(self, provider_id: str, fields: ProviderFields) -> Provider:
        """Change the fields that are set."""
        return await self._transport.call("PATCH", f"api/providers/{_id(provider_id)}", Provider, body=fields.body())

    async def delete_provider(self, provider_id: str) -> None:
        """Delete a provider with its key."""
        await self._delete(f"api/providers/{_id(provider_id)}")

    async def models(self, provider_id: str) -> tuple[ModelInfo, ...]:
        """Return the models that a provider serves."""
        return (await self._transport.call("GET", f"api/providers/{_id(provider_id)}/models", _Models)).items

    async def test_provider(self, provider_id: str) -> Check:
        """Let the server try a provider's address and key."""
        return await self._transport.call("POST", f"api/providers/{_id(provider_id)}/test", Check, body={})

    # the rest

    async def tools(self) -> tuple[ToolInfo, ...]:
        """Return the tools that turns may use."""
        return (await self._transport.call("GET", "api/tools", _Tools)).items

    async def health(self) -> Health:
        """Return what the server says about itself."""
        return await self._transport.call("GET", "api/health", Health)

    async def ready(self) -> None:
        """Return if the server takes turns now; else raises ApiError, such as ``starting`` and ``draining``."""
        await self._transport.call("GET", "api/ready", type(None))

    async def _start(self, path: str, body: dict[str, Any], client_request_id: str | None) -> "TurnHandle":
        started = await self._transport.call("POST", path, StartedTurn, body=_repeatable(body, client_request_id))
        return TurnHandle(self, started)

    async def _delete(self, path: str) -> None:
        await self._transport.call("DELETE", path, type(None), repeat=False)


class TurnHandle:
    """A turn that this client started."""

    def __init__(self, client: Client, started: StartedTurn) -> None:
        self.started = started
        self._client = client

    @property
    def turn_id(self) -> str:
        """The turn's id."""
        return self.started.turn_id

    def follow(self, after: int = 0, on_wait: OnWait | None = None) -> AsyncGenerator[LogEntry]:
        """Yield its log; see Client.follow."""
        return self._client.follow(self.turn_id, after, on_wait)

    async def cancel(self) -> Turn:
        """Stop it."""
        return await self._client.cancel(self.turn_id)


def _repeatable(body: dict[str, Any], client_request_id: str | None) -> dict[str, Any]:
    return {**body, "client_request_id": client_request_id or new_id()}


def _params(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value is not None}


def _id(value: str) -> str:
    """Return an id that is safe in a path. Raises InvalidRequest."""
    if not _ID.fullmatch(value):
        raise InvalidRequest(f"{value!r} is not an id")
    return value
