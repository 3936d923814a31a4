"""Events: the JSON of a Responses stream, in the shapes that providers really send."""

import json
from typing import Any, cast

import msgspec

from luxx.core.usage import Usage
from luxx.providers.prices import told_cost
from luxx.providers.values import MOST_TOKENS, fields_of, tokens_of

Json = dict[str, Any]


class Event(msgspec.Struct):
    """One event of the stream.

    Any field may be missing, null or of another type than the format says; whoever uses one looks at what it is.
    """

    type: Any = None
    response: Any = None
    item: Any = None
    item_id: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    text: Any = None
    refusal: Any = None
    arguments: Any = None
    part: Any = None
    annotation: Any = None
    partial_image_b64: Any = None
    error: Any = None


class NotAnEvent(ValueError):
    """The data is no JSON object."""


_decoder = msgspec.json.Decoder(Event)


def decode_event(data: bytes) -> Event:
    """Return the event. Raises NotAnEvent. The strict decoder takes all but half surrogate pairs, NaN and broken UTF-8."""
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.convert(decode_object(data), Event)


def decode_object(data: bytes) -> dict[str, object]:
    """Return a JSON object, read with leniency. Raises NotAnEvent."""
    try:
        value: object = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("not JSON") from error
    if not isinstance(value, dict):
        raise NotAnEvent("not a JSON object")
    return cast("dict[str, object]", value)


def text_within(value: object) -> str:
    """Return a text, or the text within an object; empty for any other value."""
    if isinstance(value, dict):
        value = cast("dict[str, object]", value).get("text")
    return value if isinstance(value, str) else ""


def number_of(value: object) -> int | None:
    """Return an index, None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000 else None


def usage_of(value: object) -> Usage | None:
    """Return the usage that an object tells, or None where it tells none.

    A gateway that leaves the reasoning out of the output tokens shows it in the total.
    """
    fields = fields_of(value)
    prompt = _tokens(fields.get("input_tokens")) or _tokens(fields.get("prompt_tokens"))
    output = _tokens(fields.get("output_tokens")) or _tokens(fields.get("completion_tokens"))
    total = _tokens(fields.get("total_tokens"))
    inputs = fields_of(fields.get("input_tokens_details") or fields.get("prompt_tokens_details"))
    outputs = fields_of(fields.get("output_tokens_details") or fields.get("completion_tokens_details"))
    reasoning = _tokens(outputs.get("reasoning_tokens"))
    if reasoning and total >= prompt + output + reasoning:
        output = min(output + reasoning, MOST_TOKENS)
    if not (prompt or output or total):
        return None
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        total_tokens=total or min(prompt + output, MOST_TOKENS),
        cached_tokens=min(_tokens(inputs.get("cached_tokens")), prompt),
        cache_write_tokens=min(_tokens(inputs.get("cache_write_tokens")), prompt),
        reasoning_tokens=min(reasoning, output),
        cost=told_cost(fields),
    )


def _tokens(value: object) -> int:
    return tokens_of(value) or 0
