"""Installed: the tools that other packages bring, by the entry point group ``luxx.tools``."""

from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import cast

import msgspec
import structlog

from luxx.tools.model_schema import fitted
from luxx.tools.tool import NAME, Tool

GROUP = "luxx.tools"

log = structlog.stdlib.get_logger(__name__)


def installed_tools(taken: Iterable[str] = (), found: Iterable[EntryPoint] | None = None) -> tuple[Tool, ...]:
    """Return the tools of all installed packages, in the order of their entry points' names.

    An entry point leads to a Tool or to an iterable of Tools; their source is the package's name. One that cannot be loaded, or that leads to anything else, is
    logged and left out with all its tools; a tool whose name is `taken` or came before is left out alone, and so is one with a name, or with arguments, that
    providers refuse; a schema that they refuse is loosened. `found` replaces the
    entry points of this environment.
    """
    names = set(taken)
    tools: list[Tool] = []
    for entry in sorted(
        entry_points(group=GROUP) if found is None else found, key=lambda entry: (entry.name, entry.value)
    ):
        for tool in _load(entry):
            if tool.name in names:
                log.warning("tool_name_taken", tool=tool.name, entry_point=entry.name, value=entry.value)
                continue
            if (shown := _shown(tool)) is None:
                log.warning("tool_left_out", tool=tool.name, entry_point=entry.name, reason="its names are refused")
                continue
            names.add(tool.name)
            tools.append(msgspec.structs.replace(shown, source=entry.dist.name if entry.dist else entry.name))
    return tuple(tools)


def _shown(tool: Tool) -> Tool | None:
    """Return a tool with a schema that every provider takes, or None for one with a name, or with arguments, that they refuse."""
    parameters = fitted(tool.spec.parameters)
    if parameters.names or not NAME.fullmatch(tool.name):
        return None
    if not parameters.notes:
        return tool
    log.warning("tool_schema_loosened", tool=tool.name, problems=parameters.notes)
    return msgspec.structs.replace(tool, spec=msgspec.structs.replace(tool.spec, parameters=parameters.schema))


def _load(entry: EntryPoint) -> tuple[Tool, ...]:
    try:
        return tuple(_tools_in(entry.load()))
    except (Exception, SystemExit):
        log.exception("tools_not_loaded", entry_point=entry.name, value=entry.value)
        return ()


def _tools_in(thing: object) -> Iterator[Tool]:
    if isinstance(thing, Tool):
        yield thing
        return
    if not isinstance(thing, Iterable):
        raise TypeError(f"a Tool or an iterable of Tools is expected, not {type(thing).__name__}")
    for member in cast("Iterable[object]", thing):
        if not isinstance(member, Tool):
            raise TypeError(f"a Tool is expected, not {type(member).__name__}")
        yield member
