"""Archive: conversations as they are kept outside of Luxx: exported, imported, and copied for others to read.

This is Luxx's own JSON too: what is exported in it and imported again is the same but for the ids.
"""

from typing import Literal

import msgspec

from luxx.core.ports import ModelCall
from luxx.core.prompts import Thinking
from luxx.core.rules import ToolRule
from luxx.core.usage import Usage

FORMAT = "luxx.conversation"
VERSION = 1

Source = Literal["luxx", "chatgpt", "claude", "open_webui", "librechat"]
ShareInclude = Literal["system_prompt", "thinking", "tool_arguments", "tool_results", "files"]
"""What a share can show besides what people and models said."""


class ArchivedFile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file; `data` is its content, in JSON as base64, if the content was asked for."""

    id: str
    name: str
    media_type: str
    size: int
    data: bytes | None = None


class ArchivedAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an answer was made.

    `steps` are luxx.core.steps as JSON, all but the void ones; `calls` are the model calls with what their provider wants back.
    """

    status: Literal["done", "failed", "cancelled"] = "done"
    provider: str = ""
    model: str = ""
    steps: tuple[msgspec.Raw, ...] = ()
    calls: tuple[ModelCall, ...] = ()
    ended_at: str | None = None
    finish_reason: str | None = None
    token_count: int | None = None
    usage: Usage | None = None
    error_code: str | None = None
    error_content: str | None = None


class ArchivedMessage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message: a person's has `text` and perhaps files, an `answer` its steps. Parents come before their children."""

    id: str
    parent_id: str | None = None
    role: Literal["user", "assistant"]
    created_at: str
    text: str = ""
    files: tuple[str, ...] = ()
    answer: ArchivedAnswer | None = None


class ArchivedSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was chosen for the conversation; `provider` by its name."""

    system_prompt: str | None = None
    provider: str | None = None
    model: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    tools_enabled: bool = True
    thinking: Thinking | None = None
    rules: tuple[ToolRule, ...] = ()


class ArchivedConversation(msgspec.Struct, frozen=True, kw_only=True):
    """A whole tree of messages. `leaf_id` ends the branch shown; `title_source` says who gave the title."""

    format: Literal["luxx.conversation"] = FORMAT
    version: int = VERSION
    id: str
    title: str
    title_source: Literal["auto", "user"] = "user"
    created_at: str
    updated_at: str
    settings: ArchivedSettings = ArchivedSettings()
    leaf_id: str | None = None
    messages: tuple[ArchivedMessage, ...] = ()
    files: tuple[ArchivedFile, ...] = ()
