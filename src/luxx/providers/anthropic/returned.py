"""Returned: the content blocks of an earlier answer as the API wants them back, signatures and server tools included."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from luxx.core.prompts import AnswerPrompt, CallPrompt
from luxx.providers.anthropic.wire import Block, fit_id, fit_name, object_of
from luxx.providers.values import objects, text_of
from luxx.providers.verbatim import read_parts, rest_of

_DIRECT = {"type": "direct"}


class Raw(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of an answer: blocks of it, and the container in which its code ran. One that begins `anew` forgets those before."""

    content: list[dict[str, Any]]
    container: str = ""
    anew: bool = False


class Back(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as the API gave it, as far as that was kept: `text` and `calls` follow its `blocks`."""

    blocks: list[Block]
    container: str
    text: str
    calls: tuple[CallPrompt, ...]


def returned(prompt: AnswerPrompt, model: str, names: Mapping[str, str], *, signed: bool) -> Back | None:
    """Return an answer's blocks with its calls under the ids that they have in this request, None if they do not fit.

    An id that this endpoint itself gave goes back as it is, whatever is in it.

    Thoughts of another model are left out, as it may be unable to read them; so are those without a signature for an API that
    signs its own.
    """
    parts = read_parts(prompt.raw, Raw)
    parts = parts[max((place for place, part in enumerate(parts) if part.anew), default=0) :]
    content = [block for part in parts for block in part.content]
    made = [block.get("name") for block in content if block.get("type") == "tool_use"]
    if not parts or made != [names.get(call.name) or fit_name(call.name) for call in prompt.calls[: len(made)]]:
        return None
    said = "".join(text_of(block.get("text")) for block in content if block.get("type") == "text")
    foreign = bool(prompt.model) and prompt.model != model
    return Back(
        blocks=_sent_back(content, prompt, foreign=foreign, signed=signed),
        container=next((part.container for part in reversed(parts) if part.container), ""),
        text=rest_of(prompt.text, said) or "",
        calls=prompt.calls[len(made) :],
    )


def _sent_back(content: Sequence[Block], prompt: AnswerPrompt, *, foreign: bool, signed: bool) -> list[Block]:
    calls = iter(prompt.calls)
    answered = _answered(content)
    blocks: list[Block] = []
    for block in content:
        match block.get("type"):
            case "text" if not text_of(block.get("text")).strip():
                continue
            case "thinking" if foreign or (signed and not block.get("signature")):
                continue
            case "redacted_thinking" if foreign:
                continue
            case "server_tool_use" | "mcp_tool_use" if block.get("id") not in answered:
                continue
            case "tool_use":
                call = next(calls)
                id = call.id if call.id == block.get("id") else fit_id(call.id)
                given = object_of(call.arguments)
                blocks.append({**block, "id": id, **({} if given is None else {"input": given})})
            case _:
                blocks.append(block)
    return blocks


def without_last_thoughts(blocks: list[Block]) -> list[Block]:
    """Return the blocks up to the last one that is no thought: no message may end with one."""
    while blocks and blocks[-1].get("type") in ("thinking", "redacted_thinking"):
        blocks = blocks[:-1]
    return blocks


def unfinished(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks of an answer that is to go on after them: no empty text, and no white space at the end."""
    kept = [block for block in blocks if block.get("type") != "text" or text_of(block.get("text")).strip()]
    if kept and kept[-1].get("type") == "text":
        kept[-1] = {**kept[-1], "text": text_of(kept[-1].get("text")).rstrip()}
    return kept


def is_plain(block: Block) -> bool:
    """Whether nothing is lost if the block is written anew from the answer's text and calls."""
    match block.get("type"):
        case "text":
            return not block.get("citations") and set(block) <= {"type", "text", "citations"}
        case "tool_use":
            id, direct = text_of(block.get("id")), block.get("caller", _DIRECT) == _DIRECT
            return direct and fit_id(id) == id and set(block) <= {"type", "id", "name", "input", "caller"}
        case _:
            return False


def _answered(blocks: Iterable[Block]) -> set[object]:
    """Return the ids of server tools that have a result here, or that wait for the result of a call that they made."""
    found: set[object] = set()
    for block in blocks:
        found.add(block.get("tool_use_id"))
        found.update(caller.get("tool_id") for caller in objects([block.get("caller")]))
    return found
