"""Searching, keeping and sharing over HTTP."""

import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.archive.sharing import SharedBranch, SharedMessage, SharedPart
from luxx.http.share_page import share_page
from tests.archive.exports import CHATGPT, CLAUDE, LIBRECHAT, OPEN_WEBUI
from tests.http.asgi import Answer
from tests.http.world import World, world


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path, max_import=200_000) as at:
        yield at


async def send(at: World, data: bytes, kind: str = "application/octet-stream") -> Answer:
    return await at.client.send("POST", "/api/imports", data, {"content-type": kind})


async def test_a_search_gives_hits_with_marks(at: World) -> None:
    started = await at.finished("The whale sings.")
    answer = await at.client.get("/api/search?q=WHALE+sing")
    (hit,) = answer.json["items"]
    assert (hit["message_id"], hit["role"], hit["snippet"]) == (started["message_id"], "assistant", "The whale sings.")
    assert (hit["marks"], answer.json["next_cursor"]) == ([{"start": 4, "end": 9}, {"start": 10, "end": 14}], None)
    assert (await at.client.get("/api/search?q=" + "x" * 30_000)).json["items"] == []
    assert (await at.client.get("/api/search?q=%00%22%F0%9F%90%9D")).status == 200
    assert [(await at.client.get(f"/api/search{bad}")).status for bad in ("", "?q=x&limit=0", "?q=x&cursor=x")] == [
        422
    ] * 3


async def test_an_export_is_a_file_that_people_read(at: World) -> None:
    started = await at.finished("```python\nprint(1)")
    path = f"/api/conversations/{await conversation_of(at, started)}/export"
    answer = await at.client.get(path)
    assert answer.body.decode() == "# hi\n\n## You\n\nhi\n\n## m\n\n```python\nprint(1)\n```\n"
    assert answer.headers["content-type"] == "text/markdown; charset=utf-8"
    assert answer.headers["content-disposition"] == "attachment; filename=\"hi.md\"; filename*=UTF-8''hi.md"
    assert (await at.client.get(f"{path}?format=xml")).status == 422
    assert (await at.client.get(f"{path}?leaf=nothing")).status == 404
    assert (await at.client.get("/api/conversations/nothing/export")).status == 404


async def conversation_of(at: World, started: dict[str, str]) -> str:
    return (await at.client.get(f"/api/turns/{started['turn_id']}")).json["conversation_id"]


@pytest.mark.parametrize("contents", ["true", "false"])
async def test_all_that_is_exported_can_be_imported_elsewhere(at: World, tmp_path: Path, contents: str) -> None:
    for text in ("one", "two"):
        await at.finished(text)
    lines = (await at.client.get(f"/api/export?contents={contents}")).body
    assert [json.loads(line)["format"] for line in lines.splitlines()] == ["luxx.conversation"] * 2
    assert (await send(at, lines)).json["skipped"] == 2
    async with world(tmp_path / "other") as other:
        report = (await send(other, lines)).json
        assert (report["found"], report["imported"], report["messages"], report["sources"]) == (2, 2, 4, {"luxx": 2})
        again = (await send(other, lines)).json
        assert (again["imported"], again["skipped"]) == (0, 2)
        found = (await other.client.get("/api/search?q=two")).json["items"]
        assert [hit["snippet"] for hit in found] == ["two"]


async def test_exports_of_others_are_taken_in(at: World) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([CHATGPT, OPEN_WEBUI, LIBRECHAT, {"mapping": {}}]))
    report = (await send(at, file.getvalue())).json
    assert (report["imported"], report["refused"], report["messages"]) == (3, 1, 11)
    assert report["problems"] == [{"title": "No. 4", "reason": "It has no messages."}]
    assert report["left_out"] == {"hidden_message": 1, "image": 1}
    listed = (await at.client.get("/api/conversations")).json["items"]
    assert {one["title"] for one in listed} == {"A talk", "Weather", "Stories"}
    messages = (await at.client.get(f"/api/conversations/{report['conversation_ids'][0]}/messages")).json["items"]
    assert [step["type"] for step in messages[1]["steps"]] == ["thinking", "tool_call", "tool_result", "text"]
    assert (messages[1]["status"], messages[1]["model"], messages[1]["provider"]) == ("done", "o3", "ChatGPT")
    at.model.say("Again.", end=True)
    again = await at.client.post(f"/api/messages/{messages[-1]['id']}/regenerate", {})
    assert again.status == 202


