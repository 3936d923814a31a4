"""Time as the store writes it."""

from datetime import UTC, datetime


def timestamp() -> str:
    """Return the time now: RFC 3339 in UTC with microseconds, always 27 characters, so that texts compare as times do."""
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
