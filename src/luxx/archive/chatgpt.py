"""ChatGPT: conversations of its data export, ``conversations.json``: a mapping of nodes, each with perhaps a message.

One answer is a chain of nodes: the assistant's words, its calls (a recipient other than ``all``), what tools gave (role ``tool``).
"""

from luxx.archive.draft import Draft, Entry, Part
from luxx.archive.shapes import Json, a_list, an_object, as_json, name, objects, text, time
from luxx.archive.tally import Tally

PROVIDER = "ChatGPT"

_FAILED = frozenset({"system_error"})
_PASSED_OVER = frozenset({"model_editable_context", "app_pairing_content"})


def fits(conversation: Json) -> bool:
    """Whether this is one."""
    return isinstance(conversation.get("mapping"), dict)


def read(conversation: Json, tally: Tally) -> Draft:
    """Return it as a draft."""
    entries = [
        _entry(node_id, an_object(node), tally) for node_id, node in an_object(conversation.get("mapping")).items()
    ]
    return Draft(
        id=name(conversation.get("conversation_id")) or name(conversation.get("id")),
        title=name(conversation.get("title")),
        created_at=time(conversation.get("create_time")),
        updated_at=time(conversation.get("update_time")),
        entries=entries,
        leaf_id=text(conversation.get("current_node")) or None,
    )


def _entry(node_id: str, node: Json, tally: Tally) -> Entry:
    message = an_object(node.get("message"))
    metadata, content = an_object(message.get("metadata")), an_object(message.get("content"))
    author = an_object(message.get("author"))
    entry = Entry(
        id=text(node_id),
        parent_id=text(node.get("parent")) or None,
        role=None,
        created_at=time(message.get("create_time")),
        model=name(metadata.get("model_slug")),
    )
    if not message:
        return entry
    role = author.get("role")
    if metadata.get("is_visually_hidden_from_conversation") is True or role == "system":
        if _said(content, tally):
            tally.omit("hidden_message")
        return entry
    if role == "user":
        entry.role, entry.text = "user", _said(content, tally)
    elif role in ("assistant", "tool"):
        entry.role = "assistant"
        entry.parts = _result(author, content, tally) if role == "tool" else _parts(message, content, metadata, tally)
        if message.get("status") == "in_progress":
            entry.status = "cancelled"
    else:
        tally.omit("message_of_an_unknown_role")
    return entry


def _parts(message: Json, content: Json, metadata: Json, tally: Tally) -> list[Part]:
    kind, recipient = text(content.get("content_type")), text(message.get("recipient")) or "all"
    if kind in _PASSED_OVER or kind == "reasoning_recap":
        tally.omit(kind)
        return []
    if kind == "thoughts":
        thoughts = objects(content.get("thoughts"))
        said = "\n\n".join(f"{text(one.get('summary'))}\n{text(one.get('content'))}".strip() for one in thoughts)
        return [Part(kind="thinking", content=said)] if said else []
    said = _said(content, tally)
    if recipient != "all":
        return [Part(kind="tool_call", name=name(recipient, 64), content=_arguments(content, said))]
    if kind == "code":
        language = name(content.get("language"), 20)
        said = f"```{'' if language == 'unknown' else language}\n{said}\n```"
    parts = [Part(kind="text", content=said)] if said else []
    return parts + _sources(metadata)


def _result(author: Json, content: Json, tally: Tally) -> list[Part]:
    said = _said(content, tally)
    failed = text(content.get("content_type")) in _FAILED
    return [Part(kind="tool_result", name=name(author.get("name"), 64), content=said, failed=failed)]


def _arguments(content: Json, said: str) -> str:
    """Return what a tool was called with as the JSON text of an object, as all calls have it."""
    stripped = said.strip()
    if stripped.startswith("{") and stripped.endswith("}"):
        return stripped
    return as_json({"code" if content.get("content_type") == "code" else "input": said})


def _said(content: Json, tally: Tally) -> str:
    """Return the words of a content of any type; what is no words is named in their place."""
    kind = content.get("content_type")
    if kind in ("tether_quote", "tether_browsing_display", "execution_output", "code", "system_error"):
        return text(content.get("text")) or text(content.get("result"))
    if kind == "user_editable_context":
        return text(content.get("user_instructions")) or text(content.get("user_profile"))
    parts = a_list(content.get("parts"))
    if parts:
        return "\n".join(said for part in parts if (said := _part(part, tally)))
    return text(content.get("text"))


def _part(part: object, tally: Tally) -> str:
    if isinstance(part, str):
        return text(part)
    what = an_object(part)
    kind = what.get("content_type")
    if kind == "audio_transcription":
        return text(what.get("text"))
    tally.omit("image" if kind == "image_asset_pointer" else "attachment")
    pointer = name(what.get("asset_pointer")).rpartition("//")[2]
    return f"[{'image' if kind == 'image_asset_pointer' else name(kind) or 'attachment'}: {pointer}]" if what else ""


def _sources(metadata: Json) -> list[Part]:
    sources: dict[str, Part] = {}
    for citation in objects(metadata.get("citations")):
        told = an_object(citation.get("metadata"))
        url = text(told.get("url"))
        if url.startswith(("https://", "http://")):
            sources[url] = Part(kind="source", name=url, ref=name(told.get("title")), content=text(told.get("text")))
    return list(sources.values())
