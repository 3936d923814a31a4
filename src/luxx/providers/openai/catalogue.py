"""Catalogue: the models that an endpoint lists, in the shapes that providers really send."""

import json
import re
from typing import cast

from luxx.core.ports import Ability, ModelInfo
from luxx.core.text import storable
from luxx.providers.prices import told_price

_MOST_MODELS = 5000
_LARGEST_WINDOW = 2**53
_NUMBER = re.compile(r"[0-9]{1,16}")
_WINDOW_NAMES = (
    "context_window",
    "context_length",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
    "inputTokenLimit",
    "n_ctx",
)
_OUTPUT_NAMES = ("max_completion_tokens", "max_output_tokens", "max_output_length")
_NO_CHAT = frozenset(
    {"embedding", "embeddings", "image", "audio", "video", "moderation", "rerank", "transcribe", "tts"}
)


def read_catalogue(body: bytes) -> tuple[ModelInfo, ...] | None:
    """Return the models of an answer to ``GET /models``, in its order, each once; None if it is no such answer.

    Those of which it says that they do not chat are left out. OpenAI wraps them in ``data``, Ollama and others in ``models``, Together sends a bare list; an entry may be just a name.
    """
    try:
        found: object = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        fields = cast("dict[str, object]", found)
        found = fields.get("data", fields.get("models"))
    if not isinstance(found, list):
        return None
    models: dict[str, ModelInfo] = {}
    for entry in cast("list[object]", found)[:_MOST_MODELS]:
        if model := _model(entry):
            models.setdefault(model.id, model)
    return tuple(models.values())


def _model(entry: object) -> ModelInfo | None:
    if isinstance(entry, str):
        return ModelInfo(id=storable(entry)) if entry else None
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, object]", entry)
    names = (fields.get(key) for key in ("id", "name", "model"))
    id = next((value for value in names if isinstance(value, str) and value), None)
    if not id or not _chats(fields):
        return None
    name = next((v for key in ("display_name", "name") if isinstance(v := fields.get(key), str) and v), id)
    return ModelInfo(
        id=storable(id),
        name=storable(name) if name != id else None,
        context_window=_tokens(fields, _WINDOW_NAMES),
        max_output_tokens=_tokens(fields, _OUTPUT_NAMES),
        abilities=_abilities(fields),
        price=told_price(fields),
    )


def _tokens(fields: dict[str, object], names: tuple[str, ...]) -> int | None:
    """Return a size, which llama.cpp puts into ``meta`` and OpenRouter into ``top_provider`` as well."""
    for place in (fields, fields.get("meta"), fields.get("limits"), fields.get("top_provider")):
        for name in names if isinstance(place, dict) else ():
            value = cast("dict[str, object]", place).get(name)
            if isinstance(value, str) and _NUMBER.fullmatch(value):
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_WINDOW:
                return value
    return None


def _chats(fields: dict[str, object]) -> bool:
    """Whether a model may be one that chats: Together has a type, Mistral capabilities, OpenRouter what comes out."""
    if fields.get("type") in _NO_CHAT or fields.get("supports_chat") is False:
        return False
    gives = _words(_object(fields.get("architecture")).get("output_modalities"))
    return _object(fields.get("capabilities")).get("completion_chat") is not False and (not gives or "text" in gives)


def _abilities(fields: dict[str, object]) -> tuple[Ability, ...] | None:
    """Return what a model can, None where its list does not even say whether it can call tools."""
    capabilities = _object(fields.get("capabilities"))
    takes = _words(_object(fields.get("architecture")).get("input_modalities"))
    parameters = _words(fields.get("supported_parameters"))
    hosts = fields.get("providers")
    told = [capabilities.get("function_calling"), fields.get("supports_tools")]
    told += (
        [_object(host).get("supports_tools") for host in cast("list[object]", hosts)] if isinstance(hosts, list) else []
    )
    if parameters is None and not any(isinstance(value, bool) for value in told):
        return None
    sees = (capabilities.get("vision"), fields.get("supports_image_input"), fields.get("supports_image_in"))
    can: dict[Ability, bool] = {
        "tools": True in told or "tools" in (parameters or ()),
        "images": True in sees or "image" in (takes or ()),
        "files": "file" in (takes or ()),
        "thinking": "reasoning" in (parameters or ())
        or True in (capabilities.get("reasoning"), fields.get("supports_reasoning")),
    }
    return tuple(ability for ability, has in can.items() if has)


def _object(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _words(value: object) -> list[object] | None:
    return cast("list[object]", value) if isinstance(value, list) else None
