"""Asides: what an answer holds besides text, thinking and calls: the provider's own tools, sources, and files it made."""

from typing import cast

from luxx.core.deltas import Delta, FileDelta, NoticeDelta
from luxx.core.text import storable
from luxx.providers.attachments import decode_base64
from luxx.providers.responses.items import Item, kind_of
from luxx.providers.values import fields_of

_LONGEST = 2000
_SILENT = ("", "message", "reasoning", "function_call", "mcp_list_tools", "program_output")
_SAID = {
    "computer_call": "Wanted to use a computer, which is not possible here.",
    "local_shell_call": "Wanted to use a shell, which is not possible here.",
    "shell_call": "Used a shell.",
    "apply_patch_call": "Wanted to change files, which is not possible here.",
    "tool_search_call": "Looked for tools.",
    "compaction": "The provider condensed the conversation.",
}
_EXTENSIONS = ("png", "jpeg", "webp", "gif", "svg")


def asides_of(item: Item, fields: dict[str, object]) -> list[Delta]:
    """Return what is told of a whole item that is neither text, thinking nor a function call."""
    kind = kind_of(fields)
    if kind in _SILENT or kind.endswith("_output"):
        return []
    if kind == "image_generation_call" and (file := _image(item, fields)):
        return [file]
    text = storable(_words(kind, fields))[:_LONGEST]
    return [NoticeDelta(kind=storable(kind).removesuffix("_call")[:40], text=text)] if text else []


def _image(item: Item, fields: dict[str, object]) -> FileDelta | None:
    """Return the image; where the final one is missing, the last preview of it."""
    data = decode_base64(_text(fields.get("result")) or item.partial_image)
    extension = fields.get("output_format")
    return FileDelta(data=data, name=f"image.{extension if extension in _EXTENSIONS else 'png'}") if data else None


def _words(kind: str, fields: dict[str, object]) -> str:
    if said := _SAID.get(kind):
        return said
    match kind:
        case "web_search_call":
            return _search(fields_of(fields.get("action")))
        case "file_search_call":
            return f"Searched the provider's files{_queries(fields)}."
        case "code_interpreter_call":
            return f"Ran code:\n{_text(fields.get('code'))}".rstrip()
        case "image_generation_call":
            return f"An image was to be made, but none came.{_failed(fields)}"
        case "mcp_call" | "mcp_approval_request":
            return _remote(kind, fields)
        case "custom_tool_call":
            return f'Used the custom tool "{_text(fields.get("name"))}".'
        case _:
            return f'The provider used "{kind.removesuffix("_call")}".' if kind.endswith("_call") else ""


def _remote(kind: str, fields: dict[str, object]) -> str:
    tool = f'call "{_text(fields.get("name"))}" of the server "{_text(fields.get("server_label"))}"'
    if kind == "mcp_approval_request":
        return f"Asked for leave to {tool}, which cannot be given here."
    return f"Let the provider {tool}.{_failed(fields)}"


def _search(action: dict[str, object]) -> str:
    url = _text(action.get("url"))
    match action.get("type"):
        case "open_page" if url:
            return f"Opened {url}."
        case "find_in_page" | "find" if url:
            return f'Looked for "{_text(action.get("pattern"))}" in {url}.'
        case _:
            return f"Searched the web{_queries(action)}."


def _queries(fields: dict[str, object]) -> str:
    found = fields.get("queries")
    queries = [q for q in cast("list[object]", found) if isinstance(q, str) and q] if isinstance(found, list) else []
    if not queries and (query := _text(fields.get("query"))):
        queries = [query]
    return " for " + ", ".join(f'"{query}"' for query in queries[:10]) if queries else ""


def _failed(fields: dict[str, object]) -> str:
    error = fields.get("error")
    said = _text(error) or _text(fields_of(error).get("message"))
    return f" It failed: {said}" if said else ""


def _text(value: object) -> str:
    return storable(value) if isinstance(value, str) else ""
