"""Calls: run a tool as a turn would, in one line, in a conversation that is made up."""

from collections.abc import Sequence
from typing import Any

import msgspec

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.files import FileRef
from luxx.core.ports import Reply, ToolOutcome
from luxx.core.prompts import Prompt
from luxx.tools.box import Toolbox
from luxx.tools.tool import Tool

KEY = "turn-1:3"

Report = tuple[str, float | None, float | None]

_SIGNATURES = {b"\x89PNG": "image/png", b"%PDF": "application/pdf", b"GIF8": "image/gif", b"\xff\xd8": "image/jpeg"}


class FakeFiles:
    """The files of a conversation, in memory; a file above `max_bytes` is refused."""

    def __init__(self, max_bytes: int = 20_000_000) -> None:
        self.max_bytes = max_bytes
        self.contents: dict[str, bytes] = {}
        self.refs: list[FileRef] = []

    async def keep(self, name: str, data: bytes) -> FileRef:
        if len(data) > self.max_bytes:
            raise InvalidRequest("the file is too large")
        ref = FileRef(id=f"file-{len(self.refs) + 1}", name=name, media_type=_type(data), size=len(data))
        self.refs.append(ref)
        self.contents[ref.id] = data
        return ref

    async def list(self) -> tuple[FileRef, ...]:
        return tuple(self.refs)

    async def read(self, file_id: str) -> bytes:
        if file_id not in self.contents:
            raise NotFound("there is no such file")
        return self.contents[file_id]


class FakeContext:
    """What surrounds a call: `reports` has its progress, `questions` what it asked; `replies` are given in their order."""

    def __init__(
        self, prompts: Sequence[Prompt] = (), replies: Sequence[Reply] = (), max_bytes: int = 20_000_000
    ) -> None:
        self.key = KEY
        self.owner = "owner-1"
        self.conversation_id = "conversation-1"
        self.files = FakeFiles(max_bytes)
        self.reports: list[Report] = []
        self.questions: list[tuple[str, dict[str, Any] | None, str | None]] = []
        self._prompts = prompts
        self._replies = list(replies)

    def progress(self, message: str, progress: float | None, total: float | None) -> None:
        self.reports.append((message, progress, total))

    def prompts(self) -> Sequence[Prompt]:
        return self._prompts

    async def ask(self, message: str, schema: dict[str, Any] | None = None, url: str | None = None) -> Reply:
        self.questions.append((message, schema, url))
        return self._replies.pop(0) if self._replies else Reply(action="decline")


async def call(
    tool: Tool | Toolbox, arguments: object = None, name: str = "", context: FakeContext | None = None, **limits: int
) -> ToolOutcome:
    """Run a tool; arguments that are text are what the model wrote, anything else is written as JSON."""
    box = tool if isinstance(tool, Toolbox) else Toolbox([tool], **limits)
    text = arguments if isinstance(arguments, str) else msgspec.json.encode(arguments or {}).decode()
    return await box.run(name or box.specs()[0].name, text, context or FakeContext())


def _type(data: bytes) -> str:
    for start, media_type in _SIGNATURES.items():
        if data.startswith(start):
            return media_type
    try:
        data.decode()
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "text/plain"
