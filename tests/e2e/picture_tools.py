"""Tools that a package brings for the tests of whole conversations: one draws a picture, one says what it was told."""

import base64

from luxx.tools.results import ToolFile
from luxx.tools.tool import tool

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@tool(effect="read")
async def draw(what: str) -> list[str | ToolFile]:
    """Draw something."""
    return [f"A picture of {what}.", ToolFile(f"{what}.png", PICTURE)]


@tool(effect="read")
async def echo(text: str) -> str:
    """Say it again."""
    return text


TOOLS = (draw, echo)
