"""Keys: where a command takes a provider's key from."""

import getpass
import sys

import msgspec

from luxx.cli import environment
from luxx.core.errors import InvalidRequest

_WAYS = "--key-env NAME (a variable that holds it), --key-stdin (a pipe that brings it), or --no-key if it needs none"


class KeyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says of a key: itself, the variable that holds it, that standard input brings it, or that there is none."""

    given: str | None = None
    variable: str | None = None
    stdin: bool = False
    none: bool = False


def read_key(options: KeyOptions, need: str, where: str | None = None) -> str | None:
    """Return the key, asking for it at a terminal without showing it; None where none is given.

    `need` is a preset's (needed, optional, none), or another word where nobody knows; `where` is an address to get one at. Raises InvalidRequest for a key that is needed and cannot be had.
    """
    if options.none:
        return None
    if options.given is not None:
        return _present(options.given, "The key is empty.")
    if options.variable:
        key = environment.variable(options.variable)
        return _present(key or "", f"The environment variable {options.variable} is not set.")
    if options.stdin:
        return _present(sys.stdin.readline() if sys.stdin else "", "No key came from standard input.")
    if need == "none":
        return None
    return _asked(need, where)


def can_ask() -> bool:
    """Whether there is somebody at a terminal to be asked for a key."""
    return bool(sys.stdin and sys.stdin.isatty())


def _asked(need: str, where: str | None) -> str | None:
    """Ask at the terminal; where there is none, a key that is needed cannot be left out in silence."""
    if not can_ask():
        if need != "needed":
            return None
        get_one = f" Get a key at {where}." if where else ""
        raise InvalidRequest(f"Its key cannot be asked for here: give {_WAYS}.{get_one}")
    prompt = "API key (empty for none): " if need != "needed" else f"API key{f' (from {where})' if where else ''}: "
    try:
        key = getpass.getpass(prompt).strip()
    except EOFError:
        raise InvalidRequest("No key was given.") from None
    if not key and need == "needed":
        raise InvalidRequest(f"It needs a key{f': get one at {where}' if where else ''}.")
    return key or None


def _present(key: str, missing: str) -> str:
    if stripped := key.strip():
        return stripped
    raise InvalidRequest(missing)
