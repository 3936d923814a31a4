"""Session: the SDK's client, in the plain types of `wire`. Importing it costs a second and 60 MB: see `connection`."""

import asyncio
import base64
import binascii
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

import anyio
import mcp_types as types
import msgspec
from mcp.client import Client, ClientRequestContext
from mcp.client._transport import TransportStreams
from mcp.client.session import IncomingMessage
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from luxx import __version__
from luxx.core.text import storable
from luxx.core.tool_servers import HttpTarget, PromptArgument, PromptInfo, PromptMessage, StdioTarget
from luxx.tools.mcp.bounded import GIVEN, LISTED
from luxx.tools.mcp.failures import translated
from luxx.tools.mcp.http import http_streams
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.questions import answer_to
from luxx.tools.mcp.stdio import stdio_streams
from luxx.tools.mcp.wire import (
    Bounds,
    CallHooks,
    CallResult,
    Content,
    Launch,
    LinkContent,
    MediaContent,
    NotAsked,
    Question,
    RawTool,
    RawTools,
    ResourceInfo,
    ServerIdentity,
    ServerRefused,
    TextContent,
    Watcher,
)

# They log what servers send, with tracebacks, and session ids: what counts of it is in the server's own log and in results.
# The session's own logger has the plain name "client".
for _name in ("client", "mcp.client", "mcp.shared", "mcp.os", "httpx2", "httpcore2"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)

_MAX_PAGES = 100
_MAX_ITEMS = 5_000
_MAX_URL_ROUNDS = 3

T = TypeVar("T")
_asking: ContextVar[CallHooks | None] = ContextVar("asking", default=None)


class _Page(Protocol):
    next_cursor: str | None


P = TypeVar("P", bound=_Page)


@contextlib.asynccontextmanager
async def open_session(
    launch: Launch, bounds: Bounds, watcher: Watcher, log: ServerLog
) -> AsyncGenerator["SdkSession"]:
    """Connect, agree on a version, and follow the server's news; see luxx.tools.mcp.wire.Opener. Raises ServerFailed."""
    session = SdkSession(watcher, log)
    client = Client(
        _streams(launch, bounds, watcher, log),
        mode="auto",
        cache=None,
        client_info=types.Implementation(name="luxx", version=__version__),
        elicitation_callback=session.elicit,
        list_roots_callback=session.roots,
        message_handler=session.take,
    )
    async with contextlib.AsyncExitStack() as stack:
        with translated(log):
            await stack.enter_async_context(client)
        session.begin(client)
        tasks = await stack.enter_async_context(anyio.create_task_group())
        if client.protocol_version in MODERN_PROTOCOL_VERSIONS:
            tasks.start_soon(session.follow)
        try:
            yield session
        finally:
            tasks.cancel_scope.cancel()


