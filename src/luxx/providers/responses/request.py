"""Request: a ModelRequest as the body of ``POST /responses``. The same prompts always give the same bytes."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from luxx.core.prompts import ModelRequest, ToolSpec
from luxx.core.text import storable_within
from luxx.providers.plain_root import plain_root
from luxx.providers.responses import quirks as q
from luxx.providers.responses.inputs import input_items

_ENCRYPTED = "reasoning.encrypted_content"
_LONGEST_KEY = 64

_encoder = msgspec.json.Encoder()


def encode_request(
    request: ModelRequest, *, quirks: frozenset[q.Quirk] = frozenset(), extra: Mapping[str, Any] | None = None
) -> bytes:
    """Return the body of the request, its input last, so that a longer conversation begins with the same bytes.

    `extra` wins; objects in it, and the lists of tools and of what to include, are joined with Luxx's own.
    """
    body: dict[str, Any] = {"model": request.model, "stream": True, **_terms(request, quirks)}
    if request.tools:
        body["tools"] = [_tool(tool, quirks) for tool in request.tools]
    system: list[dict[str, Any]] = []
    if request.system and q.SYSTEM_INPUT in quirks:
        system = [{"type": "message", "role": "system", "content": request.system}]
    elif request.system:
        body["instructions"] = request.system
    body = _joined(body, extra or {})
    body.setdefault("input", [*system, *input_items(request, quirks)])
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        return json.dumps(storable_within(body), ensure_ascii=False, separators=(",", ":")).encode()


def _terms(request: ModelRequest, quirks: frozenset[q.Quirk]) -> dict[str, Any]:
    terms: dict[str, Any] = {}
    if q.NO_STORE not in quirks:
        terms["store"] = False
    if q.NO_INCLUDE not in quirks:
        terms["include"] = [_ENCRYPTED]
    if reasoning := _reasoning(request, quirks):
        terms["reasoning"] = reasoning
    if request.temperature is not None and q.NO_TEMPERATURE not in quirks:
        terms["temperature"] = request.temperature
    if request.max_tokens is not None and q.NO_LIMIT not in quirks:
        terms["max_output_tokens"] = max(request.max_tokens, q.LEAST_TOKENS if q.MORE_TOKENS in quirks else 0)
    if request.conversation_id and q.NO_CACHE_KEY not in quirks:
        terms["prompt_cache_key"] = _key(request.conversation_id)
    return terms


def _reasoning(request: ModelRequest, quirks: frozenset[q.Quirk]) -> dict[str, str]:
    """Ask for summaries, which are all that OpenAI shows of the reasoning; without reasoning there is nothing to show."""
    effort = q.effort_of(request.thinking, quirks)
    reasoning = {"effort": effort} if effort else {}
    if q.NO_SUMMARY not in quirks and effort != "none":
        reasoning["summary"] = "auto"
    return reasoning


def _tool(tool: ToolSpec, quirks: frozenset[q.Quirk]) -> dict[str, Any]:
    # Left out, it would be strict, which only some JSON schemas can be.
    strict = {} if q.NO_STRICT in quirks else {"strict": False}
    own = {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": plain_root(tool.parameters),
    }
    return own | strict


def _joined(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(body)
    for name, value in extra.items():
        own = joined.get(name)
        if isinstance(own, dict) and isinstance(value, dict):
            joined[name] = {**cast("dict[str, Any]", own), **cast("dict[str, Any]", value)}
        elif isinstance(own, list) and isinstance(value, list):
            more = [entry for entry in cast("list[Any]", value) if entry not in own]
            joined[name] = [*cast("list[Any]", own), *more]
        else:
            joined[name] = value
    return joined


def _key(conversation_id: str) -> str:
    if len(conversation_id) <= _LONGEST_KEY:
        return conversation_id
    return hashlib.sha256(conversation_id.encode("utf-8", "replace")).hexdigest()
