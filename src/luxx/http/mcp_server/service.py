"""Service: the MCP server itself, on the SDK; every request is served on its own, so that any node can answer it."""

from collections.abc import Sequence
from typing import Any

import mcp_types as types
import msgspec
from mcp.server import Server
from mcp.server.context import CallNext, HandlerResult
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from luxx.core.errors import InvalidRequest, LuxxError, NotFound
from luxx.core.ids import new_id
from luxx.core.rules import ToolRule, action_for
from luxx.http import errors
from luxx.http.mcp_server import bodies, person_tools, resources
from luxx.http.mcp_server.bodies import BadBody
from luxx.http.mcp_server.calls import CallKey, Calls, Progress, Stopped
from luxx.http.mcp_server.person_tools import Context, PersonTools, refused
from luxx.http.mcp_server.resources import Resources
from luxx.http.mcp_server.talk import Talk
from luxx.http.mcp_server.talk_tools import TOOLS, TalkTools
from luxx.http.parts import HttpOptions, Parts

SESSION = "mcp-session-id"
VERSION = "mcp-protocol-version"
NAME = "luxx"
INSTRUCTIONS = (
    "Luxx is the person's own chat server. Its tools are at your service, and so are its conversations: read them, "
    "send a message to one of its models, and get the answer later by read_turn if it takes long."
)


class _Params(msgspec.Struct, frozen=True, rename="camel"):
    request_id: str | int | None = None


class _Message(msgspec.Struct, frozen=True):
    """As much of a client's message as has to be known before the SDK reads it."""

    method: str = ""
    params: _Params | None = None


