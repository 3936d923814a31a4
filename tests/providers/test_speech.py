"""Text and thoughts take turns, and half a surrogate pair waits for more of its kind only."""

from luxx.core.deltas import TextDelta, ThinkingDelta
from luxx.providers.speech import Speech


def test_a_pair_that_is_split_over_pieces_is_joined() -> None:
    speech = Speech()
    assert speech.tell(TextDelta, "a\ud83d") == [TextDelta("a")]
    assert speech.tell(TextDelta, "\ude00b") == [TextDelta("😀b")]


def test_half_a_pair_is_replaced_when_something_else_begins() -> None:
    speech = Speech()
    assert speech.tell(TextDelta, "\ud83d") == []
    assert speech.tell(ThinkingDelta, "\ude00") == [TextDelta("\ufffd"), ThinkingDelta("\ufffd")]
    assert speech.tell(ThinkingDelta, "\ud83d") == []
    assert speech.end() == [ThinkingDelta("\ufffd")]
    assert (speech.kind, speech.end()) == (None, [])
