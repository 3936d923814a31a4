"""Forms: the fields of a flat JSON schema, and what a person types into them."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from luxx.core.errors import InvalidRequest

_YES = frozenset({"y", "yes", "true", "1"})
_NO = frozenset({"n", "no", "false", "0"})


class Choice(msgspec.Struct, frozen=True):
    """One of the values that a field takes, and what it is called."""

    value: str = msgspec.field(name="const", default="")
    title: str = ""


class _Items(msgspec.Struct, frozen=True, rename="camel"):
    enum: tuple[str, ...] = ()
    enum_names: tuple[str, ...] = ()
    one_of: tuple[Choice, ...] = ()
    any_of: tuple[Choice, ...] = ()

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The values that may be chosen, none if all are good."""
        names = (*self.enum_names, *self.enum[len(self.enum_names) :])
        return self.one_of or self.any_of or tuple(map(Choice, self.enum, names))


class Field(_Items, frozen=True, kw_only=True, rename="camel"):
    """A field of a form, as its JSON schema describes it."""

    type: str = "string"
    title: str = ""
    description: str = ""
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    max_length: int | None = None
    items: _Items = _Items()


class _Form(msgspec.Struct, frozen=True):
    properties: dict[str, Field] = {}
    required: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True):
    """A field with its name."""

    name: str
    field: Field
    required: bool

    @property
    def label(self) -> str:
        """What it is called."""
        return self.field.title or self.name

    @property
    def choices(self) -> tuple[Choice, ...]:
        """The values that may be chosen, none if all are good."""
        return self.field.items.choices if self.field.type == "array" else self.field.choices

    def read(self, text: str) -> object:
        """Return the value that was typed. Raises InvalidRequest, saying what is wanted."""
        match self.field.type:
            case "boolean":
                return _boolean(text)
            case "integer" | "number":
                return _number(self.field, text)
            case "array":
                return [self._chosen(word.strip()) for word in text.split(",") if word.strip()]
            case _:
                return self._chosen(text) if self.choices else _text(self.field, text)

    def _chosen(self, word: str) -> str:
        """Return a choice given by its number, its name or itself."""
        if not self.choices:
            return word
        for number, choice in enumerate(self.choices, 1):
            if word in (str(number), choice.value, choice.title):
                return choice.value
        raise InvalidRequest(f"Choose one of 1 to {len(self.choices)}.")


def entries_of(schema: Mapping[str, Any]) -> Sequence[Entry]:
    """Return the fields of a form. Raises InvalidRequest for one that cannot be shown."""
    try:
        form = msgspec.convert(schema, _Form)
    except msgspec.ValidationError as error:
        raise InvalidRequest("This form cannot be shown here.") from error
    return [Entry(name, field, name in form.required) for name, field in form.properties.items()]


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in _YES | _NO:
        raise InvalidRequest("Say y or n.")
    return word in _YES


def _number(field: Field, text: str) -> float:
    try:
        number = int(text) if field.type == "integer" else float(text)
    except ValueError:
        raise InvalidRequest("This is no whole number." if field.type == "integer" else "This is no number.") from None
    least, most = field.minimum, field.maximum
    if number != number or (least is not None and number < least) or (most is not None and number > most):
        raise InvalidRequest(f"It must be {_bounds(least, most)}.")
    return number


def _text(field: Field, text: str) -> str:
    if len(text) < field.min_length or (field.max_length is not None and len(text) > field.max_length):
        raise InvalidRequest(f"Its length must be {_bounds(field.min_length or None, field.max_length)}.")
    return text


def _bounds(least: float | None, most: float | None) -> str:
    parts = [f"at least {least:g}"] if least is not None else []
    return " and ".join([*parts, *([f"at most {most:g}"] if most is not None else [])]) or "a number"
