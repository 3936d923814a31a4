"""Imports: what other chat systems, or Luxx itself, exported."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from luxx.archive.reading import Found, conversations
from luxx.archive.tally import Tally
from luxx.core.errors import InvalidRequest, LimitReached
from luxx.http.archive_views import ImportProblem, ImportReport
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Surface
from luxx.http.replies import answers, reply
from luxx.turns.requests import Notice

router = APIRouter(responses=PROBLEMS, prefix="/api", tags=["keeping"])

_CHUNK = 1_000_000
_MOST_IDS = 100
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": {}},
        },
    }
}


@router.post("/imports", responses=answers(200, ImportReport, "What became of it."), openapi_extra=_BODY)
async def import_file(request: Request, luxx: Luxx, owner: Caller) -> Response:
    """Import a file as it was exported by ChatGPT, Claude, Open WebUI, LibreChat or Luxx, as JSON or in a ZIP archive.

    What it is is found by its content. Each conversation is taken whole or not at all, and once, however often the file is sent.
    """
    if luxx.importing.locked():
        raise LimitReached("import_running", "Another import is under way: try again when it is through.")
    async with luxx.importing:
        folder = await asyncio.to_thread(tempfile.TemporaryDirectory, prefix="luxx-import-")
        try:
            path = Path(folder.name) / "upload"
            await _receive(request, path)
            tally, taken = Tally(), _Taken()
            found = conversations(path, path.with_name("unpacked"), luxx.options.max_import, tally)
            await taken.all_of(found, luxx, owner, tally)
        finally:
            await asyncio.to_thread(folder.cleanup)
    return reply(taken.report(tally))


class _Taken:
    """Counts what was taken of one file."""

    def __init__(self) -> None:
        self._imported: list[str] = []
        self._sources: Counter[str] = Counter()
        self._skipped = 0
        self._messages = 0

    async def all_of(self, found: Iterator[Found], luxx: Surface, owner: str, tally: Tally) -> None:
        """Take in what is found, one after the other; reading is done beside the event loop."""
        store = luxx.parts.store
        while (one := await asyncio.to_thread(next, found, None)) is not None:
            try:
                taken = await store.archive.take_in(owner, one.source, one.conversation)
            except InvalidRequest as error:
                tally.refuse(one.conversation.title, error.message)
                continue
            self._sources[one.source] += 1
            if taken.known:
                self._skipped += 1
                continue
            tally.omit("file", taken.files_left_out)
            self._imported.append(taken.conversation_id)
            self._messages += len(one.conversation.messages)
            await store.archive.index()
        if self._imported:
            changed = Notice(kind="conversation_changed", conversation_id=self._imported[-1])
            luxx.parts.supervisor.publish(owner, changed)

    def report(self, tally: Tally) -> ImportReport:
        """Return what became of the file."""
        return ImportReport(
            found=len(self._imported) + self._skipped + tally.refused,
            imported=len(self._imported),
            skipped=self._skipped,
            refused=tally.refused,
            messages=self._messages,
            sources=dict(self._sources),
            left_out=dict(tally.left_out),
            mended=dict(tally.mended),
            problems=tuple(ImportProblem(problem.title, problem.reason) for problem in tally.problems),
            conversation_ids=tuple(self._imported[:_MOST_IDS]),
        )


async def _receive(request: Request, path: Path) -> None:
    """Write the body to a file, piece by piece. Raises InvalidRequest if it is cut off."""
    waiting: list[bytes] = []
    size = 0
    await asyncio.to_thread(path.touch, 0o600)
    try:
        async for chunk in request.stream():
            waiting.append(chunk)
            size += len(chunk)
            if size >= _CHUNK:
                await asyncio.to_thread(_append, path, waiting)
                waiting, size = [], 0
    except ClientDisconnect as error:
        raise InvalidRequest("The upload was cut off.") from error
    await asyncio.to_thread(_append, path, waiting)


def _append(path: Path, chunks: list[bytes]) -> None:
    with path.open("ab") as file:
        file.writelines(chunks)