async def test_json_is_taken_as_json_too(at: World) -> None:
    answer = await send(at, json.dumps([CLAUDE]).encode(), "application/json")
    assert (answer.status, answer.json["imported"]) == (200, 1)


async def test_what_is_too_large_or_of_another_type_is_refused(at: World) -> None:
    assert (await send(at, b" " * 200_001)).status == 413
    assert (await send(at, b"[]", "text/plain")).status == 415
    assert (await send(at, b"[]")).json["found"] == 0
    assert (await send(at, b"garbage")).json["imported"] == 0


async def test_a_share_shows_what_was_said_and_nothing_else(at: World) -> None:
    report = (await send(at, json.dumps([CHATGPT]).encode())).json
    conversation_id = report["conversation_ids"][0]
    made = await at.client.post(f"/api/conversations/{conversation_id}/shares", {})
    assert made.status == 201
    page = await at.client.get(made.json["path"])
    text = page.body.decode()
    assert "It is a one." in text
    assert "Sure?" in text
    assert not [hidden for hidden in ("I look.", "print(1)", conversation_id, "<script") if hidden in text]
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert (page.headers["x-robots-tag"], page.headers["referrer-policy"]) == (
        "noindex, nofollow, noarchive",
        "no-referrer",
    )
    assert "set-cookie" not in page.headers
    told = (await at.client.get(f"{made.json['path']}.json")).json
    assert [part["type"] for part in told["messages"][1]["parts"]] == ["tool_call", "text"]
    listed = (await at.client.get("/api/shares")).json["items"]
    assert [share["id"] for share in listed] == [made.json["share"]["id"]]
    assert made.json["path"].rpartition("/")[2] not in json.dumps(listed)
    assert (await at.client.delete(f"/api/shares/{made.json['share']['id']}")).status == 204
    for gone in (made.json["path"], f"{made.json['path']}.json", "/share/x", f"/share/{'x' * 100}"):
        assert (await at.client.get(gone)).status == 404


async def test_a_share_shows_more_where_it_is_asked_for(at: World) -> None:
    conversation_id = (await send(at, json.dumps([CHATGPT]).encode())).json["conversation_ids"][0]
    path = f"/api/conversations/{conversation_id}/shares"
    ticked = ["thinking", "tool_arguments", "tool_results", "files", "system_prompt"]
    made = (await at.client.post(path, {"include": ticked})).json
    text = (await at.client.get(made["path"])).body.decode()
    assert all(shown in text for shown in ("I look.", "print(1)", "Result: python"))
    assert made["share"]["include"] == ticked
    assert (await at.client.post(path, {"include": ["all"]})).status == 422
    assert (await at.client.post(path, {"leaf": "nothing"})).status == 404
    assert (await at.client.post("/api/conversations/nothing/shares", {})).status == 404


HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> ![x](https://evil.example/p.png) [a](javascript:alert(1)) "
    '[b](data:text/html,x) [c](https://ok.example "t\\" onx=\\"") <https://ok.example/"><b> &lt;b&gt; `<i>`\n\n'
    "<div onclick=x>\n\n|a|\n|-|\n|<svg onload=x>|\n"
)


