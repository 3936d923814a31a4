"""The rules of the Responses format for requests, when nothing is stored at the provider."""

import json
from typing import Any


def check(body: dict[str, Any]) -> None:
    """Assert that the API would accept a request."""
    called: list[str] = []
    seen: set[str] = set()
    for place, item in enumerate(body["input"]):
        assert not item.keys() & {"created_by", "logprobs"}
        assert "id" not in item or item["type"] not in ("message", "function_call", "function_call_output")
        match item["type"]:
            case "function_call":
                assert isinstance(json.loads(item["arguments"]), dict)
                assert item["call_id"] not in seen
                seen.add(item["call_id"])
                called.append(item["call_id"])
            case "function_call_output":
                called.remove(item["call_id"])
            case "reasoning":
                assert isinstance(item["summary"], list)
                assert bool(item.get("encrypted_content")) != bool(item.get("content"))
                assert body["input"][place + 1].get("role") != "user", "reasoning without its following item"
            case "message":
                assert item["content"]
            case _:
                pass
    assert not called
