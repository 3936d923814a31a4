"""Catalogue: the models that an endpoint lists, in the shapes that providers really send."""

import json
from typing import cast

from luxx.core.ports import ModelInfo
from luxx.core.text import storable

_MOST_MODELS = 5000
_LARGEST_WINDOW = 2**53
_WINDOW_NAMES = (
    "context_window",
    "context_length",
    "max_context_length",
    "max_model_len",
    "max_input_tokens",
    "inputTokenLimit",
    "n_ctx",
)


def read_catalogue(body: bytes) -> tuple[ModelInfo, ...] | None:
    """Return the models of an answer to ``GET /models``, in its order, each once; None if it is no such answer.

    OpenAI wraps them in ``data``, Ollama and others in ``models``, Together sends a bare list; an entry may be just a name.
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
    name = next((value for value in names if isinstance(value, str) and value), None)
    return ModelInfo(id=storable(name), context_window=_window(fields)) if name else None


def _window(fields: dict[str, object]) -> int | None:
    """Return the context window, which llama.cpp puts into ``meta`` and OpenRouter into ``top_provider`` as well."""
    for place in (fields, fields.get("meta"), fields.get("limits"), fields.get("top_provider")):
        for name in _WINDOW_NAMES if isinstance(place, dict) else ():
            value = cast("dict[str, object]", place).get(name)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_WINDOW:
                return value
    return None
