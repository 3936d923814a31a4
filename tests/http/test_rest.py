"""Health, tools and the API's own description."""

import re
from pathlib import Path

from luxx.store.records import FileLimits
from tests.http.test_files import BINARY
from tests.http.world import TOOL, World, world


async def test_health_says_who_answers(at: World) -> None:
    answer = await at.client.get("/api/health")
    told = answer.json
    data = told.pop("data")
    assert told == {"status": "ok", "version": "1.2.3", "store": "sqlite", "node": at.store.node}
    assert data
    assert at.store.owner not in data
    assert answer.headers["cache-control"] == "no-store"


async def test_ready_means_that_turns_are_taken_and_stored(at: World) -> None:
    assert (await at.client.get("/api/ready")).status == 200
    at.supervisor.ready = False
    answer = await at.client.get("/api/ready")
    assert (answer.status, answer.json["code"]) == (503, "starting")
    at.supervisor.ready = True
    await at.store.close()
    assert (await at.client.get("/api/ready")).status == 503


async def test_tools_are_listed_with_what_they_do(at: World) -> None:
    tool = (await at.client.get("/api/tools")).json["items"][0]
    assert (tool["name"], tool["effect"], tool["timeout_s"], tool["parameters"]) == (
        "clock",
        "read",
        5,
        TOOL.parameters,
    )


async def test_the_openapi_document_has_every_route_and_no_loose_reference(at: World) -> None:
    answer = await at.client.get("/api/openapi.json")
    document = answer.json
    assert document["openapi"].startswith("3.1")
    assert {
        "/api/health", "/api/ready", "/api/limits", "/api/conversations", "/api/conversations/{conversation_id}",
        "/api/conversations/{conversation_id}/messages", "/api/messages/{message_id}/regenerate",
        "/api/messages/{message_id}/continue", "/api/turns/{turn_id}", "/api/turns/{turn_id}/events",
        "/api/turns/{turn_id}/cancel", "/api/turns/{turn_id}/approvals/{index}", "/api/approvals", "/api/rules",
        "/api/turns/{turn_id}/calls/{index}/cancel", "/api/events", "/api/providers", "/api/providers/{provider_id}",
        "/api/turns/{turn_id}/start",
        "/api/providers/{provider_id}/models", "/api/providers/{provider_id}/test", "/api/presets", "/api/tools",
        "/api/files", "/api/files/{file_id}", "/api/files/{file_id}/content", "/api/conversations/{conversation_id}/files",
        "/api/search", "/api/export", "/api/conversations/{conversation_id}/export", "/api/imports", "/api/shares",
        "/api/conversations/{conversation_id}/shares", "/api/shares/{share_id}", "/share/{token}.json",
        "/api/mcp-servers", "/api/mcp-servers/{server_id}", "/api/mcp-servers/{server_id}/test",
        "/api/mcp-servers/{server_id}/prompts", "/api/openapi-servers", "/api/openapi-servers/{server_id}",
        "/api/openapi-servers/{server_id}/refresh",
    } == document["paths"].keys()  # fmt: skip
    names = set(re.findall(r'"#/components/schemas/(\w+)"', answer.body.decode()))
    assert names <= document["components"]["schemas"].keys()
    assert "HTTPValidationError" not in document["components"]["schemas"]


async def test_the_reference_page_asks_nothing_of_other_hosts(at: World) -> None:
    answer = await at.client.get("/api/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    text = answer.body.decode()
    assert "/api/conversations/{conversation_id}/messages" in text
    assert "<script" not in text
    assert not re.findall(r'(?:src|href)="(?!/api/|#)', text)
    assert set(re.findall(r'href="#(\w+)"', text)) <= set(re.findall(r' id="(\w+)"', text))


async def test_the_limits_that_are_told_are_those_that_hold(tmp_path: Path) -> None:
    files = FileLimits(file_bytes=500, conversation_bytes=900, per_message=2)
    async with world(tmp_path, files=files, max_file=500, max_message_chars=20) as at:
        told = (await at.client.get("/api/limits")).json
        assert {name: told[name] for name in told if name != "media_types"} == {
            "message_chars": 20,
            "message_files": 2,
            "file_bytes": 500,
            "conversation_files_bytes": 900,
        }
        assert {"image/png", "application/pdf", "text/*"} <= set(told["media_types"])
        path = f"/api/conversations/{await at.conversation()}/messages"
        ids: list[str] = []
        for size in (500, 400, 1):
            sent = await at.client.send("POST", f"/api/files?name={size}", bytes(size), BINARY)
            ids += [sent.json["id"]] if sent.status == 201 else []
        assert len(ids) == 2
        refused = [
            ({"text": "x" * 21}, "text: must have at most 20 characters"),
            ({"attachments": ["a", "b", "c"]}, "attachments: must name at most 2 files"),
            ({"attachments": ["a"] * 101}, "attachments: must name at most 2 files"),
        ]
        for body, words in refused:
            answer = await at.client.post(path, body)
            assert (answer.status, answer.json["detail"]) == (422, words)
        large = await at.client.send("POST", "/api/files?name=x", bytes(501), {**BINARY, "content-length": "501"})
        assert (large.status, "at most 500 bytes" in large.json["detail"]) == (413, True)
        at.model.say("Seen.", end=True)
        assert (await at.client.post(path, {"text": "x" * 20, "attachments": ids})).status == 202
