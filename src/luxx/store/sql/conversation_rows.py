"""Conversation rows: reading conversations."""

from typing import Any

from luxx.store.records import Conversation, ConversationSettings
from luxx.store.sql.approvals import read_rules

CONVERSATIONS = """
    SELECT c.id, c.title, c.title_source, c.leaf_id, c.created_at, c.updated_at, c.system_prompt, c.provider_id, c.model,
           c.temperature, c.max_tokens, c.tools_enabled, c.thinking, c.rules,
           c.pinned, c.unread, (SELECT rules FROM person WHERE person.id = c.owner_id)
    FROM conversation c
"""
"""Reads whole conversations; a WHERE follows."""


def conversation_of(row: tuple[Any, ...]) -> Conversation:
    """Return the conversation that a row of CONVERSATIONS holds."""
    settings = ConversationSettings(
        system_prompt=row[6],
        provider_id=row[7],
        model=row[8],
        temperature=row[9],
        max_tokens=row[10],
        tools_enabled=bool(row[11]),
        thinking=row[12],
        rules=read_rules(row[13]),
    )
    return Conversation(
        id=row[0],
        title=row[1],
        title_source=row[2],
        settings=settings,
        leaf_id=row[3],
        created_at=row[4],
        updated_at=row[5],
        pinned=bool(row[14]),
        unread=bool(row[15]),
        person_rules=read_rules(row[16]),
    )
