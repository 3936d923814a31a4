"""Charset: a page's bytes as text, whatever its server and its author say of them."""

import codecs
import re

_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([a-zA-Z0-9_.:-]{1,40})""", re.I
)
_IN_HEADER = re.compile(r"""charset\s*=\s*["']?\s*([a-zA-Z0-9_.:-]{1,40})""", re.I)
_HEAD_BYTES = 4096
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_LATIN = frozenset({"iso8859-1", "ascii"})


def text_of(data: bytes, content_type: str, *, cut: bool = False) -> str:
    """Return the text: by its byte order mark, then as UTF-8 if it is, then as the header or the page's head says.

    What is neither is read as windows-1252, as browsers do. UTF-8 comes before what is declared: text in another encoding is
    practically never valid UTF-8, while declarations are often wrong. `cut` says that the last character may be incomplete.
    """
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, "replace")
    found = _IN_HEADER.search(content_type)
    declared = _codec(found[1]) if found else None
    if declared and declared.startswith(("utf-16", "utf-32", "iso2022", "hz")):
        return data.decode(declared, "replace")
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        inside = _DECLARED.search(data[:_HEAD_BYTES])
        name = declared or (_codec(inside[1].decode("ascii")) if inside else None)
    if name is None or name in _LATIN or name.startswith(("utf-16", "utf-32", "utf-7")):
        name = "windows-1252"
    elif name == "utf-8":
        wrong = data.decode("utf-8", "replace")
        return wrong if wrong.count("\ufffd") * 20 < len(wrong) else data.decode("windows-1252", "replace")
    try:
        return data.decode(name, "replace")
    except (UnicodeError, ValueError):  # some of Python's encodings are for other things, such as host names
        return data.decode("windows-1252", "replace")


def _codec(name: str) -> str | None:
    """Return Python's name of an encoding of text, or None for one that it does not have."""
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    return info.name if getattr(info, "_is_text_encoding", True) else None
