"""Replies: answers in JSON, encoded by msgspec, and how the OpenAPI document describes them."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder()


def reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return the value as JSON."""
    sent = {"Cache-Control": "no-store", **(headers or {})}
    return Response(_encoder.encode(value), status, headers=sent, media_type="application/json")


def nothing(headers: Mapping[str, str] | None = None) -> Response:
    """Return 204."""
    return Response(status_code=204, headers=headers)


def answers(status: int, kind: type[msgspec.Struct], description: str) -> dict[int | str, dict[str, Any]]:
    """Document an answer in JSON."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {status: {"description": description, "content": {"application/json": {"schema": schema}}}}


def streams(description: str) -> dict[int | str, dict[str, Any]]:
    """Document an answer that is an event stream."""
    return {200: {"description": description, "content": {"text/event-stream": {"schema": {"type": "string"}}}}}
