"""Fakes for the engine's three ports: a model that plays deltas, a toolbox of functions, an emitter that keeps a list."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

from msgspec.structs import replace

from luxx.core.deltas import Delta, Finish, TextDelta, ToolCallDelta, ToolCallDone
from luxx.core.errors import Fenced, NotFound, ProviderError
from luxx.core.events import Event
from luxx.core.files import FileRef
from luxx.core.ports import CallContext, ModelCall, ToolInfo, ToolOutcome
from luxx.core.prompts import Effect, ModelRequest, ToolSpec
from luxx.core.usage import Usage

Batch = Sequence[Delta] | ProviderError | asyncio.Event
"""What a fake model does next: yield, fail, or wait."""

USAGE = Usage(input_tokens=3, output_tokens=2, total_tokens=5)


def say(text: str, reason: str = "stop") -> list[Batch]:
    """An answer of one text."""
    return [[TextDelta(text)], [Finish(reason=reason, usage=USAGE)]]


def call(slot: int, name: str, arguments: str = "{}") -> list[Delta]:
    """A whole tool call."""
    return [ToolCallDelta(slot=slot, id=f"id{slot}", name=name, arguments=arguments), ToolCallDone(slot)]


def call_all(*names: str) -> list[Batch]:
    """An answer that calls tools in parallel."""
    deltas = [delta for slot, name in enumerate(names) for delta in call(slot, name)]
    return [deltas, [Finish(reason="tool_calls", usage=USAGE)]]


class FakeModel:
    """Plays one list of batches for each model call, and keeps the requests."""

    format = "fake"

    def __init__(self, *answers: Sequence[Batch]) -> None:
        self._answers = list(answers)
        self.requests: list[ModelRequest] = []
        self.closed = 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Play the next answer."""
        self.requests.append(replace(request, files=dict(request.files)))
        try:
            for batch in self._answers.pop(0):
                if isinstance(batch, ProviderError):
                    raise batch
                if isinstance(batch, asyncio.Event):
                    await batch.wait()
                else:
                    yield batch
        finally:
            self.closed += 1


Tool = Callable[[str], Awaitable[str]]


class FakeToolbox:
    """Runs coroutine functions by name; `effects` names those that are not ``read``, `asking` those that ask first.

    It is all tools of a person as well.
    """

    def __init__(self, effects: dict[str, Effect] | None = None, asking: Sequence[str] = (), **tools: Tool) -> None:
        self._tools = tools
        self._effects = effects or {}
        self._asking = asking
        self.ran: list[tuple[str, str, str]] = []
        self.leading: dict[str, str] = {}
        self.wanted: list[Mapping[str, str] | None] = []

    def specs(self) -> tuple[ToolSpec, ...]:
        """List the tools."""
        return tuple(ToolSpec(name=name, description="", parameters={}) for name in self._tools)

    def effect(self, name: str) -> Effect:
        """Tell a tool's effect."""
        return self._effects.get(name, "read")

    async def must_ask(self, name: str, arguments: str, context: CallContext) -> bool:
        """Tell as it was told."""
        return name in self._asking

    def misfit(self, name: str, arguments: str) -> None:
        """Nobody here can tell."""

    async def offered(self, owner: str) -> tuple[ToolInfo, ...]:
        """List the tools as a person sees them."""
        return tuple(
            ToolInfo(name=name, description="", effect=self.effect(name), timeout_s=30, parameters={})
            for name in self._tools
        )

    async def targets(self, owner: str) -> dict[str, str]:
        """Tell where they lead."""
        return dict(self.leading)

    async def box(self, owner: str, names: tuple[str, ...], targets: Mapping[str, str] | None = None) -> "FakeToolbox":
        """Give all of them, and note where they are to lead."""
        self.wanted.append(targets)
        return self

    async def run(self, name: str, arguments: str, context: CallContext) -> ToolOutcome:
        """Run a tool; an unknown one fails."""
        self.ran.append((name, arguments, context.key))
        if name not in self._tools:
            return ToolOutcome(content=f"no tool {name}", failed=True)
        return ToolOutcome(content=await self._tools[name](arguments))


class FakeFiles:
    """The files of a conversation, in memory."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.refs: list[FileRef] = []

    async def keep(self, name: str, data: bytes) -> FileRef:
        """Keep a file; everything is a PNG."""
        ref = FileRef(id=f"f{len(self.refs)}", name=name, media_type="image/png", size=len(data))
        self.refs.append(ref)
        self.contents[ref.id] = data
        return ref

    async def list(self) -> tuple[FileRef, ...]:
        """Return all."""
        return tuple(self.refs)

    async def read(self, file_id: str) -> bytes:
        """Return one."""
        if file_id not in self.contents:
            raise NotFound("no such file")
        return self.contents[file_id]


class FakeEmit:
    """Keeps what is appended; it is committed when `gate` is open."""

    def __init__(self) -> None:
        self.entries: list[Event | ModelCall] = []
        self.fenced = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._appended = asyncio.Event()

    def append(self, entry: Event | ModelCall) -> None:
        """Keep it, unless fenced."""
        if self.fenced:
            raise Fenced("fenced")
        self.entries.append(entry)
        self._appended.set()

    async def until(self, wanted: Callable[[], bool]) -> None:
        """Return when what was appended is as wanted."""
        while not wanted():
            self._appended.clear()
            await self._appended.wait()

    async def committed(self) -> None:
        """Return when the gate is open, unless fenced."""
        await self.gate.wait()
        if self.fenced:
            raise Fenced("fenced")

    async def room(self) -> None:
        """Let others run, unless fenced."""
        await asyncio.sleep(0)
        if self.fenced:
            raise Fenced("fenced")

    @property
    def events(self) -> list[Event]:
        """The events, without the records of model calls."""
        return [entry for entry in self.entries if not isinstance(entry, ModelCall)]

    @property
    def calls(self) -> list[ModelCall]:
        """The records of model calls."""
        return [entry for entry in self.entries if isinstance(entry, ModelCall)]
