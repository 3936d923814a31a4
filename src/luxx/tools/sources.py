"""Sources: all tools of a person, joined from those of the node, of MCP servers, and of OpenAPI documents."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
import structlog

from luxx.core.ports import ToolInfo
from luxx.tools.box import Toolbox
from luxx.tools.context import ToolContext
from luxx.tools.errors import ToolError
from luxx.tools.tool import Tool

log = structlog.stdlib.get_logger(__name__)


class Source(Protocol):
    """Something that brings tools of its own for some people."""

    async def tools(self, owner: str) -> Sequence[Tool]:
        """Return the tools that it has for a person now, always in the same order; none where it cannot reach them.

        Raises StorageError.
        """
        ...


class ToolSources:
    """The tools of a node (`box`) and those that `sources` bring, under the node's bounds; implements luxx.core.ports.Tools.

    A name belongs to who has it first: the node, then the sources in their order. A tool that comes later under the same name is
    left out, with a line in the log the first time. `timeouts` has other times for some tools by name, in seconds.
    """

    def __init__(
        self, box: Toolbox, sources: Iterable[Source] = (), timeouts: Mapping[str, float] | None = None
    ) -> None:
        self._box = box
        self._sources = tuple(sources)
        self._timeouts = timeouts or {}
        self._refused: set[tuple[str, str]] = set()

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """Return the tools that the person's turns may use, always in the same order. Raises StorageError."""
        return tuple(tool.info for tool in await self._all(owner))

    async def targets(self, owner: str) -> dict[str, str]:
        """See Tools."""
        return {tool.source: tool.target for tool in await self._all(owner) if tool.target}

    async def box(self, owner: str, names: tuple[str, ...], targets: Mapping[str, str] | None = None) -> Toolbox:
        """See Tools."""
        wanted = set(names)
        tools = [tool for tool in await self._all(owner) if tool.name in wanted]
        if targets is None:
            return self._box.beside(tools)
        return self._box.beside(
            tool if tool.target in ("", targets.get(tool.source)) else _closed(tool) for tool in tools
        )

    async def _all(self, owner: str) -> tuple[Tool, ...]:
        named = {tool.name: tool for tool in self._box.tools}
        for source in self._sources:
            for tool in await source.tools(owner):
                if named.setdefault(tool.name, tool) is not tool:
                    self._refuse(tool, named[tool.name])
        return tuple(self._timed(tool) for tool in named.values())

    def _timed(self, tool: Tool) -> Tool:
        seconds = self._timeouts.get(tool.name)
        return tool if seconds is None else msgspec.structs.replace(tool, timeout=seconds)

    def _refuse(self, tool: Tool, first: Tool) -> None:
        if (tool.source, tool.name) not in self._refused:
            self._refused.add((tool.source, tool.name))
            log.warning("tool_name_taken", tool=tool.name, source=tool.source, taken_by=first.source)


def _closed(tool: Tool) -> Tool:
    """Return a tool that is not called any longer, and says why."""

    async def refuse(values: dict[str, object], context: ToolContext) -> None:
        raise ToolError(f"The call was not made: {tool.source} was changed since this turn began.")

    return msgspec.structs.replace(tool, function=refuse, bare=True, blocking=False, approval="never")
