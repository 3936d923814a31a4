"""Packed: the JSON files of a ZIP archive, unpacked one at a time and never more than is allowed."""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_END = b"PK\x05\x06"
_ZIP64 = b"PK\x06\x07"
_TAIL = 66_000
_MOST_OF_A_LIST = 16_000_000
"""Bytes of the archive's list of files, all of which is read at once."""
_CHUNK = 1_000_000
_JSON = re.compile(r"\.jsonl?$", re.IGNORECASE)


class BadArchive(ValueError):
    """The archive cannot be read, or holds more than is allowed; the text says what."""


def is_archive(path: Path) -> bool:
    """Whether a file is a ZIP archive."""
    with path.open("rb") as file:
        return file.read(4) in _MAGIC


def unpacked(path: Path, scratch: Path, most: int) -> Iterator[Path]:
    """Yield each JSON file of an archive, unpacked at the path `scratch`, which is gone when the next one comes.

    All of them together may have `most` bytes, counted as they are unpacked. Raises BadArchive.
    """
    _check_list(path)
    left = most
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.is_dir() or not _JSON.search(member.filename):
                    continue
                with archive.open(member) as source, scratch.open("wb") as target:
                    left = _copy(source, target, left)
                yield scratch
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise error if isinstance(error, BadArchive) else BadArchive(f"The archive cannot be read: {error}") from error
    finally:
        scratch.unlink(missing_ok=True)


def _copy(source: IO[bytes], target: IO[bytes], left: int) -> int:
    while chunk := source.read(_CHUNK):
        left -= len(chunk)
        if left < 0:
            raise BadArchive("Unpacked, its files are larger than this server takes.")
        target.write(chunk)
    return left


def _check_list(path: Path) -> None:
    """Look at the size of the list before anything reads it."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise BadArchive("The archive ends in the middle: it may not have been downloaded as a whole.")
    (size,) = struct.unpack_from("<I", tail, at + 12)
    if size > _MOST_OF_A_LIST or _ZIP64 in tail[max(0, at - 20) : at]:
        raise BadArchive("The archive is too large: take conversations.json out of it and import that.")
