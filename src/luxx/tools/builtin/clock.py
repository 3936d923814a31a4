"""Clock: the tool that tells the time."""

import difflib
import zoneinfo
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from luxx.tools.errors import ToolError
from luxx.tools.results import shorten
from luxx.tools.tool import Tool, tool

_SHOWN_CHARS = 60
_MAX_SUGGESTIONS = 5


def _now(zone: tzinfo) -> datetime:
    return datetime.now(zone)


def clock_tool(now: Callable[[tzinfo], datetime] = _now) -> Tool:
    """Return the tool ``current_time``; `now` gives the time in a zone."""

    def current_time(timezone: str = "UTC") -> str:
        """Tell the current date, weekday and time.

        Args:
            timezone: IANA name of a time zone, such as "Europe/Berlin" or "America/New_York".
        """
        name, zone = _zone(timezone.strip())
        moment = now(zone)
        return f"{moment.isoformat(timespec='seconds')} ({moment:%A}, {name})"

    return tool(current_time, effect="read")


def _zone(name: str) -> tuple[str, tzinfo]:
    if name.upper() in ("", "UTC", "Z"):
        return "UTC", UTC
    try:
        return name, zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        exact = next((known for known in zoneinfo.available_timezones() if known.lower() == name.lower()), None)
        if exact is None:
            raise ToolError(_unknown(name)) from None
        return exact, zoneinfo.ZoneInfo(exact)


def _unknown(name: str) -> str:
    known = zoneinfo.available_timezones()
    if not known:
        return "This machine has no time zone data; only UTC can be used."
    wanted = name[:_SHOWN_CHARS].lower().replace(" ", "_")
    within = sorted(zone for zone in known if wanted in zone.lower())
    near = within or difflib.get_close_matches(name[:_SHOWN_CHARS], known, n=_MAX_SUGGESTIONS)
    hint = f" Did you mean {' or '.join(near[:_MAX_SUGGESTIONS])}?" if near else ""
    return f'There is no time zone "{shorten(name, _SHOWN_CHARS)}"; use an IANA name such as "Europe/Berlin".{hint}'
