"""Reading: the conversations of a file, whatever exported it: found by what is in it, one after the other."""

import hashlib
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from luxx.archive import chatgpt, claude, librechat, open_webui, own, packed
from luxx.archive.draft import Draft
from luxx.archive.json_values import Damaged, Span, decoded, values
from luxx.archive.settling import CannotSettle, settled
from luxx.archive.shapes import Json, an_object, name
from luxx.archive.tally import Tally
from luxx.core.archive import FORMAT, ArchivedConversation, Source

MOST_BYTES = 64_000_000
"""Bytes of one conversation as JSON, which is in memory as a whole."""

_FORMATS: tuple[tuple[Source, str, Callable[[Json], bool], Callable[[Json, Tally], Draft]], ...] = (
    ("chatgpt", chatgpt.PROVIDER, chatgpt.fits, chatgpt.read),
    ("claude", claude.PROVIDER, claude.fits, claude.read),
    ("open_webui", open_webui.PROVIDER, open_webui.fits, open_webui.read),
    ("librechat", librechat.PROVIDER, librechat.fits, librechat.read),
)


class Found(NamedTuple):
    """A conversation of a file, and what exported it."""

    source: Source
    conversation: ArchivedConversation


def conversations(path: Path, scratch: Path, most: int, tally: Tally) -> Iterator[Found]:
    """Yield the conversations of a file; it can also be a ZIP archive with such files, which are unpacked at `scratch`.

    What cannot be taken is in the tally. `most` is in bytes, of all that is unpacked.
    """
    try:
        if not packed.is_archive(path):
            yield from _of_file(path, tally)
            return
        for unpacked in packed.unpacked(path, scratch, most):
            yield from _of_file(unpacked, tally)
    except (packed.BadArchive, Damaged) as error:
        tally.refuse("The file", str(error))


def _of_file(path: Path, tally: Tally) -> Iterator[Found]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    for place, span in enumerate(values(data), 1):
        found = _read(data, span, f"No. {place}", tally)
        if found is not None:
            yield found


def _read(data: mmap.mmap, span: Span, place: str, tally: Tally) -> Found | None:
    if span.end - span.start > MOST_BYTES:
        tally.refuse(place, f"It is larger than {MOST_BYTES // 1_000_000} MB.")
        return None
    raw = data[span.start : span.end]
    title = place
    try:
        value = an_object(decoded(raw))
        title = name(value.get("title")) or name(value.get("name")) or place
        if value.get("format") == FORMAT:
            return Found("luxx", settled(_identified(own.read(raw, tally), raw), "", tally))
        for source, provider, fits, read in _FORMATS:
            if fits(value):
                return Found(source, settled(_identified(read(value, tally), raw), provider, tally))
    except (Damaged, own.NotOurs, CannotSettle) as error:
        tally.refuse(title, str(error))
        return None
    tally.omit("object_that_is_no_conversation")
    return None


def _identified(draft: Draft, raw: bytes) -> Draft:
    """Return the draft with an id: of one without, what it holds, so that it is known again."""
    return draft if draft.id else replace(draft, id=hashlib.sha256(raw).hexdigest())
