"""Views: stored messages as the API shows them, those in progress folded to exactly one seq of their log."""

import msgspec

from luxx.core.replay import Replay
from luxx.core.steps import answer_text
from luxx.store.records import Branch, Message, Turn
from luxx.turns.requests import (
    AssistantMessageView,
    ErrorView,
    MessagePage,
    MessageView,
    TurnInProgress,
    UserMessageView,
)

_json = msgspec.json.Encoder()


def message_page(branch: Branch) -> MessagePage:
    """Show a part of a branch."""
    items = tuple(message_view(message) for message in branch.items)
    return MessagePage(items, branch.has_more, branch.has_newer)


def message_view(message: Message) -> MessageView:
    """Show one message."""
    if message.turn is None:
        return UserMessageView(
            id=message.id,
            conversation_id=message.conversation_id,
            parent_id=message.parent_id,
            role=message.role,
            text=message.text,
            attachments=message.files,
            created_at=message.created_at,
            siblings=message.siblings,
        )
    return _answer_view(message, message.turn)


def turn_in_progress(turn: Turn) -> TurnInProgress:
    """Show where an unfinished turn is."""
    return TurnInProgress(id=turn.id, status=turn.status, seq=turn.seq, message_id=turn.message_id)


def _answer_view(message: Message, turn: Turn) -> AssistantMessageView:
    text, steps, progress = message.text, message.steps, None
    decided, recovered, remade = message.approvals, message.recovered, message.remade
    if not turn.ended:
        folded = Replay()
        for entry in message.log:
            folded.apply(entry)
        made = folded.steps()
        text = answer_text(made)
        steps = tuple(msgspec.Raw(_json.encode(step)) for step in made)
        recovered, remade = tuple(folded.recovered), tuple(folded.remade)
        progress = TurnInProgress(
            id=turn.id,
            status=turn.status,
            seq=folded.seq,
            message_id=turn.message_id,
            approvals=tuple(asked for asked in folded.approvals.values() if asked.state == "requested"),
            recovered=recovered,
        )
        decided = tuple(asked for asked in folded.approvals.values() if asked.state != "requested")
    error = ErrorView(turn.error_code, turn.error_content or "", turn.retry_after) if turn.error_code else None
    return AssistantMessageView(
        id=message.id,
        conversation_id=message.conversation_id,
        parent_id=message.parent_id,
        role=message.role,
        text=text,
        created_at=message.created_at,
        ended_at=turn.ended_at,
        siblings=message.siblings,
        steps=steps,
        approvals=decided,
        recovered=recovered,
        remade=remade,
        status=turn.status,
        provider=turn.settings.provider,
        model=turn.settings.model,
        finish_reason=turn.finish_reason,
        token_count=turn.token_count,
        usage=turn.usage,
        error=error,
        turn=progress,
    )
