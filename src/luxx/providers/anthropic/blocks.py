"""Blocks: the content blocks of one answer, put together from their pieces, and what each piece tells."""

import json
from collections.abc import Mapping
from typing import Any, cast

from luxx.core.deltas import Delta, FileDelta, SourceDelta, TextDelta, ThinkingDelta, ToolCallDelta, ToolCallDone
from luxx.core.text import Mender, storable
from luxx.providers.anthropic.aside import notice_of, source_of
from luxx.providers.anthropic.returned import Raw, is_plain
from luxx.providers.anthropic.wire import Block, object_of
from luxx.providers.arguments import ArgumentsMender
from luxx.providers.attachments import decode_base64, unreadable
from luxx.providers.values import fields_of, objects, text_of
from luxx.providers.verbatim import Verbatim

_LARGEST_CONTENT = 32 * 1024 * 1024
_MOST_PIECES = 10_000
"""Of a kind that Luxx does not know, in one block."""
_CALL = "tool_use"
_KINDS = {"text_delta": "text", "thinking_delta": "thinking"}


class _Open:
    """A block in the making. `whole` says that nothing will be added; a call that is not `done` must not be run."""

    def __init__(self, start: Block, slot: int | None) -> None:
        self.fields: Block = dict(start)
        self.kind = text_of(start.get("type"))
        self.slot = slot
        self.whole = False
        self.done = False
        self.pieces: list[str] = []
        self.json: list[str] = []
        self.mender = Mender() if self.kind in ("text", "thinking") else ArgumentsMender()
        self.citations = objects(start.get("citations"))
        self.unknown = 0

    @property
    def arguments(self) -> str:
        """The input so far, as JSON text: in its pieces, or as the block had it from its start."""
        text = "".join(self.json)
        given = fields_of(self.fields.get("input"))
        return text if text.strip() or not given else json.dumps(given, ensure_ascii=False)

    def block(self) -> Block:
        """Return the block as the API would have sent it in one piece."""
        fields = dict(self.fields)
        if self.kind in ("text", "thinking"):
            fields[self.kind] = "".join(self.pieces)
        if self.citations:
            fields["citations"] = self.citations
        if self.json or "input" in fields:
            fields["input"] = object_of(self.arguments) or {}
        return fields


