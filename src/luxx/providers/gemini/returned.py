"""Returned: the parts of an answer that are sent back as they came, with their signatures."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from luxx.core.deltas import Delta
from luxx.core.prompts import AnswerPrompt
from luxx.providers.gemini.tools import wire_name
from luxx.providers.gemini.values import get, object_at
from luxx.providers.values import as_object, text_of
from luxx.providers.verbatim import Verbatim, read_parts, rest_of

FILE = "luxxFile"
"""In place of a file's content: its number among the files that the answer made, which are stored elsewhere."""

Part = dict[str, Any]

_TEXT_KEYS = frozenset({"text", "thought"})


class _Raw(msgspec.Struct):
    """What is kept of an answer: parts of it."""

    parts: list[Part]


class Returned:
    """Takes the parts of one answer and hands over what is to be sent back.

    Texts without a signature are joined; one with a signature stays as it came. Thoughts without a signature are not kept: they are a
    summary for people, which the model does not want back.
    """

    def __init__(self) -> None:
        self._verbatim = Verbatim[Part](_Raw)
        self._texts: list[str] = []

    def add_text(self, part: Part, shown: str) -> list[Delta]:
        """Take a text, of which `shown` is the answer's text so far."""
        plain = part.keys() <= _TEXT_KEYS
        if plain and get(part, "thought") is True:
            return []
        if not plain:
            return self._add({**part, "text": shown})
        self.add_plain(shown)
        return []

    def add_plain(self, text: str) -> None:
        """Take text that has no signature."""
        self._texts.append(text)

    def add_call(self, part: Part) -> list[Delta]:
        """Take a part with a whole function call."""
        return self._add(part)

    def add_file(self, part: Part, number: int) -> list[Delta]:
        """Take a part with a file, without the content."""
        data = {key: value for key, value in object_at(part, "inlineData").items() if key != "data"}
        rest = {key: value for key, value in part.items() if key not in ("inlineData", "inline_data")}
        return self._add({"inlineData": {**data, FILE: number}, **rest})

    def add_other(self, part: Part) -> list[Delta]:
        """Take any other part, known or not."""
        return self._add(part) if part.keys() - _TEXT_KEYS and "text" not in part else []

    def _add(self, part: Part) -> list[Delta]:
        text, self._texts = "".join(self._texts), []
        if text:
            self._verbatim.add({"text": text}, plain=True)
        return self._verbatim.add(part, plain=False)


def returned_parts(prompt: AnswerPrompt, names: Sequence[str]) -> list[Part] | None:
    """Return the parts that an earlier answer came in, if they say what the prompt says; its calls have these `names`.

    An answer that was changed since, or of which a part is gone, is written anew. Text that came after them is added.
    """
    parts = [part for kept in read_parts(prompt.raw, _Raw) for part in kept.parts]
    called = [str(call.get("name", "")) for part in parts if (call := call_in(part)) is not None]
    said = "".join(text for part in parts if get(part, "thought") is not True and (text := text_of(part.get("text"))))
    rest = rest_of(prompt.text, said)
    fits = parts and rest is not None and len(called) == len(names) and len(prompt.files) >= _files(parts)
    if not fits or not all(map(_same_name, called, names)):
        return None
    return [*parts, {"text": rest}] if rest and rest.strip() else parts


def call_in(part: Mapping[str, object]) -> dict[str, Any] | None:
    """Return the function call of a part."""
    return as_object(get(part, "functionCall"))


def _files(parts: Sequence[Mapping[str, object]]) -> int:
    return sum(FILE in object_at(part, "inlineData") for part in parts)


def _same_name(called: str, name: str) -> bool:
    """Whether a call was made under a tool's name on the wire; some models put that of their module before it."""
    return wire_name(called) == name or called.endswith((f":{name}", f".{name}"))
