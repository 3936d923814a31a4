"""A server that hangs, floods, lies or dies costs one tool result."""

import asyncio
import contextlib
import logging
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from luxx.core.ports import Reply, ToolOutcome
from luxx.tools.mcp.connection import Limits, Patience
from luxx.tools.mcp.messages import MAX_DEPTH, shallow
from luxx.tools.mcp.wire import Bounds
from tests.tools.calls import FakeContext, call
from tests.tools.mcp.book import OWNER, QUICK, Bench, bench, hostile

UNKNOWN = "The outcome is unknown"


@contextlib.asynccontextmanager
async def one(how: str = "well", *more: str, limits: Limits = QUICK, **secrets: str) -> AsyncIterator[Bench]:
    """Give a bench with the hostile server as `h`."""
    async with bench(limits) as found:
        await found.add("h", hostile(how, *more), secrets=secrets)
        yield found


def impatient(call_s: float) -> Limits:
    return msgspec.structs.replace(QUICK, patience=msgspec.structs.replace(QUICK.patience, call_s=call_s))


async def result(found: Bench, tool: str, context: FakeContext | None = None) -> ToolOutcome:
    return await call(await found.box(), {}, f"h__{tool}", context)


async def test_a_server_that_dies_in_mid_call_says_its_last_words_and_is_started_again() -> None:
    async with one() as found:
        died = await result(found, "die")
        assert died.failed
        assert "its program ended with code 3" in died.content
        assert UNKNOWN in died.content
        server = next(iter(found.book.servers.values()))
        assert found.servers.state(server).state == "failed"
        assert "last words" in found.servers.state(server).log
        assert (await result(found, "fail")).content == "no such file"


async def test_a_server_that_dies_again_and_again_is_left_alone_for_a_while() -> None:
    async with one() as found:
        for _ in range(2):
            assert "ended with code 3" in (await result(found, "die")).content
        refused = await result(found, "fail")
        assert "it is tried again in 1 s" in refused.content
        assert UNKNOWN not in refused.content
        server = next(iter(found.book.servers))
        assert (await found.servers.check(OWNER, server)).ok  # a person need not wait
        assert (await result(found, "fail")).content == "no such file"


async def test_a_call_without_an_answer_is_cancelled_at_the_server_too(tmp_path: Path) -> None:
    note = tmp_path / "note"
    async with one("well", str(note), limits=impatient(0.5)) as found:
        hung = await result(found, "hang")
        assert "gave no result and no sign of life for 0.5 s" in hung.content
        assert UNKNOWN in hung.content
        await _noted(note, "notifications/cancelled")


async def test_a_call_that_is_cancelled_is_cancelled_at_the_server_too(tmp_path: Path) -> None:
    note = tmp_path / "note"
    async with one("well", str(note)) as found:
        box = await found.box()
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(call(box, {}, "h__hang"))
            await _noted(note, "called")
            running.cancel()
        await _noted(note, "notifications/cancelled")


async def test_a_sign_of_life_gives_a_call_its_time_again() -> None:
    async with one(limits=impatient(2)) as found:
        assert (await result(found, "slow")).content == "slow but sure"


async def test_a_flood_of_messages_ends_the_server() -> None:
    async with one() as found:
        flooded = await result(found, "flood")
        assert "it floods: more than 2,000 messages" in flooded.content
        assert (await result(found, "fail")).content == "no such file"


@pytest.mark.parametrize("tool", ["endless", "too_huge"])
async def test_a_message_that_is_too_large_ends_the_server(tool: str) -> None:
    async with one() as found:
        assert "more than 8,000,000 bytes" in (await result(found, tool)).content
        assert (await result(found, "fail")).content == "no such file"


