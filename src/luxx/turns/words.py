"""Words: what nodes tell each other so that pages and endpoints are up to date everywhere; none of it must arrive."""

import msgspec
import structlog

from luxx.turns.requests import Notice

_log = structlog.get_logger()


class NoticeWord(msgspec.Struct, frozen=True, tag="notice"):
    """A notice for a person's pages."""

    owner: str
    notice: Notice


class ProviderWord(msgspec.Struct, frozen=True, tag="provider"):
    """A provider was changed or deleted."""

    provider_id: str


class DecisionWord(msgspec.Struct, frozen=True, tag="decision"):
    """A person has decided about a call of a turn: its owner is to look."""

    turn_id: str
    """Read by nobody here: nodes of earlier versions do not take the word without it."""


class CallWord(msgspec.Struct, frozen=True, tag="call"):
    """Whoever runs this turn is to stop one of its tools."""

    turn_id: str
    index: int


Word = NoticeWord | ProviderWord | DecisionWord | CallWord
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Word] = msgspec.json.Decoder(Word)


def write_word(word: Word) -> str:
    """Return a word as text."""
    return _encoder.encode(word).decode()


def read_word(text: str) -> Word | None:
    """Return the word, or None for one that this version does not know."""
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        _log.info("a word of another version was passed over")
        return None
