"""Catalogue: the list of the tools that come with Luxx."""

from luxx.tools.builtin.calculator import calculator_tool
from luxx.tools.builtin.clock import clock_tool
from luxx.tools.builtin.files import file_tools
from luxx.tools.builtin.pdf import PdfReader
from luxx.tools.builtin.sandbox import sandbox_tool
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.fetch import fetch_tool
from luxx.tools.builtin.web.guard import Guard, open_guard
from luxx.tools.builtin.web.names import SystemNames
from luxx.tools.builtin.web.search import SearchEngine, search_tool
from luxx.tools.tool import Tool


def builtin_tools(
    *,
    max_result_chars: int = 50_000,
    web_max_bytes: int = 5_000_000,
    web_timeout_s: float = 20.0,
    search: SearchEngine | None = None,
) -> tuple[Tool, ...]:
    """Return the built-in tools, always in the same order; the box that takes them closes them.

    ``web_search`` is among them only if there is a search engine.
    """
    pdfs, names = PdfReader(), SystemNames()
    web = WebClient(Guard(names), max_bytes=web_max_bytes, timeout_s=web_timeout_s)
    engine = WebClient(open_guard(names), max_bytes=web_max_bytes, timeout_s=web_timeout_s)
    return (
        clock_tool(),
        calculator_tool(),
        sandbox_tool(),
        *file_tools(max_result_chars, pdfs),
        fetch_tool(web, pdfs),
        *((search_tool(search, engine),) if search else ()),
    )
