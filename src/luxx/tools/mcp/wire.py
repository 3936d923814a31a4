"""Wire: what a session with an MCP server gives and takes, in plain types that do not need the SDK."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal, Protocol, cast

import msgspec

from luxx.core.ports import Reply
from luxx.core.tool_servers import HttpTarget, PromptInfo, PromptMessage, StdioTarget
from luxx.tools.mcp.log import ServerLog

McpTarget = StdioTarget | HttpTarget


class ServerIdentity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a server says that it is, and what it has beside tools. `protocol` is the version that is spoken with it."""

    title: str = ""
    protocol: str = ""
    instructions: str = ""
    resources: bool = False
    prompts: bool = False


class RawTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the server lists it; nothing of it can be trusted, the types of `parameters` and `output` included."""

    name: str
    title: str = ""
    description: str = ""
    parameters: object = None
    output: object = None
    read_only: bool = False
    idempotent: bool = False
    destructive: bool = False


class RawTools(msgspec.Struct, frozen=True, kw_only=True):
    """The tools that can be read of what a server lists. `listed` counts all of them; `endless` says that there were more pages."""

    tools: Sequence[RawTool] = ()
    listed: int = 0
    endless: bool = False


class TextContent(msgspec.Struct, frozen=True):
    """A piece of text."""

    text: str


class MediaContent(msgspec.Struct, frozen=True, kw_only=True):
    """An image, a sound or a file; `data` is None where the server sent what is no base64. `uri` names a resource."""

    kind: Literal["image", "audio", "resource"]
    data: bytes | None
    media_type: str = ""
    uri: str = ""


class LinkContent(msgspec.Struct, frozen=True, kw_only=True):
    """A resource that can be read with the tool for that."""

    uri: str
    name: str = ""
    description: str = ""
    media_type: str = ""


Content = TextContent | MediaContent | LinkContent


class CallResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gave. `structured` is None where there is none."""

    content: tuple[Content, ...]
    structured: dict[str, Any] | None = None
    failed: bool = False


class ResourceInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A resource, or a template of such (`uri` then has blanks in braces)."""

    uri: str
    name: str = ""
    description: str = ""
    media_type: str = ""
    size: int | None = None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What a server wants to know from the person: a form (`schema`), or a page to open (`url`)."""

    message: str
    schema: dict[str, Any] | None = None
    url: str | None = None


class CallHooks(Protocol):
    """What a running call reports to, and asks."""

    @property
    def conversation_id(self) -> str:
        """The conversation that the call is of."""
        ...

    def progress(self, message: str, progress: float, total: float | None) -> None:
        """Take note of how far the tool is."""
        ...

    async def ask(self, question: Question) -> Reply:
        """Ask the person. Raises NotAsked."""
        ...


class NotAsked(Exception):
    """A question is not put to the person, or no longer: the call is over, or has asked too much; the text says which."""


class Session(Protocol):
    """A connection with a server that is open. What goes wrong is raised as ServerFailed and its kinds.

    A call whose task is cancelled is cancelled at the server too.
    """

    @property
    def identity(self) -> ServerIdentity: ...

    async def tools(self) -> RawTools: ...

    async def call(self, name: str, arguments: dict[str, Any], hooks: CallHooks) -> CallResult: ...

    async def resources(self) -> tuple[ResourceInfo, ...]: ...

    async def read(self, uri: str, hooks: CallHooks) -> tuple[Content, ...]: ...

    async def prompts(self) -> tuple[PromptInfo, ...]: ...

    async def prompt(self, name: str, arguments: dict[str, str]) -> tuple[PromptMessage, ...]: ...


class Watcher(Protocol):
    """Who has a session open."""

    def tools_changed(self) -> None:
        """Take note that the server's tools have changed."""
        ...

    def ended(self, reason: str) -> None:
        """Take note that the session is over, whatever the reason: the first one counts."""
        ...


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What a server may do. `message_bytes` bounds a message; `flood_messages` and `flood_bytes` what it may send in a window of
    `flood_s` seconds, `flood_bytes` in each stream; `stop_s` is how long it may take to end.
    """

    message_bytes: int = 8_000_000
    flood_s: float = 10
    flood_messages: int = 2_000
    flood_bytes: int = 64_000_000
    stop_s: float = 1


class Authorized(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's browser brought back from a log-in page."""

    code: str
    state: str
    issuer: str | None = None


class Authorizer(Protocol):
    """Gets a server's tokens, and keeps them. Methods raise ServerFailed.

    `redirect_uri` is where log-in pages lead back to, `client_url` a document on the web that describes Luxx to them, if there is one.
    """

    redirect_uri: str
    client_url: str | None

    async def load(self, kind: str) -> str | None:
        """Return what was saved."""
        ...

    async def save(self, kind: str, text: str) -> None:
        """Keep something for later connections."""
        ...

    async def authorize(self, page: str) -> Authorized:
        """Have the person log in on a page."""
        ...


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How a server is reached: its target, its secrets (environment or headers), and how to log in where it wants that."""

    target: McpTarget
    secrets: dict[str, str] = {}
    authorizer: Authorizer | None = None


Opener = Callable[[Launch, Bounds, Watcher, ServerLog], AbstractAsyncContextManager[Session]]
"""Opens a session; its context ends the session, and the program behind it, when it is left."""


class ServerFailed(Exception):
    """A server did not do what was asked; the text says why, for a person or a model. `verb` goes before it, after the server's name.

    Only what is InDoubt may have been done nevertheless.
    """

    verb = "cannot be used"


def first_of(error: BaseException) -> BaseException:
    """Return the first real error in what a task group raised."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


class ServerRefused(ServerFailed):
    """The server answered with an error: it has not crashed, and it is not known to have done anything."""

    verb = "answered with an error"


class SessionLost(ServerFailed):
    """The server no longer knows the session: nothing was done, a new session helps."""


class InDoubt(ServerFailed):
    """The request was sent, but there is no answer that says what became of it."""

    verb = "failed in mid-call"


class SessionInDoubt(InDoubt):
    """The server seems to know the session no longer: a new one may help."""

    verb = "seems to have ended the session"


class ServerGone(InDoubt):
    """The connection broke in mid-call."""

    verb = "is gone"
