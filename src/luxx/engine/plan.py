"""Plan: what one turn is to do, and what it is bounded by."""

from collections.abc import Callable, Collection, Mapping

import msgspec

from luxx.core.events import Approval
from luxx.core.ports import ModelCall
from luxx.core.prices import Price
from luxx.core.prompts import ModelRequest
from luxx.core.steps import Summary
from luxx.engine.approvals import Rules, no_rules
from luxx.engine.context import Mark
from luxx.engine.resume import Resumption

Window = Callable[[], int | None]
"""Tells how many tokens a model can take, None while nobody knows it."""


TellPrice = Callable[[], Price | None]
"""Tells what a model's tokens cost, None while nobody knows it."""


def no_window() -> None:
    """Tell of a model of which nobody knows it."""


def no_price() -> None:
    """Tell of a model of which nobody knows it."""


class RunLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What every turn of a node is bounded by.

    Tries of a model call before its first token, tools at once and in all, the length of an answer, and how many seconds a person has
    to decide about a call.
    """

    attempts: int = 3
    parallel_tools: int = 16
    max_tool_calls: int = 200
    max_answer_chars: int = 4_000_000
    approval_patience_s: float = 86_400.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn is to do.

    `request` holds the earlier messages as prompts, and `rules` reads the person's on tools. `start`, `calls` and `approvals` are what
    an earlier owner left, and `stopped` the calls that a person stopped meanwhile; `recovered` if that owner died, of which readers are
    told. `window` tells what the model can take in tokens, as soon as that is known, `price` what they cost; `marks` say where the prompts
    can be cut; `summary` is one that a person wrote in the place of the model's.
    """

    turn_id: str
    message_id: str
    provider: str
    request: ModelRequest
    max_iterations: int
    limits: RunLimits = RunLimits()
    owner: str = ""
    conversation_id: str = ""
    rules: Rules = no_rules
    epoch: int = 1
    recovered: bool = False
    start: Resumption | None = None
    calls: tuple[ModelCall, ...] = ()
    stopped: Collection[int] = ()
    marks: tuple[Mark, ...] = ()
    window: Window = no_window
    price: TellPrice = no_price
    summary: Summary | None = None
    approvals: Mapping[int, Approval] = {}
    highest_index: int = -1
