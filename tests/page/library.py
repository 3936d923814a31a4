"""Conversations that a page test finds there already, brought in as a file, which is faster than having them."""

import json
import urllib.request
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.page.conftest import PageServer

Said = tuple[str, str | None, str]
"""A message: its name, its parent's, and its text; questions and answers by turns."""


def line(*texts: str) -> list[Said]:
    """Return a conversation without branches; its messages are named by their numbers."""
    return [(str(n), str(n - 1) if n else None, said) for n, said in enumerate(texts)]


def keep(server: PageServer, title: str, said: Iterable[Said], leaf: str | None = None) -> str:
    """Bring one conversation in and return its id."""
    return keep_all(server, [archived(title, said, leaf)])[0]


def keep_all(server: PageServer, conversations: list[dict[str, Any]]) -> list[str]:
    """Bring conversations in; return the ids of the first hundred."""
    data = "\n".join(json.dumps(one) for one in conversations).encode()
    request = urllib.request.Request(f"{server.url}/api/imports", method="POST", data=data)
    request.add_header("Content-Type", "application/octet-stream")
    with urllib.request.urlopen(request) as response:
        report = json.loads(response.read())
    assert report["imported"] == len(conversations), report
    return report["conversation_ids"]


def archived(title: str, said: Iterable[Said], leaf: str | None = None, age: timedelta = timedelta()) -> dict[str, Any]:
    """Return a conversation as an export has it."""
    begin = datetime.now(UTC) - age
    now = begin.isoformat()
    mark = uuid4().hex
    messages: list[dict[str, Any]] = []
    roles: dict[str | None, str] = {None: "assistant"}
    for name, parent, text in said:
        roles[name] = role = "user" if roles[parent] == "assistant" else "assistant"
        when = (begin + timedelta(milliseconds=len(messages))).isoformat()
        message: dict[str, Any] = {"id": f"{mark}{name}", "role": role, "created_at": when, "text": text}
        message["parent_id"] = None if parent is None else f"{mark}{parent}"
        if role == "assistant":
            step = {"id": "step-0", "index": 0, "type": "text", "state": "complete", "call": 1, "content": text}
            message["answer"] = {"status": "done", "provider": "Acme", "model": "m1", "steps": [step], "ended_at": now}
        messages.append(message)
    return {
        "format": "luxx.conversation",
        "version": 1,
        "id": mark,
        "title": title,
        "created_at": now,
        "updated_at": now,
        "settings": {},
        "leaf_id": None if leaf is None else f"{mark}{leaf}",
        "messages": messages,
    }


def message_ids(server: PageServer, conversation_id: str, leaf: str | None = None) -> list[str]:
    """Return the ids of the branch shown, or of the one that ends in `leaf`."""
    path = f"/api/conversations/{conversation_id}/messages?limit=200"
    page = server.call("GET", f"{path}&leaf={leaf}" if leaf else path)
    return [message["id"] for message in page["items"]]
