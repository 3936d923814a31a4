"""Media: what a file is by its content, whatever it is called, and what it may be called."""

import re

from luxx.core.text import storable

UNKNOWN = "application/octet-stream"
PDF = "application/pdf"
IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", PDF),
)
_TEXTS = {
    "css": "text/css",
    "csv": "text/csv",
    "htm": "text/html",
    "html": "text/html",
    "js": "text/javascript",
    "json": "text/json",
    "md": "text/markdown",
    "markdown": "text/markdown",
    "svg": "text/xml",
    "tsv": "text/tab-separated-values",
    "xml": "text/xml",
}
_PDF_WITHIN = 1024
"""PDF readers look for the signature in so many bytes, since some writers put something before it."""

_NO_TEXT = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f]")
"""Control characters that texts do not have; ESC is in logs of terminals."""

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
_LONGEST_NAME = 200
_LONGEST_ENDING = 20
_NAMELESS = "file"


def media_type(data: bytes, name: str = "") -> str:
    """Return what a file is: an image, a PDF, UTF-8 text, or unknown.

    The name only tells kinds of text apart. SVG and HTML are texts: nothing that can act is an image.
    """
    for signature, kind in _SIGNATURES:
        if data.startswith(signature):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    if _is_text(data):
        return _TEXTS.get(name.lower().rpartition(".")[2], "text/plain")
    return PDF if b"%PDF-" in data[:_PDF_WITHIN] else UNKNOWN


def file_name(name: str) -> str:
    """Return a name as it can be shown and saved: without folders and unseen characters, of bounded length, never empty."""
    name = _UNSEEN.sub("", storable(name)).replace("\\", "/").rpartition("/")[2].strip()
    if len(name) > _LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        ending = dot + ending if stem and len(ending) <= _LONGEST_ENDING else ""
        name = name[: _LONGEST_NAME - len(ending)] + ending
    return name if name.strip(".") else _NAMELESS


def _is_text(data: bytes) -> bool:
    if _NO_TEXT.search(data):
        return False
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
