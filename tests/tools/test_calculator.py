"""The calculator: it agrees with Python where it answers, and says what is wrong where it does not."""

import contextlib
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.tools.builtin.arithmetic import ArithmeticProblem, show
from luxx.tools.builtin.calculator import MAX_CHARS, calculator_tool, evaluate
from tests.tools.calls import call


@pytest.mark.parametrize(
    ("expression", "shown"),
    [
        ("2 * (3 + 4) ** 2", "98"),
        ("0.1 + 0.2", "0.3"),
        ("-2 ** 2", "-4"),
        ("2 ** -1", "0.5"),
        ("2 ** 3 ** 2", "512"),
        ("10 / 4", "2.5"),
        ("10 / 5", "2"),
        ("10 ** 30 / 10 ** 10", "1" + "0" * 20),
        ("7 // 2", "3"),
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("1 - 2 - 3", "-4"),
        ("--1", "1"),
        ("+-+1", "-1"),
        ("1e5", "100000"),
        ("1e300 * 1e5", "1e+305"),
        ("1 / 3", "0.333333333333333"),
        (".5 + 5.", "5.5"),
        ("1_000 * 2", "2000"),
        ("2\u00d73\u00f74\u22121", "0.5"),
        ("2 * \u03c0", "6.28318530717959"),
        ("PI", "3.14159265358979"),
        ("math.sqrt(2)", "1.4142135623731"),
        ("sqrt(16)", "4"),
        ("sqrt(10 ** 40)", "1" + "0" * 20),
        ("log(8, 2)", "3"),
        ("ln(e)", "1"),
        ("log10(1000)", "3"),
        ("exp(0)", "1"),
        ("sin(pi / 2) + cos(0)", "2"),
        ("degrees(pi)", "180"),
        ("abs(-3)", "3"),
        ("round(2.567, 2)", "2.57"),
        ("round(2.5)", "2"),
        ("floor(-1.5) + ceil(1.2)", "0"),
        ("factorial(20)", "2432902008176640000"),
        ("gcd(12, 18)", "6"),
        ("min(3, 1, 2) + max(1, 2.5)", "3.5"),
        ("-0.0", "0"),
        ("1 ** 10 ** 1000", "1"),
        ("0 ** 0", "1"),
    ],
)
async def test_an_expression_has_its_value(expression: str, shown: str) -> None:
    outcome = await call(calculator_tool(), {"expression": expression})
    assert (outcome.content, outcome.failed) == (shown, False)


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "the expression is empty"),
        ("1 +", "the expression ends too early"),
        ("1 + )", 'unexpected ")" at position 5'),
        ("(1 + 2", "the bracket at position 1 is not closed"),
        ("(1, 2)", 'unexpected "," at position 3'),
        ("3 4", 'unexpected "4" at position 3'),
        ("1.5.2", 'unexpected ".2" at position 4'),
        ("2 ^ 10", 'unexpected "^" at position 3 (for a power write **)'),
        ("x + 3", 'unknown name "x" at position 1; known are sqrt, '),
        ("3 = 3", 'unexpected "=" at position 3 (give an expression only, not an equation or an assignment)'),
        ("5!", 'unexpected "!" at position 2 (for a factorial write factorial(n))'),
        ("1,000 + 2", "write numbers without commas between the digits"),
        ("squirt(4)", 'unknown name "squirt" at position 1; did you mean sqrt?'),
        ("sqrt", "sqrt needs its arguments in brackets"),
        ("sqrt 4", "sqrt needs its arguments in brackets"),
        ("min()", "min() takes 1 or more arguments, not 0"),
        ("sqrt(1, 2)", "sqrt() takes 1 arguments, not 2"),
        ("max(1,", "the expression ends too early"),
        ("max(1", "the bracket at position 4 is not closed"),
        ("1 / 0", "division by zero"),
        ("1 // 0.0", "division by zero"),
        ("1 % 0", "division by zero"),
        ("0 ** -1", "0 cannot be raised to a negative power"),
        ("(-8) ** (1 / 3)", "a negative number to a fractional power is not a real number"),
        ("sqrt(-1)", "sqrt(-1) has no value: outside of what sqrt() is defined for"),
        ("log(0)", "log(0) has no value: outside of what log() is defined for"),
        ("log(2, 1)", "log(2, 1) has no value: outside of what log() is defined for"),
        ("factorial(-1)", "factorial(-1) has no value: outside of what factorial() is defined for"),
        ("factorial(1.5)", "factorial(1.5) has no value: outside of what factorial() is defined for"),
        ("gcd(1.5, 2)", "gcd(1.5, 2) has no value: outside of what gcd() is defined for"),
        ("round(1, 2.5)", "round(1, 2.5) has no value: outside of what round() is defined for"),
        ("9 ** 9 ** 9", "the value has more than 4,000 digits"),
        ("9 ** 9 ** 9 ** 9 ** 9", "the value has more than 4,000 digits"),
        ("10 ** 4000", "the value has more than 4,000 digits"),
        ("10 ** 3000 * 10 ** 3000", "the value has more than 4,000 digits"),
        ("factorial(10 ** 9)", "factorial() goes up to 1,400"),
        ("factorial(1e308)", "factorial() goes up to 1,400"),
        ("exp(1000)", "the value of exp() is too large"),
        ("1e999", "the value is too large for a floating-point number"),
        ("1e308 * 10", "the value is too large for a floating-point number"),
        ("1e308 - -1e308", "the value is too large for a floating-point number"),
        ("10.0 ** 999", "the value is too large for a floating-point number"),
        ("10 ** 999 / 3", "the value is too large for a floating-point number"),
        ("10 ** 999 * 0.5", "the value is too large for a floating-point number"),
        ("10 ** 999 // 0.5", "the value is too large for a floating-point number"),
        ("10 ** 999 + 0.5", "the value is too large for a floating-point number"),
        ("10 ** 999 - 0.5", "the value is too large for a floating-point number"),
        ("(10 ** 999) ** -1", "the value is too large for a floating-point number"),
        ("round(1, -5000)", "round(1, -5000) has no value"),
        ("(" * 60 + "1" + ")" * 60, "the expression is nested more than 50 levels deep"),
        ("-" * 900 + "1", "the expression is nested more than 50 levels deep"),
        ("2 **" * 200 + "1", "the expression is nested more than 50 levels deep"),
        ("abs(" * 100 + "1", "the expression is nested more than 50 levels deep"),
        ("1" * (MAX_CHARS + 1), "the expression is longer than 1,000 characters"),
        ("__import__('os').system('ls')", 'unexpected "\'" at position 12'),
        ("\x00", 'unexpected "\ufffd" at position 1'),
        ("\u0663 + 1", 'unexpected "\u0663" at position 1'),
    ],
    ids=lambda text: text[:30],
)
async def test_what_cannot_be_computed_is_refused_at_once_with_the_reason(expression: str, problem: str) -> None:
    outcome = await call(calculator_tool(), {"expression": expression})
    assert outcome.failed
    assert outcome.content.startswith("Cannot compute `")
    assert f"`: {problem}" in outcome.content


