"""The files of the conversation, as the model lists, reads and writes them."""

import pytest

from luxx.tools.box import Toolbox
from luxx.tools.builtin.files import file_tools
from tests.tools.calls import FakeContext, call
from tests.tools.web.documents import pdf

PNG = b"\x89PNG\r\n\x1a\n"


async def talk(*files: tuple[str, bytes]) -> FakeContext:
    at = FakeContext()
    for name, data in files:
        await at.files.keep(name, data)
    return at


async def use(at: FakeContext, name: str, max_chars: int = 50_000, /, **arguments: object) -> str:
    box = Toolbox(file_tools(max_chars), max_result_chars=max_chars)
    return (await call(box, arguments, name, at)).content


async def test_the_files_are_listed_with_what_they_are() -> None:
    at = await talk(("a.txt", b"abc"), ("b.png", PNG))
    assert await use(at, "list_files") == (
        "[file a.txt: id file-1, text/plain, 3 bytes]\n[file b.png: id file-2, image/png, 8 bytes]"
    )
    assert await use(FakeContext(), "list_files") == "There are no files in this conversation."


async def test_of_very_many_files_the_newest_are_listed() -> None:
    at = await talk(*((f"{n}.txt", b"x") for n in range(205)))
    listed = (await use(at, "list_files")).split("\n")
    assert (listed[0], len(listed)) == ("[5 older files are not listed]", 201)


@pytest.mark.parametrize("wanted", ["file-2", "a.txt", "A.TXT", " a.txt "])
async def test_a_file_is_found_by_its_id_or_its_name_the_newest_first(wanted: str) -> None:
    at = await talk(("a.txt", b"old"), ("a.txt", b"new"), ("b.txt", b"other"))
    assert await use(at, "read_file", file=wanted) == "new"


async def test_a_file_that_is_not_there_is_told_with_those_that_are() -> None:
    at = await talk(("report.md", b"x"), ("data.csv", b"y"))
    assert await use(at, "read_file", file="reprot.md") == (
        "There is no file reprot.md; there are report.md. list_files shows all."
    )
    assert await use(FakeContext(), "read_file", file="x") == "There are no files in this conversation."


async def test_a_long_file_is_read_in_pieces() -> None:
    at = await talk(("a.txt", "äöü".encode() * 10))
    first = await use(at, "read_file", file="a.txt", limit=4)
    assert first == "äöüä\n[characters 0 to 4 of 30; offset=4 reads on]"
    last = await use(at, "read_file", file="a.txt", offset=28, limit=100)
    assert last == "öü\n[characters 28 to 30 of 30; this is its end]"
    assert await use(at, "read_file", file="a.txt", offset=30) == "The file has only 30 characters."
    assert await use(await talk(("e", b"")), "read_file", file="e") == "[The file is empty.]"


async def test_a_piece_is_never_longer_than_a_result() -> None:
    at = await talk(("a.txt", b"x" * 100_000))
    piece = await use(at, "read_file", 1_000, file="a.txt", limit=90_000)
    assert piece.endswith("[characters 0 to 700 of 100,000; offset=700 reads on]")
    assert len(at.files.refs) == 1


async def test_an_image_is_shown_and_the_text_of_a_pdf_is_read() -> None:
    at = await talk(("b.png", PNG), ("c.pdf", pdf("Hello")), ("d.bin", b"\xff\xfe\x00"))
    outcome = await call(Toolbox(file_tools()), {"file": "b.png"}, "read_file", at)
    assert (outcome.content, outcome.files) == ("[file b.png: id file-1, image/png, 8 bytes]", (at.files.refs[0],))
    assert await use(at, "read_file", file="c.pdf") == "[page 1]\nHello"
    assert (
        await use(at, "read_file", file="d.bin") == "d.bin is application/octet-stream, which cannot be read as text."
    )


async def test_a_text_is_written_as_a_new_file() -> None:
    at = FakeContext()
    outcome = await call(Toolbox(file_tools()), {"name": "a.md", "content": "# ä"}, "write_file", at)
    assert outcome.content == "Written: [file a.md: id file-1, text/plain, 4 bytes]"
    assert outcome.files == tuple(at.files.refs)
    assert at.files.contents["file-1"] == "# ä".encode()


async def test_nothing_is_overwritten_and_a_call_that_is_run_again_writes_nothing_more() -> None:
    at = await talk(("a.md", b"old"), ("plain", b"old"))
    for _ in range(2):
        await use(at, "write_file", name="a.md", content="new")
        await use(at, "write_file", name="plain", content="new")
    await use(at, "write_file", name="a.md", content="newer")
    assert [ref.name for ref in at.files.refs] == ["a.md", "plain", "a-2.md", "plain-2", "a-3.md"]


async def test_a_file_that_the_store_refuses_is_told_of() -> None:
    at = FakeContext(max_bytes=3)
    assert await use(at, "write_file", name="a.md", content="long") == "a.md was not written: the file is too large"


async def test_no_person_is_asked_for_files() -> None:
    assert [info.asks for info in Toolbox(file_tools()).infos()] == ["never"] * 3