async def test_nothing_in_a_share_can_act(at: World) -> None:
    at.model.say(HOSTILE, end=True)
    started = await at.start(text=HOSTILE)
    async for _ in at.supervisor.follow(at.store.owner, started["turn_id"], 0):
        pass
    conversation_id = await conversation_of(at, started)
    await at.client.patch(f"/api/conversations/{conversation_id}", {"title": HOSTILE[:100]})
    made = (await at.client.post(f"/api/conversations/{conversation_id}/shares", {})).json
    text = (await at.client.get(made["path"])).body.decode()
    tags = [
        tag
        for tag in ("<script", "<img", "<svg", "<div o", "<b>", "<i>", 'href="javascript', 'href="data', 'src="http')
        if tag in text
    ]
    assert tags == []
    assert 'href="https://ok.example" title="t&quot; onx=&quot;" rel="noopener noreferrer nofollow"' in text


async def test_a_share_is_as_it_was_when_it_was_made(at: World) -> None:
    started = await at.finished("First.")
    conversation_id = await conversation_of(at, started)
    made = (await at.client.post(f"/api/conversations/{conversation_id}/shares", {})).json
    at.model.say("Second.", end=True)
    more = await at.start(conversation_id, "more")
    async for _ in at.supervisor.follow(at.store.owner, more["turn_id"], 0):
        pass
    assert "Second." not in (await at.client.get(made["path"])).body.decode()
    await at.client.delete(f"/api/conversations/{conversation_id}")
    assert (await at.client.get(made["path"])).status == 404


def test_what_is_too_much_for_markdown_is_shown_as_it_is() -> None:
    parts = tuple(SharedPart(type="text", content=f"**{letter * 100_000}**") for letter in "abcd")
    message = SharedMessage(role="assistant", created_at="2026", parts=parts)
    page = share_page(SharedBranch(title="T", shared_at="2026", system_prompt=None, messages=(message,)))
    assert [f"<strong>{letter}" in page for letter in "abcd"] == [True, True, False, False]
    assert "**d" in page


def test_every_text_of_a_share_runs_in_its_own_direction_and_code_from_left_to_right() -> None:
    question = SharedMessage(role="user", created_at="2026", text="שאלה")
    parts = (SharedPart(type="text", content="תשובה"), SharedPart(type="tool_call", name="add", content='{"a": 1}'))
    answer = SharedMessage(role="assistant", created_at="2026", parts=parts)
    page = share_page(SharedBranch(title="T", shared_at="2026", system_prompt="מערכת", messages=(question, answer)))
    assert '<html lang="en">' in page
    assert '<h1 lang="" dir="auto">T</h1>' in page
    assert (
        '<article class="user"><h2 class="known">Question</h2><div class="plain" lang="" dir="auto">שאלה</div>' in page
    )
    assert '<div lang="" dir="auto"><p>תשובה</p>\n</div>' in page
    assert '<pre class="plain" lang="" dir="auto">מערכת</pre>' in page
    assert '<pre class="plain" dir="ltr">{&quot;a&quot;: 1}</pre>' in page


def test_a_share_names_tools_in_one_line_and_a_model_where_it_changes() -> None:
    used = [SharedPart(type="tool_call", name=name) for name in ("a<b", "time", "a<b")]
    seen = SharedPart(type="tool_call", name="add", content="{}")
    answers = tuple(
        SharedMessage(role="assistant", created_at="2026", model=model, parts=parts)
        for model, parts in (("north", (*used, seen)), ("north", ()), ("south", ()))
    )
    page = share_page(SharedBranch(title="T", shared_at="2026-11-22T10", system_prompt=None, messages=answers))
    assert '<p class="tools">Used a&lt;b (2 times), time</p><details><summary>Tool: add</summary>' in page
    assert (
        page.count("<h2>north</h2>") == page.count('<h2 class="known">north</h2>') == page.count("<h2>south</h2>") == 1
    )
    assert "shared from Luxx on 2026-11-22</p>" in page


