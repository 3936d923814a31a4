"""A window onto a long conversation: its ends are one key away, few messages stand in the document, and none of it moves what is looked at."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.page.accessibility import assert_accessible
from tests.page.conftest import PageServer
from tests.page.library import archived, keep, keep_all, line, message_ids
from tests.page.talk import answer, conversation_id, saved_text, script, send, shown_text, text

_ANSWERS = 250
_HEAVY = r"""## Part {n}

The sum is $\sum_{{i=1}}^{{n}} x_i^2$ and $\sqrt{{\frac{{a_1}}{{b^2}}}}$, as $e^{{i\pi}} + 1 = 0$ says.

$$
S = -k \sum_i p_i \ln p_i + \int_0^1 \sqrt{{1 + x^2}}\,dx = \begin{{pmatrix}} a & b \\ c & d \end{{pmatrix}}
$$

```python
def entropy(states: dict[str, float]) -> float:
    return -sum(p * log(p) for p in states.values() if p)
```

- one with $x_1^2$, two with `code` and **weight**

Answer {n} ends."""
_LIGHT = "Some words that go on for a line or two of the column, with **bold** ones. " * 3 + "\n\nAnswer {n} ends."
_MOST = 150
_AREA = "[role=log]"
# Moves the area as a wheel does, frame by frame, until a message is there or nothing has moved for long; tells by how much what is looked
# at moved more than that.
_TRAVEL = """async ([by, until]) => {
    const area = document.querySelector('[role=log]');
    const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    let most = 0, moved = 0, last = performance.now(), worst = '';
    const box = area.getBoundingClientRect();
    while (performance.now() - last < 15_000 && !document.getElementById(until)) {
        const before = area.scrollTop;
        area.scrollTop += by;
        if (area.scrollTop !== before) last = performance.now();
        const eye = [...area.querySelectorAll('article')].find((a) => a.getBoundingClientRect().bottom > box.top + 100);
        const top = eye.getBoundingClientRect().top;
        await frame();
        const change = eye.isConnected ? Math.abs(eye.getBoundingClientRect().top - top) : 1e9;
        if (change > moved) worst = `${eye.id} ${eye.isConnected}`;
        moved = Math.max(moved, change);
        most = Math.max(most, area.querySelectorAll('article').length);
    }
    return { most, moved, worst, there: !!document.getElementById(until) };
}"""
_NODES = """() => {
    const walker = document.createTreeWalker(document);
    let count = 1;
    while (walker.nextNode()) count += 1;
    return count;
}"""
_FORMULAS = "() => [...document.querySelectorAll('.math')].every((one) => one.firstElementChild)"
_COLOURS = "() => [...document.querySelectorAll('.code code')].every((one) => one.firstElementChild)"


@pytest.fixture(scope="module")
def heavy(server: PageServer) -> str:
    """A conversation of 500 messages, a third of the answers and all the last ones full of formulas and code."""
    said: list[str] = []
    for n in range(_ANSWERS):
        form = _HEAVY if n % 3 == 0 or n > _ANSWERS - 16 else _LIGHT
        said += [f"Question {n}?", form.format(n=n)]
    return keep(server, "Heavy", line(*said))


@pytest.fixture(scope="module")
def plain(server: PageServer) -> str:
    """A conversation of 300 short messages."""
    return keep(server, "Plain", line(*(f"number {n}. {'word ' * 40}" for n in range(300))))


def _ids(server: PageServer, conversation: str) -> list[str]:
    """Return the ids of all messages of the branch shown."""
    path = f"/api/conversations/{conversation}/messages?limit=200"
    page = server.call("GET", f"{path}&after=")
    found = page["items"]
    while page["has_newer"]:
        page = server.call("GET", f"{path}&after={found[-1]['id']}")
        found += page["items"]
    return [one["id"] for one in found]


def _open(page: Page, server: PageServer, conversation: str, last: str = f"Answer {_ANSWERS - 1} ends.") -> None:
    page.goto(f"{server.url}/c/{conversation}")
    expect(answer(page)).to_contain_text(last)
    _at_end(page)


def _at_end(page: Page) -> None:
    page.wait_for_function(
        "() => { const a = document.querySelector('[role=log]'); return a.scrollHeight - a.clientHeight - a.scrollTop <= 2; }"
    )


def _press(page: Page, key: str) -> None:
    page.locator(_AREA).focus()
    page.keyboard.press(key)


def _articles(page: Page) -> Locator:
    return page.get_by_role("log").get_by_role("article")


def _jump(page: Page) -> Locator:
    return page.get_by_role("button", name="Jump to latest")


def test_a_long_conversation_of_formulas_opens_with_few_nodes(chat: Page, server: PageServer, heavy: str) -> None:
    _open(chat, server, heavy)
    chat.wait_for_function(_FORMULAS)
    _at_end(chat)
    assert chat.evaluate(_NODES) <= 6000


def test_home_shows_the_first_messages_with_one_request(chat: Page, server: PageServer, heavy: str) -> None:
    _open(chat, server, heavy)
    asked: list[str] = []
    chat.on("request", lambda request: asked.append(request.url) if "/messages?" in request.url else None)
    _press(chat, "Home")
    expect(chat.get_by_text("Question 0?")).to_be_in_viewport()
    chat.wait_for_function("() => document.querySelector('[role=log]').scrollTop === 0")
    expect(chat.get_by_text(f"Question {_ANSWERS - 1}?")).to_have_count(0)
    assert len([url for url in asked if "after=&" in f"{url}&"]) == 1
    assert not [url for url in asked if "before=" in url]
    assert chat.evaluate(_NODES) <= 6000
    assert_accessible(chat)
    _press(chat, "End")
    expect(answer(chat)).to_contain_text(f"Answer {_ANSWERS - 1} ends.")
    _at_end(chat)
    expect(_jump(chat)).to_have_count(0)


def test_the_whole_way_from_the_beginning_to_the_end_and_back_nothing_jumps_and_few_stand_there(
    chat: Page, server: PageServer, heavy: str
) -> None:
    ids = _ids(server, heavy)
    _open(chat, server, heavy)
    _press(chat, "Home")
    expect(chat.get_by_text("Question 0?")).to_be_in_viewport()
    chat.wait_for_function(_FORMULAS)
    chat.wait_for_function(_COLOURS)
    for by, until in ((1000, f"m-{ids[-1]}"), (-1000, f"m-{ids[0]}")):
        way = chat.evaluate(_TRAVEL, [by, until])
        assert way["there"]
        assert way["most"] <= _MOST
        assert way["moved"] < 2, way
    shown = _articles(chat).evaluate_all("all => all.map((one) => one.id.slice(2))")
    assert shown == ids[: len(shown)]


def test_reading_on_from_the_beginning_meets_the_end_which_is_followed_again(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Met", line(*(f"number {n}. {'word ' * 40}" for n in range(80))))
    _open(chat, server, kept, "number 79.")
    _press(chat, "Home")
    expect(chat.get_by_text("number 0.")).to_be_in_viewport()
    expect(_jump(chat)).to_be_visible()
    chat.evaluate(_TRAVEL, [900, f"m-{server.last_answer(kept)['id']}"])
    chat.eval_on_selector(_AREA, "area => { area.scrollTop = area.scrollHeight; }")
    expect(_jump(chat)).to_have_count(0)
    send(chat, script([text("The newest.")]))
    expect(answer(chat)).to_contain_text("The newest.")
    _at_end(chat)


def test_an_answer_goes_on_while_the_beginning_is_looked_at(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Meanwhile", line(*(f"number {n}. {'word ' * 40}" for n in range(120))))
    _open(chat, server, kept, "number 119.")
    told = "".join(f"told {n}. " for n in range(3000))  # Longer than any patience: it is stopped when all was seen.
    send(chat, script([text(told, delay_ms=25)]))
    expect(answer(chat)).to_contain_text("told 5.")
    _press(chat, "Home")
    expect(chat.get_by_text("number 0.")).to_be_in_viewport()
    expect(chat.get_by_text("told 5.")).to_have_count(0)
    expect(chat.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    _jump(chat).click()
    expect(answer(chat)).to_contain_text("told 60.")
    chat.get_by_role("button", name="Stop", exact=True).click()
    expect(answer(chat)).to_have_attribute("aria-busy", "false")
    shown = shown_text(chat)
    assert told.startswith(shown)
    assert shown == saved_text(server, chat)
    _at_end(chat)


def test_what_is_sent_from_the_beginning_is_shown_at_the_end(chat: Page, server: PageServer) -> None:
    kept = keep(server, "Sent from afar", line(*(f"number {n}. {'word ' * 40}" for n in range(120))))
    _open(chat, server, kept, "number 119.")
    _press(chat, "Home")
    expect(chat.get_by_text("number 0.")).to_be_in_viewport()
    send(chat, script([text("From afar.")]))
    expect(answer(chat)).to_contain_text("From afar.")
    expect(answer(chat)).to_be_in_viewport()
    expect(_articles(chat).nth(-3)).to_contain_text("number 119.")
    _at_end(chat)
    assert len(message_ids(server, kept)) == 122


def test_a_failed_way_to_the_beginning_leaves_all_as_it_is(chat: Page, server: PageServer, heavy: str) -> None:
    _open(chat, server, heavy)

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"code": "storage", "detail": "Not now.", "status": 503})

    chat.route("**/messages?**after=**", refuse)
    _press(chat, "Home")
    expect(chat.get_by_text("Not now.")).to_be_visible()
    expect(answer(chat)).to_contain_text(f"Answer {_ANSWERS - 1} ends.")
    _at_end(chat)
    chat.unroute_all(behavior="wait")
    _press(chat, "Home")
    expect(chat.get_by_text("Question 0?")).to_be_in_viewport()


def test_a_selection_stays_where_it_is_while_one_reads_far_away(chat: Page, server: PageServer, plain: str) -> None:
    ids = _ids(server, plain)
    _open(chat, server, plain, "number 299.")
    chosen = chat.evaluate("""() => {
        const words = [...document.querySelectorAll('.answer .prose p')].at(-1).firstChild;
        getSelection().setBaseAndExtent(words, 0, words, 8);
        return getSelection().toString();
    }""")
    chat.evaluate(_TRAVEL, [-1000, f"m-{ids[150]}"])
    assert chat.evaluate("getSelection().toString()") == chosen == "number 2"
    chat.evaluate("getSelection().removeAllRanges()")
    chat.evaluate(_TRAVEL, [-1000, f"m-{ids[70]}"])
    expect(chat.locator(f"#m-{ids[-1]}")).to_have_count(0)
    assert _articles(chat).count() <= _MOST


def test_what_is_being_edited_stays_while_one_reads_far_away(chat: Page, server: PageServer, plain: str) -> None:
    ids = _ids(server, plain)
    _open(chat, server, plain, "number 299.")
    question = chat.locator(f"#m-{ids[-2]}")
    question.hover()
    question.get_by_role("button", name="Edit").click()
    editor = question.get_by_role("textbox")
    editor.press_sequentially("and more")
    chat.evaluate(_TRAVEL, [-1000, f"m-{ids[130]}"])
    expect(editor).to_be_focused()
    _jump(chat).click()
    expect(editor).to_have_value(re.compile("and more$"))
    editor.press("Escape")
    expect(editor).to_have_count(0)


def test_keys_go_on_scrolling_when_the_message_with_the_focus_is_far_away(
    chat: Page, server: PageServer, plain: str
) -> None:
    ids = _ids(server, plain)
    chat.goto(f"{server.url}/c/{plain}#m-{ids[-4]}")
    expect(chat.locator(f"#m-{ids[-4]}")).to_be_focused()
    chat.evaluate(_TRAVEL, [-1000, f"m-{ids[100]}"])
    expect(chat.locator(f"#m-{ids[-4]}")).to_have_count(0)
    expect(chat.locator(_AREA)).to_be_focused()


def test_another_branch_is_chosen_far_up_and_stays_in_sight(chat: Page, server: PageServer) -> None:
    tree = [(f"a{n}", f"a{n - 1}" if n else None, f"first way {n}. {'word ' * 40}") for n in range(100)]
    tree += [(f"b{n}", f"b{n - 1}" if n > 2 else "a1", f"second way {n}. {'word ' * 40}") for n in range(2, 100)]
    [kept] = keep_all(server, [archived("Two ways", tree, leaf="a99")])
    _open(chat, server, kept, "first way 99.")
    _press(chat, "Home")
    fork = _articles(chat).filter(has_text="first way 2.")
    expect(fork).to_be_in_viewport()
    before = fork.bounding_box()
    assert before
    fork.hover()
    fork.get_by_role("button", name="Next").click()
    chosen = _articles(chat).filter(has_text="second way 2.")
    expect(chosen).to_be_in_viewport()
    expect(_articles(chat).filter(has_text="first way 1.")).to_have_count(1)
    after = chosen.bounding_box()
    assert after
    assert abs(after["y"] - before["y"]) < 2
    assert chat.url.endswith(f"/c/{conversation_id(chat)}")
    chat.evaluate(_TRAVEL, [900, f"m-{server.last_answer(kept)['id']}"])
    expect(answer(chat)).to_contain_text("second way 99.")
