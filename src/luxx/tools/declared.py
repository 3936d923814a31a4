"""Declared arguments: what a model wrote for a tool of somebody else, checked against the schema that it was shown."""

from typing import Any

import msgspec

from luxx.core.text import storable
from luxx.tools.arguments import BadArguments
from luxx.tools.fits import unfit_arguments

Values = dict[str, object]

_object = msgspec.json.Decoder(dict[str, Any])
_text = msgspec.json.Decoder(str)


class DeclaredArguments:
    """Reads the arguments of one tool, as far as its schema tells of them."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def read(self, text: str) -> Values:
        """Return the members of the JSON object; empty text and null are one without members. Raises BadArguments."""
        data = storable(text).strip()
        try:
            if data.startswith('"'):
                data = _text.decode(data).strip()
            values: Values = {} if data in ("", "null") else _object.decode(data)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise BadArguments(f"The tool was not run: its arguments must be one JSON object, but {error}") from error
        if problem := unfit_arguments(values, self._schema):
            raise BadArguments(f"The tool was not run: {problem}.", (problem,))
        return values
