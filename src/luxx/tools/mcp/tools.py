"""Tools: what a server lists, as tools of Luxx."""

from collections.abc import Awaitable, Callable
from typing import Any

from luxx.core.ports import ToolOutcome
from luxx.core.prompts import Effect, ToolSpec
from luxx.core.tool_servers import ToolServer, mark_of
from luxx.tools.arguments import BadArguments
from luxx.tools.context import ToolContext
from luxx.tools.declared import DeclaredArguments, Values
from luxx.tools.mcp.calls import made_call
from luxx.tools.mcp.connection import Connection, Patience
from luxx.tools.mcp.listing import ListedTool, Listing
from luxx.tools.mcp.names import tool_name
from luxx.tools.mcp.results import listed_resources, outcome_of_call, outcome_of_parts
from luxx.tools.model_schema import restore
from luxx.tools.tool import Tool

Connect = Callable[[], Awaitable[Connection]]
"""Returns the connection with the server; raises ToolError if it is not to be used any longer."""

_LIST, _READ = "list_resources", "read_resource"


def effect_of(listed: ListedTool, *, trusted: bool) -> Effect:
    """Return the effect under the trust rule: only a trusted server's word counts, all else may do harm."""
    return listed.hint if trusted else "unsafe"


def tools_of(server: ToolServer, listing: Listing, connect: Connect, patience: Patience) -> tuple[Tool, ...]:
    """Return the server's tools, and those for its resources if it has any."""
    made = _Maker(server, connect, patience)
    tools = [made.listed(tool) for tool in listing.tools]
    if listing.identity.resources:
        tools += [made.list_resources(), made.read_resource()]
    unique = {tool.name: tool for tool in reversed(tools)}  # a tool of the server wins over one for its resources
    return tuple(tool for tool in tools if unique[tool.name] is tool)


class _Maker:
    def __init__(self, server: ToolServer, connect: Connect, patience: Patience) -> None:
        self._server = server
        self._connect = connect
        self._patience = patience
        self._target = mark_of(server)

    def listed(self, listed: ListedTool) -> Tool:
        """Make a tool of one that the server lists."""
        effect = effect_of(listed, trusted=self._server.trusted)

        async def run(values: Values, context: ToolContext) -> ToolOutcome:
            connection = await self._connect()
            restore(values, listed.names)
            result = await made_call(
                *(connection, self._server.name, effect, self._patience, context),
                lambda session, hooks: session.call(listed.name, values, hooks),
            )
            return await outcome_of_call(result, listed.output, context, connection.log)

        return self._tool(listed.name, listed.description, listed.parameters, effect, run)

    def list_resources(self) -> Tool:
        """Make the tool that lists the server's resources."""

        async def run(values: Values, context: ToolContext) -> ToolOutcome:
            connection = await self._connect()
            resources = await made_call(
                *(connection, self._server.name, self._reading, self._patience, context),
                lambda session, hooks: session.resources(),
            )
            return listed_resources(resources, connection.log)

        description = (
            f"List the resources of {self._server.name}, by their URIs; those with {{blanks}} are to be filled in."
        )
        return self._tool(_LIST, description, {"type": "object", "properties": {}}, self._reading, run)

    def read_resource(self) -> Tool:
        """Make the tool that reads one of the server's resources."""

        async def run(values: Values, context: ToolContext) -> ToolOutcome:
            uri = values.get("uri")
            if not isinstance(uri, str) or not uri:
                raise BadArguments("The tool was not run: it takes the argument `uri`, a text.")
            connection = await self._connect()
            parts = await made_call(
                *(connection, self._server.name, self._reading, self._patience, context),
                lambda session, hooks: session.read(uri, hooks),
            )
            return await outcome_of_parts(parts, context, connection.log)

        parameters = {"type": "object", "properties": {"uri": {"type": "string"}}, "required": ["uri"]}
        return self._tool(_READ, f"Read a resource of {self._server.name}.", parameters, self._reading, run)

    @property
    def _reading(self) -> Effect:
        return "read" if self._server.trusted else "unsafe"

    def _tool(
        self,
        name: str,
        description: str,
        parameters: dict[str, Any],
        effect: Effect,
        run: Callable[[Values, ToolContext], Awaitable[ToolOutcome]],
    ) -> Tool:
        title = tool_name(self._server.name, name)
        return Tool(
            spec=ToolSpec(
                name=title,
                description=description or f"{name} of {self._server.name}",
                parameters=parameters,
            ),
            effect=effect,
            timeout=self._patience.connect_s + self._patience.whole_call_s,
            function=run,
            arguments=DeclaredArguments(parameters),
            bare=True,
            source=self._server.name,
            target=self._target,
        )
