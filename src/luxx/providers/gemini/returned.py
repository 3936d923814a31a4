"""Returned: the parts of an answer that are sent back as they came, with their signatures."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from luxx.core.prompts import AnswerPrompt
from luxx.core.text import storable_within
from luxx.providers.gemini.tools import wire_name
from luxx.providers.gemini.values import as_object, get, object_at

FILE = "luxxFile"
"""In place of a file's content: its number among the files that the answer made, which are stored elsewhere."""

_TEXT_KEYS = frozenset({"text", "thought"})


class _Raw(msgspec.Struct):
    """The content of Finish.raw."""

    parts: list[dict[str, Any]]


class Returned:
    """Collects the parts of one answer. Texts without a signature are joined; one with a signature stays as it came.

    Thoughts without a signature are not kept: they are a summary for people, which the model does not want back.
    """

    def __init__(self) -> None:
        self._parts: list[dict[str, Any] | list[str]] = []
        self._texts: list[str] | None = None
        self._special = False

    def add_text(self, part: dict[str, Any], shown: str) -> None:
        """Take a text, of which `shown` is the answer's text so far."""
        plain = part.keys() <= _TEXT_KEYS
        if plain and get(part, "thought") is True:
            return
        if plain:
            self.add_plain(shown)
        else:
            self._add({**part, "text": shown})

    def add_plain(self, text: str) -> None:
        """Take text that has no signature."""
        if not text:
            return
        if self._texts is None:
            self._texts = []
            self._parts.append(self._texts)
        self._texts.append(text)

    def add_call(self, part: dict[str, Any]) -> None:
        """Take a part with a whole function call."""
        self._add(part)

    def add_file(self, part: dict[str, Any], number: int) -> None:
        """Take a part with a file, without the content."""
        data = {key: value for key, value in object_at(part, "inlineData").items() if key != "data"}
        rest = {key: value for key, value in part.items() if key not in ("inlineData", "inline_data")}
        self._add({"inlineData": {**data, FILE: number}, **rest})

    def add_other(self, part: dict[str, Any]) -> None:
        """Take any other part, known or not."""
        if part.keys() - _TEXT_KEYS and "text" not in part:
            self._add(part)

    def raw(self) -> bytes:
        """Return the parts as JSON, or nothing if they say no more than the answer's text."""
        if not self._special:
            return b""
        parts = [{"text": "".join(part)} if isinstance(part, list) else part for part in self._parts]
        try:
            try:
                return msgspec.json.encode(_Raw(parts))
            except (UnicodeEncodeError, msgspec.EncodeError):
                return msgspec.json.encode(storable_within({"parts": parts}))
        except (RecursionError, msgspec.EncodeError):
            return b""

    def _add(self, part: dict[str, Any]) -> None:
        self._texts = None
        self._special = True
        self._parts.append(part)


def returned_parts(prompt: AnswerPrompt, names: Sequence[str]) -> list[dict[str, Any]] | None:
    """Return the parts that an earlier answer came in, if they say what the prompt says; its calls have these `names`.

    An answer that was changed since, or of which a part is gone, is written anew.
    """
    if not prompt.raw:
        return None
    try:
        parts = msgspec.json.decode(prompt.raw, type=_Raw).parts
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    called = [str(call.get("name", "")) for part in parts if (call := call_in(part)) is not None]
    said = "".join(text for part in parts if get(part, "thought") is not True and (text := _text(part)))
    fits = parts and said == prompt.text and len(called) == len(names) and len(prompt.files) >= _files(parts)
    return parts if fits and all(map(_same_name, called, names)) else None


def call_in(part: Mapping[str, object]) -> dict[str, Any] | None:
    """Return the function call of a part."""
    return cast("dict[str, Any] | None", as_object(get(part, "functionCall")))


def _text(part: Mapping[str, object]) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else ""


def _files(parts: Sequence[Mapping[str, object]]) -> int:
    return sum(FILE in object_at(part, "inlineData") for part in parts)


def _same_name(called: str, name: str) -> bool:
    """Whether a call was made under a tool's name on the wire; some models put that of their module before it."""
    return wire_name(called) == name or called.endswith((f":{name}", f".{name}"))
