"""Sharing: what of a branch others get to see: what people and models said, and more only where it is asked for."""

from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from luxx.archive.branches import branch
from luxx.archive.markdown import known_steps
from luxx.core.archive import ArchivedConversation, ArchivedFile, ArchivedMessage, ShareInclude
from luxx.core.endings import ending
from luxx.core.steps import File, Source, Step, Text, Thinking, ToolCall, ToolResult, whole_texts


class SharedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file; `data` is there for images."""

    name: str
    media_type: str
    size: int
    data: bytes | None = None


class SharedPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an answer. `name` is a tool's, or the title of a source; `content` is left out where it was not to be shared. `ending` says
    in a word how a call ended that did not go well: for a result always, for a call if it was not run to its end.
    """

    type: Literal["text", "thinking", "tool_call", "tool_result", "source"]
    content: str = ""
    name: str = ""
    url: str = ""
    ending: str = ""


class SharedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a shared branch."""

    role: Literal["user", "assistant"]
    created_at: str
    text: str = ""
    model: str = ""
    parts: tuple[SharedPart, ...] = ()
    files: tuple[SharedFile, ...] = ()


class SharedBranch(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen copy of a branch, with no id of anything."""

    title: str
    shared_at: str
    system_prompt: str | None
    messages: tuple[SharedMessage, ...]


def frozen(
    conversation: ArchivedConversation,
    leaf_id: str | None,
    include: Collection[ShareInclude],
    images: Mapping[str, bytes],
    now: str,
) -> SharedBranch:
    """Return the copy of a branch; `images` are contents by file id. Raises NotFound for a leaf that is not there."""
    files = {file.id: file for file in conversation.files} if "files" in include else {}
    return SharedBranch(
        title=conversation.title,
        shared_at=now,
        system_prompt=conversation.settings.system_prompt if "system_prompt" in include else None,
        messages=tuple(_message(message, include, files, images) for message in branch(conversation, leaf_id)),
    )


def _message(
    message: ArchivedMessage,
    include: Collection[ShareInclude],
    files: Mapping[str, ArchivedFile],
    images: Mapping[str, bytes],
) -> SharedMessage:
    steps = [] if message.answer is None else whole_texts(known_steps(message.answer))
    ended = {step.id_ref: ending(step) for step in steps if isinstance(step, ToolResult) and step.unfinished}
    named = [*message.files, *(step.file_id for step in steps if isinstance(step, File))]
    return SharedMessage(
        role=message.role,
        created_at=message.created_at,
        text=message.text,
        model="" if message.answer is None else message.answer.model,
        parts=tuple(part for step in steps if (part := _part(step, include, ended))),
        files=tuple(_file(files[file_id], images) for file_id in named if file_id in files),
    )


def _part(step: Step, include: Collection[ShareInclude], ended: Mapping[str, str]) -> SharedPart | None:
    """Return a step as it may be seen. Of a tool that was used, its name at least; `ended` has the words for calls that were not run to their end."""
    match step:
        case Text(content=content):
            return SharedPart(type="text", content=content)
        case Thinking(content=content) if "thinking" in include:
            return SharedPart(type="thinking", content=content)
        case ToolCall(name=name, arguments=arguments):
            shown = arguments if "tool_arguments" in include else ""
            return SharedPart(type="tool_call", name=name, content=shown, ending=ended.get(step.id, ""))
        case ToolResult(name=name, content=content) if "tool_results" in include:
            word = "" if step.state == "complete" else ending(step)
            return SharedPart(type="tool_result", name=name, content=content, ending=word)
        case Source(url=url, title=title) if "tool_results" in include:
            return SharedPart(type="source", name=title, url=url)
        case _:
            return None


def _file(file: ArchivedFile, images: Mapping[str, bytes]) -> SharedFile:
    return SharedFile(name=file.name, media_type=file.media_type, size=file.size, data=images.get(file.id))