class Service:
    """Serves the clients of the person at this machine; owns the calls that run."""

    def __init__(self, parts: Parts, options: HttpOptions, approval_key: bytes) -> None:
        owner = parts.store.owner
        talk = Talk(parts, options, owner)
        self._parts = parts
        self._owner = owner
        self._most = options.max_body
        self._calls = Calls()
        self._resources = Resources(parts.store, talk, owner)
        self._talk = TalkTools(parts.store.conversations, talk, owner)
        self._tools = PersonTools(parts, owner)
        self._server: Server[Any] = Server(
            NAME,
            version=parts.version,
            title="Luxx",
            instructions=INSTRUCTIONS,
            get_tool_input_schema=lambda name: None,  # no argument of ours has to be repeated in a header
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_list_resource_templates=self._list_templates,
            on_read_resource=self._read_resource,
        )
        security = RequestStateSecurity(keys=[approval_key])
        self._server.middleware[:] = [_contained, RequestStateBoundary(security, default_audience=NAME)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; all that it started has ended when this returns."""
        body = await _body(receive, self._most)
        scope = _trimmed(scope)
        try:
            batch = bodies.messages_in(body, Headers(scope=scope).get(VERSION)) if scope["method"] == "POST" else None
        except BadBody as bad:
            await bodies.answer(send, 400, bad.answer())
            return
        if batch is None:
            await self._serve(body, scope, receive, send)
        else:
            answers = [found for message in batch if (found := await self._answer(message, scope, receive))]
            await bodies.answer(send, 200 if answers else 202, b"[" + b",".join(answers) + b"]" if answers else b"")

    async def _answer(self, message: bytes, scope: Scope, receive: Receive) -> bytes:
        """Return the answer to one message of a batch, empty if it wants none."""
        try:
            bodies.check_in_batch(message)
        except BadBody as bad:
            return bad.answer()
        return await bodies.answered(lambda send: self._serve(message, scope, receive, send, whole=True))

    async def _serve(self, body: bytes, scope: Scope, receive: Receive, send: Send, *, whole: bool = False) -> None:
        """Answer one message: as a stream with what is told on the way, or as a `whole`."""
        session = Headers(scope=scope).get(SESSION)
        message = _peeked(body)
        if message.method == "notifications/cancelled" and session and message.params:
            self._cancel(session, message.params.request_id)
        if message.method == "initialize":
            send = _with_session(send)
        manager = StreamableHTTPSessionManager(
            self._server, stateless=True, json_response=whole, max_request_body_size=self._most
        )
        async with manager.run():
            await manager.handle_request(scope, _replayed(body, receive), send)

    def _cancel(self, session: str, request_id: str | int | None) -> None:
        if request_id is not None:
            self._calls.cancel((session, request_id))

    async def _list_tools(self, request: Context, params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(types.INVALID_PARAMS, "There is only one page.")
        rules = await self._rules()
        offered = [person_tools.tool(info) for info in await self._parts.tools.offered(self._owner)]
        own = [*TOOLS.values(), *(tool for tool in offered if tool.name not in TOOLS)]
        return types.ListToolsResult(tools=[tool for tool in own if action_for(rules, tool.name) != "deny"])

    async def _call_tool(
        self, request: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        progress = Progress(request.session.report_progress)
        try:
            return await self._calls.run(_key(request), lambda: self._called(request, params, progress), progress)
        except Stopped:
            return refused(f"`{params.name}` was stopped.")
        except LuxxError as error:
            return refused(_words(error))

    async def _called(
        self, request: Context, params: types.CallToolRequestParams, progress: Progress
    ) -> types.CallToolResult | types.InputRequiredResult:
        name, rule = params.name, action_for(await self._rules(), params.name)
        if rule == "deny":
            raise _unknown(name)
        if name in TOOLS:
            refusal = person_tools.permission(request, params) if rule == "ask" else None
            return refusal or await self._talk.call(name, params.arguments or {}, progress)
        if all(info.name != name for info in await self._parts.tools.offered(self._owner)):
            raise _unknown(name)
        return await self._tools.call(request, params, rule, progress)

    async def _list_resources(
        self, request: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        if not await self._may("list_conversations"):
            return types.ListResourcesResult(resources=[])
        try:
            return await self._resources.listed(params.cursor if params else None)
        except LuxxError as error:
            raise _refusal(error) from error

    async def _list_templates(
        self, request: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=resources.templates())

    async def _read_resource(
        self, request: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if not await self._may("read_conversation"):
            raise MCPError(types.INVALID_PARAMS, "The person does not allow to read this without being asked.")
        try:
            return await self._resources.read(params.uri)
        except LuxxError as error:
            raise _refusal(error) from error

    async def _may(self, name: str) -> bool:
        """Whether what a tool does may be done without the tool, where nobody is asked."""
        return action_for(await self._rules(), name) in ("allow", None)

    async def _rules(self) -> Sequence[ToolRule]:
        return await self._parts.store.approvals.rules(self._owner)


async def _contained(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Let no word about the inside get out."""
    instead = MCPError(types.INTERNAL_ERROR, errors.UNEXPECTED)
    return await errors.contained(call_next(ctx), (MCPError, ValidationError), instead)


def _unknown(name: str) -> MCPError:
    return MCPError(types.INVALID_PARAMS, f"Unknown tool: {name[:100]}")


def _words(error: LuxxError) -> str:
    field = error.field if isinstance(error, InvalidRequest) else None
    return f"{field}: {error.message}" if field else error.message


def _refusal(error: LuxxError) -> MCPError:
    callers = isinstance(error, NotFound | InvalidRequest)
    return MCPError(types.INVALID_PARAMS if callers else types.INTERNAL_ERROR, _words(error))


def _key(request: Context) -> CallKey | None:
    """Return under which name a client can stop the call: none without a session, where it stops the call by leaving."""
    headers = Headers(scope=request.request.scope) if request.request is not None else Headers()
    session = headers.get(SESSION)
    return (session, request.request_id) if session and request.request_id is not None else None


async def _body(receive: Receive, most: int) -> bytes:
    """Return a request's body. Raises HTTPException with 413 for one of more than `most` bytes."""
    pieces, size = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(400, "The request was cut.")
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most:
            raise HTTPException(413)
        if not message.get("more_body", False):
            return b"".join(pieces)


def _peeked(body: bytes) -> _Message:
    try:
        return msgspec.json.decode(body, type=_Message)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _Message()


def _trimmed(scope: Scope) -> Scope:
    """Return the request without blanks around its headers' values, which count for nothing (RFC 9110, section 5.5)."""
    return {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a receive that gives the body again, and then what comes after it."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return left.pop() if left else await receive()

    return replayed


def _with_session(send: Send) -> Send:
    """Give the client a name for its session. Nothing is kept under it: it tells requests of clients with the same ids apart."""

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (SESSION.encode(), new_id().encode())]}
        await send(message)

    return named
