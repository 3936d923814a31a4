"""Arguments: the JSON text that a model wrote, checked against a tool's parameters."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from luxx.core.text import storable
from luxx.tools.results import shorten
from luxx.tools.schema import Parameter, describe

_MAX_PROBLEMS = 20
_SHOWN_CHARS = 80

T = TypeVar("T")

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)


class BadArguments(Exception):
    """The model's arguments do not fit; the text tells it what to change. `problems` are what is wrong, each on its own."""

    def __init__(self, text: str, problems: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class Arguments:
    """Reads the arguments of one tool.

    What fits the hints is taken as it is. What does not is read again where nothing is lost by it: text that holds the
    value (``"3"`` for a number, ``"[1, 2]"`` for a list), a whole float for an integer, 0 and 1 for a boolean, null for an
    argument that may be left out.
    """

    def __init__(self, tool: str, parameters: tuple[Parameter, ...]) -> None:
        self._tool = tool
        self._parameters = {parameter.name: parameter for parameter in parameters}
        self._decoders = {
            parameter.name: msgspec.json.Decoder[Any](parameter.hint)  # a hint is a value here, not a static type
            for parameter in parameters
        }

    def read(self, text: str) -> dict[str, object]:
        """Return the values by name; arguments left out are not in it. Empty text and null are no arguments.

        Raises BadArguments with every problem found, and what the tool takes.
        """
        given = self._members(text)
        values: dict[str, object] = {}
        problems: list[str] = []
        for name, parameter in self._parameters.items():
            try:
                if name in given:
                    values |= self._value(parameter, given[name])
                elif parameter.required:
                    problems.append(f"`{name}` is missing")
            except BadArguments as problem:
                problems.append(str(problem))
        problems += self._strangers(given)
        if problems:
            raise self._refusal(problems)
        return values

    def _members(self, text: str) -> Mapping[str, msgspec.Raw]:
        try:
            return members_of(text, _object)
        except msgspec.ValidationError as error:
            raise self._refusal([f"one JSON object is expected, but {_lower(str(error))}"]) from error
        except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
            raise self._refusal([f"the text is not valid JSON: {error}"]) from error

    def _value(self, parameter: Parameter, raw: msgspec.Raw) -> dict[str, object]:
        """Return the argument by its name, or nothing where the model's null stands for an argument left out."""
        decoder = self._decoders[parameter.name]
        try:
            return {parameter.name: decoder.decode(raw)}
        except (msgspec.DecodeError, RecursionError) as error:
            if bytes(raw) == b"null" and not parameter.required:
                return {}
            try:
                return {parameter.name: _reread(parameter, decoder, raw)}
            except (msgspec.MsgspecError, RecursionError, ValueError):
                raise BadArguments(_problem(parameter, raw, error)) from error

    def _strangers(self, given: Mapping[str, msgspec.Raw]) -> Iterator[str]:
        for name in given:
            if name not in self._parameters:
                near = difflib.get_close_matches(name[:_SHOWN_CHARS], self._parameters, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                yield f"`{shorten(name, _SHOWN_CHARS)}` is not an argument of this tool{hint}"

    def _refusal(self, problems: list[str]) -> BadArguments:
        shown = problems[:_MAX_PROBLEMS]
        if more := len(problems) - len(shown):
            shown.append(f"and {more} more")
        lines = [f"`{self._tool}` was not run, its arguments are wrong:", *(f"- {problem}" for problem in shown)]
        if self._parameters:
            lines += ["It takes one JSON object with:", *map(_usage, self._parameters.values())]
        else:
            lines.append("It takes no arguments: {}")
        return BadArguments("\n".join(lines), shown)


def members_of(text: str, decoder: msgspec.json.Decoder[dict[str, T]]) -> dict[str, T]:
    """Return the members of the object that a model wrote, as JSON or as a JSON text with it inside; empty text and null have none.

    Raises MsgspecError, UnicodeError or RecursionError for anything else.
    """
    data = storable(text).strip()
    if data.startswith('"'):
        data = _text.decode(data).strip()
    return {} if data in ("", "null") else decoder.decode(data)


def _reread(parameter: Parameter, decoder: msgspec.json.Decoder[Any], raw: msgspec.Raw) -> object:
    """Return the value read leniently; raises MsgspecError, RecursionError or ValueError if it cannot be had so."""
    try:
        value: object = msgspec.convert(msgspec.json.decode(raw), parameter.hint, strict=False)
    except msgspec.ValidationError:
        return decoder.decode(_text.decode(raw))
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(value)
    return value


def _problem(parameter: Parameter, raw: msgspec.Raw, error: Exception) -> str:
    message, _, path = str(error).partition(" - at ")
    where = path.strip("`").replace("$", parameter.name, 1) or parameter.name
    written = shorten(bytes(raw).decode(errors="replace"), _SHOWN_CHARS)
    return f"`{where}`: {_lower(message)}; it was {written}"


def _usage(parameter: Parameter) -> str:
    notes = [describe(parameter.schema), "required" if parameter.required else "optional"]
    if "default" in parameter.schema:
        notes.append("default " + msgspec.json.encode(parameter.schema["default"]).decode())
    text = f"- `{parameter.name}` ({', '.join(notes)})"
    description = parameter.schema.get("description")
    return f"{text}: {description}" if description else text


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
