"""Catalogue: the models that an endpoint lists, a page at a time."""

import msgspec

from luxx.core.ports import Ability, ModelInfo
from luxx.core.text import storable
from luxx.providers.anthropic.wire import decode_object
from luxx.providers.values import fields_of, text_of, tokens_of

_MOST_MODELS = 1000
_CAPABILITIES: tuple[tuple[str, Ability], ...] = (
    ("image_input", "images"),
    ("pdf_input", "files"),
    ("thinking", "thinking"),
)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the list; `after` is where the next one begins, empty if there is none."""

    models: tuple[ModelInfo, ...]
    after: str = ""


def read_page(body: bytes) -> Page | None:
    """Return a page of an answer to ``GET /v1/models``, None if it is none."""
    fields = decode_object(body)
    entries = fields.get("data", fields.get("models")) if fields else None
    if fields is None or not isinstance(entries, list):
        return None
    found: list[object] = entries[:_MOST_MODELS]  # pyright: ignore[reportUnknownVariableType] - each is looked at
    models = [model for entry in found if (model := _model(entry))]
    after = text_of(fields.get("last_id")) if fields.get("has_more") is True and models else ""
    return Page(models=tuple(models), after=after)


def _model(entry: object) -> ModelInfo | None:
    if isinstance(entry, str):
        return ModelInfo(id=storable(entry)) if entry else None
    fields = fields_of(entry)
    id = text_of(fields.get("id")) or text_of(fields.get("name"))
    if not id:
        return None
    name = text_of(fields.get("display_name"))
    window = next(
        (size for key in ("max_input_tokens", "context_length") if (size := tokens_of(fields.get(key)))), None
    )
    return ModelInfo(
        id=storable(id),
        name=storable(name) if name else None,
        context_window=window,
        max_output_tokens=tokens_of(fields.get("max_tokens")) or None,
        abilities=_abilities(fields.get("capabilities")),
    )


def _abilities(value: object) -> tuple[Ability, ...] | None:
    """Return what a model can, None where nobody says; every model of this API can call tools."""
    told = fields_of(value)
    if not told:
        return None
    return ("tools", *(ability for key, ability in _CAPABILITIES if fields_of(told.get(key)).get("supported") is True))
