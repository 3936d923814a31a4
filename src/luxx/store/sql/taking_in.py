"""Taking in: an imported conversation becomes rows like those of one that was held here, its turns ended long ago."""

from typing import Any

import msgspec
from msgspec.structs import replace

from luxx.core.archive import ArchivedAnswer, ArchivedConversation, ArchivedMessage, ArchivedSettings, Source
from luxx.core.errors import InvalidRequest
from luxx.core.events import Cancelled, Done, End, Failed, TurnStarted, encode
from luxx.core.files import FileRef
from luxx.core.ids import new_id
from luxx.core.ports import ModelCall
from luxx.core.steps import File, Notice, Step, Summary, ToolResult, answer_text
from luxx.core.usage import Usage
from luxx.store.archive import TakenIn
from luxx.store.records import FileLimits, TurnSettings
from luxx.store.sql.approvals import write_rules
from luxx.store.sql.connection import Connection
from luxx.store.sql.files import store_file

LEFT_OUT = "file_left_out"
"""The kind of the notice in the place of a file whose content was not there."""

_KNOWN = """
    SELECT i.conversation_id FROM imported i JOIN conversation c ON c.id = i.conversation_id
    WHERE i.owner_id = ? AND i.source = ? AND i.source_id = ? AND c.deleted_at IS NULL
"""
_REMEMBER = """
    INSERT INTO imported (owner_id, source, source_id, conversation_id) VALUES (?, ?, ?, ?)
    ON CONFLICT (owner_id, source, source_id) DO UPDATE SET conversation_id = excluded.conversation_id
"""
_CONVERSATION = """
    INSERT INTO conversation (id, owner_id, title, title_source, created_at, updated_at, system_prompt, provider_id, model,
        temperature, max_tokens, tools_enabled, thinking, rules, leaf_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_MESSAGE = """
    INSERT INTO message (id, owner_id, conversation_id, parent_id, ordinal, role, text, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_TURN = """
    INSERT INTO turn (id, owner_id, conversation_id, message_id, user_message_id, status, epoch, settings, created_at, ended_at,
        finish_reason, token_count, usage, error_code, error_content, cancel, takeovers, compacted)
    VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, false, 0, true) RETURNING number
"""
_STEP = "INSERT INTO step (turn, idx, call_n, type, state, body) VALUES (?, ?, ?, ?, ?, ?)"
_CALL = """
    INSERT INTO model_call (turn, n, provider, model, format, finish_reason, usage, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_EVENT = "INSERT INTO event (turn, seq, epoch, name, data, step_index) VALUES (?, ?, 1, ?, ?, ?)"
_FILE = "INSERT INTO message_file (message_id, ordinal, file_id) VALUES (?, ?, ?)"

_json = msgspec.json.Encoder()
_step = msgspec.json.Decoder(Step)


def take_in(
    connection: Connection, owner: str, source: Source, archived: ArchivedConversation, limits: FileLimits
) -> TakenIn:
    """Do what ArchiveStore.take_in says."""
    if known := _known(connection, owner, source, archived.id):
        return TakenIn(known, True)
    taking = _Taking(connection, owner, archived)
    taking.conversation()
    taking.files(limits)
    for ordinal, message in enumerate(archived.messages, 1):
        taking.message(ordinal, message)
    connection.execute(_REMEMBER, (owner, source, archived.id, taking.id))
    return TakenIn(taking.id, False, taking.files_left_out)


def _known(connection: Connection, owner: str, source: Source, source_id: str) -> str | None:
    """Return the conversation that was made of this one before, or that is this one."""
    row = connection.execute(_KNOWN, (owner, source, source_id)).fetchone()
    if row is None and source == "luxx":
        own = "SELECT id FROM conversation WHERE id = ? AND owner_id = ? AND deleted_at IS NULL"
        row = connection.execute(own, (source_id, owner)).fetchone()
    return None if row is None else row[0]


class _Taking:
    """One conversation on its way into the tables; knows the new ids of what it has stored."""

    def __init__(self, connection: Connection, owner: str, archived: ArchivedConversation) -> None:
        self.id = new_id()
        self.files_left_out = 0
        self._connection = connection
        self._owner = owner
        self._archived = archived
        self._messages = {message.id: new_id() for message in archived.messages}
        self._files: dict[str, FileRef] = {}

    def conversation(self) -> None:
        """Store the conversation's own row."""
        archived, chosen = self._archived, self._archived.settings
        provider_id = self._provider(chosen)
        values = (
            self.id,
            self._owner,
            archived.title,
            archived.title_source,
            archived.created_at,
            archived.updated_at,
            chosen.system_prompt,
            provider_id,
            chosen.model if provider_id else None,
            chosen.temperature,
            chosen.max_tokens,
            chosen.tools_enabled,
            chosen.thinking,
            write_rules(chosen.rules),
            None if archived.leaf_id is None else self._message_id(archived.leaf_id),
        )
        self._connection.execute(_CONVERSATION, values)

    def files(self, limits: FileLimits) -> None:
        """Store the files whose content is there; one that is too large is left out too."""
        for file in self._archived.files:
            if file.data is None:
                self.files_left_out += 1
                continue
            try:
                kept = store_file(self._connection, self._owner, self.id, file.name, file.data, limits)
            except InvalidRequest:
                self.files_left_out += 1
            else:
                self._files[file.id] = kept

    def message(self, ordinal: int, message: ArchivedMessage) -> None:
        """Store a message, and an answer's turn."""
        message_id = self._message_id(message.id)
        parent_id = None if message.parent_id is None else self._message_id(message.parent_id)
        steps = () if message.answer is None else self._steps(message.answer)
        text = message.text if message.answer is None else answer_text(steps)
        row = (message_id, self._owner, self.id, parent_id, ordinal, message.role, text, message.created_at)
        self._connection.send(_MESSAGE, row)
        files = dict.fromkeys(self._files[file_id].id for file_id in message.files if file_id in self._files)
        for n, file_id in enumerate(files):
            self._connection.send(_FILE, (message_id, n, file_id))
        if message.answer is not None:
            if parent_id is None:
                raise InvalidRequest("An imported answer has no question.")
            self._turn(message, message.answer, parent_id, steps)

    def _turn(self, message: ArchivedMessage, answer: ArchivedAnswer, parent_id: str, steps: tuple[Step, ...]) -> None:
        turn_id, message_id = new_id(), self._message_id(message.id)
        settings = TurnSettings(provider_id="", provider=answer.provider, model=answer.model)
        (number,) = self._connection.execute(
            _TURN,
            (
                turn_id,
                self._owner,
                self.id,
                message_id,
                parent_id,
                answer.status,
                _json.encode(settings),
                message.created_at,
                answer.ended_at or message.created_at,
                answer.finish_reason,
                answer.token_count,
                None if answer.usage is None else _json.encode(answer.usage),
                answer.error_code,
                answer.error_content,
            ),
        ).fetchone()
        for step in steps:
            self._connection.send(_STEP, _step_row(number, step))
        for call in answer.calls:
            self._connection.send(_CALL, _call_row(number, call))
        begun = TurnStarted(
            turn_id=turn_id,
            message_id=message_id,
            user_message_id=parent_id,
            conversation_id=self.id,
            provider=answer.provider,
            model=answer.model,
        )
        end = _end(answer, message_id)
        log: list[tuple[int, int, str, bytes | None, int | None]] = [(number, 1, begun.name, encode(begun), None)]
        log += [(number, seq, "process_step", None, step.index) for seq, step in enumerate(steps, 2)]
        log.append((number, len(steps) + 2, end.name, encode(end), None))
        for entry in log:
            self._connection.send(_EVENT, entry)

    def _steps(self, answer: ArchivedAnswer) -> tuple[Step, ...]:
        return tuple(self._here(_step.decode(raw)) for raw in answer.steps)

    def _here(self, step: Step) -> Step:
        """Return a step that names messages and files by the ids that they have here."""
        match step:
            case Summary(until=until) if until:
                return replace(step, until=self._message_id(until))
            case ToolResult(parts=parts) if parts:
                return replace(step, parts=tuple(here for part in parts if (here := self._part(part))))
            case File(file_id=file_id) if file_id in self._files:
                return replace(step, file_id=self._files[file_id].id)
            case File():
                return Notice(
                    id=step.id, index=step.index, state="complete", call=step.call, kind=LEFT_OUT, content=step.name
                )
            case _:
                return step

    def _part(self, part: dict[str, Any]) -> dict[str, Any] | None:
        """Return a part of a result as it is here; a file that is not here is left out."""
        if part.get("type") != "file":
            return part
        file = self._files.get(str(part.get("id")))
        return None if file is None else {"type": "file", **msgspec.to_builtins(file)}

    def _message_id(self, archived_id: str) -> str:
        found = self._messages.get(archived_id)
        if found is None:
            raise InvalidRequest("An imported message is named that is not there.")
        return found

    def _provider(self, chosen: ArchivedSettings) -> str | None:
        sql = "SELECT id FROM provider WHERE owner_id = ? AND name = ?"
        row = self._connection.execute(sql, (self._owner, chosen.provider)).fetchone() if chosen.provider else None
        return None if row is None else row[0]


def _step_row(number: int, step: Step) -> tuple[int, int, int, str, str, bytes]:
    return number, step.index, step.call, str(step.__struct_config__.tag), step.state, _json.encode(step)


def _call_row(number: int, call: ModelCall) -> tuple[int | str | bytes, ...]:
    usage = _json.encode(call.usage)
    return number, call.n, call.provider, call.model, call.format, call.finish_reason, usage, call.raw


def _end(answer: ArchivedAnswer, message_id: str) -> End:
    if answer.status == "failed":
        return Failed(content=answer.error_content or "", code=answer.error_code or "unknown", message_id=message_id)
    if answer.status == "cancelled":
        return Cancelled(message_id)
    return Done(
        message_id=message_id,
        token_count=answer.token_count or 0,
        usage=answer.usage or Usage(),
        finish_reason=answer.finish_reason or "stop",
    )
