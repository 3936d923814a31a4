"""What a file is by its content, and what it may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.media import file_name, media_type

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 8


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0rest", "image/jpeg"),
        (b"GIF87a..", "image/gif"),
        (b"GIF89a..", "image/gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "application/octet-stream"),
        (b"%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        (b"\x00junk\n%PDF-1.4\n\xff", "application/pdf"),
        (b"The signature is %PDF-1.4.", "text/plain"),
        ("Grüße, 🐝\n".encode(), "text/plain"),
        (b"\xef\xbb\xbfwith a mark", "text/plain"),
        (b"\x1b[31mred\x1b[0m\r\n\tlog", "text/plain"),
        (b"", "text/plain"),
        (b"latin \xe9t\xe9", "application/octet-stream"),
        (b"nul\x00", "application/octet-stream"),
        (b"MZ\x90\x00", "application/octet-stream"),
        (b"PK\x03\x04", "application/octet-stream"),
    ],
)
def test_the_content_says_what_a_file_is(data: bytes, kind: str) -> None:
    assert media_type(data, "photo.dat") == kind


@pytest.mark.parametrize("name", ["a.txt", "a.png", "a.pdf", "a", "png", ""])
def test_no_name_makes_an_image_of_something_else(name: str) -> None:
    assert media_type(b"<script>alert(1)</script>", name) == "text/plain"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("README.MD", "text/markdown"),
        ("table.csv", "text/csv"),
        ("data.json", "text/json"),
        ("page.html", "text/html"),
        ("drawing.svg", "text/xml"),
        ("x.tar.tsv", "text/tab-separated-values"),
    ],
)
def test_the_name_tells_kinds_of_text_apart(name: str, kind: str) -> None:
    assert media_type(b"<svg/>", name) == kind
    assert media_type(PNG, name) == "image/png"
    assert media_type(b"\x00", name) == "application/octet-stream"


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("photo.png", "photo.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a b.txt", "a b.txt"),
        ("line\r\nbreak\t.txt", "linebreak.txt"),
        ("exe\u202egnp.exe", "exegnp.exe"),
        ("", "file"),
        ("..", "file"),
        ("folder/", "file"),
        ("\ud800.txt", "\ufffd.txt"),
        ("Grüße 🐝.md", "Grüße 🐝.md"),
    ],
)
def test_a_name_is_made_fit_to_be_shown_and_saved(given_name: str, name: str) -> None:
    assert file_name(given_name) == name


def test_a_long_name_keeps_its_ending() -> None:
    name = file_name("x" * 500 + ".markdown")
    assert (len(name), name[-10:]) == (200, "x.markdown")


@given(st.text(alphabet=st.characters()))
def test_every_name_can_be_stored(name: str) -> None:
    made = file_name(name)
    assert 0 < len(made) <= 200
    assert "/" not in made
    assert made.encode()
    assert file_name(made) == made


@given(st.binary())
def test_every_content_is_something(data: bytes) -> None:
    kind = media_type(data, "x.csv")
    assert kind.startswith(("image/", "text/")) or kind in ("application/pdf", "application/octet-stream")
