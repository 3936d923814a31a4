"""Arithmetic: numbers and the functions on them, exact for integers and bounded in size."""

import math
from collections.abc import Callable, Mapping

import msgspec

Number = int | float

MAX_DIGITS = 4_000
"""Integers beyond this many digits are refused before they are computed."""

_MAX_BITS = int(MAX_DIGITS * math.log2(10))
_MAX_FACTORIAL = 1_400
_FLOAT_DIGITS = 15


class ArithmeticProblem(Exception):
    """The expression has no value that can be given; the text says why."""


class Function(msgspec.Struct, frozen=True):
    """A function of an expression, and how many arguments it takes."""

    compute: Callable[..., Number]
    least: int = 1
    most: int = 1


def binary(operator: str, left: Number, right: Number) -> Number:
    """Return the value of an operation with two numbers, as Python has it; integers divided without rest stay integers."""
    match operator:
        case "+":
            return checked(_floating(lambda: left + right))
        case "-":
            return checked(_floating(lambda: left - right))
        case "*":
            return _multiply(left, right)
        case "**":
            return _power(left, right)
        case _:
            return _divide(operator, left, right)


def call(name: str, arguments: list[Number]) -> Number:
    """Return a function's value. Raises ArithmeticProblem for a wrong number of arguments, and outside its domain."""
    function = FUNCTIONS[name]
    if not function.least <= len(arguments) <= function.most:
        wanted = str(function.least) if function.least == function.most else f"{function.least} or more"
        raise ArithmeticProblem(f"{name}() takes {wanted} arguments, not {len(arguments)}")
    try:
        return checked(function.compute(*arguments))
    except OverflowError:
        raise ArithmeticProblem(f"the value of {name}() is too large") from None
    except (ValueError, TypeError, ZeroDivisionError):
        shown = ", ".join(show(argument) for argument in arguments)
        raise ArithmeticProblem(f"{name}({shown}) has no value: outside of what {name}() is defined for") from None


def show(value: Number) -> str:
    """Return a number as a person writes it: 15 significant digits, so that 0.1 + 0.2 is 0.3."""
    return str(value) if isinstance(value, int) else format(value + 0.0, f".{_FLOAT_DIGITS}g")


def checked(value: Number) -> Number:
    """Return the value. Raises ArithmeticProblem if it is too large or no real number."""
    if isinstance(value, int):
        if value.bit_length() > _MAX_BITS:
            raise _too_large()
    elif not math.isfinite(value):
        raise ArithmeticProblem("the value is too large for a floating-point number")
    return value


def _multiply(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _MAX_BITS + 1:
        raise _too_large()
    return checked(_floating(lambda: left * right))


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1:
        least_bits = (base.bit_length() - 1) * exponent
        if least_bits > _MAX_BITS:
            raise _too_large()
    try:
        value = base**exponent
    except ZeroDivisionError:
        raise ArithmeticProblem("0 cannot be raised to a negative power") from None
    except OverflowError:
        raise ArithmeticProblem("the value is too large for a floating-point number") from None
    if isinstance(value, complex):
        raise ArithmeticProblem("a negative number to a fractional power is not a real number")
    return checked(value)


def _divide(operator: str, left: Number, right: Number) -> Number:
    if right == 0:
        raise ArithmeticProblem("division by zero")
    if operator == "//":
        return checked(_floating(lambda: left // right))
    if operator == "%":
        return checked(_floating(lambda: left % right))
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return checked(_floating(lambda: left / right))


def _floating(compute: Callable[[], Number]) -> Number:
    try:
        return compute()
    except OverflowError:
        raise ArithmeticProblem("the value is too large for a floating-point number") from None


def _too_large() -> ArithmeticProblem:
    return ArithmeticProblem(f"the value has more than {MAX_DIGITS:,} digits")


def _absolute(value: Number) -> Number:
    return abs(value)


def _sqrt(value: Number) -> Number:
    if isinstance(value, int) and value >= 0 and (root := math.isqrt(value)) ** 2 == value:
        return root
    return math.sqrt(value)


def _factorial(value: Number) -> Number:
    if value > _MAX_FACTORIAL:
        raise ArithmeticProblem(f"factorial() goes up to {_MAX_FACTORIAL:,}; beyond, the value has too many digits")
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    return math.factorial(int(value))


def _round(value: Number, digits: Number = 0) -> Number:
    if not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        raise ValueError(digits)
    return round(value, digits) if digits else round(value)


FUNCTIONS: Mapping[str, Function] = {
    "sqrt": Function(_sqrt),
    "sin": Function(math.sin),
    "cos": Function(math.cos),
    "tan": Function(math.tan),
    "asin": Function(math.asin),
    "acos": Function(math.acos),
    "atan": Function(math.atan),
    "degrees": Function(math.degrees),
    "radians": Function(math.radians),
    "log": Function(math.log, 1, 2),
    "ln": Function(math.log),
    "log2": Function(math.log2),
    "log10": Function(math.log10),
    "exp": Function(math.exp),
    "abs": Function(_absolute),
    "round": Function(_round, 1, 2),
    "floor": Function(math.floor),
    "ceil": Function(math.ceil),
    "factorial": Function(_factorial),
    "gcd": Function(math.gcd, 2, 2),
    "min": Function(lambda *values: min(values), 1, 100),
    "max": Function(lambda *values: max(values), 1, 100),
}

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}
