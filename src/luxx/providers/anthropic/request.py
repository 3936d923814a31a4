"""Request: a ModelRequest in the words of the Messages API. The same prompts always give the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from luxx.core.prompts import ModelRequest, ToolSpec
from luxx.core.text import storable, storable_within
from luxx.providers.anthropic.history import History, Message
from luxx.providers.anthropic.quirks import Quirks, Relief
from luxx.providers.anthropic.returned import unfinished
from luxx.providers.anthropic.traits import Traits, traits_of
from luxx.providers.anthropic.wire import Block, wire_names
from luxx.providers.plain_root import plain_root
from luxx.providers.values import objects

_BUDGETS = {"low": 4_096, "medium": 16_384, "high": 32_768}
_SMALLEST_BUDGET = 1_024
_MARK = {"type": "ephemeral"}

_encoder = msgspec.json.Encoder()


class Encoded(msgspec.Struct, frozen=True, kw_only=True):
    """A request's body, and whether it asks for thoughts between calls of a model that wants a word in the headers for that."""

    body: bytes
    interleaved: bool


def encode_request(
    request: ModelRequest,
    *,
    relief: Relief | None = None,
    max_output: int | None = None,
    paused: Sequence[Block] = (),
    extra: Mapping[str, Any] | None = None,
) -> Encoded:
    """Return the request. `extra` is added to it and wins; its tools are offered beside those of the request.

    `relief` is what the endpoint needs otherwise, `max_output` what it says the model can write, `paused` what the model has
    written before it paused.
    """
    relief = relief or Relief(quirks=Quirks())
    quirks = relief.quirks
    traits = _corrected(traits_of(request.model), quirks)
    names = wire_names(request.tools)
    history = History(request, traits, names, plain=relief.plain, no_files=quirks.no_files)
    limit = _max_tokens(request, traits, relief, max_output)
    thinking = _thinking(request, traits, quirks, limit, history)
    body: dict[str, Any] = {"model": request.model, "max_tokens": limit, "stream": True, **thinking}
    if request.temperature is not None and _takes_temperature(traits, quirks, thinking):
        body["temperature"] = request.temperature
    if history.container:
        body["container"] = history.container
    mark = {} if quirks.no_cache else {"cache_control": _MARK}
    if tools := _tools(request.tools, names, objects((extra or {}).get("tools"))):
        body["tools"] = [*tools[:-1], {**tools[-1], **mark}]
    if request.system and request.system.strip():
        body["system"] = [{"type": "text", "text": storable(request.system), **mark}]
    messages = _marked(history.messages, mark)
    body["messages"] = [*messages, {"role": "assistant", "content": unfinished(paused)}] if paused else messages
    body.update({key: value for key, value in (extra or {}).items() if key != "tools"})
    interleaved = (
        bool(request.tools) and traits.mode == "budget" and thinking.get("thinking", {}).get("type") == "enabled"
    )
    return Encoded(body=_encode(body), interleaved=interleaved)


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        return _encoder.encode(storable_within(body))


def _corrected(traits: Traits, quirks: Quirks) -> Traits:
    mode = quirks.mode or traits.mode
    return msgspec.structs.replace(traits, mode=mode, off=quirks.off or traits.off)


def _max_tokens(request: ModelRequest, traits: Traits, relief: Relief, max_output: int | None) -> int:
    """The API wants a limit: without one of the person's it is the most that the model can write."""
    wanted = request.max_tokens or max_output or traits.max_output
    return min(wanted, relief.quirks.max_tokens or wanted, relief.room or wanted)


def _thinking(request: ModelRequest, traits: Traits, quirks: Quirks, limit: int, history: History) -> dict[str, Any]:
    """Return the fields that say how much to think; what the provider does unasked is at least to be shown."""
    level = request.thinking
    if traits.mode == "none":
        return {}
    if level == "off":
        return _not_thinking(traits, quirks)
    if traits.mode == "adaptive":
        effort = {} if level is None or quirks.no_effort else {"output_config": {"effort": level}}
        return {"thinking": _adaptive(traits, quirks), **effort} if level or traits.thinks else {}
    budget = min(_BUDGETS[level], limit // 2) if level else 0
    if budget < _SMALLEST_BUDGET or (traits.claude and not history.last_answer_thinks):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _not_thinking(traits: Traits, quirks: Quirks) -> dict[str, Any]:
    match traits.off:
        case "omit":
            return {}
        case "low":
            effort = {} if quirks.no_effort else {"output_config": {"effort": "low"}}
            return {"thinking": _adaptive(traits, quirks), **effort} if traits.mode == "adaptive" else {}
        case word:
            return {"thinking": {"type": word}}


def _adaptive(traits: Traits, quirks: Quirks) -> dict[str, str]:
    shown = {"display": "summarized"} if traits.shows and not quirks.no_display else {}
    return {"type": "adaptive", **shown}


def _takes_temperature(traits: Traits, quirks: Quirks, thinking: Mapping[str, Any]) -> bool:
    if not traits.temperature or quirks.no_temperature:
        return False
    return not traits.claude or thinking.get("thinking", {}).get("type") not in ("enabled", "adaptive")


def _tools(tools: Sequence[ToolSpec], names: Mapping[str, str], more: list[dict[str, Any]]) -> list[dict[str, Any]]:
    own = [
        {
            "name": names[tool.name],
            **({"description": tool.description} if tool.description.strip() else {}),
            "input_schema": plain_root(tool.parameters),
        }
        for tool in tools
    ]
    return [*more, *own]


def _marked(messages: list[Message], mark: dict[str, Any]) -> list[Message]:
    """Mark the ends of the last two messages of the user: what was cached for the last call is found, and this call's is kept.

    Together with those of the tools and the system prompt these are the four marks that the API allows.
    """
    places = [place for place, message in enumerate(messages) if message["role"] == "user"][-2:]
    return [
        {**message, "content": _marked_end(message["content"], mark)} if mark and place in places else message
        for place, message in enumerate(messages)
    ]


def _marked_end(content: str | list[Block], mark: dict[str, Any]) -> str | list[Block]:
    if isinstance(content, str) or not content:
        return content
    return [*content[:-1], {**content[-1], **mark}]
