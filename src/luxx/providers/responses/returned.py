"""Returned: the output items of an answer that go back as input items of later requests, verbatim but for what input refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from luxx.core.prompts import AnswerPrompt, CallPrompt
from luxx.core.text import storable_within
from luxx.providers.attachments import data_of
from luxx.providers.responses.events import objects
from luxx.providers.responses.items import kind_of, whole_text

_LARGEST = 8 * 1024 * 1024
_OUTPUT_ONLY = ("status", "created_by", "logprobs")
_PARTS = {"output_text": ("type", "text", "annotations"), "refusal": ("type", "refusal")}
# With store=false an id says nothing to the provider: OpenAI looks it up in vain, and pairs items by it that we may not send.
_NAMELESS = ("message", "function_call", "compaction", "tool_search_call", "tool_search_output")
# What the input schema wants of these is an id and a status; they need no answer, and have their content with them.
_STATED = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call", "mcp_call")


class Returned(msgspec.Struct, frozen=True):
    """The content of Finish.raw: the answer's items in order, with their ids."""

    items: list[dict[str, Any]]


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as input items, and how many of its images are among them."""

    items: list[dict[str, Any]]
    images: int = 0


def encode_returned(done: Iterable[dict[str, object]]) -> bytes:
    """Return the items as JSON; nothing if a text and calls alone would say the same, or if they are too large."""
    found = list(done)
    items = [item for fields in found if _is_answered(fields, found) and (item := _kept(fields))]
    if not any(_says_more(item) for item in items):
        return b""
    try:
        try:
            raw = msgspec.json.encode(Returned(items))
        except UnicodeEncodeError:
            raw = msgspec.json.encode(storable_within({"items": items}))
    except (RecursionError, OverflowError):
        return b""
    return raw if len(raw) <= _LARGEST else b""


def back(answer: AnswerPrompt, files: Mapping[str, bytes], *, reasoning: bool, ids: bool) -> Back | None:
    """Return an answer's own items; None if it has none, or if they do not fit its text and calls.

    `reasoning` is whether the provider takes its reasoning back, `ids` whether it wants the ids of the items.
    """
    try:
        found = msgspec.json.decode(answer.raw, type=Returned).items
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    calls = _matched(found, answer.calls)
    said = "".join(whole_text(item) for item in found if kind_of(item) == "message")
    if calls is None or "".join(said.split()) != "".join(answer.text.split()):
        return None
    images = [data for file in answer.files if file.is_image and (data := data_of(file, files))]
    items: list[dict[str, Any]] = []
    shown = 0
    for place, fields in enumerate(found):
        kind = kind_of(fields)
        item: dict[str, Any] | None = fields
        if kind == "reasoning":
            item = _reasoning(fields, ids) if reasoning else None
        elif kind == "message":
            item = _message(fields, ids)
        elif kind == "function_call":
            call = calls[place]
            item = {**fields, "call_id": call.id, "name": call.name, "arguments": call.arguments}
        elif kind == "image_generation_call":
            item = {**fields, "status": "completed", "result": images[shown]} if shown < len(images) else None
            shown += item is not None
        if item:
            items.append({k: v for k, v in item.items() if ids or k != "id" or kind not in _NAMELESS})
    while items and kind_of(items[-1]) == "reasoning":  # which wants something to follow it
        items.pop()
    return Back(items=items, images=shown)


def _kept(fields: dict[str, object]) -> dict[str, Any] | None:
    """Return an item as it is kept: without what input never takes, and without the content of images, which are files."""
    kind = kind_of(fields)
    item = {name: value for name, value in fields.items() if name not in _OUTPUT_ONLY}
    if kind in _STATED:
        item["status"] = fields.get("status") or "completed"
        return {name: item[name] for name in ("type", "id", "status") if name in item} if "image" in kind else item
    if kind not in ("reasoning", "message", "function_call"):
        return item
    item = {name: value for name, value in item.items() if value is not None}
    if kind == "message":
        return {**item, "type": kind, "content": _parts(fields.get("content"))}
    if kind == "reasoning":
        if fields.get("status") == "incomplete" or not (item.get("encrypted_content") or item.get("content")):
            return None
        item["summary"] = item.get("summary") or []
    return item


def _is_answered(fields: dict[str, object], items: Iterable[dict[str, object]]) -> bool:
    """Whether an item is complete by itself: a call of a tool that only a client could run is refused without its output."""
    kind, call = kind_of(fields), fields.get("call_id")
    if kind == "function_call" or not kind.endswith(("_call", "_request")):
        return True
    if kind.endswith("_call") and call is None:
        return True
    return any(kind_of(item).endswith("_output") and item.get("call_id") == call for item in items)


def _parts(content: object) -> list[dict[str, Any]]:
    if isinstance(content, str):
        return [{"type": "output_text", "text": content, "annotations": []}]
    parts: list[dict[str, Any]] = []
    for part in objects(content):
        if names := _PARTS.get(str(part.get("type"))):
            kept = {name: part[name] for name in names if name in part}
            parts.append({**kept, "annotations": part.get("annotations") or []} if "text" in kept else kept)
    return parts


def _says_more(item: dict[str, Any]) -> bool:
    match kind_of(item):
        case "function_call":
            return bool(item.keys() - {"type", "id", "call_id", "name", "arguments"})
        case "message":
            return "phase" in item or not _is_plain(item)
        case _:
            return True


def _is_plain(message: dict[str, Any]) -> bool:
    return all(part.get("type") == "output_text" and not part.get("annotations") for part in message["content"])


def _matched(items: list[dict[str, Any]], calls: tuple[CallPrompt, ...]) -> dict[int, CallPrompt] | None:
    """Return the prompt's call for each call among the items, by id and else in order; None if they are not the same calls."""
    left = list(calls)
    places = [place for place, item in enumerate(items) if kind_of(item) == "function_call"]
    if len(places) != len(left):
        return None
    found: dict[int, CallPrompt] = {}
    for place in places:
        if call := next((call for call in left if call.id == items[place].get("call_id")), None):
            found[place] = call
            left.remove(call)
    found.update(zip((place for place in places if place not in found), left, strict=True))
    return found if all(items[place].get("name") == call.name for place, call in found.items()) else None


def _reasoning(fields: dict[str, Any], ids: bool) -> dict[str, Any]:
    """Encrypted reasoning goes without its id and its words; reasoning in words keeps both, for servers of open models."""
    if not fields.get("encrypted_content"):
        return fields
    return {name: value for name, value in fields.items() if name != "content" and (ids or name != "id")}


def _message(fields: dict[str, Any], ids: bool) -> dict[str, Any] | None:
    """A text is sent as one, which every server takes; parts only where there is more to say."""
    text = whole_text(fields)
    if not text.strip():
        return None
    if ids:
        return {**fields, "role": "assistant", "status": "completed"}
    return {**fields, "role": "assistant", "content": text if _is_plain(fields) else fields["content"]}
