"""The program that runs the embedded model: what it takes, where it listens, and how it ends."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from luxx.providers.local.engine import CHILD_PROGRAM
from luxx.providers.local.needs import find_model

LIMIT_S = 30
KEY = "a key"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return find_model(tmp_path)


class Child:
    """A running child, as a parent sees it."""

    def __init__(self, model: Path) -> None:
        self.process = subprocess.Popen(
            CHILD_PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.send(json.dumps({"model": str(model), "alias": "tiny", "api_key": KEY}) + "\n")

    def send(self, text: str) -> None:
        """Write to its standard input."""
        assert self.process.stdin
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def address(self) -> tuple[str, int]:
        """Return where it listens, as soon as it does."""
        assert self.process.stdout
        url = urlsplit(self.process.stdout.readline().strip())
        assert url.hostname
        assert url.port
        return url.hostname, url.port

    def end(self) -> tuple[int, str]:
        """Close its input; return the exit code and what it wrote to the log."""
        _, errors = self.process.communicate(timeout=LIMIT_S)
        return self.process.returncode, errors

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def child(model: Path) -> Iterator[Child]:
    made = Child(model)
    yield made
    made.kill()


@contextmanager
def ask(address: tuple[str, int], key: str = KEY, **body: object) -> Iterator[http.client.HTTPResponse]:
    """Ask for an answer."""
    messages = [{"role": "user", "content": "Tell me a long story."}]
    with closing(http.client.HTTPConnection(*address, timeout=LIMIT_S)) as connection:
        request = json.dumps({"messages": messages, **body})
        connection.request("POST", "/v1/chat/completions", request, {"Authorization": f"Bearer {key}"})
        with connection.getresponse() as response:
            yield response


def test_it_answers_on_this_machine_only_those_who_have_the_key(child: Child) -> None:
    address = child.address()
    assert address[0] == "127.0.0.1"
    with ask(address, max_tokens=1) as answer:
        assert answer.status == 200
    with ask(address, key="another") as answer:
        assert answer.status == 401


def test_it_outlives_the_signals_that_are_sent_to_its_whole_group(child: Child) -> None:
    address = child.address()
    child.process.send_signal(signal.SIGINT)
    child.process.send_signal(signal.SIGTERM)
    with ask(address, max_tokens=1) as answer:
        assert answer.status == 200


def test_it_ends_in_the_middle_of_an_answer_when_its_input_closes(child: Child) -> None:
    with ask(child.address(), stream=True, ignore_eos=True) as answer:
        assert answer.readline().startswith(b"data:")
        assert child.end() == (0, "")


def test_it_ends_when_its_input_closes_while_it_starts(child: Child) -> None:
    assert child.end()[0] == 0


def test_a_file_that_is_no_model_is_told_on_the_log(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF, but no more than that")
    child = Child(broken)
    assert child.process.wait(LIMIT_S) == 1
    _, errors = child.end()
    # The native library writes to the same log, when it likes.
    assert any(line.startswith(f"cannot serve {broken}") for line in errors.splitlines())


def test_it_dies_with_a_parent_that_is_killed(model: Path) -> None:
    program = f"""
        import asyncio, pathlib
        from luxx.providers.local.engine import LocalEngine

        async def main():
            engine = LocalEngine(pathlib.Path(), find=lambda _: pathlib.Path({str(model)!r}))
            print((await engine.ensure()).base_url, flush=True)
            await asyncio.Event().wait()

        asyncio.run(main())
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        url = urlsplit(parent.stdout.readline())
        with socket.create_connection((str(url.hostname), int(url.port or 0)), timeout=LIMIT_S) as connection:
            parent.kill()
            assert connection.recv(1) == b""
