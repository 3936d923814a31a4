"""What the terminal's environment asks for; everything that is Luxx's own comes from luxx.settings."""

import os


def wants_no_colour() -> bool:
    """Whether the person wants no colours at all (no-color.org), or the terminal has none."""
    return bool(os.environ.get("NO_COLOR")) or is_dumb()  # noqa: TID251 - a convention of terminals, not a setting


def is_dumb() -> bool:
    """Whether the terminal cannot move its cursor."""
    return os.environ.get("TERM", "") in ("", "dumb")  # noqa: TID251 - a convention of terminals, not a setting


def variable(name: str) -> str | None:
    """Return the variable that the person named on the command line."""
    return os.environ.get(name)  # noqa: TID251 - the name comes from the person, so that a secret need not be an argument
