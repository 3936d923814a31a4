"""luxx serve --workers: several processes behind one address, any of which may die."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
from cryptography.fernet import Fernet

from luxx.client import Client, Retry, TurnHandle
from luxx.core.replay import Replay
from luxx.core.steps import answer_text
from tests.cli.process import finish, invoke, read_until, run, say, script, serving, started
from tests.postgres_server import PostgresServer

PATIENCE_S = 40
ANSWER = script([say("Tick. ", repeat=120, delay_ms=10), say("Done.")])
WHOLE = "Tick. " * 120 + "Done."


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def variables(postgres: PostgresServer) -> Iterator[dict[str, str]]:
    """What servers on a database of their own need."""
    url = postgres.database()
    key = Fernet.generate_key().decode()
    yield {"LUXX_DATABASE_URL": url, "LUXX_SECRET_KEY": key, "LUXX_LEASE_TTL": "4", "LUXX_DRAIN_TIMEOUT": "0.2"}
    postgres.drop(url)


@pytest.fixture
def pair(data_dir: Path, variables: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of two workers, and its address; the scripted model is the default."""
    with serving(data_dir, "--workers", "2", **variables) as (server, address):
        assert invoke(data_dir, "providers", "default", "Scripted", **variables).exit_code == 0
        yield server, address


def workers_of(parent: subprocess.Popen[str]) -> set[int]:
    """Return the processes that a server has started."""
    return {int(pid) for pid in Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()}


async def nodes_at(address: str) -> set[str]:
    """Ask on several new connections at once; return the nodes that answered, all of them with PostgreSQL."""
    answers = await asyncio.gather(*(_node_at(address) for _ in range(8)))
    return {node for node in answers if node}


