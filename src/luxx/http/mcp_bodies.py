"""MCP bodies: what may be said of an MCP server, and how servers are shown; secrets go in and never come out."""

import re
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from luxx.core.errors import InvalidRequest
from luxx.core.tool_servers import (
    LOGIN_CLIENT,
    HttpTarget,
    Kind,
    NewToolServer,
    PromptInfo,
    PromptMessage,
    ServerState,
    StdioTarget,
    Target,
    ToolServer,
    ToolServerChange,
)
from luxx.http.bodies import Body, ProviderName

_MOST_SECRETS = 100
_NETWORK = ("headers", "client_id", "client_secret")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")
_OWN_HEADERS = frozenset(
    {"host", "connection", "content-length", "content-type", "transfer-encoding", "accept", "accept-encoding"}
)


def _stripped(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


def _line(value: str) -> str:
    if "\0" in value:
        raise ValueError("must not hold U+0000")
    return value


def _endpoint(value: str) -> str:
    """Return the URL of a server as it was given. Raises ValueError."""
    try:
        url = urlsplit(value)
        port = url.port
    except ValueError:
        raise ValueError("is not a URL") from None
    if not value.isascii() or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in value):
        raise ValueError("must have no spaces, control characters or characters outside ASCII")
    if url.scheme not in ("http", "https") or not url.hostname or port == 0:
        raise ValueError("must be an address of the kind https://host/path")
    if "@" in url.netloc or url.fragment:
        raise ValueError("must have no user name, password or fragment: secrets go into headers")
    return value


def _environment(value: dict[str, str]) -> dict[str, str]:
    for name, text in value.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"{name[:50]!r} is not the name of a variable")
        _line(text)
    return value


def checked_headers(value: dict[str, str]) -> dict[str, str]:
    """Return headers that can be set. Raises ValueError."""
    for name, text in value.items():
        if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS or name.lower().startswith("mcp-"):
            raise ValueError(f"{name[:50]!r} is not a header that can be set")
        if not _HEADER_VALUE.fullmatch(text):
            raise ValueError(f"the value of {name} must be visible ASCII")
    return value


Word = Annotated[str, StringConstraints(max_length=4_000), AfterValidator(_line)]
Command = Annotated[Word, BeforeValidator(_stripped), StringConstraints(min_length=1)]
Arguments = Annotated[list[Word], Field(max_length=100)]
Secret = Annotated[str, StringConstraints(max_length=16_000)]
Environment = Annotated[dict[str, Secret], Field(max_length=_MOST_SECRETS), AfterValidator(_environment)]
Headers = Annotated[dict[str, Secret], Field(max_length=_MOST_SECRETS), AfterValidator(checked_headers)]
ClientId = Annotated[
    str, BeforeValidator(_stripped), StringConstraints(min_length=1, max_length=2_000, pattern=r"^[!-~]+$")
]
Endpoint = Annotated[str, BeforeValidator(_stripped), StringConstraints(max_length=2_000), AfterValidator(_endpoint)]


class NewMcpServer(Body):
    """An MCP server to add: either a program (`command`, `args`, `cwd`, `env`), or an address (`url`, `headers`).

    `client_id` and `client_secret` are for an address whose log-in knows Luxx already.
    """

    name: ProviderName
    command: Command | None = None
    args: Arguments = Field(default_factory=list)
    cwd: Word | None = None
    env: Environment = Field(default_factory=dict, repr=False)
    url: Endpoint | None = None
    headers: Headers = Field(default_factory=dict, repr=False)
    client_id: ClientId | None = None
    client_secret: ClientId | None = Field(None, repr=False)
    trusted: bool = False
    enabled: bool = True

    def new(self) -> NewToolServer:
        """Return the server to store. Raises InvalidRequest if it is not the one or the other."""
        if (self.command is None) == (self.url is None):
            raise InvalidRequest("is required, or else a url", field="command")
        if self.url is not None:
            _refuse(self, ("args", "cwd", "env"), "is for a program, not for an address")
            return self._made(HttpTarget(url=self.url), self.headers | _client(self.client_id, self.client_secret))
        _refuse(self, _NETWORK, "is for an address, not for a program")
        return self._made(StdioTarget(command=self.command or "", args=tuple(self.args), cwd=self.cwd), self.env)

    def _made(self, target: Target, secrets: dict[str, str]) -> NewToolServer:
        return NewToolServer(name=self.name, target=target, secrets=secrets, trusted=self.trusted, enabled=self.enabled)


