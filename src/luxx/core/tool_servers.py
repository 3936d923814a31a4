"""Tool servers: where tools come from that are not Luxx's own, as people set them up and as the store keeps them."""

import hashlib
from collections.abc import Callable
from typing import Literal, Protocol
from urllib.parse import urlsplit

import msgspec

from luxx.core.ports import Check

Kind = Literal["stdio", "http", "openapi"]

_MARK_CHARS = 32


LOGIN_PREFIX = "oauth:"
"""What the names of those secrets begin with that a log-in leaves or needs; the others are variables or headers."""

LOGIN_CLIENT = LOGIN_PREFIX + "client"
"""The secret that says as which client Luxx is known where it logs in: the JSON of RFC 7591."""


class StdioTarget(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="stdio"):
    """An MCP server that is a program on the server's machine; `cwd` is the folder that it starts in."""

    command: str
    args: tuple[str, ...] = ()
    cwd: str | None = None


class HttpTarget(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="http"):
    """An MCP server behind an address, over streamable HTTP."""

    url: str


class OpenApiTarget(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="openapi"):
    """An API that an OpenAPI document describes; `document` is its JSON text, `base_url` where the API is.

    `url` is where the document lies, empty for one that a person brought as a text; `named` says that a person gave the `base_url`,
    not the document.
    """

    base_url: str
    document: str
    url: str = ""
    named: bool = False


Target = StdioTarget | HttpTarget | OpenApiTarget


def kind_of(target: Target) -> Kind:
    """Return the target's kind."""
    match target:
        case StdioTarget():
            return "stdio"
        case HttpTarget():
            return "http"
        case OpenApiTarget():
            return "openapi"


def origin_of(target: Target) -> tuple[str, ...]:
    """Return whom one deals with there: what was given to one origin, secrets and trust, is not for another.

    For an address that is scheme, host and port; for a program it is the program with all its arguments and its folder.
    """
    match target:
        case StdioTarget():
            return ("stdio", target.command, *target.args, target.cwd or "")
        case HttpTarget(url=address) | OpenApiTarget(base_url=address):
            url = urlsplit(address)
            return ("net", url.scheme.lower(), url.netloc.lower())


def mark_of(server: "ToolServer") -> str:
    """Return a mark of what a server is and where, which another one does not have."""
    return hashlib.sha256(msgspec.json.encode((server.id, server.target))).hexdigest()[:_MARK_CHARS]


class ToolServer(msgspec.Struct, frozen=True, kw_only=True):
    """A tool server without its secrets; `secrets_tag` changes with them and is empty where there are none.

    `tools` is what it offered when it was last asked, in the form of whoever asks it, or None if it never was.
    """

    id: str
    name: str
    target: Target
    trusted: bool
    enabled: bool
    created_at: str
    secrets_tag: str = ""
    tools: bytes | None = None

    @property
    def kind(self) -> Kind:
        """The kind of its target."""
        return kind_of(self.target)


class NewToolServer(msgspec.Struct, frozen=True, kw_only=True):
    """A tool server to store; `secrets` (environment of a program, headers for an address) are encrypted before they are written."""

    name: str
    target: Target
    secrets: dict[str, str] = {}
    trusted: bool = False
    enabled: bool = True


class ToolServerChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields to change. A new target forgets the tools; one of another origin also the secrets and the trust, unless they come along."""

    name: str | msgspec.UnsetType = msgspec.UNSET
    target: Target | msgspec.UnsetType = msgspec.UNSET
    secrets: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    trusted: bool | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET


SecretsChange = Callable[[dict[str, str]], dict[str, str] | None]


class ToolServerStore(Protocol):
    """The tool servers of people, and their secrets. All methods may raise StorageError."""

    async def create(self, owner: str, new: NewToolServer) -> ToolServer:
        """Store a tool server. Raises InvalidRequest for a name that is taken."""
        ...

    async def get(self, owner: str, server_id: str) -> ToolServer:
        """Return a tool server. Raises NotFound."""
        ...

    async def list(self, owner: str) -> tuple[ToolServer, ...]:
        """Return all tool servers, oldest first."""
        ...

    async def change(self, owner: str, server_id: str, change: ToolServerChange) -> ToolServer:
        """Change fields. Raises NotFound, InvalidRequest."""
        ...

    async def delete(self, owner: str, server_id: str) -> None:
        """Delete, with the secrets. Raises NotFound."""
        ...

    async def credentials(self, owner: str, server_id: str) -> tuple[ToolServer, dict[str, str]]:
        """Return a tool server with its decrypted secrets, of one moment. Raises NotFound, ConfigurationError if the secret key does not fit."""
        ...

    async def change_secrets(self, owner: str, server: ToolServer, change: SecretsChange) -> bool:
        """Keep what `change` makes of the secrets as they are at that moment; tell whether anything was kept.

        Nothing is if it returns None, or if the server is another one by now (not the same target). It is called in a thread, and may
        be called more than once. Raises ConfigurationError.
        """
        ...

    async def set_tools(self, owner: str, server: ToolServer, tools: bytes) -> bool:
        """Keep what a tool server offers; tell whether it is still the one that was asked (the same target)."""
        ...


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """What this process knows of an MCP server. `log` has the last lines that its program wrote to standard error.

    `state` is ``stopped`` when it is not in use, ``running``, or ``failed`` with the reason in `error`. `left_out` counts tools that
    were too many or not usable; `problems` say which, and what was loosened in others. `login_url` is a page on which the person has to log in first.
    """

    state: Literal["stopped", "running", "failed"] = "stopped"
    error: str | None = None
    login_url: str | None = None
    protocol: str | None = None
    title: str | None = None
    instructions: str | None = None
    tools: int | None = None
    left_out: int = 0
    problems: tuple[str, ...] = ()
    log: tuple[str, ...] = ()


class PromptArgument(msgspec.Struct, frozen=True, kw_only=True):
    """A blank of a prompt."""

    name: str
    description: str = ""
    required: bool = False


class PromptInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt that an MCP server offers for people to use."""

    name: str
    title: str = ""
    description: str = ""
    arguments: tuple[PromptArgument, ...] = ()


class PromptMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a filled-in prompt; what is no text is named in brackets."""

    role: Literal["user", "assistant"]
    text: str


class ToolServerHost(Protocol):
    """Who deals with MCP servers on this node, as the API needs it."""

    def state(self, server: ToolServer) -> ServerState:
        """Return what is known of a server, without asking it."""
        ...

    def changed(self, owner: str, server_id: str) -> None:
        """Take note that a server was added, changed or deleted: what runs for its old form is stopped, and its tools are listed
        in the background.
        """
        ...

    async def check(self, owner: str, server_id: str) -> Check:
        """Connect to a server, list its tools, and say how it went. Raises NotFound, StorageError."""
        ...

    async def logged_in(self, owner: str, state: str, code: str, issuer: str | None) -> bool:
        """Take what a browser brought back from a log-in page; tell whether any node waits for it. Raises StorageError."""
        ...

    async def prompts(self, owner: str, server_id: str) -> tuple[PromptInfo, ...]:
        """Return the prompts that a server offers. Raises NotFound, ToolServerFailed."""
        ...

    async def prompt(
        self, owner: str, server_id: str, name: str, arguments: dict[str, str]
    ) -> tuple[PromptMessage, ...]:
        """Return a prompt with its blanks filled in. Raises NotFound, ToolServerFailed."""
        ...
