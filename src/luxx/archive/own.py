"""Luxx's own JSON: read with the same care as everybody else's, for a file can be edited by hand."""

from collections.abc import Container

import msgspec
from msgspec.structs import replace

from luxx.archive.draft import Draft, Entry
from luxx.archive.shapes import name, text, time
from luxx.archive.tally import Tally
from luxx.core.archive import VERSION, ArchivedAnswer, ArchivedConversation, ArchivedMessage, ArchivedSettings
from luxx.core.ids import step_id
from luxx.core.ports import ModelCall
from luxx.core.steps import Step, Summary
from luxx.core.text import storable_within

MARK = b'"luxx.conversation"'
_INTEGER = 2**31
_LARGE = 2**62

_conversation = msgspec.json.Decoder(ArchivedConversation)
_step = msgspec.json.Decoder(Step)
_json = msgspec.json.Encoder()


class NotOurs(ValueError):
    """The JSON is not what Luxx writes; the text says why."""


def read(raw: bytes, tally: Tally) -> Draft:
    """Return a conversation as a draft. Raises NotOurs."""
    try:
        found = _conversation.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotOurs(f"It is damaged: {error}") from error
    if found.version > VERSION:
        raise NotOurs("A newer Luxx wrote it.")
    ids = {message.id for message in found.messages}
    return Draft(
        id=name(found.id),
        title=name(found.title),
        title_source=found.title_source,
        created_at=time(found.created_at),
        updated_at=time(found.updated_at),
        entries=[_entry(message, ids, tally) for message in found.messages],
        leaf_id=found.leaf_id,
        settings=_settings(found.settings),
        files=tuple(replace(file, name=text(file.name)) for file in found.files),
    )


def _settings(settings: ArchivedSettings) -> ArchivedSettings:
    mended = msgspec.convert(storable_within(msgspec.to_builtins(settings)), ArchivedSettings)
    tokens = mended.max_tokens
    return replace(mended, max_tokens=tokens if tokens is not None and 0 < tokens < _LARGE else None)


def _entry(message: ArchivedMessage, ids: set[str], tally: Tally) -> Entry:
    entry = Entry(
        id=text(message.id),
        parent_id=message.parent_id,
        role=message.role,
        created_at=time(message.created_at),
        text=text(message.text),
        files=message.files,
    )
    if message.role == "assistant":
        _fill(entry, message.answer or ArchivedAnswer(status="cancelled"), ids, tally)
    return entry


def _fill(entry: Entry, answer: ArchivedAnswer, ids: set[str], tally: Tally) -> None:
    kept = _steps(answer, ids, tally)
    entry.steps = tuple(kept.values())
    entry.calls = _calls(answer, kept)
    entry.status = answer.status
    entry.provider, entry.model = name(answer.provider), name(answer.model)
    entry.error, entry.error_code = text(answer.error_content), name(answer.error_code) or None
    entry.finish_reason = name(answer.finish_reason) or None
    entry.ended_at = time(answer.ended_at)
    tokens = answer.token_count
    entry.token_count = tokens if tokens is not None and 0 <= tokens < _LARGE else None
    entry.usage = answer.usage


def _steps(answer: ArchivedAnswer, ids: set[str], tally: Tally) -> dict[int, msgspec.Raw]:
    """Return the steps that this version knows by their indexes, in order; none of them is running any more."""
    kept: dict[int, msgspec.Raw] = {}
    for raw in answer.steps:
        try:
            step = msgspec.convert(storable_within(msgspec.json.decode(raw)), Step)
        except (msgspec.DecodeError, RecursionError):
            tally.omit("step_of_an_unknown_type")
            continue
        fits = (
            0 <= step.index < _INTEGER and 0 < step.call < _INTEGER and step.index not in kept and step.state != "void"
        )
        if not fits or (isinstance(step, Summary) and step.until and step.until not in ids):
            tally.omit("step")
            continue
        state = "failed" if step.state == "running" else step.state
        kept[step.index] = msgspec.Raw(_json.encode(replace(step, id=step_id(step.index), state=state)))
    return {index: kept[index] for index in sorted(kept)}


def _calls(answer: ArchivedAnswer, kept: Container[int]) -> tuple[ModelCall, ...]:
    """Return the model calls, each number once, and what goes back verbatim with the steps that are kept."""
    calls = {call.n: call for call in answer.calls if 0 < call.n < _INTEGER or -call.n in kept}
    return tuple(
        replace(
            call,
            provider=name(call.provider),
            model=name(call.model),
            format=name(call.format),
            finish_reason=name(call.finish_reason),
        )
        for call in calls.values()
    )
