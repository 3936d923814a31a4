"""Files: the tools that list, read and write the files of the conversation."""

import difflib
from collections.abc import Sequence
from typing import Annotated

import msgspec

from luxx.core.errors import LuxxError
from luxx.core.files import FileRef
from luxx.core.media import IMAGES, PDF, file_name
from luxx.core.ports import ToolOutcome
from luxx.tools.builtin.pdf import PdfReader
from luxx.tools.errors import ToolError
from luxx.tools.keeping import READER, described
from luxx.tools.results import shorten
from luxx.tools.tool import Tool, ToolContext, tool

MAX_WRITTEN_CHARS = 1_000_000
_PIECE_CHARS = 40_000
_NOTE_CHARS = 300
_MAX_LISTED = 200
_MAX_NAME_CHARS = 200
_MAX_SUGGESTIONS = 5


def file_tools(max_result_chars: int = 50_000, pdfs: PdfReader | None = None) -> tuple[Tool, ...]:
    """Return ``list_files``, ``read_file`` and ``write_file``; no piece of a file is longer than a result may be."""
    most = max(1, min(_PIECE_CHARS, max_result_chars - _NOTE_CHARS))
    return tool(_list_files, effect="read", name="list_files"), _read_tool(most, pdfs or PdfReader()), _write_tool()


async def _list_files(context: ToolContext) -> str:
    """List the files of this conversation: those that the person attached, and those that tools made."""
    files = await context.files.list()
    lines = [described(file) for file in files[-_MAX_LISTED:]]
    if more := len(files) - len(lines):
        lines.insert(0, f"[{more} older files are not listed]")
    return "\n".join(lines) or "There are no files in this conversation."


def _read_tool(most: int, pdfs: PdfReader) -> Tool:
    async def read_file(
        file: str,
        offset: Annotated[int, msgspec.Meta(ge=0)] = 0,
        limit: Annotated[int, msgspec.Meta(ge=1)] = most,
        *,
        context: ToolContext,
    ) -> object:
        """Read a file of this conversation: text and PDFs piece by piece; an image is shown.

        Args:
            file: The file's id or its name; of several with one name the newest.
            offset: The number of characters to leave out at the start.
            limit: How many characters to read at most.
        """
        ref = _found(await context.files.list(), file)
        if ref.media_type in IMAGES:
            return ToolOutcome(content=described(ref), files=(ref,))
        text = await _text(ref, await _content(ref, context), pdfs)
        return _piece(text, offset, min(limit, most))

    return tool(read_file, effect="read", name=READER)


def _write_tool() -> Tool:
    async def write_file(
        name: Annotated[str, msgspec.Meta(min_length=1, max_length=_MAX_NAME_CHARS)],
        content: Annotated[str, msgspec.Meta(max_length=MAX_WRITTEN_CHARS)],
        *,
        context: ToolContext,
    ) -> ToolOutcome:
        """Write a text as a new file of this conversation, which the person can open and save.

        Nothing is overwritten: if there is a file of this name, the new one gets a number.

        Args:
            name: What the file is to be called, with its ending, such as "report.md".
            content: The whole text.
        """
        ref = await _written(context, file_name(name), content.encode("utf-8", "replace"))
        return ToolOutcome(content=f"Written: {described(ref)}", files=(ref,))

    return tool(write_file, effect="idempotent")


async def _content(ref: FileRef, context: ToolContext) -> bytes:
    try:
        return await context.files.read(ref.id)
    except LuxxError as error:
        raise ToolError(f"{ref.name} cannot be read: {error.message}") from error


async def _text(ref: FileRef, data: bytes, pdfs: PdfReader) -> str:
    if ref.media_type == PDF:
        return (await pdfs.read(data)).text
    if not ref.is_text:
        raise ToolError(f"{ref.name} is {ref.media_type}, which cannot be read as text.")
    return data.decode("utf-8-sig", "replace")


def _piece(text: str, offset: int, limit: int) -> str:
    if offset and offset >= len(text):
        raise ToolError(f"The file has only {len(text):,} characters.")
    end = offset + limit
    piece = text[offset:end]
    if len(piece) == len(text):
        return piece or "[The file is empty.]"
    ahead = f"; offset={end} reads on" if end < len(text) else "; this is its end"
    return f"{piece}\n[characters {offset:,} to {offset + len(piece):,} of {len(text):,}{ahead}]"


def _found(files: Sequence[FileRef], wanted: str) -> FileRef:
    """Return the file of an id or a name. Raises ToolError with what there is."""
    wanted = wanted.strip()
    for ref in reversed(files):
        if wanted in (ref.id, ref.name):
            return ref
    for ref in reversed(files):
        if wanted.casefold() == ref.name.casefold():
            return ref
    if not files:
        raise ToolError("There are no files in this conversation.")
    names = list(dict.fromkeys(ref.name for ref in files))
    near = difflib.get_close_matches(wanted[:_MAX_NAME_CHARS], names, n=_MAX_SUGGESTIONS) or names[-_MAX_SUGGESTIONS:]
    raise ToolError(f"There is no file {shorten(wanted, 80)}; there are {', '.join(near)}. list_files shows all.")


async def _written(context: ToolContext, name: str, data: bytes) -> FileRef:
    """Keep a file under a free name. A call that is run again finds what it has written before."""
    there = {ref.name: ref for ref in await context.files.list()}
    number, free = 1, name
    while ref := there.get(free):
        if ref.size == len(data) and await _content(ref, context) == data:
            return ref
        number += 1
        free = _numbered(name, number)
    try:
        return await context.files.keep(free, data)
    except LuxxError as error:
        raise ToolError(f"{name} was not written: {error.message}") from error


def _numbered(name: str, number: int) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number}.{ending}" if stem and dot else f"{name}-{number}"
