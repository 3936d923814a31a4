"""Paths: the parameters that routes share."""

import re
from typing import Annotated

from fastapi import Header, Path, Query
from pydantic import AfterValidator

from luxx.core.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def _existing(value: str) -> str:
    """Return an id that can be one. Raises NotFound: what cannot be an id is not the id of anything."""
    if not _ID.fullmatch(value):
        raise NotFound("There is nothing with this id.")
    return value


def _existing_if_given(value: str | None) -> str | None:
    return None if value is None else _existing(value)


def _existing_or_empty(value: str | None) -> str | None:
    return value and _existing(value)


IdInPath = Annotated[str, Path(), AfterValidator(_existing)]
IdInQuery = Annotated[str | None, Query(), AfterValidator(_existing_if_given)]
PlaceInQuery = Annotated[str | None, Query(), AfterValidator(_existing_or_empty)]
"""An id; or nothing, for the place before the first."""
PageSize = Annotated[int, Query(ge=1, le=200)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]
Accept = Annotated[str, Header(alias="Accept", include_in_schema=False)]
Deltas = Annotated[bool, Query(description="False leaves out `step_delta`: a growing step comes whole now and then.")]


def weights(accept: str) -> dict[str, float]:
    """Return what an Accept or Accept-Encoding header names, with its weight (RFC 9110, section 12.4.2)."""
    return dict(_weighted(item) for item in accept.lower().split(",") if item.strip())


def wants_events(accept: str) -> bool:
    """Whether an Accept header asks for an event stream, and not for JSON rather."""
    accepted = weights(accept)
    events = accepted.get("text/event-stream", 0.0)
    return events > 0 and events >= accepted.get("application/json", 0.0)


def _weighted(item: str) -> tuple[str, float]:
    name, *parameters = (part.strip() for part in item.split(";"))
    weight = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return name, float(weight)
    except ValueError:
        return name, 0.0
