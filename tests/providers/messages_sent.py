"""What is sent to an endpoint of the Messages API for some prompts."""

import json
from typing import Any

from luxx.core.prompts import (
    AnswerPrompt,
    CallPrompt,
    ModelRequest,
    Prompt,
    ToolSpec,
)
from luxx.providers.anthropic.quirks import Quirks, Relief
from luxx.providers.anthropic.request import encode_request
from tests.providers import messages_rules
from tests.providers.messages import decode

TOOL = ToolSpec(name="f", description="d", parameters={"type": "object", "properties": {"z": {}, "a": {}}})
OLD, NEW = "claude-sonnet-4-5", "claude-opus-5"


def body_for(*prompts: Prompt, model: str = OLD, relief: Relief | None = None, **fields: object) -> dict[str, Any]:
    """Return the body that is sent, which keeps the rules."""
    request = ModelRequest(model=model, prompts=prompts, **fields)
    body = json.loads(encode_request(request, relief=relief).body)
    messages_rules.check(body)
    return body


def messages_for(*prompts: Prompt, model: str = OLD, plain: bool = False, **fields: object) -> list[dict[str, Any]]:
    """Return the messages that are sent, without marks for the cache."""
    relief = Relief(quirks=Quirks(no_cache=True), plain=plain)
    return body_for(*prompts, model=model, relief=relief, **fields)["messages"]


def said(text: str) -> dict[str, str]:
    """Return a block of text."""
    return {"type": "text", "text": text}


def answered(body: bytes, model: str = OLD) -> AnswerPrompt:
    """Return an answer as later requests tell of it."""
    told = decode(body)
    assert told.finish
    calls = tuple(CallPrompt(id=i, name=name, arguments=arguments) for i, name, arguments in told.whole_tools)
    return AnswerPrompt(text=told.text, thinking=told.reasoning, calls=calls, model=model, raw=told.raw)
