"""Branches: the messages from the root of a tree to one of its leaves."""

from luxx.core.archive import ArchivedConversation, ArchivedMessage
from luxx.core.errors import NotFound


def branch(conversation: ArchivedConversation, leaf_id: str | None) -> tuple[ArchivedMessage, ...]:
    """Return the branch that ends in a message, or in the leaf shown, oldest first. Raises NotFound."""
    known = {message.id: message for message in conversation.messages}
    if leaf_id is not None and leaf_id not in known:
        raise NotFound("There is no such message in this conversation.")
    here = known.get(leaf_id or conversation.leaf_id or "")
    path: list[ArchivedMessage] = []
    while here is not None:
        path.append(here)
        here = None if here.parent_id is None else known.get(here.parent_id)
    return tuple(reversed(path))
