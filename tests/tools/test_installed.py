"""Tools that other packages bring."""

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import msgspec
import pytest

from luxx.core.prompts import ToolSpec
from luxx.tools.installed import GROUP, installed_tools
from luxx.tools.tool import Tool, tool


def named(name: str) -> Tool:
    """Return a tool with a name."""
    return tool(lambda: name, name=name, description="Tell the name.")


def odd(name: str, argument: str) -> Tool:
    """Return a tool whose schema was written by hand, and badly."""
    schema = {"type": "object", "properties": {argument: {"type": "any"}}}
    return msgspec.structs.replace(named("x"), spec=ToolSpec(name=name, description="d", parameters=schema))


def either() -> Tool:
    """Return a tool that takes one thing or another."""
    schema = {"type": "object", "anyOf": [{"properties": {name: {}}, "required": [name]} for name in "ab"]}
    return msgspec.structs.replace(named("x"), spec=ToolSpec(name="either", description="d", parameters=schema))


def _generated() -> Iterator[Tool]:
    yield named("seven")
    raise LookupError("in the middle")


@pytest.fixture(autouse=True)
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings tools in all ways, good and bad."""
    module = ModuleType("luxx_trial_tools")
    content = {
        "one": named("one"),
        "several": [named("two"), named("three")],
        "again": (named("one"), named("four")),
        "wrong": 42,
        "half_wrong": [named("five"), "six"],
        "generated": _generated(),
        "leaves": _Leaves(),
        "nothing": (),
        "either": [either()],
        "odd": [odd("fine", "größe"), odd("sp ace", "a"), odd("loose", "a")],
    }
    for name, value in content.items():
        setattr(module, name, value)
    monkeypatch.setitem(sys.modules, module.__name__, module)


class _Leaves:
    def __iter__(self) -> Iterator[Tool]:
        raise SystemExit(1)


def entry(name: str, value: str | None = None) -> EntryPoint:
    return EntryPoint(name=name, value=value or f"luxx_trial_tools:{name}", group=GROUP)


def names(*entries: EntryPoint, taken: tuple[str, ...] = ()) -> list[str]:
    return [found.name for found in installed_tools(taken, entries)]


def test_a_package_brings_one_tool_or_several() -> None:
    assert names(entry("several"), entry("one"), entry("nothing")) == ["one", "two", "three"]


def test_the_order_is_that_of_the_entry_points_names() -> None:
    assert names(entry("b", "luxx_trial_tools:one"), entry("a", "luxx_trial_tools:several")) == ["two", "three", "one"]


def test_a_broken_package_is_left_out_and_the_others_stay(capsys: pytest.CaptureFixture[str]) -> None:
    broken = [
        entry("away", "no_such_module_at_all:tools"),
        entry("absent"),
        entry("wrong"),
        entry("half_wrong"),
        entry("generated"),
        entry("leaves"),
    ]
    assert names(*broken, entry("one")) == ["one"]
    logged = capsys.readouterr()
    for point in broken:
        assert point.value in logged.out + logged.err


def test_a_name_that_is_taken_is_left_out_alone() -> None:
    assert names(entry("one"), entry("again")) == ["one", "four"]
    assert names(entry("several"), taken=("two",)) == ["three"]


def test_a_tool_that_providers_refuse_is_left_out_or_loosened() -> None:
    (found,) = installed_tools((), [entry("odd")])
    assert (found.name, found.spec.parameters) == ("loose", {"type": "object", "properties": {"a": {}}})


def test_a_tool_that_takes_one_thing_or_another_keeps_its_schema() -> None:
    (found,) = installed_tools((), [entry("either")])
    assert found.spec.parameters == either().spec.parameters


def test_an_environment_without_such_packages_has_none() -> None:
    assert installed_tools() == ()
