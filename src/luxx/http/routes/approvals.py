"""Approvals: what waits for a person, what the person decides, and the rules that spare the question."""

from typing import Annotated, Any, cast

import msgspec
from fastapi import APIRouter, Path
from starlette.responses import Response

from luxx.core.errors import InvalidRequest
from luxx.core.fits import misfit
from luxx.core.ports import Decision
from luxx.core.text import storable_within
from luxx.http import bodies
from luxx.http.openapi import PROBLEMS
from luxx.http.parts import Caller, Luxx, Parts
from luxx.http.paths import IdInPath
from luxx.http.replies import answers, reply
from luxx.http.strict_json import StrictRoute
from luxx.http.views import ApprovalList, RuleList, TurnView, open_approval_view, turn_view

router = APIRouter(route_class=StrictRoute, responses=PROBLEMS, prefix="/api", tags=["approvals"])

Index = Annotated[int, Path(ge=0, le=2**31 - 1, description="The index of the call, as its events say.")]


@router.get("/approvals", responses=answers(200, ApprovalList, "Oldest first."))
async def list_open(luxx: Luxx, owner: Caller) -> Response:
    """List all that waits for a decision, in all conversations."""
    found = await luxx.parts.store.approvals.open(owner)
    return reply(ApprovalList(tuple(map(open_approval_view, found))))


@router.post("/turns/{turn_id}/approvals/{index}", responses=answers(200, TurnView, "The turn as it is now."))
async def decide(turn_id: IdInPath, index: Index, body: bodies.DecideApproval, luxx: Luxx, owner: Caller) -> Response:
    """Allow a call or refuse it, or answer the question of a running tool. The first decision stands."""
    arguments: dict[str, Any] | None = None
    if body.approve:
        arguments = cast("dict[str, Any] | None", storable_within(body.arguments))
        await _check(luxx.parts, owner, turn_id, index, arguments)
    decision = Decision(state="approved" if body.approve else "denied", arguments=arguments, always=body.always)
    return reply(turn_view(await luxx.parts.supervisor.decide(owner, turn_id, index, decision)))


@router.post("/turns/{turn_id}/calls/{index}/cancel", status_code=202, responses=answers(202, TurnView, "The turn."))
async def cancel_call(
    turn_id: IdInPath, index: Index, luxx: Luxx, owner: Caller, body: bodies.Nothing | None = None
) -> Response:
    """Stop one tool that is running; the turn goes on with what is known of it."""
    return reply(turn_view(await luxx.parts.supervisor.cancel_call(owner, turn_id, index)), 202)


@router.get("/rules", responses=answers(200, RuleList, "In the order in which they are looked at."))
async def rules(luxx: Luxx, owner: Caller) -> Response:
    """List your rules on tools; those of a conversation come before them."""
    return reply(RuleList(await luxx.parts.store.approvals.rules(owner)))


@router.put("/rules", responses=answers(200, RuleList, "The rules as they are now."))
async def set_rules(body: bodies.Rules, luxx: Luxx, owner: Caller) -> Response:
    """Replace your rules on tools."""
    wanted = bodies.rules_of(body.items)
    await luxx.parts.store.approvals.set_rules(owner, wanted)
    return reply(RuleList(wanted))


async def _check(parts: Parts, owner: str, turn_id: str, index: int, arguments: dict[str, Any] | None) -> None:
    """Raise InvalidRequest for an answer that does not fit its form, and for arguments that the tool would refuse.

    Of a tool that is not here, the call's result says it.
    """
    for waiting in await parts.store.approvals.open(owner):
        asked, problem = waiting.approval, None
        if (waiting.turn_id, asked.index) != (turn_id, index):
            continue
        if asked.question is not None:
            problem = _unfit(arguments or {}, asked.question.schema)
        elif arguments is not None:
            box = await parts.tools.box(owner, (asked.tool,))
            problem = box.misfit(asked.tool, msgspec.json.encode(arguments).decode())
        if problem:
            raise InvalidRequest(problem, "arguments")


def _unfit(answer: dict[str, Any], form: dict[str, Any] | None) -> str | None:
    """Return what does not fit of an answer; a field that is left out has its default."""
    if form is None:
        return None
    fields = cast("dict[str, Any]", form.get("properties", {}))
    defaults = {name: field["default"] for name, field in fields.items() if field.get("default") is not None}
    return misfit({**defaults, **answer}, {**form, "additionalProperties": False}, "arguments")
