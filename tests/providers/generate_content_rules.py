"""The rules of generateContent for requests, as its documentation and its refusals tell them."""

from typing import Any


def check(body: dict[str, Any], *, signed: bool) -> None:
    """Assert that Google's API would accept a request; `signed` is for models that refuse calls without a signature."""
    contents = body["contents"]
    assert contents[0]["role"] == contents[-1]["role"] == "user"
    for place, content in enumerate(contents):
        parts = content["parts"]
        assert parts
        assert all(part.get("text") != "" or "thoughtSignature" in part for part in parts)
        made, given_back = _named(content, "functionCall"), _named(content, "functionResponse")
        if made:
            assert contents[place - 1]["role"] == "user"
            assert _named(contents[place + 1], "functionResponse") == made
            first = next(part for part in parts if "functionCall" in part)
            assert first.get("thoughtSignature") or not signed
        if given_back:
            assert len(given_back) == len(parts)
            assert _named(contents[place - 1], "functionCall") == given_back


def _named(content: dict[str, Any], kind: str) -> list[str]:
    return [part[kind]["name"] for part in content["parts"] if kind in part]