class Blocks:
    """The content of one answer. `names` are the tools' own names by those on the wire."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._blocks: list[_Open] = []
        self._open: dict[object, _Open] = {}
        self._waiting: list[_Open] = []
        self._verbatim = Verbatim[Block](_wrapped)
        self._container = ""
        self._kept = 0
        self._slots = 0
        self._cited: set[str] = set()
        self._size = 0

    @property
    def too_large(self) -> bool:
        """Whether there is more than an answer has, besides its text, its thoughts and its calls."""
        return self._size > _LARGEST_CONTENT

    @property
    def has_calls(self) -> bool:
        """Whether a call is complete."""
        return any(block.done for block in self._blocks)

    @property
    def calls_are_whole(self) -> bool:
        """Whether there are calls, and nothing at all is left open."""
        calls = [block for block in self._blocks if block.kind == _CALL]
        return bool(calls) and not self._open and all(object_of(call.arguments) is not None for call in calls)

    def content(self) -> list[Block]:
        """Return the blocks that are to be sent back: all whole ones, and of the calls those that are done."""
        return [
            block.block()
            for block in self._blocks
            if (block.done if block.kind == _CALL else block.whole) and block.kind
        ]

    def keep(self) -> None:
        """Take what is there as settled: another stream goes on after it."""
        self._kept = len(self._blocks)

    def restart(self) -> list[Delta]:
        """Forget what came of this stream, unless calls run already: the provider begins anew. What was told stays told."""
        deltas = self.end(cut=True)
        if self.has_calls or len(self._blocks) == self._kept:
            return deltas
        del self._blocks[self._kept :]
        self._verbatim.forget_plain()
        return deltas if self._kept else [*deltas, *self._verbatim.hand_over(Raw(content=[], anew=True))]

    def ran_in(self, container: str) -> list[Delta]:
        """Take the id of the container in which the answer's code ran."""
        if container == self._container:
            return []
        self._container = container
        return self._verbatim.hand_over(Raw(content=[], container=container))

    def start(self, index: object, start: Block, size: int) -> list[Delta]:
        """Begin a block; whatever call waited for its end is complete, unless another model takes over where the first was cut."""
        kind = start.get("type")
        deltas = self.end(cut=True) if kind == "fallback" else [*self._stop_former(index), *self._settle(cut=False)]
        self._size += size
        block = _Open(start, self._slots if kind == _CALL else None)
        self._blocks.append(block)
        self._open[index] = block
        match kind:
            case "text" | "thinking":
                block.fields[kind] = ""
                deltas += self._grow(block, text_of(start.get(kind)))
                deltas += self._cite(objects(start.get("citations")))
            case "tool_use":
                self._slots += 1
                name = storable(text_of(start.get("name")))
                id = storable(text_of(start.get("id")))
                deltas.append(ToolCallDelta(slot=self._slots - 1, id=id, name=self._names.get(name, name)))
            case _:
                pass
        return deltas

    def add(self, index: object, delta: dict[str, Any], size: int) -> list[Delta]:
        """Add a piece to a block; to a new one, where none was begun or the piece is not of its kind."""
        index = self._place(index)
        wanted = _KINDS.get(text_of(delta.get("type")))
        block = self._open.get(index)
        if wanted and (block is None or block.kind != wanted):
            return [*self.start(index, {"type": wanted}, size), *self.add(index, delta, size)]
        if block is None:
            return []
        if block.kind not in ("text", "thinking", _CALL) or delta.get("type") == "citations_delta":
            self._size += size
        match delta.get("type"):
            case "text_delta" | "thinking_delta":
                return self._grow(block, text_of(delta.get(block.kind)))
            case "signature_delta":
                block.fields["signature"] = text_of(delta.get("signature")) or text_of(block.fields.get("signature"))
                return []
            case "input_json_delta":
                return self._add_json(block, delta.get("partial_json"))
            case "citations_delta":
                citation = fields_of(delta.get("citation"))
                block.citations.append(dict(citation))
                return self._cite([dict(citation)])
            case _:
                block.unknown += 1
                if block.unknown <= _MOST_PIECES:
                    _merge(block.fields, delta)
                return []

    def stop(self, index: object) -> list[Delta]:
        """End a block. A call whose input is an object is done; any other waits until it is certain that it was not cut."""
        block = self._open.pop(self._place(index), None)
        return self._stop(block) if block else []

    def end(self, *, cut: bool) -> list[Delta]:
        """End what is open. In an answer that was cut, or broke off, a call that is not complete stays so."""
        deltas: list[Delta] = []
        for index in list(self._open):
            block = self._open.pop(index)
            if block.kind == _CALL and cut:
                deltas += self._flush(block)
            else:
                deltas += self._stop(block)
        return [*deltas, *self._settle(cut=cut)]

    def _stop(self, block: _Open) -> list[Delta]:
        deltas = self._flush(block)
        block.whole = True
        if block.kind == _CALL:
            arguments = block.arguments
            if arguments and object_of(arguments) is not None:
                return [*deltas, *self._finish(block)]
            self._waiting.append(block)
            return deltas
        deltas += self._hand_over(block)
        if notice := notice_of(block.block()):
            deltas.append(notice)
        if block.kind == "image":
            data = decode_base64(text_of(fields_of(block.fields.get("source")).get("data")))
            deltas.append(FileDelta(data=data) if data else unreadable("image"))
        return deltas

    def _stop_former(self, index: object) -> list[Delta]:
        """A block that begins where another was left open ends that one."""
        return self.stop(index) if index in self._open else []

    def _settle(self, *, cut: bool) -> list[Delta]:
        waiting, self._waiting = self._waiting, []
        return [] if cut else [delta for block in waiting for delta in self._finish(block)]

    def _finish(self, block: _Open) -> list[Delta]:
        assert block.slot is not None
        block.done = True
        told = "".join(block.json)
        given = block.arguments or "{}"
        rest = [] if told.strip() else [ToolCallDelta(slot=block.slot, arguments=storable(given))]
        return [*rest, *self._hand_over(block), ToolCallDone(block.slot)]

    def _hand_over(self, block: _Open) -> list[Delta]:
        whole = block.block() if block.kind else {}
        return self._verbatim.add(whole, plain=is_plain(whole)) if whole else []

    def _place(self, index: object) -> object:
        """Return where a piece belongs: without an index to the block that was begun last."""
        return next(reversed(self._open), None) if index is None else index

    def _grow(self, block: _Open, text: str) -> list[Delta]:
        text = block.mender.feed(text)
        if not text:
            return []
        block.pieces.append(text)
        return [TextDelta(text) if block.kind == "text" else ThinkingDelta(text)]

    def _add_json(self, block: _Open, piece: object) -> list[Delta]:
        text = piece if isinstance(piece, str) else json.dumps(piece) if isinstance(piece, dict) else ""
        text = block.mender.feed(text)
        if not text:
            return []
        block.json.append(text)
        return [ToolCallDelta(slot=block.slot, arguments=text)] if block.slot is not None else []

    def _flush(self, block: _Open) -> list[Delta]:
        rest = block.mender.flush()
        if not rest:
            return []
        if block.kind in ("text", "thinking"):
            return self._grow(block, rest)
        block.json.append(rest)
        return [ToolCallDelta(slot=block.slot, arguments=rest)] if block.slot is not None else []

    def _cite(self, citations: list[dict[str, Any]]) -> list[Delta]:
        found: list[SourceDelta] = []
        for citation in citations:
            source = source_of(citation)
            if source and source.url not in self._cited:
                self._cited.add(source.url)
                found.append(source)
        return [*found]


def _wrapped(blocks: list[Block]) -> Raw:
    return Raw(content=blocks)


def _merge(fields: Block, delta: dict[str, Any]) -> None:
    """Add a piece of a kind that Luxx does not know: texts and lists are appended to, anything else is replaced."""
    for key, value in delta.items():
        former = fields.get(key)
        if key == "type" or value is None:
            continue
        if isinstance(value, str) and isinstance(former, str):
            fields[key] = former + value
        elif isinstance(value, list) and isinstance(former, list):
            fields[key] = [*objects(cast("object", former)), *objects(cast("object", value))]
        else:
            fields[key] = value
