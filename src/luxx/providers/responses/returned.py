"""Returned: the output items of an answer that go back as input items of later requests, verbatim but for what input refuses."""

from collections.abc import Iterable, Mapping

import msgspec

from luxx.core.prompts import AnswerPrompt, CallPrompt
from luxx.providers.attachments import data_of
from luxx.providers.responses.events import Json
from luxx.providers.responses.items import kind_of, whole_text
from luxx.providers.values import objects
from luxx.providers.verbatim import read_parts, rest_of

LARGEST = 8 * 1024 * 1024
"""Of what is kept of an answer, in bytes."""

_OUTPUT_ONLY = ("status", "created_by", "logprobs")
_PARTS = {"output_text": ("type", "text", "annotations"), "refusal": ("type", "refusal")}
# With store=false an id says nothing to the provider: OpenAI looks it up in vain, and pairs items by it that we may not send.
_NAMELESS = ("message", "function_call", "compaction", "tool_search_call", "tool_search_output")
# What the input schema wants of these is an id and a status; they need no answer, and have their content with them.
_STATED = (
    "web_search_call",
    "file_search_call",
    "code_interpreter_call",
    "image_generation_call",
    "mcp_call",
    "program_output",
)


class Returned(msgspec.Struct, frozen=True):
    """What is kept of an answer: items of it in order, with their ids."""

    items: list[Json]


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as input items, as far as they were kept, and how many of its images are among them: `text` and `calls` follow."""

    items: list[Json]
    images: int
    text: str
    calls: tuple[CallPrompt, ...]


def back(answer: AnswerPrompt, files: Mapping[str, bytes], *, reasoning: bool, ids: bool) -> Back | None:
    """Return an answer's own items; None if it has none, or if they do not fit its text and calls.

    `reasoning` is whether the provider takes its reasoning back, `ids` whether it wants the ids of the items.
    """
    found = [item for part in read_parts(answer.raw, Returned) for item in part.items]
    found = [item for item in found if _is_answered(item, found)]
    calls = _matched(found, answer.calls)
    rest = rest_of(answer.text, "".join(whole_text(item) for item in found if kind_of(item) == "message"))
    if calls is None or rest is None or not found:
        return None
    images = [data for file in answer.files if file.is_image and (data := data_of(file, files))]
    items: list[Json] = []
    shown = 0
    for place, fields in enumerate(found):
        kind = kind_of(fields)
        item: Json | None = fields
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
    left = tuple(call for call in answer.calls if call not in calls.values())
    return Back(items=items, images=shown, text=rest if rest.strip() else "", calls=left)


def kept(fields: dict[str, object]) -> Json | None:
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
    if kind == "function_call":
        return {name: value for name, value in item.items() if name != "arguments"}  # those of the step count
    if kind == "reasoning":
        if fields.get("status") == "incomplete" or not _has_reasoning(fields):
            return None
        item["summary"] = item.get("summary") or []
    return item


def may_still_come(fields: dict[str, object]) -> bool:
    """Whether a done item may get what matters of it at the end of the response only, as some gateways tell encrypted reasoning."""
    return kind_of(fields) == "reasoning" and not _has_reasoning(fields)


def says_more(item: Json) -> bool:
    """Whether an item says more than the answer's text and calls do."""
    match kind_of(item):
        case "function_call":
            return bool(item.keys() - {"type", "id", "call_id", "name", "arguments"})
        case "message":
            return "phase" in item or not _is_plain(item)
        case _:
            return True


def _has_reasoning(fields: dict[str, object]) -> bool:
    return bool(fields.get("encrypted_content") or fields.get("content"))


def _is_answered(fields: dict[str, object], items: Iterable[dict[str, object]]) -> bool:
    """Whether an item is complete by itself: a call of a tool that only a client could run is refused without its output."""
    kind, call = kind_of(fields), fields.get("call_id")
    if kind == "function_call" or not kind.endswith(("_call", "_request")):
        return True
    if kind.endswith("_call") and call is None:
        return True
    return any(kind_of(item).endswith("_output") and item.get("call_id") == call for item in items)


def _parts(content: object) -> list[Json]:
    if isinstance(content, str):
        return [{"type": "output_text", "text": content, "annotations": []}]
    parts: list[Json] = []
    for part in objects(content):
        if names := _PARTS.get(str(part.get("type"))):
            kept = {name: part[name] for name in names if name in part}
            parts.append({**kept, "annotations": part.get("annotations") or []} if "text" in kept else kept)
    return parts


def _is_plain(message: Json) -> bool:
    return all(part.get("type") == "output_text" and not part.get("annotations") for part in message["content"])


def _matched(items: list[Json], calls: tuple[CallPrompt, ...]) -> dict[int, CallPrompt] | None:
    """Return the prompt's call for each call among the items, by id and else in order; None if they are not the same calls."""
    left = list(calls)
    places = [place for place, item in enumerate(items) if kind_of(item) == "function_call"]
    if len(places) > len(left):
        return None
    found: dict[int, CallPrompt] = {}
    for place in places:
        if call := next((call for call in left if call.id == items[place].get("call_id")), None):
            found[place] = call
            left.remove(call)
    found.update(zip((place for place in places if place not in found), left, strict=False))
    return found if all(items[place].get("name") == call.name for place, call in found.items()) else None


def _reasoning(fields: Json, ids: bool) -> Json:
    """Encrypted reasoning goes without its id and its words; reasoning in words keeps both, for servers of open models."""
    if not fields.get("encrypted_content"):
        return fields
    return {name: value for name, value in fields.items() if name != "content" and (ids or name != "id")}


def _message(fields: Json, ids: bool) -> Json | None:
    """A text is sent as one, which every server takes; parts only where there is more to say."""
    text = whole_text(fields)
    if not text.strip():
        return None
    if ids:
        return {**fields, "role": "assistant", "status": "completed"}
    return {**fields, "role": "assistant", "content": text if _is_plain(fields) else fields["content"]}
