"""The files of the conversation, as code in the sandbox has them."""

from collections.abc import AsyncIterator

import pytest

from luxx.tools.builtin.sandbox import Sandbox, sandbox_tool
from tests.tools.calls import FakeContext, call


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    own = Sandbox()
    yield own
    await own.aclose()


@pytest.fixture
async def at() -> FakeContext:
    """A conversation with a table, of which there is an older one, and something that is no text."""
    context = FakeContext()
    for name, data in (("data.csv", b"old"), ("data.csv", b"a,b\n1,2\n"), ("i.bin", b"\x00\xff")):
        await context.files.keep(name, data)
    return context


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("open('data.csv').read()", "'a,b\\n1,2\\n'"),
        ("from pathlib import Path\nPath('/files/i.bin').read_bytes()", "b'\\x00\\xff'"),
        ("import os\nsorted(os.listdir('.'))", "['data.csv', 'i.bin']"),
        ("import os\nos.getenv('PATH'), os.environ", "(None, {})"),
    ],
)
async def test_code_reads_them_by_their_names(sandbox: Sandbox, at: FakeContext, code: str, text: str) -> None:
    outcome = await call(sandbox_tool(sandbox), {"code": code}, context=at)
    assert (outcome.content, outcome.files) == (text, ())


@pytest.mark.parametrize("path", ["/etc/passwd", "../../etc/passwd", "/proc/self/environ", "nothing.txt"])
async def test_code_reads_nothing_else(sandbox: Sandbox, at: FakeContext, path: str) -> None:
    assert (
        "FileNotFoundError"
        in (await call(sandbox_tool(sandbox), {"code": f"open('{path}').read()"}, context=at)).content
    )


async def test_what_code_writes_is_kept(sandbox: Sandbox, at: FakeContext) -> None:
    code = (
        "from pathlib import Path\n"
        "Path('out.txt').write_text('hé')\n"
        "with open('log.txt', 'a') as f:\n    f.write('1')\n"
        "with open('log.txt', 'a') as f:\n    f.write('2')\n"
        "open('data.csv', 'a').write('3,4')\n"
        "Path('gone.txt').write_text('x')\n"
        "Path('gone.txt').unlink()\n"
        "Path('draft').write_bytes(b'z')\n"
        "Path('draft').rename('final')\n"
        "Path('dir').mkdir()\n"
        "Path('dir/in.txt').write_text('y')\n"
        "None\n"
    )
    outcome = await call(sandbox_tool(sandbox), {"code": code}, context=at)
    assert not outcome.failed, outcome.content
    made = {ref.name: at.files.contents[ref.id] for ref in outcome.files}
    assert made == {
        "out.txt": "hé".encode(),
        "log.txt": b"12",
        "data.csv": b"a,b\n1,2\n3,4",
        "final": b"z",
        "dir-in.txt": b"y",
    }


async def test_a_run_that_fails_leaves_no_files(sandbox: Sandbox, at: FakeContext) -> None:
    outcome = await call(sandbox_tool(sandbox), {"code": "open('a', 'w').write('x')\n1 / 0"}, context=at)
    assert (outcome.failed, outcome.files, len(at.files.refs)) == (True, (), 3)


@pytest.mark.parametrize(
    "code",
    [
        "for n in range(100_000): open(f'f{n}', 'w')",
        "for n in range(60): open(f'f{n}', 'w').write('x' * 1_000_000)",
        "open('f', 'w').write('x' * 9_000_000)\nfor n in range(90): open('f').read()",
        "open('f', 'w').write('x' * 9_000_000)\nfor n in range(90): open('f', 'a').write('y')",
    ],
)
async def test_files_cannot_be_used_to_fill_the_server(sandbox: Sandbox, at: FakeContext, code: str) -> None:
    outcome = await call(sandbox_tool(sandbox), {"code": code}, context=at)
    assert outcome.failed
    assert outcome.files == ()
    assert (await call(sandbox_tool(sandbox), {"code": "1 + 1"}, context=at)).content == "2"
