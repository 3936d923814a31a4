"""The tools for trying out durability."""

from pathlib import Path

import pytest

from luxx.core.ports import Reply
from luxx.tools.box import Toolbox
from luxx.tools.demo import demo_tools, read_ledger
from tests.tools.calls import KEY, FakeContext, call


def test_there_is_one_for_each_effect() -> None:
    box = Toolbox(demo_tools())
    assert {spec.name: box.effect(spec.name) for spec in box.specs()} == {
        "wait": "read",
        "wait_idempotent": "idempotent",
        "wait_unsafe": "unsafe",
        "wait_asks": "read",
    }


async def test_it_waits_reports_its_progress_and_says_so() -> None:
    at = FakeContext()
    box = Toolbox(demo_tools())
    arguments = '{"seconds": 0.06, "label": "tea"}'
    outcome = await call(box, arguments, "wait", at)
    assert outcome.content == "Waited 0.06 s (tea)."
    assert at.reports[0][0] == "tea"
    assert at.reports[-1] == ("tea", 0.06, 0.06)


async def test_without_a_label_it_only_says_how_long() -> None:
    assert (await call(Toolbox(demo_tools()), {"seconds": 0}, name="wait_unsafe")).content == "Waited 0 s."


async def test_one_asks_for_a_name_or_to_open_a_page_and_says_what_was_answered() -> None:
    at = FakeContext(replies=[Reply(action="accept", content={"name": "Ada"})])
    box = Toolbox(demo_tools())
    assert (await call(box, {}, "wait_asks", at)).content == 'The person chose accept: {"name":"Ada"}'
    assert (await call(box, {"question": "Go?", "url": "https://a.example"}, "wait_asks", at)).content.endswith("{}")
    (first, form, no_url), second = at.questions
    assert (first, (form or {})["required"], no_url) == ("Who are you?", ["name"], None)
    assert second == ("Go?", None, "https://a.example")


@pytest.mark.parametrize("seconds", [-1, 601, "nan"])
async def test_a_time_out_of_bounds_is_refused(seconds: object) -> None:
    outcome = await call(Toolbox(demo_tools()), {"seconds": seconds}, name="wait")
    assert outcome.failed
    assert "`seconds`" in outcome.content


async def test_the_ledger_has_the_start_and_end_of_every_call(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.jsonl"
    assert read_ledger(ledger) == ()
    box = Toolbox(demo_tools(ledger))
    for name in ("wait", "wait_idempotent", "wait_unsafe"):
        await call(box, {"seconds": 0, "label": name[-4:]}, name=name)
    lines = read_ledger(ledger)
    assert [(line.event, line.tool, line.key, line.label) for line in lines] == [
        (event, name, KEY, name[-4:])
        for name in ("wait", "wait_idempotent", "wait_unsafe")
        for event in ("start", "end")
    ]
    assert [line.at for line in lines] == sorted(line.at for line in lines)
