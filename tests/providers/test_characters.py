"""Pieces of text are made valid without losing a character that was only cut."""

from hypothesis import given
from hypothesis import strategies as st

from luxx.providers.characters import Mender, mended

_ANY = st.text(st.characters(codec=None, categories=["Cs", "Lu", "So"]) | st.just("\0"), max_size=8)


def _feed(pieces: list[str]) -> str:
    mender = Mender()
    return "".join(mender.feed(piece) for piece in pieces) + mender.flush()


@given(st.lists(_ANY, max_size=5))
def test_a_text_in_pieces_is_mended_as_the_whole_is(pieces: list[str]) -> None:
    assert _feed(pieces) == mended("".join(pieces))
    assert _feed(pieces).encode().decode() == _feed(pieces)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), st.data())
def test_valid_text_cut_between_its_utf_16_units_comes_back(text: str, data: st.DataObject) -> None:
    units = text.encode("utf-16-le")
    cut = 2 * data.draw(st.integers(0, len(units) // 2))
    assert _feed([half.decode("utf-16-le", "surrogatepass") for half in (units[:cut], units[cut:])]) == text
