"""The tools of a person, joined from several sources."""

from collections.abc import Sequence

import msgspec
import pytest

from luxx.core import ports
from luxx.tools.box import Toolbox
from luxx.tools.sources import ToolSources
from luxx.tools.tool import Tool, tool
from tests.tools.calls import FakeContext, call


def named(name: str, source: str = "luxx") -> Tool:
    made = tool(lambda: f"{source}.{name}", name=name, description="Tell it.", effect="read")
    return msgspec.structs.replace(made, source=source)


class Fixed:
    """A source of tools by owner."""

    def __init__(self, **tools: Sequence[Tool]) -> None:
        self._tools = tools

    async def tools(self, owner: str) -> Sequence[Tool]:
        return self._tools.get(owner, ())


def joined() -> ToolSources:
    first = Fixed(ada=[named("search", "one"), named("clock", "one")])
    second = Fixed(ada=[named("search", "two"), named("mail", "two")], bob=[named("search", "two")])
    return ToolSources(Toolbox([named("clock"), named("sum")]), [first, second])


async def test_everyone_is_offered_the_nodes_tools_and_their_own() -> None:
    tools: ports.Tools = joined()
    offered = [(info.name, info.source) for info in await tools.offered("ada")]
    assert offered == [("clock", "luxx"), ("sum", "luxx"), ("search", "one"), ("mail", "two")]
    assert [info.name for info in await tools.offered("bob")] == ["clock", "sum", "search"]
    assert [info.name for info in await tools.offered("eve")] == ["clock", "sum"]


async def test_a_name_belongs_to_who_has_it_first_and_the_refusal_is_logged_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tools = joined()
    for _ in range(3):
        box = await tools.box("ada", ("search", "clock"))
    assert (await box.run("search", "", FakeContext())).content == "one.search"
    assert (await box.run("clock", "", FakeContext())).content == "luxx.clock"
    logged = capsys.readouterr()
    assert (logged.out + logged.err).count("tool_name_taken") == 2


async def test_a_box_has_the_tools_named_in_an_order_of_their_own() -> None:
    box = await joined().box("ada", ("mail", "nothing", "search", "sum"))
    assert [spec.name for spec in box.specs()] == ["sum", "search", "mail"]
    assert [spec.name for spec in (await joined().box("bob", ("mail", "sum"))).specs()] == ["sum"]


async def test_a_tool_can_be_given_another_time() -> None:
    tools = ToolSources(Toolbox([named("clock"), named("sum")]), timeouts={"sum": 5, "nothing": 7})
    assert [(info.name, info.timeout_s) for info in await tools.offered("ada")] == [("clock", 30.0), ("sum", 5)]


async def test_tools_that_lead_elsewhere_by_now_are_not_called() -> None:
    led = msgspec.structs.replace(named("search"), source="shop", target="here")
    other = msgspec.structs.replace(named("mail"), source="post", target="there")
    tools = ToolSources(Toolbox([named("clock"), led, other]))
    began = await tools.targets("ada")
    assert began == {"shop": "here", "post": "there"}
    moved = ToolSources(Toolbox([named("clock"), msgspec.structs.replace(led, target="elsewhere"), other]))
    box = await moved.box("ada", ("clock", "search", "mail"), began)
    assert [(await call(box, {}, name)).content for name in ("clock", "mail")] == ["luxx.clock", "luxx.mail"]
    refused = await call(box, {}, "search")
    assert (refused.failed, refused.content) == (True, "The call was not made: shop was changed since this turn began.")
    unknown = await moved.box("ada", ("search",), {})
    assert (await call(unknown, {}, "search")).failed
    of_old = await moved.box("ada", ("search",))
    assert (await call(of_old, {}, "search")).content == "luxx.search"
