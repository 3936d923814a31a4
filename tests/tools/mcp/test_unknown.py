"""A call without an answer: what became of it is unknown and said to be, and it is made again only where that does no harm."""

import asyncio
from pathlib import Path

import pytest

from luxx.core.tool_servers import HttpTarget
from tests.tools.calls import call
from tests.tools.mcp.book import QUICK, bench, hostile
from tests.tools.mcp.hostile_http import hostile_http

UNKNOWN = "The outcome is unknown: it may have taken effect or not."
LOST = (
    ("status", "it answered with HTTP 503: try later"),
    ("failing", "it answered with HTTP 500: No such customer"),
    ("created", "it answered with HTTP 303"),
    ("accepted", "202 Accepted"),
    ("page", "Unexpected content type: text/html"),
    ("packed", "packed with gzip"),
    ("drop", "the connection broke"),
    ("half", "its answer broke off"),
    ("cut", "ended without a response"),
    ("broken", "its answer is not valid"),
    ("bad_event", "its answer is not valid"),
    ("no_code", "its answer is not valid"),
    ("note", "its answer is not valid"),
    ("number", "its answer is not valid: 42"),
    ("content", "its answer is not valid"),
    ("empty", "its answer is empty"),
)


@pytest.mark.parametrize(("tool", "words"), LOST)
async def test_an_unsafe_call_without_an_answer_is_unknown_and_not_made_again(tool: str, words: str) -> None:
    async with hostile_http() as http, bench() as found:
        await found.add("h", HttpTarget(url=http.url))
        lost = await call(await found.box(), {}, f"h__{tool}")
        assert lost.failed
        assert words in lost.content
        assert UNKNOWN in lost.content
        assert lost.unfinished == "unknown"
        assert "pydantic" not in lost.content
        assert http.methods.count("tools/call") == 1
        assert (await call(await found.box(), {}, "h__fine")).content == "well"


@pytest.mark.parametrize(("tool", "words"), LOST)
async def test_a_reading_call_without_an_answer_is_made_once_more(tool: str, words: str) -> None:
    async with hostile_http() as http, bench() as found:
        await found.add("h", HttpTarget(url=http.url), trusted=True)
        lost = await call(await found.box(), {}, f"h__{tool}")
        assert words in lost.content
        assert UNKNOWN not in lost.content
        assert http.methods.count("tools/call") == 2


@pytest.mark.parametrize("tool", ["elsewhere", "expression", "said"])
async def test_a_call_that_was_refused_is_not_unknown(tool: str) -> None:
    async with hostile_http() as http, bench() as found:
        await found.add("h", HttpTarget(url=http.url))
        refused = await call(await found.box(), {}, f"h__{tool}")
        assert refused.failed
        assert (UNKNOWN in refused.content) == (tool == "said")


async def test_a_server_that_cannot_be_reached_has_done_nothing() -> None:
    async with bench() as found:
        async with hostile_http() as http:
            await found.add("h", HttpTarget(url=http.url))
            box = await found.box()
        gone = await call(box, {}, "h__fine")
        assert "it cannot be reached" in gone.content
        assert UNKNOWN not in gone.content


@pytest.mark.parametrize("tool", ["other_id", "batch"])
async def test_an_answer_over_http_belongs_to_its_request(tool: str) -> None:
    async with hostile_http() as http, bench() as found:
        await found.add("h", HttpTarget(url=http.url))
        assert (await call(await found.box(), {}, f"h__{tool}")).content == "well"


@pytest.mark.parametrize("tool", ["no_code", "no_error", "neither", "no_object"])
async def test_a_program_s_answer_that_is_none_ends_the_call_at_once(tool: str) -> None:
    async with bench() as found, asyncio.timeout(QUICK.patience.call_s / 2):
        await found.add("h", hostile("well"))
        lost = await call(await found.box(), {}, f"h__{tool}")
        assert "The server h failed in mid-call: its answer is not valid" in lost.content
        assert UNKNOWN in lost.content
        assert (await call(await found.box(), {}, "h__fail")).content == "no such file"


async def test_an_error_of_the_server_is_told_in_its_words() -> None:
    async with bench() as found:
        await found.add("h", hostile("well"))
        refused = await call(await found.box(), {}, "h__refused")
        assert refused.content == "The server h answered with an error: not today."


@pytest.mark.parametrize(("tool", "content"), [("batch", "of a batch"), ("deep", '{"a":')])
async def test_an_odd_answer_of_a_program_is_read(tool: str, content: str) -> None:
    async with bench() as found:
        await found.add("h", hostile("well"))
        assert (await call(await found.box(), {}, f"h__{tool}")).content.startswith(content)


async def test_a_program_that_hears_nothing_more_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "note"
    async with bench() as found, asyncio.timeout(QUICK.patience.call_s / 2):
        await found.add("h", hostile("well", str(note)))
        box = await found.box()
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(call(box, {}, "h__deaf"))
            while not note.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            second = tasks.create_task(call(box, {}, "h__fail"))
        for lost in (first.result(), second.result()):
            assert "closed its input" in lost.content
            assert UNKNOWN in lost.content
        assert (await call(box, {}, "h__fail")).content == "no such file"


async def test_a_schema_that_no_provider_takes_costs_its_own_tool_at_most() -> None:
    async with bench() as found:
        server = await found.add("h", hostile("schemas"))
        infos = {info.name.removeprefix("h__"): info.parameters for info in await found.sources.offered("owner-1")}
        assert len(infos) == 16
        assert infos["fine"]["properties"] == {"n": {"type": "integer"}}
        assert infos["type"]["properties"] == {"a": {"description": "d"}}
        for name in ("enum", "pattern", "nowhere", "outside", "required", "large"):
            assert infos[name]["properties"] == {"a": {}}, name
        assert infos["circle"]["$defs"] == {"A": {}}
        for name in ("properties", "array", "text"):
            assert infos[name] == {"type": "object", "properties": {}}, name
        state = found.servers.state((await found.book.list("owner-1"))[0])
        assert state.left_out == 0
        assert "pattern: properties.a: its `pattern` is not valid" in state.problems
        assert any(problem.startswith("deep5000: ") and "too deep" in problem for problem in state.problems)
        assert "its `pattern` is not valid" in (await found.servers.check("owner-1", server.id)).detail
        box = await found.box()
        assert {spec.name.removeprefix("h__"): spec.parameters for spec in box.specs()} == infos
        assert "arguments.n is not of the type integer" in (await call(box, {"n": "x"}, "h__fine")).content
        assert [option["required"] for option in infos["either"]["anyOf"]] == [["a"], ["b"]]
        assert "arguments is none of what is allowed" in (await call(box, {"c": 1}, "h__either")).content
        assert (await call(box, {"b": 1}, "h__either")).content == '["either", {"b": 1}]'
        shown = next(iter(infos["names"]["properties"]))
        assert (await call(box, {shown: "x"}, "h__names")).content == '["names", {"filter[name]": "x"}]'
