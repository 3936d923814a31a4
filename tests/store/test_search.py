"""Search: messages and titles, found by what they hold, in any script, whatever is typed."""

import asyncio
import contextlib
import sqlite3
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from luxx.core.errors import InvalidRequest
from luxx.store.archive import Hit, Mark
from luxx.store.interface import Store
from luxx.store.migrations import FOLDER
from luxx.store.records import ConversationChange, ConversationSettings
from luxx.store.secrets import SecretBox
from luxx.store.sql.dialect import postgres as dialect
from luxx.store.sql.matching import contains
from luxx.store.sql.snippets import markdown_snippet, snippet
from luxx.store.sqlite.store import open_sqlite
from tests.postgres_server import PostgresServer
from tests.store.engines import KEY, Engine
from tests.store.talk import Talk
from tests.store.test_compaction import LATER, compact_all


async def hits(store: Store, query: str, limit: int = 100) -> tuple[Hit, ...]:
    return (await store.archive.search(store.owner, query, limit, None)).items


async def snippets(store: Store, query: str) -> list[str]:
    return [hit.snippet for hit in await hits(store, query)]


async def index_all(store: Store) -> None:
    while await store.archive.index():
        pass


@pytest.fixture(params=["at once", "indexed"])
async def said(request: pytest.FixtureRequest, talk: Talk) -> Talk:
    """A conversation about bees, searched before and after it went into the index."""
    await talk.answered("Where do BEES live?", "In a hive, 100% sure. 蜜蜂住在蜂巢里。")
    await talk.answered("Und die Straße?", "Eine Biene kostet 5_000 €. Ménage à trois 🐝 fin.")
    if request.param == "indexed":
        await index_all(talk.store)
    return talk


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("bees", 1),
        ("ees li", 1),
        ("hive sure", 1),
        ("sure hive", 1),
        ('"sure hive"', 0),
        ('"a hive, 100%" 蜂巢', 1),
        ("蜂巢", 1),
        ("蜜蜂住在", 1),
        ("巢", 1),
        ("MÉNAGE", 1),
        ("STRAßE", 1),
        ("🐝", 1),
        ("5_000", 1),
        ("5x000", 0),
        ("100%", 1),
        ("nowhere", 0),
        ("bees nowhere", 0),
        ("e", 4),
        ("", 0),
        ("   ", 0),
        ('""', 0),
    ],
)
async def test_a_search_finds_what_holds_all_of_it(said: Talk, query: str, found: int) -> None:
    assert len(await hits(said.store, query)) == found


async def test_a_hit_says_where_it_is_and_marks_it(said: Talk) -> None:
    (hit,) = await hits(said.store, "biene fin")
    assert (hit.conversation_id, hit.role, hit.title) == (said.id, "assistant", "")
    message = await said.store.conversations.message(said.owner, hit.message_id or "")
    assert (message.text, message.created_at) == (hit.snippet, hit.created_at)
    encoded = hit.snippet.encode("utf-16-le")
    assert [encoded[2 * mark.start : 2 * mark.end].decode("utf-16-le") for mark in hit.marks] == ["Biene", "fin"]


async def test_titles_come_first_then_whole_queries_then_the_newest(store: Store) -> None:
    talk = await Talk.begin(store)
    await talk.answered("blue is the colour of whales", "a")
    await talk.answered("a blue whale", "b")
    await talk.answered("xblue whale", "c")
    await talk.answered("another blue whale", "d")
    titled = await store.conversations.create(store.owner, "Whale, blue", ConversationSettings())
    await index_all(store)
    assert (await hits(store, "blue whale"))[0].conversation_id == titled.id
    assert [hit.snippet for hit in await hits(store, "blue whale")][1:] == [
        "another blue whale",
        "a blue whale",
        "xblue whale",
        "blue is the colour of whales",
    ]


async def test_a_search_has_pages(talk: Talk) -> None:
    for number in range(7):
        await talk.answered(f"whale {number}", "yes")
    page, seen = await talk.store.archive.search(talk.owner, "whale", 3, None), []
    seen += page.items
    while page.next_cursor:
        page = await talk.store.archive.search(talk.owner, "whale", 3, page.next_cursor)
        seen += page.items
    assert [hit.snippet for hit in seen] == [f"whale {number}" for number in reversed(range(7))]
    with pytest.raises(InvalidRequest):
        await talk.store.archive.search(talk.owner, "whale", 3, "x")