async def until(count: Callable[[], Awaitable[int]], wanted: int) -> None:
    """Count until there are so many."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            if await count() == wanted:
                return
            await asyncio.sleep(0.05)


async def _node_at(address: str) -> str | None:
    try:
        async with aiohttp.ClientSession() as session, session.get(f"{address}/api/health") as response:
            told = await response.json()
    except aiohttp.ClientError:  # it was with a worker that died
        return None
    assert told["store"] == "postgresql"
    return told["node"]


async def ask(address: str, begun: asyncio.Event) -> str:
    """Ask on a connection and follow on another; `begun` is set when text comes. Returns the text."""
    patient = Retry(patience=PATIENCE_S)
    async with Client(address, None, patient) as client, Client(address, None, patient) as reader:
        conversation = await client.create_conversation()
        turn = await client.post_message(conversation.id, ANSWER)
        replay = Replay()
        async for entry in TurnHandle(reader, turn.started).follow():
            replay.apply(entry)
            if answer_text(replay.steps()):
                begun.set()
        return answer_text(replay.steps())


async def test_a_worker_that_dies_comes_back_and_no_turn_is_lost(pair: tuple[subprocess.Popen[str], str]) -> None:
    server, address = pair
    seen: set[str] = set()

    async def see() -> int:
        seen.update(await nodes_at(address))
        return len(seen)

    await until(see, 2)
    begun = [asyncio.Event() for _ in range(6)]
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        turns = [group.create_task(ask(address, each)) for each in begun]
        for each in begun:
            await each.wait()
        before = workers_of(server)
        os.kill(min(before), signal.SIGKILL)
    assert [turn.result() for turn in turns] == [WHOLE] * 6
    await until(see, 3)
    after = workers_of(server)
    assert (len(before), len(after), min(before) in after) == (2, 2, False)
    server.terminate()
    out, err = finish(server)
    assert (server.returncode, out.splitlines()[-1]) == (0, "stopped")
    assert err.count('"worker ended"') == 1


async def test_ctrl_c_stops_all_with_turns_in_progress(
    data_dir: Path, variables: dict[str, str], pair: tuple[subprocess.Popen[str], str]
) -> None:
    server, _ = pair
    workers = workers_of(server)
    with started(data_dir, "chat", "--json", script([say("x", repeat=900, delay_ms=20)]), **variables) as chat:
        read_until(chat, '"step_delta"')
        server.send_signal(signal.SIGINT)
        assert server.wait(PATIENCE_S) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not (data_dir / "server.json").exists()


async def test_workers_end_when_their_parent_is_killed(pair: tuple[subprocess.Popen[str], str]) -> None:
    server, address = pair
    server.kill()

    async def answering() -> int:
        return len(await nodes_at(address))

    await until(answering, 0)


def test_sqlite_is_one_processs_and_the_refusal_says_what_to_do(data_dir: Path) -> None:
    done = invoke(data_dir, "serve", "--workers", "2")
    assert done.exit_code == 1
    assert "2 workers need PostgreSQL" in done.stderr
    assert "LUXX_DATABASE_URL" in done.stderr
    assert not data_dir.exists()


def test_a_worker_that_cannot_start_ends_the_server_with_the_reason(data_dir: Path, variables: dict[str, str]) -> None:
    done = run(data_dir, "serve", "--port", "0", "--workers", "2", **{**variables, "LUXX_SECRET_KEY": "short"})
    assert done.returncode == 1
    assert "Fernet" in done.stderr
    assert "Traceback" not in done.stderr


def test_servers_on_one_database_have_the_same_owner(tmp_path: Path, variables: dict[str, str]) -> None:
    tokens: list[str] = []
    for name in ("one", "two"):
        folder = tmp_path / name / "data"
        folder.parent.mkdir()
        with serving(folder, **variables):
            tokens.append((folder / "owner-token").read_text())
    assert tokens[0] == tokens[1]
    assert len(tokens[0]) >= 43


def test_a_server_on_a_database_is_found_and_without_one_commands_work_too(
    data_dir: Path, variables: dict[str, str]
) -> None:
    with serving(data_dir, **variables) as (server, address):
        assert f"runs at {address} (process {server.pid})" in invoke(data_dir, "doctor", **variables).stdout
        server.kill()
        server.wait()
    added = invoke(data_dir, "providers", "add", "Mine", "--format", "scripted", "--default", **variables)
    assert added.exit_code == 0, added.output
    assert invoke(data_dir, "chat", script([say("Here.")]), **variables).stdout == "Here.\n"
    assert not (data_dir / "luxx.db").exists()


def test_doctor_looks_at_the_database(data_dir: Path, variables: dict[str, str]) -> None:
    with serving(data_dir, **variables):
        sound = invoke(data_dir, "doctor", **variables).stdout
        other = invoke(data_dir, "doctor", **{**variables, "LUXX_SECRET_KEY": Fernet.generate_key().decode()})
    assert "✓ database: t" in sound
    assert "✓ nodes: 1 alive" in sound
    assert "✓ secret key: from LUXX_SECRET_KEY" in sound
    assert "✗ secret key: is not the one" in other.stdout
    assert other.exit_code == 1


def test_doctor_says_what_to_do_about_a_database_that_is_away(data_dir: Path, variables: dict[str, str]) -> None:
    away = {**variables, "LUXX_DATABASE_URL": "postgresql://luxx:hidden@127.0.0.1:9/luxx"}
    done = invoke(data_dir, "doctor", **away)
    assert done.exit_code == 1
    assert "✗ database: The database luxx at 127.0.0.1:9 cannot be opened" in done.stdout
    assert "correct LUXX_DATABASE_URL" in done.stdout
    assert "hidden" not in done.output
    assert not data_dir.exists()


def test_doctor_makes_nothing_in_an_empty_database(data_dir: Path, postgres: PostgresServer) -> None:
    url = postgres.empty_database()
    done = invoke(data_dir, "doctor", LUXX_DATABASE_URL=url)
    assert "its tables are made at the first start" in done.stdout
    assert "✗ secret key: All servers on one database need the same" in done.stdout
    assert not data_dir.exists()
    postgres.drop(url)
