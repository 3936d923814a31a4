"""Calculator: the tool that computes an expression, by a parser of its own."""

import difflib
import re
from typing import Literal

import msgspec

from luxx.tools.builtin.arithmetic import CONSTANTS, FUNCTIONS, ArithmeticProblem, Number, binary, call, checked, show
from luxx.tools.errors import ToolError
from luxx.tools.results import shorten
from luxx.tools.tool import Tool, tool

MAX_CHARS = 1_000
MAX_DEPTH = 50

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+(?:_[0-9]+)*(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_\u03c0][A-Za-z0-9_.]*)
      | (?P<operator>\*\*|//|[-+*/%(),\u00d7\u00f7\u2212])
    )""",
    re.VERBOSE,
)
_SYNONYMS = {"\u00d7": "*", "\u00f7": "/", "\u2212": "-", "\u03c0": "pi"}  # as people write them
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2}
_HINTS = {
    "^": "for a power write **",
    "=": "give an expression only, not an equation or an assignment",
    "!": "for a factorial write factorial(n)",
    "[": "use round brackets only",
    "{": "use round brackets only",
}

Kind = Literal["number", "name", "operator", "end"]


class _Token(msgspec.Struct, frozen=True):
    kind: Kind
    text: str
    position: int


def calculator_tool() -> Tool:
    """Return the tool ``calculator``."""

    async def calculator(expression: str) -> str:
        """Compute an arithmetic expression, exactly for whole numbers.

        It knows + - * / // (whole division) % (remainder) ** (power), brackets, pi, e, tau, and the functions sqrt, sin,
        cos, tan, asin, acos, atan (in radians), degrees, radians, log (natural, or to a base: log(8, 2)), ln, log2, log10,
        exp, abs, round, floor, ceil, factorial, gcd, min, max.

        Args:
            expression: The expression, such as "2 * (3 + 4) ** 2" or "sqrt(2) / 3".
        """
        try:
            return show(evaluate(expression))
        except ArithmeticProblem as problem:
            raise ToolError(f"Cannot compute `{shorten(expression, 100)}`: {problem}") from problem

    return tool(calculator, effect="read")


def evaluate(expression: str) -> Number:
    """Return an expression's value; the rules are Python's. Raises ArithmeticProblem with what is wrong and where."""
    if len(expression) > MAX_CHARS:
        raise ArithmeticProblem(f"the expression is longer than {MAX_CHARS:,} characters")
    return _Parser(_tokens(expression)).whole()


def _tokens(expression: str) -> list[_Token]:
    tokens: list[_Token] = []
    position = 0
    end = len(expression.rstrip())
    while position < end:
        found = _TOKEN.match(expression, position)
        if found is None:
            raise _unexpected(expression[position:].lstrip()[0], _start(expression, position))
        kind: Kind = "number" if found["number"] else "name" if found["name"] else "operator"
        text = found[kind]
        tokens.append(_Token(kind, _SYNONYMS.get(text, text), found.start(kind)))
        position = found.end()
    return [*tokens, _Token("end", "", end)]


class _Parser:
    """A precedence parser that computes while it reads; `depth` bounds its recursion."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Number:
        value = self._sum(1)
        if self._peek().kind != "end":
            raise self._wrong()
        return value

    def _sum(self, least: int) -> Number:
        """Read operations that bind at least as strongly as `least`; equal ones go from left to right."""
        value = self._signed()
        while (precedence := _PRECEDENCE.get(self._peek().text, 0)) >= least:
            operator = self._take().text
            value = binary(operator, value, self._sum(precedence + 1))
        return value

    def _signed(self) -> Number:
        """Read a sign, which binds less than a power: -2 ** 2 is -4."""
        self._deeper()
        token = self._peek()
        if token.text in ("+", "-"):
            self._take()
            value = self._signed()
            value = -value if token.text == "-" else value
        else:
            value = self._raised()
        self._depth -= 1
        return value

    def _raised(self) -> Number:
        """Read a power; powers go from right to left, and the exponent may have a sign."""
        base = self._atom()
        if self._peek().text != "**":
            return base
        self._take()
        return binary("**", base, self._signed())

    def _atom(self) -> Number:
        token = self._peek()
        if token.kind not in ("number", "name") and token.text != "(":
            raise self._wrong()
        self._take()
        if token.kind == "number":
            return _number(token)
        if token.kind == "name":
            return self._named(token)
        value = self._sum(1)
        self._close(token)
        return value

    def _named(self, token: _Token) -> Number:
        name = token.text.lower().removeprefix("math.")
        if name in FUNCTIONS:
            return call(name, self._arguments(token))
        if name in CONSTANTS:
            return CONSTANTS[name]
        near = difflib.get_close_matches(name, [*FUNCTIONS, *CONSTANTS], n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join([*FUNCTIONS, *CONSTANTS])}"
        raise ArithmeticProblem(f'unknown name "{shorten(token.text, 40)}" at position {token.position + 1}{hint}')

    def _arguments(self, name: _Token) -> list[Number]:
        opening = self._take()
        if opening.text != "(":
            raise ArithmeticProblem(f"{shorten(name.text, 40)} needs its arguments in brackets")
        if self._peek().text == ")":
            self._take()
            return []
        values = [self._sum(1)]
        while self._peek().text == ",":
            self._take()
            values.append(self._sum(1))
        self._close(opening)
        return values

    def _close(self, opening: _Token) -> None:
        if self._peek().kind == "end":
            raise ArithmeticProblem(f"the bracket at position {opening.position + 1} is not closed")
        if self._peek().text != ")":
            raise self._wrong()
        self._take()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ArithmeticProblem(f"the expression is nested more than {MAX_DEPTH} levels deep")

    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._tokens[self._next]
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def _wrong(self) -> ArithmeticProblem:
        token = self._peek()
        if token.kind == "end":
            return ArithmeticProblem("the expression is empty" if self._next == 0 else "the expression ends too early")
        if token.text == "," and self._depth == 0:
            return ArithmeticProblem("write numbers without commas between the digits")
        return _unexpected(token.text, token.position)


def _number(token: _Token) -> Number:
    text = token.text
    value = int(text) if text.replace("_", "").isdecimal() else float(text)
    return checked(value)


def _unexpected(text: str, position: int) -> ArithmeticProblem:
    hint = f" ({_HINTS[text]})" if text in _HINTS else ""
    return ArithmeticProblem(f'unexpected "{shorten(text, 40)}" at position {position + 1}{hint}')


def _start(expression: str, position: int) -> int:
    return position + len(expression[position:]) - len(expression[position:].lstrip())