class SdkSession:
    """See luxx.tools.mcp.wire.Session."""

    def __init__(self, watcher: Watcher, log: ServerLog) -> None:
        self._watcher = watcher
        self._log = log
        self._running: list[CallHooks] = []
        self._given_up: set[str] = set()  # the conversations of calls that may still be at work there
        self._identity = ServerIdentity()

    def begin(self, client: Client) -> None:
        """Take over a client that is connected."""
        self._client = client
        # The SDK's check compiles what the server sent and can be made to run for ever; luxx.core.fits does it in bounds.
        client.session.validate_tool_result = _unchecked
        info, can = client.server_info, client.server_capabilities
        self._identity = ServerIdentity(
            title=f"{info.title or info.name} {info.version}".strip() if info else "",
            protocol=client.protocol_version,
            instructions=client.instructions or "",
            resources=can.resources is not None,
            prompts=can.prompts is not None,
        )

    @property
    def identity(self) -> ServerIdentity:
        """Who the server says that it is."""
        return self._identity

    async def tools(self) -> RawTools:
        """Return all tools, of all pages."""
        pages = [page async for page in self._pages(lambda cursor: self._client.list_tools(cursor=cursor))]
        tools = [_raw_tool(tool) for page in pages for tool in page.tools]
        listed = sum((page.meta or {}).get(LISTED, 0) for page in pages)
        return RawTools(tools=tools, listed=listed, endless=len(pages) == _MAX_PAGES)

    async def call(self, name: str, arguments: dict[str, Any], hooks: CallHooks) -> CallResult:
        """Call a tool; a page that the server wants to have opened first is asked of the person."""

        async def report(progress: float, total: float | None, message: str | None) -> None:
            hooks.progress(message or "", progress, total)

        async def attempt() -> types.CallToolResult:
            return await self._client.call_tool(name, arguments, progress_callback=report)

        result = await self._asked(hooks, attempt)
        structured = cast("object", result.structured_content)
        return CallResult(
            content=tuple(map(_content, result.content)),
            structured=None if structured is None else _object(structured),
            failed=bool(result.is_error),
        )

    async def resources(self) -> tuple[ResourceInfo, ...]:
        """Return the resources and the templates of such; servers need not have both."""
        found: list[ResourceInfo] = []
        resources = self._pages(lambda cursor: self._client.list_resources(cursor=cursor))
        found += [_resource(item, item.uri, item.size) async for page in resources for item in page.resources]
        with contextlib.suppress(ServerRefused):
            templates = self._pages(lambda cursor: self._client.list_resource_templates(cursor=cursor))
            found += [
                _resource(item, item.uri_template) async for page in templates for item in page.resource_templates
            ]
        return tuple(found[:_MAX_ITEMS])

    async def read(self, uri: str, hooks: CallHooks) -> tuple[Content, ...]:
        """Read a resource."""
        result = await self._asked(hooks, lambda: self._client.read_resource(uri))
        return tuple(map(_resource_content, result.contents))

    async def prompts(self) -> tuple[PromptInfo, ...]:
        """Return the prompts."""
        pages = self._pages(lambda cursor: self._client.list_prompts(cursor=cursor))
        return tuple([_prompt(item) async for page in pages for item in page.prompts])

    async def prompt(self, name: str, arguments: dict[str, str]) -> tuple[PromptMessage, ...]:
        """Fill a prompt in."""
        with translated(self._log):
            result = await self._client.get_prompt(name, arguments)
        return tuple(PromptMessage(role=m.role, text=_as_text(_content(m.content))) for m in result.messages)

    async def elicit(
        self, context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        """Ask the person in the call that the question is of: by the context that the request came in, else the only one there is.

        It is declined where that cannot be told: a question must not come up in a conversation that it is not of.
        """
        hooks = _asking.get() or self._only_call()
        if hooks is None and not self._running:
            return _not_asked("no tool call is under way to ask for")
        if hooks is None:
            self._log.note("a question was declined: it cannot be told which of the calls it is of")
            return types.ElicitResult(action="decline")
        if isinstance(params, types.ElicitRequestURLParams):
            question = Question(message=params.message, url=params.url)
        else:
            question = Question(message=params.message, schema=_object(params.requested_schema))
        try:
            action, content = await answer_to(question, hooks)
        except NotAsked as error:
            return _not_asked(str(error))
        return types.ElicitResult(action=action, content=content)

    def _only_call(self) -> CallHooks | None:
        """Return the one call that is under way, if no call of another conversation may be so at the server."""
        if len(self._running) != 1 or self._given_up - {self._running[0].conversation_id}:
            return None
        return self._running[0]

    async def roots(self, context: ClientRequestContext) -> types.ListRootsResult | types.ErrorData:
        """Tell the server that it has been given no folders."""
        return types.ListRootsResult(roots=[])

    async def take(self, message: IncomingMessage) -> None:
        """Take a message that is no answer."""
        if isinstance(message, types.ToolListChangedNotification | types.ResourceListChangedNotification):
            self._watcher.tools_changed()

    async def follow(self) -> None:
        """Listen for changes of the tools, where the protocol has a stream for that; a server need not offer it."""
        with contextlib.suppress(MCPError, SubscriptionLost, ValidationError, RuntimeError):
            async with self._client.listen(tools_list_changed=True, resources_list_changed=True) as changes:
                async for _ in changes:
                    self._watcher.tools_changed()

    async def _asked(self, hooks: CallHooks, attempt: Callable[[], Awaitable[T]]) -> T:
        """Make a request on behalf of a call, whose person the server may ask meanwhile."""
        token = _asking.set(hooks)
        self._running.append(hooks)
        try:
            with translated(self._log):
                return await _with_pages_opened(hooks, attempt)
        except asyncio.CancelledError:
            self._given_up.add(hooks.conversation_id)
            raise
        finally:
            self._running.remove(hooks)
            _asking.reset(token)

    async def _pages(self, fetch: Callable[[str | None], Awaitable[P]]) -> AsyncIterator[P]:
        cursor: str | None = None
        for _ in range(_MAX_PAGES):
            with translated(self._log):
                page = await fetch(cursor)
            yield page
            if page.next_cursor is None or page.next_cursor == cursor:
                return
            cursor = page.next_cursor


async def _with_pages_opened(hooks: CallHooks, attempt: Callable[[], Awaitable[T]]) -> T:
    """Make the attempt; where it needs pages that the person opens first, ask for them and make it again."""
    for _ in range(_MAX_URL_ROUNDS):
        try:
            return await attempt()
        except MCPError as error:
            wanted = _pages_wanted(error)
            if not wanted or not all([(await answer_to(page, hooks))[0] == "accept" for page in wanted]):
                raise
    return await attempt()


def _pages_wanted(error: MCPError) -> list[Question]:
    if error.code != types.URL_ELICITATION_REQUIRED:
        return []
    try:
        wanted = types.ElicitationRequiredErrorData.model_validate(error.error.data).elicitations
    except ValidationError:
        return []
    return [Question(message=page.message, url=page.url) for page in wanted[:10]]


def _streams(
    launch: Launch, bounds: Bounds, watcher: Watcher, log: ServerLog
) -> contextlib.AbstractAsyncContextManager[TransportStreams]:
    match launch.target:
        case StdioTarget() as target:
            return stdio_streams(target, launch.secrets, bounds, watcher, log)
        case HttpTarget(url=url):
            return http_streams(url, launch.secrets, launch.authorizer, bounds, watcher, log)


def _not_asked(why: str) -> types.ErrorData:
    return types.ErrorData(code=types.INVALID_REQUEST, message=f"The question was not asked: {why}.")


async def _unchecked(name: str, result: types.CallToolResult) -> None:
    """Stand for the SDK's check of structured content."""


def _raw_tool(tool: types.Tool) -> RawTool:
    notes = tool.annotations
    return RawTool(
        name=tool.name,
        title=tool.title or "",
        description=tool.description or "",
        parameters=tool.input_schema.get(GIVEN),
        output=tool.output_schema,
        read_only=bool(notes and notes.read_only_hint),
        idempotent=bool(notes and notes.idempotent_hint),
        destructive=bool(notes and notes.destructive_hint),
    )


def _resource(item: types.Resource | types.ResourceTemplate, uri: str, size: int | None = None) -> ResourceInfo:
    return ResourceInfo(
        uri=uri, name=item.name, description=item.description or "", media_type=item.mime_type or "", size=size
    )


def _prompt(item: types.Prompt) -> PromptInfo:
    blanks = tuple(
        PromptArgument(name=blank.name, description=blank.description or "", required=bool(blank.required))
        for blank in item.arguments or ()
    )
    return PromptInfo(name=item.name, title=item.title or "", description=item.description or "", arguments=blanks)


def _content(part: types.ContentBlock) -> Content:
    match part:
        case types.TextContent():
            return TextContent(part.text)
        case types.ImageContent():
            return MediaContent(kind="image", data=_decoded(part.data), media_type=part.mime_type)
        case types.AudioContent():
            return MediaContent(kind="audio", data=_decoded(part.data), media_type=part.mime_type)
        case types.EmbeddedResource():
            return _resource_content(part.resource)
        case types.ResourceLink():
            return LinkContent(
                uri=str(part.uri),
                name=part.title or part.name,
                description=part.description or "",
                media_type=part.mime_type or "",
            )


def _resource_content(resource: types.TextResourceContents | types.BlobResourceContents) -> Content:
    uri, media_type = str(resource.uri), resource.mime_type or ""
    if isinstance(resource, types.TextResourceContents):
        return TextContent(f"[{uri}]\n{resource.text}")
    return MediaContent(kind="resource", data=_decoded(resource.blob), media_type=media_type, uri=uri)


def _as_text(content: Content) -> str:
    match content:
        case TextContent(text=text):
            return storable(text)
        case MediaContent():
            return f"[{content.kind} {content.uri} {content.media_type}]".replace("  ", " ")
        case LinkContent():
            return f"[resource {content.name} <{content.uri}>]"


def _decoded(data: str) -> bytes | None:
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None


def _object(value: object) -> dict[str, Any]:
    """Return plain JSON of what the SDK gives as an object; anything else that is structured comes under ``value``."""
    plain = msgspec.to_builtins(value, str_keys=True)
    return cast("dict[str, Any]", plain) if isinstance(plain, dict) else {"value": plain}
