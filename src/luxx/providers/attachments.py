"""Attachments: files of a conversation in the forms that wire formats share."""

import base64
from collections.abc import Mapping

from luxx.core.files import FileRef
from luxx.core.text import storable


def data_of(file: FileRef, contents: Mapping[str, bytes]) -> str | None:
    """Return a file's content in base64, None if it is gone."""
    content = contents.get(file.id)
    return None if content is None else base64.b64encode(content).decode("ascii")


def as_text(file: FileRef, contents: Mapping[str, bytes]) -> str:
    """Return a file as text that any model can read: a text file whole, of any other that it is there but cannot be seen."""
    content = contents.get(file.id)
    name = storable(file.name).replace('"', "'")
    if not file.is_text:
        return f'[The file "{name}" ({file.media_type}, {file.size:,} bytes) cannot be shown to this model.]'
    if content is None:
        return f'[The file "{name}" is no longer there.]'
    text = storable(content.decode("utf-8", "replace"))
    return f'<file name="{name}">\n{text}\n</file>'
