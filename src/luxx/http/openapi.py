"""OpenAPI: the document of the API (3.1), with the schemas of the very types that are encoded."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from luxx.archive.sharing import SharedBranch
from luxx.core.ports import Check
from luxx.core.steps import Step
from luxx.http import archive_views, mcp_bodies, openapi_bodies, views
from luxx.http.errors import MEDIA_TYPE, Problem
from luxx.turns.requests import AssistantMessageView, UserMessageView

_TYPES: tuple[Any, ...] = (
    Problem,
    views.ConversationList,
    views.TurnView,
    views.Accepted,
    views.ProviderList,
    views.NewProviderView,
    views.PresetList,
    views.ProviderView,
    views.ModelList,
    views.ToolList,
    mcp_bodies.McpServerList,
    mcp_bodies.PromptList,
    mcp_bodies.FilledPrompt,
    openapi_bodies.OpenApiServerList,
    openapi_bodies.OpenApiServerDetail,
    openapi_bodies.OpenApiServerRefreshed,
    views.FileList,
    views.Limits,
    views.ApprovalList,
    views.RuleList,
    archive_views.SearchResults,
    archive_views.ShareList,
    archive_views.NewShareView,
    archive_views.ImportReport,
    SharedBranch,
    views.Health,
    views.Ready,
    UserMessageView,
    AssistantMessageView,
    Check,
    Step,
)
_REFERENCE = "#/components/schemas/{name}"
_PROBLEM: dict[str, Any] = {
    "description": "What went wrong; `code` is stable.",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="Problem")}}},
}
PROBLEMS: dict[int | str, dict[str, Any]] = {"default": _PROBLEM}
"""The answer that every route may give."""

_DESCRIPTION = (
    "Everything that Luxx does. Errors are problem documents (RFC 9457); times are RFC 3339 in UTC. The events of a turn "
    "and the rules of resuming are described in docs/api.md."
)


def describe(title: str, version: str, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """Return the OpenAPI document."""
    document = get_openapi(title=title, version=version, description=_DESCRIPTION, routes=routes)
    components = document["components"]
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template=_REFERENCE)
    _say_what_is_in_a_page(schemas)
    components["schemas"].update(schemas)
    components["securitySchemes"] = {
        "ownerSecret": {
            "type": "http",
            "scheme": "bearer",
            "description": "The content of the file `owner-token` in the data directory; or the cookie that the link sets.",
        }
    }
    return document


def _say_what_is_in_a_page(schemas: dict[str, Any]) -> None:
    """Describe what msgspec cannot: a union told apart by `role`, and stored steps, which are passed on as they are."""
    schemas["MessagePage"] = {
        "type": "object",
        "title": "MessagePage",
        "description": "A part of a branch, oldest message first.",
        "properties": {
            "items": {"type": "array", "items": _any_of("UserMessageView", "AssistantMessageView")},
            "has_more": {"type": "boolean"},
            "has_newer": {"type": "boolean"},
        },
        "required": ["items", "has_more", "has_newer"],
    }
    schemas["AssistantMessageView"]["properties"]["steps"]["items"] = _any_of(
        "Thinking", "Text", "ToolCall", "ToolResult"
    )


def _any_of(*names: str) -> dict[str, Any]:
    return {"anyOf": [{"$ref": _REFERENCE.format(name=name)} for name in names]}