numbers = st.integers(0, 10**6).map(str) | st.floats(0, 1e6, allow_subnormal=False).map(lambda value: f"{value:.6f}")
powers = st.tuples(numbers, st.integers(0, 3).map(str)).map(" ** ".join)


def _combine(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operation = st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%"]), inner).map(" ".join)
    called = st.tuples(st.sampled_from(["abs", "round", "floor", "ceil", ""]), inner)
    return operation | called.map(lambda parts: f"{parts[0]}({parts[1]})") | inner.map(lambda text: f"-{text}")


expressions = st.recursive(numbers | powers, _combine, max_leaves=12)
PYTHON: dict[str, Any] = {"__builtins__": {}, "abs": abs, "round": round, "floor": math.floor, "ceil": math.ceil}


@given(expressions)
@settings(deadline=None)
def test_it_agrees_with_python(expression: str) -> None:
    try:
        expected = eval(expression, PYTHON)
    except ZeroDivisionError:
        with pytest.raises(ArithmeticProblem, match="division by zero"):
            evaluate(expression)
        return
    value = evaluate(expression)
    assert value == expected
    assert type(value) is type(expected)


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**10))
@settings(deadline=None)
def test_a_division_is_exact_without_rest_and_pythons_own_with_one(left: int, right: int) -> None:
    assert evaluate(f"{left * right} / {right}") == left
    if left % right:
        assert evaluate(f"{left} / {right}") == left / right


@given(st.text(max_size=60) | st.text("0123456789.e+-*/%()^, sqrtminπ", max_size=60))
@settings(deadline=None)
def test_any_text_has_a_value_or_a_problem(expression: str) -> None:
    with contextlib.suppress(ArithmeticProblem):
        assert len(show(evaluate(expression))) <= 4_010
