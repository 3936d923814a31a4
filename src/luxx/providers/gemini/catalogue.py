"""Catalogue: the models that an endpoint lists, page by page."""

import re
from collections.abc import Mapping

from luxx.core.ports import Ability, ModelInfo
from luxx.core.text import storable
from luxx.providers.gemini.values import decode, get, text_at, texts_at
from luxx.providers.values import as_object, objects, tokens_of

_MOST_MODELS = 5000
_ANSWERS = ("generateContent", "streamGenerateContent")
_SEES_ALL = re.compile(r"gemini-(?!.*(?:image|tts|live|audio|embedding))")


def read_page(body: bytes) -> tuple[tuple[ModelInfo, ...], str] | None:
    """Return the models of a page that can answer, and the token of the next page; None if it is no such list."""
    try:
        value = decode(body)
    except ValueError:
        return None
    fields = as_object(value)
    if fields is None or not any(isinstance(fields.get(name), list) for name in _LISTS):
        # The last page, and the list of a key that may use no model, has no models at all.
        return ((), "") if fields is not None and not (fields.keys() - {"nextPageToken"}) else None
    entries = [entry for name in _LISTS for entry in objects(fields.get(name))][:_MOST_MODELS]
    return tuple(model for entry in entries if (model := _model(entry))), text_at(fields, "nextPageToken")


_LISTS = ("models", "publisherModels", "data")


def _model(entry: Mapping[str, object]) -> ModelInfo | None:
    id = storable(_id(text_at(entry, "name") or text_at(entry, "id")))
    methods = texts_at(entry, "supportedGenerationMethods")
    if not id or (methods and not any(method in methods for method in _ANSWERS)):
        return None
    return ModelInfo(
        id=id,
        name=storable(text_at(entry, "displayName")) or None,
        context_window=tokens_of(get(entry, "inputTokenLimit")) or None,
        max_output_tokens=tokens_of(get(entry, "outputTokenLimit")) or None,
        abilities=_abilities(id, get(entry, "thinking")),
    )


def _id(name: str) -> str:
    """Return a name without its collection; tuned models keep theirs, by which they are called."""
    return name.rpartition("models/")[2] if not name.startswith("tunedModels/") else name


def _abilities(id: str, thinking: object) -> tuple[Ability, ...] | None:
    """Google tells of thinking only; all of its chat models call tools and read files."""
    if not _SEES_ALL.match(id):
        return None
    return ("tools", "images", "files", "thinking") if thinking is True else ("tools", "images", "files")
