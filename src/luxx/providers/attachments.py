"""Attachments: files in the forms that wire formats share, those of a conversation and those that a model makes."""

import base64
import binascii
import itertools
import re
from collections.abc import Mapping

from luxx.core.deltas import NoticeDelta
from luxx.core.files import FileRef
from luxx.core.text import storable

_ENDINGS = {
    "application/pdf": ("pdf",),
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg"),
    "image/gif": ("gif",),
    "image/webp": ("webp",),
}
_NO_TEXT = frozenset(ending for endings in _ENDINGS.values() for ending in endings)
_ENDS = re.compile(r"</\s*file(?:-([0-9]{1,9}))?", re.I)
_URL_SAFE = str.maketrans("-_", "+/")


def name_of(file: FileRef) -> str:
    """Return the name under which a file is sent. One that says something else than its content gets an ending that fits."""
    name = storable(file.name)
    ending = name.lower().rpartition(".")[2]
    fitting = _ENDINGS.get(file.media_type)
    if fitting and ending not in fitting:
        return f"{name}.{fitting[0]}"
    return f"{name}.txt" if file.is_text and ending in _NO_TEXT else name


def decode_base64(text: str) -> bytes:
    """Return what a model made, from base64 with either alphabet, padded or not, bare or in a ``data:`` URL; nothing if it is none."""
    encoded = "".join(text.rpartition("base64,")[2].split()).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def unreadable(kind: str) -> NoticeDelta:
    """Return what is said of a file of this kind (``image``, say) that a model made and that cannot be read."""
    what = "An image" if kind == "image" else "A file"
    return NoticeDelta(
        kind="file_unreadable", text=f"{what} of the model was not kept: what came of it cannot be read."
    )


def data_of(file: FileRef, contents: Mapping[str, bytes]) -> str | None:
    """Return a file's content in base64, None if it is gone."""
    content = contents.get(file.id)
    return None if content is None else base64.b64encode(content).decode("ascii")


def as_text(file: FileRef, contents: Mapping[str, bytes]) -> str:
    """Return a file as text that any model can read: a text file whole, of any other that it is there but cannot be seen."""
    content = contents.get(file.id)
    name = name_of(file).replace('"', "'")
    if not file.is_text:
        return f'[The file "{name}" ({file.media_type}, {file.size:,} bytes) cannot be shown to this model.]'
    if content is None:
        return f'[The file "{name}" is no longer there.]'
    text = storable(content.decode("utf-8", "replace"))
    tag = _tag(text)
    return f'<{tag} name="{name}">\n{text}\n</{tag}>'


def _tag(text: str) -> str:
    """Return the name of a frame that the text within cannot end."""
    taken = {int(number or 1) for number in _ENDS.findall(text)}
    free = next(number for number in itertools.count(1) if number not in taken)
    return "file" if free == 1 else f"file-{free}"
