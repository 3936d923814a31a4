"""The rules of the Messages API for requests, as its documentation and its refusals tell them."""

import re
from typing import Any

_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def check(body: dict[str, Any]) -> None:
    """Assert that the API would accept a request."""
    assert body["max_tokens"] >= 1
    _check_thinking(body)
    for tool in body.get("tools", []):
        assert _NAME.fullmatch(tool["name"])
        assert tool["input_schema"]["type"] == "object"
        assert not {"anyOf", "oneOf", "allOf"} & tool["input_schema"].keys()
    names = [tool["name"] for tool in body.get("tools", [])]
    assert len(set(names)) == len(names)
    for block in body.get("system", []):
        assert block["text"].strip()
    assert sum(_marks(part) for part in (body.get("tools"), body.get("system"), body["messages"])) <= 4
    _check_messages(body["messages"])


def _check_thinking(body: dict[str, Any]) -> None:
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking["type"] == "enabled":
        assert 1024 <= thinking["budget_tokens"] < body["max_tokens"]
    if thinking["type"] in ("enabled", "adaptive"):
        assert body.get("temperature", 1) == 1


def _check_messages(messages: list[dict[str, Any]]) -> None:
    assert messages
    asked: list[str] = []
    seen: set[str] = set()
    for place, message in enumerate(messages):
        assert message["role"] == ("assistant" if place % 2 else "user")
        blocks = message["content"]
        assert blocks
        results = [block for block in blocks if block["type"] == "tool_result"]
        assert sorted(block["tool_use_id"] for block in results) == sorted(asked)
        assert blocks[: len(results)] == results, "the results are not at the beginning"
        asked = [block["id"] for block in blocks if block["type"] == "tool_use"]
        assert not seen & set(asked)
        seen |= set(asked)
        assert blocks[-1]["type"] not in ("thinking", "redacted_thinking")
        for block in blocks:
            _check_block(message["role"], block)
    if messages[-1]["role"] == "assistant" and messages[-1]["content"][-1]["type"] == "text":
        assert messages[-1]["content"][-1]["text"] == messages[-1]["content"][-1]["text"].rstrip()


def _check_block(role: str, block: dict[str, Any]) -> None:
    match block["type"]:
        case "text":
            assert block["text"].strip()
        case "tool_use":
            assert role == "assistant"
            assert _ID.fullmatch(block["id"])
            assert _NAME.fullmatch(block["name"])
            assert isinstance(block["input"], dict)
        case "tool_result":
            assert role == "user"
            assert block.get("content") != []
            for part in block.get("content", []):
                _check_block("user", part)
        case "image":
            assert role == "user"
            assert block["source"]["media_type"] in ("image/jpeg", "image/png", "image/gif", "image/webp")
        case "document":
            assert role == "user"
        case "thinking" | "redacted_thinking":
            assert role == "assistant"
            assert "cache_control" not in block
        case _:
            assert role == "assistant"


def _marks(value: object) -> int:
    if isinstance(value, dict):
        return ("cache_control" in value) + sum(map(_marks, value.values()))
    return sum(map(_marks, value)) if isinstance(value, list) else 0
