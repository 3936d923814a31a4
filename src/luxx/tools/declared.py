"""Declared arguments: what a model wrote for a tool of somebody else, checked against the schema that it was shown."""

from typing import Any

import msgspec

from luxx.core.fits import unfit_arguments
from luxx.tools.arguments import BadArguments, members_of

Values = dict[str, object]

_object = msgspec.json.Decoder(dict[str, Any])


class DeclaredArguments:
    """Reads the arguments of one tool, as far as its schema tells of them."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def read(self, text: str) -> Values:
        """Return the members of the JSON object; empty text and null are one without members. Raises BadArguments."""
        try:
            values: Values = members_of(text, _object)
        except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
            raise BadArguments(f"The tool was not run: its arguments must be one JSON object, but {error}") from error
        if problem := unfit_arguments(values, self._schema):
            raise BadArguments(f"The tool was not run: {problem}.", (problem,))
        return values