async def test_what_is_deleted_is_found_no_more(said: Talk) -> None:
    await said.store.conversations.delete(said.owner, said.id)
    assert await hits(said.store, "hive") == ()
    await compact_all(said.store, LATER)
    assert await hits(said.store, "hive") == ()
    again = await Talk.begin(said.store)
    await again.answered("A hive?", "Yes.")
    await index_all(said.store)
    assert await snippets(said.store, "hive") == ["A hive?"]


async def test_nobody_finds_what_others_said(said: Talk) -> None:
    assert (await said.store.archive.search("stranger", "hive", 10, None)).items == ()


async def test_a_new_title_is_found_and_the_old_one_not(said: Talk) -> None:
    for title in ("Apiary", "Honey"):
        await said.store.conversations.change(said.owner, said.id, ConversationChange(title=title))
    assert await hits(said.store, "apiary") == ()
    (hit,) = await hits(said.store, "HONEY")
    assert (hit.message_id, hit.role, hit.snippet, hit.marks) == (None, None, "Honey", (Mark(0, 5),))


async def test_what_was_said_is_found_after_a_crash(engine: Engine) -> None:
    talk = await Talk.begin(await engine.open())
    await talk.answered("A hive?", "Yes.")
    store = await engine.die_and_open()
    assert await snippets(store, "hive") == ["A hive?"]
    await index_all(store)
    assert await snippets(store, "hive") == ["A hive?"]


@pytest.mark.parametrize(
    "query",
    [
        '"',
        '"""',
        "'",
        "a AND",
        "NEAR(a b)",
        "text:hive",
        "hive*",
        "^hive",
        "-hive",
        "(hive",
        "{hive}",
        "hive OR",
        "\\",
        "%",
        "_",
        "?",
        "%s",
        "{folded x}",
        "🐝🐝🐝🐝",
        "İİİ",
        "ﬃﬃﬃ",
        "x" * 100_000,
        "abc " * 25_000,
    ],
)
async def test_nothing_that_is_typed_is_an_error(said: Talk, query: str) -> None:
    await hits(said.store, query)
    await said.store.conversations.list(said.owner, 10, None, query[:200])


@pytest.mark.parametrize("indexed", [False, True])
async def test_the_list_is_searched_as_a_whole_text(said: Talk, indexed: bool) -> None:
    for query, found in (("hive, 100", True), ("hive sure", False), ("蜂巢", True), ("VE, 1", True), ("x", False)):
        page = await said.store.conversations.list(said.owner, 10, None, query)
        assert bool(page.items) == found, query


LETTERS = st.text(st.sampled_from('abAB \n"%_\\蜂巢ßéÉσςΣ🐝-*'), max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(LETTERS, min_size=1, max_size=4), start=st.integers(0, 8), length=st.integers(1, 6))
async def test_every_part_of_a_text_is_found(store: Store, texts: list[str], start: int, length: int) -> None:
    talk = await Talk.begin(store)
    for text in texts:
        await talk.answered(text, "-")
    await index_all(store)
    piece = texts[0][start : start + length].partition('"')[0].strip()
    if piece:
        wanted = {hit.conversation_id for hit in await hits(store, f'"{piece}"', 10_000)}
        assert talk.id in wanted
    await store.conversations.delete(talk.owner, talk.id)


async def test_searches_and_turns_go_on_side_by_side(talk: Talk) -> None:
    async def speak() -> None:
        for number in range(10):
            await talk.answered(f"number {number}", "whale")

    async with asyncio.TaskGroup() as group:
        group.create_task(speak())
        for _ in range(10):
            group.create_task(index_all(talk.store))
            group.create_task(hits(talk.store, "whale"))
    await index_all(talk.store)
    assert len(await hits(talk.store, "whale")) == 10


