"""Markdown: conversations as a model or a person reads them, within a stated length."""

import contextlib
from collections.abc import Iterable, Iterator

import msgspec

from luxx.core import steps
from luxx.turns.requests import AssistantMessageView, MessageView

MOST_CHARS = 50_000
"""The longest text of one reply. With every character escaped, and given twice, that is still below the 1 MiB that clients take."""

_ARGUMENT_CHARS = 500
_steps = msgspec.json.Decoder(steps.Step)


def cut(text: str, most: int = MOST_CHARS) -> str:
    """Return a text, or its beginning and how long it was."""
    if len(text) <= most:
        return text
    return f"{text[:most]}\n\n[cut: the first {most:,} of {len(text):,} characters; all of it can be read in Luxx]"


def message(view: MessageView) -> str:
    """Return one message: who, what they said, which tools were called, and how it ended if not well."""
    if not isinstance(view, AssistantMessageView):
        names = "".join(f"\n\n[attached: {file.name}]" for file in view.attachments)
        return f"## Person\n\n{cut(view.text)}{names}"
    parts = [f"## Assistant ({view.model})", *filter(None, map(_step, steps.whole_texts(_known(view.steps))))]
    if view.error is not None:
        parts.append(f"[It failed: {view.error.content}]")
    elif view.status != "done":
        parts.append(f"[This answer is {view.status}.]")
    return cut("\n\n".join(parts))


def conversation(title: str, messages: tuple[MessageView, ...], *, before: str | None) -> str:
    """Return a part of a conversation, oldest message first; `before` is where the older ones end, if there are any."""
    head = [f"# {title or 'Untitled'}"]
    if before is not None:
        head.append(f"[Older messages are not shown: ask for those before {before}.]")
    return "\n\n".join((*head, *map(message, messages)))


def newest(messages: tuple[MessageView, ...]) -> tuple[MessageView, ...]:
    """Return as many of the last messages as fit into one reply; one at least, if there are any."""
    room = MOST_CHARS
    for position in range(len(messages) - 1, -1, -1):
        room -= len(message(messages[position])) + 2
        if room < 0:
            return messages[min(position + 1, len(messages) - 1) :]
    return messages


def _known(raws: Iterable[msgspec.Raw]) -> Iterator[steps.Step]:
    """Read steps, but for those of types that this version does not know."""
    for raw in raws:
        with contextlib.suppress(msgspec.ValidationError):
            yield _steps.decode(raw)


def _step(step: steps.Step) -> str | None:
    """Return an answer's step, None for one that is not shown here: thinking and results."""
    match step:
        case steps.Text(content=content) | steps.Notice(content=content):
            return content
        case steps.Summary(content=content):
            return f"[Summary of what came before]\n\n{content}"
        case steps.ToolCall(name=name, arguments=arguments):
            return f"`{name}({_shortened(arguments)})`"
        case steps.File(name=name):
            return f"[made: {name}]"
        case steps.Source(url=url, title=title):
            return f"[source: {title or url} <{url}>]"
        case _:
            return None


def _shortened(arguments: str) -> str:
    return arguments if len(arguments) <= _ARGUMENT_CHARS else f"{arguments[:_ARGUMENT_CHARS]}…"
