"""Catalogue: the list of the tools that come with Luxx."""

from luxx.tools.builtin.calculator import calculator_tool
from luxx.tools.builtin.clock import clock_tool
from luxx.tools.builtin.sandbox import sandbox_tool
from luxx.tools.tool import Tool


def builtin_tools() -> tuple[Tool, ...]:
    """Return the built-in tools, always in the same order; the box that takes them closes them."""
    return (clock_tool(), calculator_tool(), sandbox_tool())