class ChangeMcpServer(Body):
    """The fields to change. `env` replaces all that there was, and so do `headers`, `client_id` and `client_secret` together; a server of one kind cannot become one of the other."""

    name: ProviderName | None = None
    command: Command | None = None
    args: Arguments | None = None
    cwd: Word | None = None
    env: Environment | None = Field(None, repr=False)
    url: Endpoint | None = None
    headers: Headers | None = Field(None, repr=False)
    client_id: ClientId | None = None
    client_secret: ClientId | None = Field(None, repr=False)
    trusted: bool | None = None
    enabled: bool | None = None

    def change(self, before: ToolServer) -> ToolServerChange:
        """Return the change to a server. Raises InvalidRequest for what its kind does not have, or what cannot be cleared."""
        for name in ("name", "command", "url", "trusted", "enabled"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise InvalidRequest("cannot be cleared", field=name)
        return ToolServerChange(
            name=self.name or UNSET,
            target=self._target(before.target),
            secrets=self._secrets(),
            trusted=UNSET if self.trusted is None else self.trusted,
            enabled=UNSET if self.enabled is None else self.enabled,
        )

    def _target(self, target: Target) -> Target | UnsetType:
        match target:
            case StdioTarget():
                _refuse(self, ("url", *_NETWORK), "is for an address, not for a program")
                return msgspec.structs.replace(
                    target,
                    command=self.command or target.command,
                    args=tuple(self.args or ()) if "args" in self.model_fields_set else target.args,
                    cwd=self.cwd if "cwd" in self.model_fields_set else target.cwd,
                )
            case _:
                _refuse(self, ("command", "args", "cwd", "env"), "is for a program, not for an address")
                return UNSET if self.url is None else HttpTarget(url=self.url)

    def _secrets(self) -> dict[str, str] | UnsetType:
        if not {"env", *_NETWORK} & self.model_fields_set:
            return UNSET
        return (self.env or self.headers or {}) | _client(self.client_id, self.client_secret)


class FillPrompt(Body):
    """A prompt to fill in."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    arguments: Annotated[dict[str, Word], Field(max_length=100)] = Field(default_factory=dict)


class McpServerView(msgspec.Struct, frozen=True, kw_only=True):
    """An MCP server; what it has of secrets is named in `secrets`, and never shown. `log` and `secrets` come with a single one."""

    id: str
    name: str
    kind: Kind
    command: str | None = None
    args: tuple[str, ...] = ()
    cwd: str | None = None
    url: str | None = None
    has_secrets: bool
    secrets: tuple[str, ...] = ()
    trusted: bool
    enabled: bool
    created_at: str
    status: ServerState


class McpServerList(msgspec.Struct, frozen=True):
    """All MCP servers, oldest first."""

    items: tuple[McpServerView, ...]


class PromptList(msgspec.Struct, frozen=True):
    """The prompts that a server offers."""

    items: tuple[PromptInfo, ...]


class FilledPrompt(msgspec.Struct, frozen=True):
    """A prompt with its blanks filled in."""

    messages: tuple[PromptMessage, ...]


def mcp_server_view(server: ToolServer, state: ServerState, secrets: tuple[str, ...] | None = None) -> McpServerView:
    """Show a server: with its log and the names of its secrets if these are given."""
    target = server.target
    program = target if isinstance(target, StdioTarget) else None
    return McpServerView(
        id=server.id,
        name=server.name,
        kind=server.kind,
        command=program.command if program else None,
        args=program.args if program else (),
        cwd=program.cwd if program else None,
        url=target.url if isinstance(target, HttpTarget) else None,
        has_secrets=bool(server.secrets_tag),
        secrets=secrets or (),
        trusted=server.trusted,
        enabled=server.enabled,
        created_at=server.created_at,
        status=state if secrets is not None else msgspec.structs.replace(state, log=()),
    )


def _client(client_id: str | None, client_secret: str | None) -> dict[str, str]:
    """Return the secret that says as which client to log in. Raises InvalidRequest for a secret of nobody."""
    if client_id is None:
        if client_secret is not None:
            raise InvalidRequest("is required with a client_secret", field="client_id")
        return {}
    known = {"client_id": client_id} | ({"client_secret": client_secret} if client_secret else {})
    return {LOGIN_CLIENT: msgspec.json.encode(known).decode()}


def _refuse(body: Body, names: tuple[str, ...], reason: str) -> None:
    for name in names:
        if name in body.model_fields_set:
            raise InvalidRequest(reason, field=name)
