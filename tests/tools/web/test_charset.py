"""Charsets: what is declared, what is true, and what is neither."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.tools.builtin.web.charset import text_of

META = "<meta charset='{}'><p>"


@pytest.mark.parametrize(
    ("data", "header", "text"),
    [
        ("grün €".encode(), "", "grün €"),
        ("grün €".encode(), "text/html; charset=utf-8", "grün €"),
        ("grün €".encode(), "text/html; charset=ISO-8859-1", "grün €"),
        ("grün €".encode("cp1252"), "", "grün €"),
        ("grün €".encode("cp1252"), "text/html; charset=iso-8859-1", "grün €"),
        ("grün €".encode("cp1252"), "text/html; charset=utf-8", "grün €"),
        ("привет".encode("cp1251"), 'text/html; charset="windows-1251"', "привет"),
        ("日本語".encode("shift_jis"), "text/html;charset=Shift_JIS", "日本語"),
        ("日本語".encode("iso2022_jp"), "text/html;charset=iso-2022-jp", "日本語"),
        ((META.format("euc-jp") + "日本語").encode("euc-jp"), "text/html", META.format("euc-jp") + "日本語"),
        (b"<?xml version='1.0' encoding='windows-1251'?>" + "да".encode("cp1251"), "", "<?xml version='1.0' encoding='windows-1251'?>да"),
        (b"\xef\xbb\xbfa\xc3\xbc", "text/plain; charset=latin-1", "aü"),
        ("grün".encode("utf-16"), "", "grün"),
        ("grün".encode("utf-16-be"), "text/plain; charset=utf-16-be", "grün"),
        ("grün".encode("cp1252"), "text/plain; charset=bogus-9", "grün"),
        ("grün".encode("cp1252"), "text/plain; charset=hex", "grün"),
        ("grün".encode("cp1252"), "text/plain; charset=rot13", "grün"),
        ("grün".encode("cp1252"), "text/plain; charset=utf-7", "grün"),
        (META.format("utf-16").encode() + "ü".encode("cp1252"), "", META.format("utf-16") + "ü"),
        (b"x" * 200 + b"\xff" + "ü".encode(), "text/plain; charset=utf-8", "x" * 200 + "\ufffdü"),
        ("grün".encode("cp1252"), "text/plain; charset=undefined", "grün"),
        ("grün".encode("cp1252"), "text/plain; charset=idna", "grün"),
        (b"", "text/html; charset=", ""),
    ],
)  # fmt: skip
def test_bytes_become_the_text_that_they_are(data: bytes, header: str, text: str) -> None:
    assert text_of(data, header) == text


def test_a_character_that_was_cut_off_does_not_spoil_the_rest() -> None:
    assert text_of("grün €".encode()[:-1], "", cut=True) == "grün "


@given(st.binary(max_size=300), st.text(max_size=60))
@settings(deadline=None)
def test_no_bytes_and_no_header_are_an_error(data: bytes, header: str) -> None:
    text_of(data, header)
    text_of(data, f"text/html; charset={header}", cut=True)
