"""What models, tools and servers say cannot act on a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.cli.safetext import columns, fit, safe, safe_line


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "␛[2J␛]0;title␇"),
        ("secret\r      ", "secret      "),
        ("a\x08b\x7f", "a␈b␡"),
        ("\x9b31m", "�31m"),
        ("user\u202etxt.exe", "user�txt.exe"),
        ("nul\x00", "nul␀"),
        ("\ud800", "�"),
        ("tab\there\nnext", "tab\there\nnext"),
    ],
)
def test_control_characters_become_visible(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


@given(st.text())
def test_nothing_that_controls_a_terminal_is_left(text: str) -> None:
    for character in safe(text):
        assert character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
    assert not set(safe_line(text)) & set("\n\r\t\x1b")


@given(st.text(), st.integers(0, 300))
def test_text_may_come_in_pieces(text: str, cut: int) -> None:
    assert safe(text[:cut]) + safe(text[cut:]) == safe(text)


@given(st.text(), st.integers(0, 40))
def test_a_line_fits_its_columns(text: str, width: int) -> None:
    line = fit(text, width)
    assert columns(line) <= width
    assert line == safe_line(text) or line.endswith("…") or width == 0


def test_wide_characters_take_two_columns() -> None:
    assert fit("漢字漢字", 5) == "漢字…"
    assert fit("漢字", 4) == "漢字"
    assert fit("abcdef", 6) == "abcdef"