def test_a_share_says_which_calls_were_not_run_to_their_end() -> None:
    calls = [SharedPart(type="tool_call", name="run", ending=word) for word in ("", "Not run", "Not run", "Stopped")]
    results = [SharedPart(type="tool_result", name="run", content="no", ending=word) for word in ("", "Not run")]
    message = SharedMessage(role="assistant", created_at="2026", model="m", parts=(*calls, *results))
    page = share_page(SharedBranch(title="T", shared_at="2026", system_prompt=None, messages=(message,)))
    assert "Used run, run (2 times, not run), run (stopped)</p>" in page
    assert "<summary>Result: run</summary>" in page
    assert "<summary>Not run: run</summary>" in page


def page_of(text: str) -> str:
    message = SharedMessage(role="assistant", created_at="2026", parts=(SharedPart(type="text", content=text),))
    return share_page(SharedBranch(title="T", shared_at="2026", system_prompt=None, messages=(message,)))


def test_cells_of_a_share_are_aligned_by_classes_since_its_page_allows_no_styles() -> None:
    page = page_of("|a|b|c|d|\n|-:|:-:|:-|-|\n|1|2|3|4|")
    for tag in ("th", "td"):
        assert f'<{tag} class="align-right">' in page
        assert f'<{tag} class="align-center">' in page
        assert page.count(f"<{tag}>") == 2
    assert "style=" not in page


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        (r"so $a_1\,b_2 < c*d*e$.", r"a_1\,b_2 &lt; c*d*e"),
        (r"\(x\_1\!\)", r"x\_1\!"),
        (r"公式$x$是", "x"),
        (r"**bold \[ \frac{a}{b}\; \] **", r"\frac{a}{b}\;"),
        ("in $$x\n\\, y$$ line", "x\n\\, y"),
        (r"| $a\,b$ |" + "\n|-|\n", r"a\,b"),
        (r"[see \(a*b*c\)](https://ok.example)", "a*b*c"),
    ],
)
def test_a_formula_in_a_line_of_a_share_is_shown_as_it_was_written(text: str, tex: str) -> None:
    assert f'<code class="maths">{tex}</code>' in page_of(text)


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("Thus\n$$\na\\,b\\\\\n# c\n* d\n$$\nmore", "a\\,b\\\\\n# c\n* d"),
        ("\\[ x_1 * y_1 * z \\]", "x_1 * y_1 * z"),
        ("- one\n\n  $$\n  x\n    y\n  $$\n- two", "x\n  y"),
        ("> \\[\n> x\\!\n> \\]\n\nafter", "x\\!"),
        ("$$<script>alert(1)</script>$$", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_a_formula_of_its_own_in_a_share_is_shown_as_it_was_written(text: str, tex: str) -> None:
    page = page_of(text)
    assert f'<pre class="maths" tabindex="0"><code>{tex}</code></pre>' in page
    assert "<script" not in page


@pytest.mark.parametrize(
    "text",
    [
        "$5 and $6, or $5-$6, or US$7 and 8$ more",
        "`$x$` ``\\(x\\)`` $5 `a$`, \\( `x\\)`",
        "```\n$$\nx\n$$\n\\[x\\]\n```",
        "    $$x$$",
        "\\$x\\$ and $$$$ and \\(\\) and \\[ \\] and $$ unclosed",
        "$$\nnever closed\n\nby $$\nanything, nor \\[ this\n\n\\]",
        "$$<script>",
        "> $$ x\n\ny $$",
        "- \\[ x\n\n\\]",
    ],
)
def test_what_is_no_formula_stays_text_in_a_share(text: str) -> None:
    page = page_of(text)
    assert 'class="maths"' not in page
    assert "<script" not in page


@pytest.mark.timeout(30)  # were the time to grow with the square, it would be minutes
@pytest.mark.parametrize("unit", ["$", "$$\n", "[$a ", "[\\( ", "\\[ a\n", "$a`"])
def test_signs_of_formulas_that_never_end_take_time_in_proportion_to_their_number(unit: str) -> None:
    page = page_of(unit * (150_000 // len(unit)))
    assert 'class="plain"' not in page
