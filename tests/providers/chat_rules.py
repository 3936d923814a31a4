"""The rules of chat completions for requests, as the strictest of its endpoints hold them."""

import json
import re
from typing import Any

_ID = re.compile(r"[!-~]{1,40}")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def check(body: dict[str, Any]) -> None:
    """Assert that an endpoint would accept a request."""
    messages = body["messages"]
    assert messages
    assert messages[-1]["role"] in ("user", "tool")
    waiting: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        role = message["role"]
        if role == "tool":
            waiting.remove(message["tool_call_id"])
            assert isinstance(message["content"], str)
            continue
        assert not waiting, "something comes between calls and their results"
        assert role != "system" or place == 0
        assert message["content"] or message.get("tool_calls")
        for call in message.get("tool_calls", ()):
            assert call["id"] not in seen
            assert _ID.fullmatch(call["id"])
            assert _NAME.fullmatch(call["function"]["name"])
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            seen.add(call["id"])
            waiting.append(call["id"])
    assert not waiting
