"""Keeping: what is too long or too binary for a result, kept as files of the conversation."""

import asyncio

import msgspec
import structlog

from luxx.core.errors import LuxxError
from luxx.core.files import FileRef, Files
from luxx.core.ports import ToolOutcome
from luxx.tools.results import Result, ToolFile, cut

READER = "read_file"
"""The tool that reads what was kept."""

_PATIENCE_S = 30.0
_MAX_FILES = 20

log = structlog.stdlib.get_logger(__name__)


async def outcome_of(result: Result, tool: str, files: Files, max_chars: int) -> ToolOutcome:
    """Return a result as an outcome: its new files kept, its text cut at `max_chars` characters with the whole kept as a file.

    What cannot be kept is told of in the text; that never fails the call.
    """
    kept: list[FileRef] = list(result.files)
    notes: list[str] = []
    for made in result.made[:_MAX_FILES]:
        ref = await _keep(files, made, tool)
        notes.append(ref if isinstance(ref, str) else described(ref))
        if not isinstance(ref, str):
            kept.append(ref)
    if more := len(result.made) - _MAX_FILES:
        notes += [f"[{more} more files were not kept]"] if more > 0 else []
    text = result.text
    if len(text) > max_chars:
        whole = await _keep(files, ToolFile(f"{tool}-output.txt", text.encode()), tool)
        text = cut(text, max_chars, "" if isinstance(whole, str) else _where(whole, max_chars))
        kept += [] if isinstance(whole, str) else [whole]
    content = "\n".join(part for part in (text, *notes) if part)
    return ToolOutcome(
        content=content,
        failed=result.failed,
        files=tuple(kept),
        data=_bounded(result, max_chars),
        unfinished=result.unfinished,
    )


def described(ref: FileRef) -> str:
    """Return what a model is told of a file that was kept."""
    return f"[file {ref.name}: id {ref.id}, {ref.media_type}, {ref.size:,} bytes]"


def _where(ref: FileRef, offset: int) -> str:
    return f'; all of it is in the file {ref.id}: {READER}("{ref.id}", offset={offset}) reads on'


def _bounded(result: Result, max_chars: int) -> dict[str, object] | None:
    data = result.data
    return data if data is None or len(msgspec.json.encode(data)) <= max_chars else None


async def _keep(files: Files, made: ToolFile, tool: str) -> FileRef | str:
    """Return the file, or why there is none."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await files.keep(made.name, made.data)
    except TimeoutError:
        reason = "the store did not answer"
    except LuxxError as error:
        reason = error.message
    log.warning("tool_file_not_kept", tool=tool, name=made.name, size=len(made.data), reason=reason)
    return f"[the file {made.name} could not be kept: {reason}]"