@pytest.mark.parametrize("piece", [b'\\"[', b"\\\\", b'\\"', b"a["])
def test_a_string_without_an_end_is_read_once(piece: bytes) -> None:
    """Read anew from each quote in it, megabytes would take hours."""
    data = b"[" * MAX_DEPTH + b'"' + piece * 2_000_000
    assert shallow(b"[]" * MAX_DEPTH + data) == b"[]" * MAX_DEPTH + data
    cut = b"[" * MAX_DEPTH + b"null" + b"]" * MAX_DEPTH
    assert shallow(b"[" * (MAX_DEPTH + 9) + b'"a\\"]"' + b"]" * (MAX_DEPTH + 9)) == cut


async def test_garbage_between_messages_goes_to_the_log() -> None:
    async with one() as found:
        assert (await result(found, "garbage")).content == "clean"
        log = found.servers.state(next(iter(found.book.servers.values()))).log
        assert "not a message: Loading..." in log


async def test_a_flood_of_progress_reaches_the_reader_thinned_out() -> None:
    context = FakeContext()
    async with one() as found:
        assert (await result(found, "progress", context)).content == "reported"
    assert 1 <= len(context.reports) < 100
    assert context.reports[0] == ("", 0.0, 999.0)


async def test_a_server_that_never_gets_ready_costs_its_time_once() -> None:
    patience = Patience(connect_s=0.5, listing_s=5)
    async with one("mute", limits=Limits(patience=patience, bounds=Bounds(stop_s=0.2))) as found:
        assert await found.names() == []
        server = next(iter(found.book.servers.values()))
        assert "did not get ready within 0.5 s" in (found.servers.state(server).error or "")
        assert not (await found.servers.check(OWNER, server.id)).ok


@pytest.mark.parametrize("command", ["/nowhere/at/all", "no-such-program-at-all"])
async def test_a_program_that_is_not_there_is_named(command: str) -> None:
    async with bench() as found:
        target = msgspec.structs.replace(hostile("well"), command=command)
        server = await found.add("h", target)
        checked = await found.servers.check(OWNER, server.id)
        assert not checked.ok
        assert "cannot be run: No such file or directory" in checked.detail


async def test_a_well_known_program_that_is_not_there_comes_with_the_way_to_get_it() -> None:
    async with bench() as found:
        server = await found.add(
            "h", msgspec.structs.replace(hostile("well"), command="uvx"), secrets={"PATH": "/nowhere"}
        )
        checked = await found.servers.check(OWNER, server.id)
        assert "uvx cannot be run: No such file or directory. It comes with uv (pip install uv)" in checked.detail


async def test_ten_thousand_tools_are_cut_at_the_limit() -> None:
    async with one("many") as found:
        names = await found.names()
        assert names[0] == "h__tool00000"
        assert len(names) == QUICK.max_tools
        assert found.servers.state(next(iter(found.book.servers.values()))).left_out == 10_000 - QUICK.max_tools


async def test_pages_without_end_are_cut() -> None:
    async with one("endless_pages") as found:
        assert len(await found.names()) == 100


async def test_ugly_tools_are_mended_or_left_out() -> None:
    async with one("ugly") as found:
        infos = {info.name: info for info in await found.sources.offered(OWNER)}
        assert all(len(name) <= 64 for name in infos)
        assert infos["h__fine"].parameters["properties"] == {"a": {"type": "integer"}}
        assert {"h__sp_ace_slash", "h__text_schema", "h__liar"} <= infos.keys()
        for name in ("text_schema", "array_schema", "bad_members"):
            assert infos[f"h__{name}"].parameters == {"type": "object", "properties": {}}
        assert len(infos["h__large_schema"].parameters["description"]) <= 2_000
        assert list(infos["h__deep_schema"].parameters["properties"]) == ["x"]
        assert len(infos) == 14
        assert len(infos["h__wordy"].description) <= 4_000
        assert infos["h__wordy"].description.startswith("abx")
        assert {info.effect for info in infos.values()} == {"unsafe"}
        box = await found.box()
        for name in infos.keys() - {"h__deep_schema"}:
            assert not (await call(box, {"a": 1}, name)).failed
        assert "arguments.x is not of the type object" in (await call(box, {"x": 1}, "h__deep_schema")).content
        spaced = next(name for name in infos if name.startswith("h__sp_ace_slash_"))
        assert (await call(box, {"a": 1}, spaced)).content == '["sp ace/slash", {"a": 1}]'


