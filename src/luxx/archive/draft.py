"""Draft: a conversation as an export has it, before it is known to be a whole tree."""

from typing import Literal

import msgspec

from luxx.core.archive import ArchivedFile, ArchivedSettings
from luxx.core.ports import ModelCall
from luxx.core.usage import Usage

Kind = Literal["thinking", "text", "tool_call", "tool_result", "source", "notice"]


class Part(msgspec.Struct, kw_only=True):
    """A part of an answer. `ref` ties a result to its call, `name` is the tool's; a source has its address as `name`."""

    kind: Kind
    content: str = ""
    ref: str = ""
    name: str = ""
    failed: bool = False


class Entry(msgspec.Struct, kw_only=True):
    """One entry of an export: what a person said, or (a piece of) an answer.

    Entries without a role, such as roots and system messages, only tie others to their parents. `steps` are those of Luxx's own format,
    already whole; then `parts` are not looked at.
    """

    id: str
    parent_id: str | None
    role: Literal["user", "assistant"] | None
    created_at: str | None = None
    text: str = ""
    files: tuple[str, ...] = ()
    parts: list[Part] = []
    model: str = ""
    provider: str = ""
    status: Literal["done", "failed", "cancelled"] = "done"
    error: str | None = None
    error_code: str | None = None
    finish_reason: str | None = None
    ended_at: str | None = None
    token_count: int | None = None
    usage: Usage | None = None
    steps: tuple[msgspec.Raw, ...] | None = None
    calls: tuple[ModelCall, ...] = ()


class Draft(msgspec.Struct, kw_only=True):
    """A conversation of an export. `entries` may stand in any order, name parents that are not there, and go in circles."""

    id: str
    title: str
    created_at: str | None
    updated_at: str | None
    entries: list[Entry]
    leaf_id: str | None = None
    title_source: Literal["auto", "user"] = "user"
    settings: ArchivedSettings = ArchivedSettings()
    files: tuple[ArchivedFile, ...] = ()
