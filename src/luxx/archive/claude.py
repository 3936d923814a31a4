"""Claude: conversations of its data export, ``conversations.json``: a list of messages, each with content blocks."""

from luxx.archive.draft import Draft, Entry, Part
from luxx.archive.shapes import Json, an_object, as_json, name, objects, text, time
from luxx.archive.tally import Tally

PROVIDER = "Claude"

_NO_PARENT = "00000000-0000-4000-8000-000000000000"


def fits(conversation: Json) -> bool:
    """Whether this is one."""
    return isinstance(conversation.get("chat_messages"), list)


def read(conversation: Json, tally: Tally) -> Draft:
    """Return it as a draft. Older exports say nothing of parents: then each message follows the one before."""
    messages = objects(conversation.get("chat_messages"))
    entries: list[Entry] = []
    for place, message in enumerate(messages):
        before = entries[-1].id if entries else None
        parent = text(message["parent_message_uuid"]) if "parent_message_uuid" in message else before
        entry = _entry(place, message, tally)
        entry.parent_id = None if parent in (None, "", _NO_PARENT) else parent
        entries.append(entry)
    return Draft(
        id=name(conversation.get("uuid")),
        title=name(conversation.get("name")),
        created_at=time(conversation.get("created_at")),
        updated_at=time(conversation.get("updated_at")),
        entries=entries,
        leaf_id=text(conversation.get("current_leaf_message_uuid")) or None,
    )


def _entry(place: int, message: Json, tally: Tally) -> Entry:
    entry = Entry(
        id=text(message.get("uuid")) or f"#{place}",
        parent_id=None,
        role=None,
        created_at=time(message.get("created_at")),
        model=name(message.get("model")),
    )
    blocks = objects(message.get("content"))
    match message.get("sender"):
        case "human":
            said = "\n".join(text(block.get("text")) for block in blocks if block.get("type") == "text")
            entry.role = "user"
            entry.text = "\n\n".join(filter(None, (said or text(message.get("text")), *_attachments(message, tally))))
        case "assistant":
            entry.role = "assistant"
            entry.parts = [part for block in blocks for part in _parts(block, tally)]
            if not entry.parts and (said := text(message.get("text"))):
                entry.parts = [Part(kind="text", content=said)]
        case _:
            tally.omit("message_of_an_unknown_role")
    return entry


def _parts(block: Json, tally: Tally) -> list[Part]:
    match block.get("type"):
        case "text":
            sources = [_source(citation) for citation in objects(block.get("citations"))]
            said = text(block.get("text"))
            return [*([Part(kind="text", content=said)] if said else []), *(source for source in sources if source)]
        case "thinking":
            said = text(block.get("thinking"))
            return [Part(kind="thinking", content=said)] if said else []
        case "tool_use":
            arguments = as_json(block.get("input") if isinstance(block.get("input"), dict) else {})
            ref = name(block.get("id"))
            return [Part(kind="tool_call", ref=ref, name=name(block.get("name"), 64), content=arguments)]
        case "tool_result":
            return [
                Part(
                    kind="tool_result",
                    ref=name(block.get("tool_use_id")),
                    name=name(block.get("name"), 64),
                    content=_result(block.get("content"), tally),
                    failed=block.get("is_error") is True,
                )
            ]
        case kind:
            tally.omit(f"block_{name(kind, 40) or 'of_no_type'}")
            return []


def _result(content: object, tally: Tally) -> str:
    if isinstance(content, str):
        return text(content)
    said: list[str] = []
    for block in objects(content):
        if block.get("type") == "text":
            said.append(text(block.get("text")))
        elif block.get("type") == "knowledge":
            said.append(f"{text(block.get('title'))}\n{text(block.get('url'))}\n{text(block.get('text'))}".strip())
        else:
            tally.omit("part_of_a_tool_result")
    return "\n".join(said)


def _source(citation: Json) -> Part | None:
    told = an_object(citation.get("details")) or citation
    url = text(told.get("url")) or text(citation.get("url"))
    if not url.startswith(("https://", "http://")):
        return None
    return Part(kind="source", name=url, ref=name(citation.get("title")), content=text(citation.get("cited_text")))


def _attachments(message: Json, tally: Tally) -> list[str]:
    """Return the texts of attachments, which the export has, and the names of files, which it has not."""
    told: list[str] = []
    for attachment in objects(message.get("attachments")):
        content, file = text(attachment.get("extracted_content")), name(attachment.get("file_name")) or "attachment"
        if content:
            fence = "`" * max(3, _longest_run(content) + 1)
            told.append(f"{file}:\n{fence}\n{content}\n{fence}")
        else:
            tally.omit("attachment")
            told.append(f"[attachment: {file}]")
    for file in objects(message.get("files")):
        tally.omit("attachment")
        told.append(f"[attachment: {name(file.get('file_name')) or 'file'}]")
    return told


def _longest_run(content: str) -> int:
    longest = run = 0
    for letter in content:
        run = run + 1 if letter == "`" else 0
        longest = max(longest, run)
    return longest
