"""Wire: what the programs of the load side say to each other: directives for the mock, stamps in its text, chunk framing.

Directive and stamp are those of the Go harness, so that either load side can drive either mock.
"""

import re
import time
from urllib.parse import parse_qsl

import msgspec

STAMP_MODULUS = 36**7
STAMP = re.compile(rb"~([0-9a-z]{1,8})\.([0-9a-z]{1,8})~")
_DIRECTIVE = re.compile(rb"mock\?([A-Za-z0-9=&._:;-]*)")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_UNITS = {"ms": 1e-3, "us": 1e-6, "s": 1.0}
_DURATION = re.compile(r"([0-9.]+)(ms|us|s)")


class Directive(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer of the mock is made of: `n` chunks of `chunk` characters each, `itl_s` seconds apart, all stamped."""

    n: int = 50
    chunk: int = 4
    itl_s: float = 0.0

    def __str__(self) -> str:
        return f"n={self.n}&chunk={self.chunk}&itl={round(self.itl_s * 1e6)}us&stamp=1"


def find_directive(text: bytes) -> Directive:
    """Return the last directive in a text, else the default one."""
    found = _DIRECTIVE.findall(text)
    fields = dict(parse_qsl(found[-1].decode().replace(";", "&"))) if found else {}
    return Directive(
        n=int(fields.get("n", 50)), chunk=int(fields.get("chunk", 4)), itl_s=_seconds(fields.get("itl", "0s"))
    )


def stamp(seq: int) -> bytes:
    """Return ``~SEQ.TIME~``: a chunk's number and the time in microseconds modulo 36^7, in base 36."""
    return f"~{base36(seq)}.{base36(now_us())}~".encode()


def now_us() -> int:
    """Return the time as stamps have it."""
    return time.time_ns() // 1000 % STAMP_MODULUS


def base36(number: int) -> str:
    """Return a number that is not negative in base 36."""
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits


def http_chunk(data: bytes) -> bytes:
    """Return one chunk of a chunked body (RFC 9112, section 7.1)."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _seconds(text: str) -> float:
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))
