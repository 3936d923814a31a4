"""Asked: secrets that are given on the command line as NAME=VALUE, or asked for so that nobody sees them."""

import getpass
import sys

from luxx.core.errors import InvalidRequest


def named_secret(text: str, what: str) -> tuple[str, str]:
    """Return the name and the value of NAME=VALUE; a value that is not given is read, at a terminal so that nobody sees it.

    `what` says what it is, such as ``header``. Raises InvalidRequest if there is no value.
    """
    name, given, value = text.partition("=")
    if given:
        return name, value
    if sys.stdin and sys.stdin.isatty():
        value = getpass.getpass(f"{name}: ")
    else:
        value = sys.stdin.readline() if sys.stdin else ""
    if not value.strip():
        raise InvalidRequest(f"No value for the {what} {name} was given.")
    return name, value.strip()