def test_a_snippet_is_short_and_on_one_line() -> None:
    text = "x " * 500 + "a\nwhale\tsings " + "y " * 500
    shown, marks = snippet(text, ("whale",))
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "a whale sings" in shown
    assert len(shown) < 220
    assert [shown[start:end] for start, end in marks] == ["whale"]
    assert snippet("", ("x",)) == ("", ())


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The **quince** is *a* ~~nut~~ __fruit__.", "The quince is a nut fruit."),
        ('## Quince\n\n> - [x] see [the *book*](https://example.org/a_(b) "t")', "Quince see the book"),
        (
            "1. quince\n2. ![an apple](x.png)\n\n---\n\n| a | quince |\n|---|:-:|\n| b | c |",
            "1. quince 2. an apple a quince b c",
        ),
        (
            "`**quince**` and \\*this\\* and 2 * quince * 3, 5_000_a",
            "**quince** and *this* and 2 * quince * 3, 5_000_a",
        ),
        ("Quince:\n\n```python\n# quince\na = b**c * d\n```\n**so**", "Quince: # quince a = b**c * d so"),
        ("a **quince\njam** [r][1] <https://quince.org>", "a quince jam r https://quince.org"),
        ("<b>quince</b> <script>x</script>", "<b>quince</b> <script>x</script>"),
        ("see [it](https://quince.org)", "see [it](https://quince.org)"),
    ],
)
def test_of_markdown_the_words_are_shown(said: str, shown: str) -> None:
    text, marks = markdown_snippet(said, ("quince",))
    assert text == shown
    assert {text[start:end].lower() for start, end in marks} == {"quince"}


@pytest.mark.parametrize("around", ["**far** [away](https://example.org)\n", "```\na * b\n```\n", "x" * 50])
def test_the_words_of_long_markdown_are_those_around_the_first_place(around: str) -> None:
    text, marks = markdown_snippet(f"{around * 100}\nthe **quince** _tree_\n{around * 100}", ("quince",))
    assert "the quince tree" in text
    assert "```" not in text
    assert "**" not in text
    assert (text[0], text[-1]) == ("…", "…")
    assert [text[start:end] for start, end in marks] == ["quince"]


async def test_what_a_person_wrote_is_shown_as_it_is_and_an_answer_without_the_signs_of_markdown(talk: Talk) -> None:
    await talk.answered("**quince**?", "A **quince**.")
    assert set(await snippets(talk.store, "quince")) == {"**quince**?", "A quince."}


@given(st.text(st.sampled_from("ab *_~`[]()\\<>#|-\n!0"), max_size=80))
def test_no_markdown_is_too_much(said: str) -> None:
    text, marks = markdown_snippet(said, ("a",))
    assert "\0" not in text
    assert all(text[start:end].lower() == "a" for start, end in marks)


def old_sqlite(path: Path) -> None:
    """Make a database as it was before there was an index, with a message in it."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    command.upgrade(config, "0003")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript("""
            INSERT INTO person VALUES ('o', 'Owner', 'owner', '2024', NULL);
            INSERT INTO conversation (id, owner_id, title, title_source, tools_enabled, created_at, updated_at)
                VALUES ('c', 'o', 'T', 'user', true, '2024', '2024');
            INSERT INTO message (id, owner_id, conversation_id, ordinal, role, text, created_at)
                VALUES ('m', 'o', 'c', 1, 'user', 'An old hive', '2024');
        """)


async def test_what_was_said_before_there_was_an_index_is_found(tmp_path: Path) -> None:
    await asyncio.to_thread(old_sqlite, tmp_path / "luxx.db")
    store = await open_sqlite(tmp_path, SecretBox([KEY]))
    try:
        assert await snippets(store, "hive") == ["An old hive"]
        assert await store.archive.index() == 1
        assert await store.archive.index() == 0
        assert await snippets(store, "hive") == ["An old hive"]
    finally:
        await store.close()


@pytest.mark.parametrize("query", ["hive", "Straße", "蜜蜂住"])
async def test_postgres_searches_by_its_index(postgres: PostgresServer, query: str) -> None:
    url = postgres.database()
    statement = f"EXPLAIN SELECT 1 FROM message m WHERE {contains('m.text', query).sql}"
    with psycopg.connect(url) as connection:
        connection.execute("SET enable_seqscan = off")
        words = dialect(connection.info.server_version)
        plan = connection.execute(words(statement).encode(), (f"%{query}%",)).fetchall()
    assert any("message_search" in line for (line,) in plan)
    postgres.give_back(url)
