"""The rules of chat completions for requests, as the strictest of its endpoints hold them."""

import json
from typing import Any


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
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
            seen.add(call["id"])
            waiting.append(call["id"])
    assert not waiting