async def test_only_a_trusted_servers_word_counts() -> None:
    async with bench() as found:
        await found.add("h", hostile("ugly"), trusted=True)
        infos = {info.name: info for info in await found.sources.offered(OWNER)}
        effects = {name: infos[f"h__{name}"].effect for name in ("fine", "liar", "reader", "again")}
        assert effects == {"fine": "unsafe", "liar": "unsafe", "reader": "read", "again": "idempotent"}
        asks = {name: infos[f"h__{name}"].asks for name in ("fine", "reader")}
        assert asks == {"fine": "always", "reader": "never"}


async def test_tools_are_listed_anew_when_they_change() -> None:
    async with one("changing") as found:
        before = await found.names()
        assert await result(found, "change")
        async with asyncio.timeout(10):
            while await found.names() == before:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert {name for name in await found.names() if name not in before} == {"h__new2"}


async def test_results_of_every_kind_become_one_outcome() -> None:
    context = FakeContext()
    async with one() as found:
        mixed = await result(found, "mixed", context)
    assert not mixed.failed
    assert [(ref.name, ref.size) for ref in mixed.files] == [("image.png", 70), ("c.bin", 3)]
    for part in (
        "[file image.png: id file-1, image/png, 70 bytes]",
        "[audio: cannot be read, it is no valid base64]",
        "[resource a <file:///a> (text/plain)]",
        "[file:///b.txt]\ninside",
        '{"type":"hologram","depth":3}',
    ):
        assert part in mixed.content


@pytest.mark.parametrize(
    ("tool", "content", "failed"),
    [
        ("fail", "no such file", True),
        ("empty", "Done; the tool gave no result.", False),
        ("structured", '{"a":[1]}', False),
        ("only_structured", '{"a":[1]}', False),
        ("null_content", '{"a":[1]}', False),
        ("no_text", "Done; the tool gave no result.", True),
        ("junk", "\ufffd\ufffd\x1b[31m", False),
    ],
)
async def test_odd_results_are_taken(tool: str, content: str, failed: bool) -> None:
    async with one() as found:
        outcome = await result(found, tool)
        assert (outcome.content, outcome.failed) == (content, failed)


async def test_one_bad_part_of_a_result_costs_only_itself() -> None:
    async with one() as found:
        bare = await result(found, "bare")
    assert not bare.failed
    assert [(ref.name, ref.size) for ref in bare.files] == [("image", 70)]
    for part in ("before", '{"type":"text","text":42}', '"name":5', "no uri", "after", '{"text":"no type"}'):
        assert part in bare.content


@pytest.mark.parametrize("tool", ["wrong", "nothing"])
async def test_a_result_that_is_none_is_said_to_be(tool: str) -> None:
    async with one() as found:
        wrong = await result(found, tool)
        assert wrong.failed
        assert "failed in mid-call: its answer is not valid" in wrong.content
        assert UNKNOWN in wrong.content


async def test_a_structured_result_that_does_not_fit_is_a_failure_that_says_so() -> None:
    async with one() as found:
        misfit = await result(found, "misfit")
        assert misfit.failed
        assert misfit.content.startswith("done\n[The tool ran, but its structured result does not fit")
        assert "the result.n is not of the type integer" in misfit.content
        assert misfit.data is None


async def test_a_huge_result_is_cut_and_a_pile_of_files_bounded() -> None:
    context = FakeContext()
    async with one() as found:
        huge = await result(found, "huge", context)
        assert len(huge.content) < 60_000
        assert context.files.refs[0].size == 2_000_000
        files = await result(found, "many_files")
        assert len(files.files) == 20
        assert files.content.count("not kept, there are too many") == 10


