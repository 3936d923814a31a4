"""Attachments: files of this machine, read to go with a message."""

import os
import shlex
import stat
from collections.abc import Sequence
from pathlib import Path

import msgspec

from luxx.client import Limits
from luxx.core.errors import InvalidRequest
from luxx.core.files import FileRef

_MOST = 100_000_000
"""Bytes that are read of a file; what a server takes is less, and it says so."""

_UNITS = ("bytes", "kB", "MB", "GB")


class Attachment(msgspec.Struct, frozen=True):
    """A file as it is to be sent."""

    name: str
    data: bytes


def read_attachment(path: str) -> Attachment:
    """Return a file's name and content. Raises InvalidRequest, saying why it cannot be read."""
    place = Path(path).expanduser()
    try:
        with place.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise InvalidRequest(f"{path} is not a file.")
            data = file.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise InvalidRequest(f"{path} cannot be read: {reason or error}.") from error
    if len(data) > _MOST:
        raise InvalidRequest(f"{path} is larger than {_MOST:,} bytes.")
    return Attachment(place.name, data)


def check_files(files: Sequence[Attachment], attached: int, limits: Limits) -> None:
    """Raise InvalidRequest if a server would not take these files with a message that has so many already."""
    if attached + len(files) > limits.message_files:
        raise InvalidRequest(f"A message may have at most {limits.message_files} files.")
    for file in files:
        if len(file.data) > limits.file_bytes:
            raise InvalidRequest(
                f"{file.name} has {len(file.data):,} bytes; a file may have at most {limits.file_bytes:,} bytes."
            )


def paths_in(line: str) -> list[str]:
    """Return the paths of a line: the whole line if that is a file, else its words, quoted as in a shell. Raises InvalidRequest."""
    if Path(line).expanduser().is_file():
        return [line]
    try:
        return shlex.split(line, posix=os.name != "nt")
    except ValueError as error:
        raise InvalidRequest(f"These paths cannot be told apart: {error}.") from error


def described(file: FileRef) -> str:
    """Return a file in a few words."""
    size, unit = float(file.size), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    words = f"{file.name} ({file.media_type}, {size:.3g} {_UNITS[unit]})"
    return words if file.is_image or file.is_pdf or file.is_text else f"{words}: models are only told of it"
