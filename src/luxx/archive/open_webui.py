"""Open WebUI: its chat export: a list of chats, each with ``chat.history.messages``, a tree by ``parentId``.

An answer's parts are the items of ``output`` in newer versions; in older ones its text holds ``<details>`` for thinking and tool calls.
"""

import html
import re

from luxx.archive.draft import Draft, Entry, Part
from luxx.archive.shapes import Json, a_list, an_object, as_json, name, objects, text, time
from luxx.archive.tally import Tally

PROVIDER = "Open WebUI"

_DETAILS = re.compile(
    r'<details\s+type="(reasoning|tool_calls|code_interpreter)"([^>]{0,20000})>(.*?)</details>\n?', re.DOTALL
)
_SUMMARY = re.compile(r"\s*<summary>.*?</summary>\n?", re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def fits(conversation: Json) -> bool:
    """Whether this is one: a chat as the export wraps it, or the inner part of it."""
    inner = an_object(conversation.get("chat")) or conversation
    return isinstance(an_object(inner.get("history")).get("messages"), dict)


def read(conversation: Json, tally: Tally) -> Draft:
    """Return it as a draft."""
    inner = an_object(conversation.get("chat")) or conversation
    history = an_object(inner.get("history"))
    messages = an_object(history.get("messages"))
    return Draft(
        id=name(conversation.get("id")) or name(inner.get("id")),
        title=name(conversation.get("title")) or name(inner.get("title")),
        created_at=time(conversation.get("created_at")) or time(inner.get("timestamp")),
        updated_at=time(conversation.get("updated_at")),
        entries=[_entry(message_id, an_object(message), tally) for message_id, message in messages.items()],
        leaf_id=text(history.get("currentId")) or None,
    )


def _entry(message_id: str, message: Json, tally: Tally) -> Entry:
    entry = Entry(
        id=text(message_id),
        parent_id=text(message.get("parentId")) or None,
        role=None,
        created_at=time(message.get("timestamp")),
        model=name(message.get("model")),
    )
    match message.get("role"):
        case "user":
            entry.role = "user"
            entry.text = "\n\n".join(filter(None, (_content(message.get("content")), *_files(message, tally))))
        case "assistant":
            entry.role = "assistant"
            entry.parts = _items(message, tally) or _inside(_content(message.get("content")))
            entry.parts += _sources(message)
            for said in _files(message, tally):
                entry.parts.append(Part(kind="text", content=said))
            _end(entry, message)
        case "system":
            tally.omit("hidden_message")
        case _:
            tally.omit("message_of_an_unknown_role")
    return entry


def _end(entry: Entry, message: Json) -> None:
    error = message.get("error")
    if error:
        told = an_object(error)
        entry.status, entry.error = "failed", text(told.get("content")) or text(told.get("message")) or "It failed."
    elif message.get("done") is False:
        entry.status = "cancelled"


def _content(content: object) -> str:
    """Return a message's words; they can be a list of parts, as a request to a model has them."""
    return text(content) if isinstance(content, str) else _texts(content)


def _texts(parts: object) -> str:
    if isinstance(parts, str):
        return text(parts)
    return "\n".join(text(part.get("text")) for part in objects(parts) if part.get("text"))


def _items(message: Json, tally: Tally) -> list[Part]:
    parts: list[Part] = []
    for item in objects(message.get("output")):
        ref = name(item.get("call_id")) or name(item.get("id"))
        match item.get("type"):
            case "reasoning":
                said = _texts(item.get("content")) or _texts(item.get("summary"))
                parts += [Part(kind="thinking", content=said)] if said else []
            case "message":
                said = _texts(item.get("content"))
                parts += [Part(kind="text", content=said)] if said else []
            case "function_call":
                arguments = item.get("arguments")
                told = text(arguments) if isinstance(arguments, str) else as_json(an_object(arguments))
                parts.append(Part(kind="tool_call", ref=ref, name=name(item.get("name"), 64), content=told or "{}"))
            case "function_call_output":
                failed = item.get("status") in ("failed", "incomplete")
                parts.append(Part(kind="tool_result", ref=ref, content=_texts(item.get("output")), failed=failed))
            case kind:
                tally.omit(f"item_{name(kind, 40) or 'of_no_type'}")
    return parts


def _inside(content: str) -> list[Part]:
    """Return the parts of an answer whose thinking and tool calls stand in its text."""
    parts: list[Part] = []
    at = 0
    for found in _DETAILS.finditer(content) if "</details>" in content else ():
        parts += _plain(content[at : found.start()])
        parts += _details(found[1], dict(_ATTRIBUTE.findall(found[2])), _SUMMARY.sub("", found[3], count=1))
        at = found.end()
    return parts + _plain(content[at:])


def _plain(said: str) -> list[Part]:
    return [Part(kind="text", content=said)] if said.strip() else []


def _details(kind: str, attributes: dict[str, str], body: str) -> list[Part]:
    if kind == "reasoning":
        lines = html.unescape(body).strip().splitlines()
        return [Part(kind="thinking", content="\n".join(line.removeprefix(">").removeprefix(" ") for line in lines))]
    told = {key: text(html.unescape(value)) for key, value in attributes.items()}
    tool = name(told.get("name"), 64) or kind
    ref = name(told.get("id"))
    arguments = told.get("arguments") or as_json({"code": body.strip()} if kind == "code_interpreter" else {})
    call = Part(kind="tool_call", ref=ref, name=tool, content=arguments)
    result = told.get("result") or told.get("output") or (html.unescape(body).strip() if kind == "tool_calls" else "")
    return [call, Part(kind="tool_result", ref=ref, name=tool, content=result)]


def _sources(message: Json) -> list[Part]:
    found: dict[str, Part] = {}
    for source in objects(message.get("sources")):
        about = an_object(source.get("source"))
        documents = a_list(source.get("document"))
        url = text(about.get("url")) or text(about.get("name"))
        if url.startswith(("https://", "http://")):
            passage = text(documents[0]) if documents else ""
            found[url] = Part(kind="source", name=url, ref=name(about.get("name")), content=passage)
    return list(found.values())


def _files(message: Json, tally: Tally) -> list[str]:
    """Return the names of files, whose contents are elsewhere."""
    told: list[str] = []
    for file in objects(message.get("files")):
        tally.omit("image" if file.get("type") == "image" else "attachment")
        called = name(file.get("name")) or name(an_object(file.get("file")).get("filename")) or "file"
        told.append(f"[{'image' if file.get('type') == 'image' else 'attachment'}: {called}]")
    return told
