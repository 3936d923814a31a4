"""PDF: the text of a PDF, taken out in a process of its own that is bounded in time and memory.

A reader of PDFs meets whatever people put into them; a hostile one may cost that process, and nothing else.
"""

import asyncio
import contextlib
import sys

import msgspec

from luxx.tools.errors import ToolError

_SECONDS = 20.0
_CHILD = "luxx.tools.builtin.pdf_child"


class PdfText(msgspec.Struct, frozen=True):
    """The text of a PDF, page by page; `left_out` says how many pages were not read."""

    pages: list[str]
    left_out: int = 0

    @property
    def text(self) -> str:
        """All of it, with a line before each page."""
        parts = [f"[page {number}]\n{page.strip()}" for number, page in enumerate(self.pages, 1) if page.strip()]
        if not parts:
            return "[The PDF has no text; its pages may be pictures.]"
        return "\n\n".join([*parts, *([f"[{self.left_out} more pages were not read]"] if self.left_out else [])])


class PdfReader:
    """Reads PDFs, at most `at_once` at a time: each reader may take much memory."""

    def __init__(self, at_once: int = 2) -> None:
        self._places = asyncio.Semaphore(at_once)

    async def read(self, data: bytes) -> PdfText:
        """Return a PDF's text. Raises ToolError for one that cannot be read, in words."""
        async with self._places:
            return await _read(data)


async def _read(data: bytes) -> PdfText:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        _CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            output, _ = await process.communicate(data)
    except TimeoutError as error:
        raise ToolError(f"The PDF could not be read within {_SECONDS:g} s.") from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        raise ToolError("The PDF cannot be read: it is damaged, locked with a password, or made to be hard to read.")
    return msgspec.json.decode(output, type=PdfText)
