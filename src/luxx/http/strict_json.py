"""Strict JSON: request bodies as RFC 8259 has them, with every way to be malformed answered alike."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute


def read_json(data: bytes) -> Any:  # noqa: ANN401 - whatever was sent
    """Return what a body holds. Raises json.JSONDecodeError, whatever is wrong: bad UTF-8, NaN, too deep, too long a number."""
    try:
        return json.loads(data, parse_constant=_refuse)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error), "", 0) from error


class _StrictRequest(Request):
    async def json(self) -> Any:  # noqa: ANN401 - the framework's signature
        """Return the body. Raises json.JSONDecodeError."""
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A route whose JSON body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the framework's handler behind the strict reader."""
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
