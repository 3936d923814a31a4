"""Texts are made storable without losing a character that was only cut."""

from hypothesis import given
from hypothesis import strategies as st

from luxx.core.text import Mender, storable, storable_within

_ANY = st.text(st.characters(codec=None, categories=["Cs", "Lu", "So"]) | st.just("\0"), max_size=8)


def _feed(pieces: list[str]) -> str:
    mender = Mender()
    return "".join(mender.feed(piece) for piece in pieces) + mender.flush()


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_storable_and_stays_so(text: str) -> None:
    mended = storable(text)
    assert "\0" not in mended
    assert mended.encode().decode() == mended == storable(mended)


def test_halves_of_a_character_are_joined_and_what_nothing_can_hold_is_replaced() -> None:
    assert storable("\ud83d\ude00 \ude00\ud83d \0") == "😀 \ufffd\ufffd \ufffd"


def test_all_texts_within_a_value_become_storable() -> None:
    value = {"k\ud800": ["\ud83d\ude00", ("\0", 1, None)], "plain": {"deep": True}}
    assert storable_within(value) == {"k\ufffd": ["😀", ["\ufffd", 1, None]], "plain": {"deep": True}}


@given(st.lists(_ANY, max_size=5))
def test_a_text_in_pieces_is_mended_as_the_whole_is(pieces: list[str]) -> None:
    assert _feed(pieces) == storable("".join(pieces))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.data())
def test_valid_text_cut_between_its_utf_16_units_comes_back(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le")
    cut = 2 * data.draw(st.integers(0, len(units) // 2))
    assert _feed([half.decode("utf-16-le", "surrogatepass") for half in (units[:cut], units[cut:])]) == text
