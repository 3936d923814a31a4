"""Markdown: a branch of a conversation as a text that people read, and that shows the same wherever Markdown is shown."""

import re

import msgspec

from luxx.archive.branches import branch
from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedMessage
from luxx.core.endings import ending
from luxx.core.steps import File, Source, Step, Summary, Text, Thinking, ToolCall, ToolResult, whole_texts

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_RUN = re.compile(r"`{3,}")
_step = msgspec.json.Decoder(Step)


def markdown(conversation: ArchivedConversation, leaf_id: str | None = None) -> str:
    """Return a branch as Markdown. Raises NotFound for a leaf that is not there."""
    names = {file.id: file.name for file in conversation.files}
    blocks = [f"# {_line(conversation.title) or 'Untitled'}"]
    if conversation.settings.system_prompt:
        blocks += ["## System prompt", closed(conversation.settings.system_prompt)]
    for message in branch(conversation, leaf_id):
        blocks += _message(message, names)
    return "\n\n".join(blocks) + "\n"


def closed(text: str) -> str:
    """Return a text with the code block closed that it leaves open, which would swallow all that follows."""
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if not found:
            continue
        marks, rest = found[1], found[2]
        if not fence:
            fence = "" if marks[0] == "`" and "`" in rest else marks
        elif marks[0] == fence[0] and len(marks) >= len(fence) and not rest.strip():
            fence = ""
    return f"{text}\n{fence}" if fence else text


def fenced(text: str, language: str = "") -> str:
    """Return a text as a code block that nothing in it can end."""
    marks = "`" * max([3, *(len(run) + 1 for run in _RUN.findall(text))])
    return f"{marks}{language}\n{text}\n{marks}"


def known_steps(answer: ArchivedAnswer) -> list[Step]:
    """Return an answer's steps but for those of types that this version does not know."""
    found: list[Step] = []
    for raw in answer.steps:
        try:
            found.append(_step.decode(raw))
        except msgspec.ValidationError:
            continue
    return found


def _message(message: ArchivedMessage, names: dict[str, str]) -> list[str]:
    if message.answer is None:
        files = [f"- {_line(names.get(file_id, file_id))}" for file_id in message.files]
        return ["## You", closed(message.text), *(["\n".join(files)] if files else [])]
    answer = message.answer
    blocks = [f"## {_line(answer.model) or 'Assistant'}"]
    blocks += [block for step in whole_texts(known_steps(answer)) if (block := _block(step))]
    if answer.status == "failed":
        blocks.append(f"*Failed: {_line(answer.error_content or '')}*")
    elif answer.status == "cancelled":
        blocks.append("*Stopped.*")
    return blocks


def _block(step: Step) -> str:
    match step:
        case Text(content=content):
            return closed(content)
        case Thinking(content=content) | Summary(content=content):
            return "\n".join(f"> {line}".rstrip() for line in closed(content).splitlines())
        case ToolCall(name=name, arguments=arguments):
            return f"**Tool: {_line(name)}**\n\n{fenced(arguments, 'json')}"
        case ToolResult(name=name, content=content):
            return f"**{ending(step)}: {_line(name)}**\n\n{fenced(content)}"
        case Source(url=url, title=title):
            return f"- {_line(title)} <{_line(url)}>" if title else f"- <{_line(url)}>"
        case File(name=name):
            return f"- {_line(name)}"
        case _:
            return ""


def _line(text: str) -> str:
    """Return a text on one line, without what Markdown or HTML would read in it."""
    return re.sub(r"([\\`*_\[\]<>#])", r"\\\1", " ".join(text.split()))
