"""Aside: what an answer cites, and what the provider did by itself, in words for a person."""

import html
from collections.abc import Mapping

from luxx.core.deltas import NoticeDelta, SourceDelta
from luxx.core.text import storable
from luxx.providers.anthropic.wire import Block
from luxx.providers.values import fields_of, text_of

_LONGEST = 300
_LONGEST_QUOTE = 2_000
_LONGEST_URL = 4_000
_VERBS = {
    "web_search": "Searched the web",
    "web_fetch": "Read a web page",
    "code_execution": "Ran code",
    "bash_code_execution": "Ran a command",
    "text_editor_code_execution": "Worked on a file",
    "tool_search_tool_regex": "Looked for tools",
    "tool_search_tool_bm25": "Looked for tools",
    "advisor": "Asked another model for advice",
}
_TELLING = ("query", "url", "path", "command", "code", "pattern", "name")
_RESULT = "_tool_result"


def source_of(citation: Mapping[str, object]) -> SourceDelta | None:
    """Return what a citation points to, None if that is no address (a document of the conversation, say)."""
    url = text_of(citation.get("url")) or text_of(citation.get("source"))
    if not url.startswith(("https://", "http://")) or len(url) > _LONGEST_URL:
        return None
    title = text_of(citation.get("title"))
    quote = text_of(citation.get("cited_text"))[:_LONGEST_QUOTE]
    return SourceDelta(
        url=storable(url), title=_short(html.unescape(title)), quote=storable(html.unescape(quote)).strip()
    )


def notice_of(block: Block) -> NoticeDelta | None:
    """Return what a finished block tells of the provider's own doing, None if it tells nothing of interest."""
    match block.get("type"):
        case "server_tool_use":
            name = text_of(block.get("name")) or "server_tool"
            verb = _VERBS.get(name, f"Used {_short(name)}")
            return _notice(name, f"{verb}{_telling(fields_of(block.get('input')))}")
        case "mcp_tool_use":
            server, name = _short(text_of(block.get("server_name"))), _short(text_of(block.get("name")))
            return _notice("mcp", f"Used {name or 'a tool'} of {server or 'a server'}.")
        case "fallback":
            former = _short(text_of(fields_of(block.get("from")).get("model")))
            latter = _short(text_of(fields_of(block.get("to")).get("model")))
            return _notice("fallback", f"{latter or 'Another model'} answers in place of {former or 'the model'}.")
        case "compaction":
            return _notice("compaction", "The provider shortened the conversation to a summary.")
        case str() as kind if kind.endswith(_RESULT):
            return _failure(kind.removesuffix(_RESULT), block)
        case _:
            return None


def refusal_notice(details: object) -> NoticeDelta | None:
    """Return the provider's own words about a refusal, or at least the word for what it does not allow."""
    told = fields_of(details)
    category = _short(text_of(told.get("category")).replace("_", " "))
    said = _short(text_of(told.get("explanation"))) or (category and f"The provider does not allow this ({category}).")
    return _notice("refusal", said) if said else None


def _failure(name: str, block: Block) -> NoticeDelta | None:
    content = fields_of(block.get("content"))
    code = text_of(content.get("error_code"))
    if not code and block.get("is_error") is not True:
        return None
    return _notice(name, f"{_VERBS.get(name, _short(name))}: it failed{f' ({_short(code)})' if code else ''}.")


def _telling(given: Mapping[str, object]) -> str:
    said = next((value for key in _TELLING if (value := text_of(given.get(key)).strip())), "")
    return f": {_short(said)}" if said else "."


def _notice(kind: str, text: str) -> NoticeDelta:
    return NoticeDelta(kind=_short(kind), text=text)


def _short(text: str) -> str:
    """Return a text as one bounded line."""
    line = " ".join(storable(text[: 4 * _LONGEST]).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
