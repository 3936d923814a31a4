"""Person tools: the tools of Luxx that a person's turns may use, lent to their MCP clients under the same rules."""

import base64
import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from luxx.core.errors import LuxxError
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.ports import CallContext, Toolbox, ToolInfo, ToolOutcome
from luxx.core.rules import Action
from luxx.http.mcp_server.calls import Progress
from luxx.http.mcp_server.repeats import Repeats
from luxx.http.mcp_server.scratch import ClientCall
from luxx.http.parts import Parts

MOST_IMAGE_BYTES = 500_000
"""Bytes of all images in one result; the others are named, to be read by their address. Clients take 1 MiB."""
REQUEST_ID_KEY = "luxx/client_request_id"
"""Where in a call's `_meta` a client may give an id of its own, which becomes the call's idempotency key: see `repeats`."""

_QUESTION = "allow"
_ASKED = "asked"
_MOST_ASKED_CHARS = 20_000

Context = ServerRequestContext[Any, Any]


def tool(info: ToolInfo) -> types.Tool:
    """Show a tool to a client; its effect is told by the hints."""
    read, idempotent = info.effect == "read", info.effect == "idempotent"
    return types.Tool(
        name=info.name,
        description=info.description,
        input_schema=info.parameters,
        annotations=types.ToolAnnotations(
            read_only_hint=read, idempotent_hint=read or idempotent, destructive_hint=info.effect == "unsafe"
        ),
    )


class PersonTools:
    """The tools of one person."""

    def __init__(self, parts: Parts, owner: str) -> None:
        self._parts = parts
        self._owner = owner
        self._repeats = Repeats()

    async def call(
        self, request: Context, params: types.CallToolRequestParams, rule: Action | None, progress: Progress
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool if its rule, and the person where they are to be asked, allow it. Raises StorageError.

        The same `client_request_id` again gives the same outcome, as long as that is kept; raises Conflict while the call runs, or if
        it was another call.
        """
        given = _request_id(params)
        context = ClientCall(f"mcp:{given or new_id()}", self._parts.store, self._owner, progress)
        arguments = json.dumps(params.arguments or {})  # which, other than msgspec, takes whatever came in
        with self._repeats.sent(given, (params.name, arguments)) as sent:
            if sent.outcome is None:
                box = await self._parts.tools.box(self._owner, (params.name,))
                if await _asks(box, params.name, arguments, rule, context):
                    refusal = permission(request, params)
                    if refusal is not None:
                        return refusal
                sent.begun = True
                sent.outcome = await box.run(params.name, arguments, context)
        return await self._shown(sent.outcome, context)

    async def _shown(self, outcome: ToolOutcome, context: ClientCall) -> types.CallToolResult:
        content: list[types.ContentBlock] = [types.TextContent(text=outcome.content)]
        room = MOST_IMAGE_BYTES
        for file in outcome.files:
            inline = file.is_image and file.size <= room
            room -= file.size if inline else 0
            content.append(await _file(file, context, inline=inline))
        return types.CallToolResult(content=content, structured_content=outcome.data, is_error=outcome.failed)


def _request_id(params: types.CallToolRequestParams) -> str | None:
    given = (params.meta or {}).get(REQUEST_ID_KEY)
    return given[:128] if isinstance(given, str) and given else None


def permission(
    request: Context, params: types.CallToolRequestParams
) -> types.CallToolResult | types.InputRequiredResult | None:
    """Return None if the person has allowed this call, else the question for them or why it is not run.

    The SDK has sealed what says that the question was asked, and binds it to the tool and its arguments.
    """
    if params.request_state == _ASKED:
        answer = (params.input_responses or {}).get(_QUESTION)
        if isinstance(answer, types.ElicitResult) and answer.action == "accept" and (answer.content or {}).get("run"):
            return None
        return refused(f"`{params.name}` was not run: the person did not allow this call.")
    shown = json.dumps(params.arguments or {}, ensure_ascii=False, indent=2)
    if not _can_ask(request) or len(shown) > _MOST_ASKED_CHARS:
        return refused(
            f"`{params.name}` was not run: the person has to be asked first, which is not possible in this program. "
            f"A rule in Luxx that allows `{params.name}` lets it run without asking."
        )
    return types.InputRequiredResult(input_requests={_QUESTION: _question(params.name, shown)}, request_state=_ASKED)


def refused(text: str) -> types.CallToolResult:
    """Tell that a tool was not run, or failed."""
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)


def _question(name: str, arguments: str) -> types.ElicitRequest:
    return types.ElicitRequest(
        params=types.ElicitRequestFormParams(
            message=f"Luxx asks whether the tool {name} may run with these arguments:\n{arguments}",
            requested_schema={
                "type": "object",
                "properties": {"run": {"type": "boolean", "title": f"Run {name}", "default": False}},
                "required": ["run"],
            },
        )
    )


def _can_ask(request: Context) -> bool:
    """Whether the client can show a form: in the protocol without sessions, for there the answer may come to any node."""
    capabilities = request.session.client_capabilities
    elicitation = capabilities.elicitation if capabilities else None
    if request.protocol_version not in MODERN_PROTOCOL_VERSIONS or elicitation is None:
        return False
    return elicitation.form is not None or elicitation.url is None


async def _asks(box: Toolbox, name: str, arguments: str, rule: Action | None, context: CallContext) -> bool:
    if rule == "allow":
        return False
    return await box.must_ask(name, arguments, context) or rule == "ask"


async def _file(file: FileRef, context: ClientCall, *, inline: bool) -> types.ContentBlock:
    """Show a file that a tool made: the image itself, or where it can be read."""
    if inline:
        try:
            data = await context.files.read(file.id)
        except LuxxError as error:
            return types.TextContent(text=f"[{file.name} cannot be read: {error.message}]")
        return types.ImageContent(data=base64.b64encode(data).decode(), mime_type=file.media_type)
    return types.ResourceLink(uri=f"luxx://files/{file.id}", name=file.name, mime_type=file.media_type, size=file.size)
