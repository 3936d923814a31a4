"""Request: a ModelRequest in the words of generateContent. The same prompts always give the same bytes."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from luxx.core.prompts import ModelRequest
from luxx.core.text import storable_within
from luxx.providers.gemini.history import Manner, contents
from luxx.providers.gemini.quirks import Quirk
from luxx.providers.gemini.thinking import keeps_signatures, sees_images_in_results, thinking_config
from luxx.providers.gemini.tools import declarations
from luxx.providers.values import as_object

_encoder = msgspec.json.Encoder()


def encode_request(
    request: ModelRequest,
    *,
    new_ids: bool = True,
    quirks: frozenset[Quirk] = frozenset(),
    extra: Mapping[str, Any] | None = None,
    continuation: str = "",
) -> bytes:
    """Return the body of the request.

    `extra` is added to it and wins; its `tools` come after Luxx's. `new_ids` says whether calls of other providers get ids, and
    `continuation` is the provider's word for the rest of an answer that it has begun.
    """
    body: dict[str, Any] = {"continuationToken": continuation} if continuation else {}
    told = contents(request.prompts, request.files, _manner(request.model, quirks, new_ids))
    if request.system and "system_as_text" in quirks:
        told = _with_system(told, request.system)
    elif request.system:
        body["systemInstruction"] = {"parts": [{"text": request.system}]}
    if request.tools:
        body["tools"] = [{"functionDeclarations": declarations(request.tools, older="older_schema" in quirks)}]
    if generation := _generation(request, quirks):
        body["generationConfig"] = generation
    return _encode({**_merged(body, extra or {}), "contents": told})


def _manner(model: str, quirks: frozenset[Quirk], new_ids: bool) -> Manner:
    wanted = keeps_signatures(model) or "stand_in_signatures" in quirks
    return Manner(
        ids="no_call_ids" not in quirks,
        new_ids=new_ids,
        signatures=not quirks & {"no_signatures", "no_signature_field"},
        stand_in=wanted and "no_signature_field" not in quirks,
        files="no_files" not in quirks,
        images_within=sees_images_in_results(model) and "images_beside" not in quirks,
    )


def _generation(request: ModelRequest, quirks: frozenset[Quirk]) -> dict[str, Any]:
    generation: dict[str, Any] = {}
    if request.temperature is not None and "no_temperature" not in quirks:
        generation["temperature"] = request.temperature
    if request.max_tokens is not None:
        generation["maxOutputTokens"] = request.max_tokens
    thinking = thinking_config(
        request.model,
        request.thinking,
        coarse="coarse_thinking" in quirks,
        shown_only="no_thinking_amount" in quirks,
    )
    if thinking and "no_thinking" not in quirks:
        generation["thinkingConfig"] = thinking
    return generation


def _with_system(told: list[dict[str, Any]], system: str) -> list[dict[str, Any]]:
    """Put the system prompt before the first message, for models that have no place for it."""
    first = {"text": system}
    if not told:
        return [{"role": "user", "parts": [first]}]
    return [{**told[0], "parts": [first, *told[0]["parts"]]}, *told[1:]]


def _merged(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**body}
    for key, value in extra.items():
        mine, theirs = as_object(merged.get(key)), as_object(value)
        if key == "tools" and isinstance(value, list):
            merged[key] = [*merged.get(key, ()), *cast("list[Any]", value)]
        elif mine is not None and theirs is not None:
            merged[key] = _merged(mine, theirs)
        else:
            merged[key] = value
    return merged


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        return _encoder.encode(storable_within(body))
