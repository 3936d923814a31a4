"""Resources: conversations and files by their addresses, for clients that show them or add them to a prompt."""

import base64
import re
from urllib.parse import parse_qs, urlsplit

import mcp_types as types

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.files import FileRef
from luxx.http.mcp_server.markdown import MOST_CHARS
from luxx.http.mcp_server.talk import Talk
from luxx.store.interface import Store

PAGE = 50
"""Conversations of one page of the list."""
MESSAGES = 50
"""Messages of one reading of a conversation, if they are short."""
MOST_FILE_BYTES = 500_000
"""Bytes of a file that can be read here; clients take 1 MiB with everything."""

_MARKDOWN = "text/markdown"
_PATH = re.compile(r"/([A-Za-z0-9_-]{1,64})")


def templates() -> list[types.ResourceTemplate]:
    """Return the forms of address."""
    return [
        types.ResourceTemplate(
            name="conversation",
            title="Conversation",
            uri_template="luxx://conversations/{id}{?before}",
            description="The last messages of a conversation, or those before a message.",
            mime_type=_MARKDOWN,
        ),
        types.ResourceTemplate(
            name="file",
            title="File",
            uri_template="luxx://files/{id}",
            description="A file that a person attached, or that a tool made.",
        ),
    ]


class Resources:
    """What one person's clients can read."""

    def __init__(self, store: Store, talk: Talk, owner: str) -> None:
        self._store = store
        self._talk = talk
        self._owner = owner

    async def listed(self, cursor: str | None) -> types.ListResourcesResult:
        """Return a page of conversations, newest activity first. Raises InvalidRequest for a bad cursor."""
        page = await self._store.conversations.list(self._owner, PAGE, cursor, None)
        found = [
            types.Resource(
                uri=f"luxx://conversations/{one.id}",
                name=one.title or "Untitled",
                mime_type=_MARKDOWN,
                annotations=types.Annotations(last_modified=one.updated_at),
            )
            for one in page.items
        ]
        return types.ListResourcesResult(resources=found, next_cursor=page.next_cursor)

    async def read(self, uri: str) -> types.ReadResourceResult:
        """Return what is at an address. Raises NotFound, InvalidRequest for what is too large."""
        kind, found, before = _parsed(uri)
        if kind == "conversations":
            part = await self._talk.read(found, before, MESSAGES)
            content = types.TextResourceContents(uri=uri, mime_type=_MARKDOWN, text=part.text)
            return types.ReadResourceResult(contents=[content])
        ref = await self._store.files.get(self._owner, found)
        return types.ReadResourceResult(contents=[await self._file(uri, ref)])

    async def _file(self, uri: str, ref: FileRef) -> types.TextResourceContents | types.BlobResourceContents:
        if ref.size > MOST_FILE_BYTES:
            raise InvalidRequest(f"{ref.name} has {ref.size:,} bytes; here at most {MOST_FILE_BYTES:,} can be read")
        data = await self._store.files.read(self._owner, ref.id)
        if ref.is_text and len(data) <= MOST_CHARS:
            text = data.decode("utf-8", "replace")
            return types.TextResourceContents(uri=uri, mime_type=ref.media_type, text=text)
        return types.BlobResourceContents(uri=uri, mime_type=ref.media_type, blob=base64.b64encode(data).decode())


def _parsed(uri: str) -> tuple[str, str, str | None]:
    """Return what an address names: a kind, an id, and the message before which to begin. Raises NotFound."""
    try:
        url = urlsplit(uri)
        path = _PATH.fullmatch(url.path)
    except ValueError:
        path = None
    else:
        if path and url.scheme == "luxx" and url.netloc in ("conversations", "files"):
            return url.netloc, path[1], parse_qs(url.query).get("before", [None])[0]
    raise NotFound(f"There is nothing at {uri[:200]}.")
