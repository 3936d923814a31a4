"""Search engines, each with its own form of question and answer."""

import json

import pytest

from luxx.core.ports import ToolOutcome
from luxx.core.prompts import ResultPrompt
from luxx.tools.builtin.catalogue import builtin_tools
from luxx.tools.builtin.web.known import is_known
from luxx.tools.builtin.web.search import Engine, SearchEngine, search_tool
from tests.tools.calls import call
from tests.tools.web.sites import Site, client, site

KEY = "key-1234567890"
HITS = [
    {
        "url": "https://a.example/x?y=1",
        "title": "First <b>hit</b>",
        "content": "About &amp; more",
        "description": "About &amp; more",
    },
    {"url": "https://a.example/x?y=1#again", "title": "The same", "content": "", "description": ""},
    {"url": "javascript:alert(1)", "title": "Bad", "content": "", "description": ""},
    {"url": "https://b.example/", "title": "", "content": None, "description": None},
]
ANSWERS: dict[Engine, object] = {
    "searxng": {"results": HITS, "query": "x", "unresponsive_engines": [["a", "b"]]},
    "brave": {"type": "search", "web": {"results": HITS}},
    "tavily": {"results": HITS, "response_time": 1.5},
}
SHOWN = "1. First hit\n   https://a.example/x?y=1\n   About & more\n\n2. https://b.example/\n   https://b.example/"


async def search(at: Site, engine: Engine, query: str = "cats & dogs", key: str = KEY, **more: object) -> ToolOutcome:
    base = at.url("/searx" if engine == "searxng" else "/ask")
    return await call(search_tool(SearchEngine(engine=engine, url=base, key=key), client()), {"query": query, **more})


def put(at: Site, body: bytes | str, status: int = 200) -> None:
    for path in ("/searx/search", "/ask"):
        at.page(path, body, "application/json", status)


@pytest.mark.parametrize("engine", ["searxng", "brave", "tavily"])
async def test_results_are_title_address_and_extract(engine: Engine) -> None:
    async with site() as at:
        put(at, json.dumps(ANSWERS[engine]))
        outcome = await search(at, engine)
        assert outcome.content == SHOWN
        assert is_known(
            "https://a.example/x?y=1",
            [ResultPrompt(id="1", name="web_search", content=SHOWN)],
            frozenset({"web_search"}),
        )


@pytest.mark.parametrize("engine", ["searxng", "brave", "tavily"])
async def test_one_bad_result_costs_only_itself(engine: Engine) -> None:
    bad = [
        None,
        7,
        {},
        {"url": None},
        {"url": "https://c.example/", "title": None, "content": ["x"], "description": ["x"]},
    ]
    hits = [*bad, *HITS]
    async with site() as at:
        put(at, json.dumps({"results": hits, "web": {"results": hits} if engine == "brave" else None}))
        shown = (await search(at, engine)).content
        assert shown.startswith("1. https://c.example/\n   https://c.example/\n\n2. First hit")
        for nothing in ({"results": None}, {"web": {"results": None}}, {"web": None}):
            put(at, json.dumps(nothing))
            assert (await search(at, engine)).content == "Nothing was found for: cats & dogs"


async def test_each_engine_is_asked_in_its_own_way() -> None:
    async with site() as at:
        put(at, "{}")
        for engine in ("searxng", "brave", "tavily"):
            assert (await search(at, engine, count=3)).content == "Nothing was found for: cats & dogs"
        searxng, brave, tavily = at.requests
        assert searxng.target == "/searx/search?q=cats+%26+dogs&format=json"
        assert (brave.target, brave.headers["x-subscription-token"]) == ("/ask?q=cats+%26+dogs&count=3", KEY)
        assert (tavily.method, tavily.headers["authorization"]) == ("POST", f"Bearer {KEY}")
        assert json.loads(tavily.body) == {"query": "cats & dogs", "max_results": 3}


async def test_a_searxng_without_a_key_is_sent_none() -> None:
    async with site() as at:
        put(at, "{}")
        await search(at, "searxng", key="")
        assert "authorization" not in at.requests[0].headers


@pytest.mark.parametrize(
    ("engine", "status", "text"),
    [
        ("searxng", 403, "search.formats in settings.yml"),
        ("brave", 401, "check LUXX_SEARCH_KEY"),
        ("tavily", 432, "its limit is reached"),
        ("brave", 429, "its limit is reached"),
        ("brave", 500, "The search engine answered 500: bad key [key]"),
    ],
)
async def test_an_engine_that_refuses_is_explained_without_the_key(engine: Engine, status: int, text: str) -> None:
    async with site() as at:
        put(at, f"bad key {KEY}", status)
        outcome = await search(at, engine)
        assert outcome.failed
        assert text in outcome.content
        assert KEY not in outcome.content


@pytest.mark.parametrize("body", ["<html>", "[]", '{"results": 7, "web": 7}', "[" * 100_000, b"\xff"])
@pytest.mark.parametrize("engine", ["searxng", "brave", "tavily"])
async def test_an_answer_that_is_none_is_an_error_in_words(engine: Engine, body: bytes | str) -> None:
    async with site() as at:
        put(at, body)
        assert (await search(at, engine)).content in (
            "The search engine's answer cannot be read.",
            "Nothing was found for: cats & dogs",
        )


async def test_results_are_bounded() -> None:
    hits = [{"url": f"https://a.example/{n}", "title": "t" * 5_000, "content": "c" * 5_000} for n in range(8)]
    async with site() as at:
        put(at, json.dumps({"results": hits}))
        outcome = await search(at, "searxng", count=5)
        assert outcome.content.count("https://a.example/") == 5
        assert len(outcome.content) < 5 * 900
        assert (await search(at, "searxng", count=50)).failed
        assert (await search(at, "searxng", query="x" * 500)).failed


def test_searching_is_offered_only_where_there_is_an_engine() -> None:
    names = [tool.name for tool in builtin_tools()]
    assert names == ["current_time", "calculator", "python", "list_files", "read_file", "write_file", "web_fetch"]
    with_search = builtin_tools(search=SearchEngine(engine="brave", key=KEY))
    assert [tool.name for tool in with_search] == [*names, "web_search"]