async def test_secrets_are_hidden_wherever_a_server_says_them() -> None:
    async with one("chatty", TOKEN="t0p-secret") as found:
        told = await result(found, "secret")
        assert told.content == "[secret]"
        assert told.data == {"t": "[secret]"}
        log = found.servers.state(next(iter(found.book.servers.values()))).log
        assert all("t0p-secret" not in line for line in log)
        assert len(log) <= 201
        assert max(map(len, log)) <= 500


async def test_bad_notifications_do_not_reach_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with one(TOKEN="t0p-secret") as found:
        assert (await result(found, "bad_progress")).content == "reported"
    assert "t0p-secret" not in caplog.text
    assert [record.name for record in caplog.records if record.name not in ("asyncio", "luxx")] == []


async def test_a_question_is_asked_of_the_person_and_its_defaults_are_filled_in() -> None:
    context = FakeContext(replies=[Reply(action="accept", content={"name": "Ada"})])
    async with one() as found:
        asked = await result(found, "ask", context)
    assert asked.content == '{"action": "accept", "content": {"n": 3, "name": "Ada"}}'
    message, schema, url = context.questions[0]
    assert (message, url) == ("h: Who?", None)
    assert schema is not None
    assert schema["properties"]["name"] == {"type": "string"}


@pytest.mark.parametrize(("action", "told"), [("decline", "decline"), ("expired", "cancel")])
async def test_a_question_may_be_declined(action: str, told: str) -> None:
    context = FakeContext(replies=[Reply(action=action)])  # pyright: ignore[reportArgumentType]
    async with one() as found:
        assert (await result(found, "ask", context)).content == f'{{"action": "{told}"}}'


async def test_what_must_not_be_shown_is_declined_without_asking_and_the_rest_refused() -> None:
    context = FakeContext()
    async with one() as found:
        tricked = await result(found, "trick", context)
    assert tricked.content == '["decline", "decline", "refused", [], "refused"]'
    assert context.questions == []


async def test_a_stubborn_server_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    async with one("stubborn", str(note)) as found:
        assert (await result(found, "fail")).content == "no such file"
        pids = [int(pid) for pid in note.read_text().split()]
        assert all(map(_alive, pids))
    await _gone(pids)


async def test_no_server_outlives_a_luxx_that_was_killed(tmp_path: Path) -> None:
    note = tmp_path / "pids"
    program = (
        "import asyncio, sys\n"
        "from tests.tools.mcp.book import bench, hostile\n"
        "async def main():\n"
        "    async with bench() as found:\n"
        f"        await found.add('h', hostile('stubborn', {str(note)!r}))\n"
        "        await found.names()\n"
        "        print('up', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    root = Path(__file__).parents[3]
    luxx = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program), stdout=asyncio.subprocess.PIPE, cwd=root
    )
    assert luxx.stdout is not None
    assert await luxx.stdout.readline() == b"up\n"
    pids = [int(pid) for pid in note.read_text().split()]
    luxx.send_signal(signal.SIGKILL)
    await luxx.wait()
    await _gone(pids)


@pytest.mark.parametrize(("how", "idle_s"), [("well", 0), ("restless", 0.5)])
async def test_an_idle_server_is_stopped_and_started_when_it_is_needed(how: str, idle_s: float) -> None:
    limits = msgspec.structs.replace(QUICK, patience=msgspec.structs.replace(QUICK.patience, idle_s=idle_s))
    async with one(how, limits=limits) as found:
        names = await found.names()
        server = next(iter(found.book.servers.values()))
        async with asyncio.timeout(10):
            while found.servers.state(server).state != "stopped":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert await found.names() == names
        assert found.servers.state(server).state == "stopped"
        assert (await result(found, "fail")).content == "no such file"


def _alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


async def _noted(note: Path, text: str) -> None:
    """Return when the server has written this."""
    async with asyncio.timeout(10):
        while not note.exists() or text not in note.read_text():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def _gone(pids: list[int]) -> None:
    async with asyncio.timeout(5):
        while any(map(_alive, pids)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
