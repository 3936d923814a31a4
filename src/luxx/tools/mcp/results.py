"""Results: what a server gave, as an outcome: text to read, files to keep, structured content that was checked."""

import mimetypes
import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from luxx.core.errors import LuxxError
from luxx.core.files import FileRef
from luxx.core.fits import misfit
from luxx.core.ports import ToolOutcome
from luxx.core.text import storable, storable_within
from luxx.tools.context import ToolContext
from luxx.tools.keeping import described
from luxx.tools.mcp.log import ServerLog
from luxx.tools.mcp.wire import CallResult, Content, LinkContent, MediaContent, ResourceInfo, TextContent

_MAX_PARTS = 1_000
_MAX_FILES = 20
_MAX_LISTED = 500
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_NOTHING = "Done; the tool gave no result."


async def outcome_of_call(
    result: CallResult, output: dict[str, Any] | None, context: ToolContext, log: ServerLog
) -> ToolOutcome:
    """Return the outcome of a call whose tool declared the schema `output`. What does not fit it is said, and is a failure."""
    notes: list[str] = []
    data, failed = result.structured, result.failed
    if output is not None and not failed:
        wrong = "there is none" if data is None else misfit(data, output)
        if wrong:
            notes.append(f"[The tool ran, but its structured result does not fit what it declares: {wrong}.]")
            data, failed = None, True
    parts: Sequence[Content] = result.content
    if not parts and result.structured is not None:
        parts = (TextContent(msgspec.json.encode(result.structured).decode(errors="replace")),)
    return await outcome_of_parts(parts, context, log, failed=failed, data=data, notes=notes)


async def outcome_of_parts(
    parts: Sequence[Content],
    context: ToolContext,
    log: ServerLog,
    *,
    failed: bool = False,
    data: dict[str, Any] | None = None,
    notes: Iterable[str] = (),
) -> ToolOutcome:
    """Return pieces of content as an outcome; what is no text is kept as a file of the conversation."""
    texts: list[str] = []
    kept: list[FileRef] = []
    for part in parts[:_MAX_PARTS]:
        match part:
            case TextContent(text=text):
                texts.append(log.hidden(storable(text)))
            case LinkContent():
                texts.append(log.hidden(storable(_link(part))))
            case MediaContent():
                file = (
                    await _keep(part, context)
                    if len(kept) < _MAX_FILES
                    else f"[{part.kind}: not kept, there are too many]"
                )
                texts.append(described(file) if isinstance(file, FileRef) else file)
                kept += [file] if isinstance(file, FileRef) else []
    if len(parts) > _MAX_PARTS:
        texts.append(f"[{len(parts) - _MAX_PARTS} more parts left out]")
    content = "\n".join(text for text in (*texts, *notes) if text)
    return ToolOutcome(content=content or _NOTHING, failed=failed, files=tuple(kept), data=_plain(data, log))


def listed_resources(resources: Sequence[ResourceInfo], log: ServerLog) -> ToolOutcome:
    """Return resources as a list to choose from."""
    lines = [_described_resource(resource) for resource in resources[:_MAX_LISTED]]
    if len(resources) > _MAX_LISTED:
        lines.append(f"[{len(resources) - _MAX_LISTED} more left out]")
    return ToolOutcome(content=log.hidden(storable("\n".join(lines))) or "There are no resources.")


def _described_resource(resource: ResourceInfo) -> str:
    notes = [resource.name if resource.name != resource.uri else "", resource.media_type]
    notes += [f"{resource.size:,} bytes"] if resource.size is not None else []
    about = ", ".join(note for note in notes if note)
    line = f"- {resource.uri}" + (f" ({about})" if about else "")
    return f"{line}: {' '.join(resource.description.split())}" if resource.description else line


def _link(link: LinkContent) -> str:
    about = f" ({link.media_type})" if link.media_type else ""
    description = f": {link.description}" if link.description else ""
    return f"[resource {link.name} <{link.uri}>{about}{description}]"


async def _keep(part: MediaContent, context: ToolContext) -> FileRef | str:
    if part.data is None:
        return f"[{part.kind}: cannot be read, it is no valid base64]"
    try:
        return await context.files.keep(_file_name(part), part.data)
    except LuxxError as error:
        return f"[{part.kind}: could not be kept: {error.message}]"


def _file_name(part: MediaContent) -> str:
    last = part.uri.rstrip("/").rpartition("/")[2].partition("?")[0]
    stem = re.sub(r"[^\w.-]", "_", last)[-80:].strip("._") or part.kind
    media_type = part.media_type.lower()
    ending = mimetypes.guess_extension(media_type) if _MEDIA_TYPE.fullmatch(media_type) else None
    return stem if "." in stem or not ending else stem + ending


def _plain(data: dict[str, Any] | None, log: ServerLog) -> dict[str, Any] | None:
    """Return structured content as it may be stored, or None for what JSON cannot hold."""
    if data is None:
        return None
    try:
        text = msgspec.json.encode(storable_within(data)).decode()
        return msgspec.json.decode(log.hidden(text), type=dict[str, Any])
    except (TypeError, ValueError, msgspec.MsgspecError, RecursionError):
        return None
