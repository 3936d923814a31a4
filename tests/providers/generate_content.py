"""generateContent streams, built by hand."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from luxx.providers.gemini.answer import AnswerDecoder
from tests.providers.told import Told, decode_with


def event(value: object) -> bytes:
    """Return one event with this JSON."""
    return b"data: " + json.dumps(value).encode() + b"\r\n\r\n"


def chunk(*parts: Mapping[str, Any], finish: str | None = None, usage: object = None, **more: object) -> dict[str, Any]:
    """Return the JSON of an event with these parts; `more` goes to the candidate."""
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], **({"usageMetadata": usage} if usage else {})}


def said(*parts: Mapping[str, Any], finish: str | None = None, usage: object = None, **more: object) -> bytes:
    """Return an event with these parts."""
    return event(chunk(*parts, finish=finish, usage=usage, **more))


def call(name: str | None = None, args: object = None, **more: object) -> dict[str, Any]:
    """Return a part with a function call; what is None is left out. A `signature` goes beside it."""
    signature = more.pop("signature", None)
    fields = {"name": name, "args": args, **more}
    part: dict[str, Any] = {"functionCall": {key: value for key, value in fields.items() if value is not None}}
    return {**part, "thoughtSignature": signature} if signature else part


def decode(pieces: Sequence[bytes], names: Mapping[str, str] | None = None) -> Told:
    """Decode a body that comes in these pieces; an error is kept in `error`."""
    return decode_with(AnswerDecoder(names=names), pieces)


def raw_of(told: Told) -> list[dict[str, Any]]:
    """Return the parts that an answer wants back."""
    return told.raw_items("parts")
