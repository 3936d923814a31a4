"""Calls: run a tool as a turn would, in one line."""

import msgspec

from luxx.core.ports import ToolOutcome
from luxx.tools.box import Toolbox
from luxx.tools.tool import Tool

KEY = "turn-1:3"

Report = tuple[str, float | None, float | None]


async def call(tool: Tool | Toolbox, arguments: object = None, name: str = "", **limits: int) -> ToolOutcome:
    """Run a tool; arguments that are text are what the model wrote, anything else is written as JSON."""
    box = tool if isinstance(tool, Toolbox) else Toolbox([tool], **limits)
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
    return await box.run(name or box.specs()[0].name, text, KEY, lambda *_: None)
