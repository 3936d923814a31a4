"""LibreChat: its export of one conversation as JSON: ``messages``, a list with parents or a tree of ``children``."""

from luxx.archive.draft import Draft, Entry, Part
from luxx.archive.shapes import Json, an_object, as_json, name, number, objects, text, time
from luxx.archive.tally import Tally
from luxx.core.archive import ArchivedSettings

PROVIDER = "LibreChat"

_NO_PARENT = "00000000-0000-0000-0000-000000000000"
_WORKINGS = frozenset({"agent_update", "summary"})


def fits(conversation: Json) -> bool:
    """Whether this is one."""
    return isinstance(conversation.get("conversationId"), str) and isinstance(
        conversation.get("messages") or conversation.get("messagesTree"), list
    )


def read(conversation: Json, tally: Tally) -> Draft:
    """Return it as a draft."""
    options = an_object(conversation.get("options"))
    messages = conversation.get("messages") or conversation.get("messagesTree")
    entries = _entries(messages, name(conversation.get("endpoint")) or name(options.get("endpoint")), tally)
    return Draft(
        id=name(conversation.get("conversationId")),
        title=name(conversation.get("title")),
        created_at=min((entry.created_at for entry in entries if entry.created_at), default=None),
        updated_at=None,
        entries=entries,
        settings=ArchivedSettings(system_prompt=text(options.get("promptPrefix")) or None),
    )


def _entries(messages: object, endpoint: str, tally: Tally) -> list[Entry]:
    """Return all messages; those in ``children`` hang on the message that holds them, however deep that goes."""
    entries: list[Entry] = []
    waiting: list[tuple[Json, str | None]] = [(message, None) for message in reversed(objects(messages))]
    while waiting:
        message, above = waiting.pop()
        entry = _entry(len(entries), message, tally)
        told = text(message.get("parentMessageId"))
        entry.parent_id = above or (None if told in ("", _NO_PARENT) else told)
        entry.provider = name(message.get("endpoint")) or endpoint
        entries.append(entry)
        waiting += [(child, entry.id) for child in reversed(objects(message.get("children")))]
    return entries


def _entry(place: int, message: Json, tally: Tally) -> Entry:
    tokens = number(message.get("tokenCount"))
    entry = Entry(
        id=text(message.get("messageId")) or f"#{place}",
        parent_id=None,
        role="user" if message.get("isCreatedByUser") is True else "assistant",
        created_at=time(message.get("createdAt")),
    )
    contents = objects(message.get("content"))
    if entry.role == "user":
        said = text(message.get("text")) or "\n".join(_said(part) for part in contents if part.get("type") == "text")
        entry.text = "\n\n".join(filter(None, (said, *_files(message, tally))))
        return entry
    entry.model = name(message.get("model")) or name(message.get("sender"))
    entry.token_count = int(tokens) if tokens and tokens > 0 else None
    entry.parts = [part for content in contents for part in _parts(content, entry, tally)]
    if not entry.parts and (said := text(message.get("text"))):
        entry.parts = [Part(kind="text", content=said)]
    if message.get("error") is True:
        entry.status, entry.error = "failed", text(message.get("text")) or entry.error or "It failed."
        entry.parts = [part for part in entry.parts if part.content != entry.error]
    elif message.get("unfinished") is True:
        entry.status = "cancelled"
    for said in _files(message, tally):
        entry.parts.append(Part(kind="text", content=said))
    return entry


def _parts(content: Json, entry: Entry, tally: Tally) -> list[Part]:
    match content.get("type"):
        case "text":
            said = _said(content)
            return [Part(kind="text", content=said)] if said else []
        case "think":
            said = text(content.get("think")) or text(an_object(content.get("think")).get("value"))
            return [Part(kind="thinking", content=said)] if said else []
        case "tool_call":
            return _call(an_object(content.get("tool_call")))
        case "error":
            entry.error = text(content.get("error")) or _said(content)
            entry.status = "failed"
            return []
        case kind:
            if text(kind) not in _WORKINGS:
                tally.omit(
                    "image" if kind in ("image_file", "image_url") else f"content_{name(kind, 40) or 'of_no_type'}"
                )
            return []


def _said(content: Json) -> str:
    """Return the text of a part, which is a string or an object with the string as its value."""
    said = content.get("text")
    return text(said) if isinstance(said, str) else text(an_object(said).get("value"))


def _call(call: Json) -> list[Part]:
    """Return a call with its result: newer calls have ``name`` and ``args``, those of assistants a ``function``."""
    function = an_object(call.get("function"))
    tool, ref = name(call.get("name") or function.get("name"), 64), name(call.get("id"))
    arguments = call.get("args", function.get("arguments"))
    told = text(arguments) if isinstance(arguments, str) else as_json(an_object(arguments))
    parts = [Part(kind="tool_call", ref=ref, name=tool or "tool", content=told or "{}")]
    output = call.get("output", function.get("output"))
    if output is not None:
        said = text(output) if isinstance(output, str) else as_json(output)
        parts.append(Part(kind="tool_result", ref=ref, name=tool, content=said))
    return parts


def _files(message: Json, tally: Tally) -> list[str]:
    told: list[str] = []
    for file in (*objects(message.get("files")), *objects(message.get("attachments"))):
        called = name(file.get("filename")) or name(file.get("file_id"))
        if called:
            tally.omit("attachment")
            told.append(f"[attachment: {called}]")
    return told
