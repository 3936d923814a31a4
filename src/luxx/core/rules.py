"""Rules: which tools run, which ask first and which do not run, as a person wants it."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

Action = Literal["allow", "ask", "deny"]


class ToolRule(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with calls of the tools whose name fits the pattern; ``*``, ``?`` and ``[abc]`` are those of a shell."""

    tool: str
    action: Action


def action_for(rules: Iterable[ToolRule], tool: str) -> Action | None:
    """Return what the first rule that fits says, None if none does: then the tool itself says whether it asks."""
    return next((rule.action for rule in rules if fnmatchcase(tool, rule.tool)), None)
