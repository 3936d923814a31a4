"""Demo: tools that only wait, to try what becomes of a turn when its server dies in the middle of a tool, or a person is asked."""

import asyncio
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from luxx.core.prompts import Effect
from luxx.tools.tool import Tool, ToolContext, tool

MAX_SECONDS = 600.0
_REPORTS_A_WAIT = 20
_SHORTEST_STEP_S = 0.05
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Your name", "description": "As you want to be called.", "minLength": 1},
        "mail": {"type": "string", "format": "email", "title": "E-mail"},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "size": {"type": "string", "enum": ["s", "m", "l"], "enumNames": ["Small", "Medium", "Large"], "default": "m"},
        "again": {"type": "boolean", "title": "Ask me again"},
    },
}


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the ledger, as JSON: a call began or ended. `at` is the Unix time in seconds."""

    event: Literal["start", "end"]
    tool: str
    key: str
    label: str
    at: float


def read_ledger(ledger: Path) -> tuple[LedgerLine, ...]:
    """Return what a ledger holds, in order; nothing if there is none."""
    lines = ledger.read_bytes().splitlines() if ledger.exists() else []
    return tuple(msgspec.json.decode(line, type=LedgerLine) for line in lines)


def demo_tools(ledger: Path | None = None) -> tuple[Tool, ...]:
    """Return ``wait`` (read), ``wait_idempotent`` and ``wait_unsafe``, and ``wait_asks``, which waits for a person's answer.

    Each but the last writes its start and its end to the ledger, if there is one, so that one can count what ran and what ran twice.
    """
    return (
        _wait_tool("wait", "read", ledger),
        _wait_tool("wait_idempotent", "idempotent", ledger),
        _wait_tool("wait_unsafe", "unsafe", ledger),
        tool(_wait_asks, name="wait_asks", effect="read", approval="never"),
    )


async def _wait_asks(context: ToolContext, question: str = "Who are you?", url: str = "") -> str:
    """Ask the person for a name, or to open a page, and wait for the answer.

    Args:
        question: What to ask.
        url: The page to open, in place of the form.
    """
    reply = await context.ask(question, None if url else _FORM, url or None)
    return f"The person chose {reply.action}: {msgspec.json.encode(reply.content).decode()}"


def _wait_tool(name: str, effect: Effect, ledger: Path | None) -> Tool:
    async def wait(
        context: ToolContext, seconds: Annotated[float, msgspec.Meta(ge=0, le=MAX_SECONDS)], label: str = ""
    ) -> str:
        """Wait for some time, then say so.

        Args:
            seconds: How long to wait, in seconds.
            label: A word that comes back in the result.
        """
        await _note(ledger, "start", name, context.key, label)
        await _pass_time(context, seconds, label)
        await _note(ledger, "end", name, context.key, label)
        return f"Waited {seconds:g} s" + (f" ({label})." if label else ".")

    return tool(wait, name=name, effect=effect, timeout=MAX_SECONDS + 30, approval="never")


async def _pass_time(context: ToolContext, seconds: float, label: str) -> None:
    began = time.monotonic()
    step = max(seconds / _REPORTS_A_WAIT, _SHORTEST_STEP_S)
    while (left := began + seconds - time.monotonic()) > 0:
        context.progress(label or "waiting", round(seconds - left, 2), seconds)
        await asyncio.sleep(min(step, left))
    context.progress(label or "waiting", seconds, seconds)


async def _note(ledger: Path | None, event: Literal["start", "end"], name: str, key: str, label: str) -> None:
    if ledger is None:
        return
    line = LedgerLine(event=event, tool=name, key=key, label=label, at=time.time())
    await asyncio.to_thread(_append, ledger, msgspec.json.encode(line) + b"\n")


def _append(ledger: Path, line: bytes) -> None:
    """Append in one write, so that lines of several calls never mix."""
    with ledger.open("ab", buffering=0) as file:
        file.write(line)
