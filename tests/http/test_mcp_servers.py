"""MCP servers over the API: what they may be, who may change them, and that secrets stay inside."""

from typing import Any

import pytest

from tests.http.world import World

PROGRAM = {"name": "clock", "command": "uvx", "args": ["mcp-server-time"], "env": {"API_TOKEN": "t0psecret"}}
ADDRESS = {"name": "web", "url": "https://mcp.example/mcp", "headers": {"Authorization": "Bearer t0psecret"}}


async def add(at: World, body: dict[str, Any]) -> dict[str, Any]:
    made = await at.owner.post("/api/mcp-servers", body)
    assert made.status == 201, made.body
    return made.json


async def secrets_of(at: World, server_id: str) -> dict[str, str]:
    return (await at.store.tool_servers.credentials(at.store.owner, server_id))[1]


async def test_a_program_is_given_back_without_its_secrets(at: World) -> None:
    made = await at.owner.post("/api/mcp-servers", PROGRAM)
    assert made.status == 201
    assert made.headers["location"] == f"/api/mcp-servers/{made.json['id']}"
    assert b"t0psecret" not in made.body
    shown = {key: made.json[key] for key in ("name", "kind", "command", "args", "cwd", "url", "secrets", "has_secrets")}
    assert shown == {
        "name": "clock",
        "kind": "stdio",
        "command": "uvx",
        "args": ["mcp-server-time"],
        "cwd": None,
        "url": None,
        "secrets": ["API_TOKEN"],
        "has_secrets": True,
    }
    assert (made.json["trusted"], made.json["enabled"]) == (False, True)
    assert made.json["status"]["state"] == "running"
    assert made.json["status"]["log"] == ["ready"]
    assert await secrets_of(at, made.json["id"]) == {"API_TOKEN": "t0psecret"}


async def test_the_list_has_neither_log_nor_names_of_secrets(at: World) -> None:
    await add(at, PROGRAM)
    await add(at, ADDRESS)
    listed = await at.client.get("/api/mcp-servers")
    assert [(item["name"], item["kind"], item["secrets"]) for item in listed.json["items"]] == [
        ("clock", "stdio", []),
        ("web", "http", []),
    ]
    assert all(item["status"]["log"] == [] for item in listed.json["items"])
    assert b"t0psecret" not in listed.body


async def test_adding_changing_and_deleting_needs_the_owners_secret(at: World) -> None:
    made = await add(at, PROGRAM)
    path = f"/api/mcp-servers/{made['id']}"
    assert (await at.client.post("/api/mcp-servers", ADDRESS)).status == 401
    assert (await at.client.patch(path, {"trusted": True})).status == 401
    assert (await at.client.delete(path)).status == 401
    assert (await at.client.get(path)).status == 200
    assert (await at.owner.delete(path)).status == 204
    assert (await at.client.get(path)).status == 404
    assert at.servers.changes == [made["id"], made["id"]]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "command": "a", "url": "https://b.example"},
        {"name": "x", "command": "a", "headers": {"A": "b"}},
        {"name": "x", "url": "https://b.example", "env": {"A": "b"}},
        {"name": "x", "url": "https://b.example", "args": ["b"]},
        {"name": "x", "url": "ftp://b.example"},
        {"name": "x", "url": "https://me:pw@b.example"},
        {"name": "x", "url": "https://b.example/#here"},
        {"name": "x", "url": "https://b.example/ä"},
        {"name": "x", "url": "https://b.example", "headers": {"Host": "c"}},
        {"name": "x", "url": "https://b.example", "headers": {"Mcp-Session-Id": "c"}},
        {"name": "x", "url": "https://b.example", "headers": {"X-A": "b\r\nX-B: c"}},
        {"name": "x", "url": "https://b.example", "headers": {"X A": "b"}},
        {"name": "x", "command": " "},
        {"name": "x", "command": "a\0b"},
        {"name": "x", "command": "a", "args": ["\0"]},
        {"name": "x", "command": "a", "args": ["b"] * 101},
        {"name": "x", "command": "a", "env": {"A=B": "c"}},
        {"name": "x", "command": "a", "env": {"A": 1}},
        {"name": "\n", "command": "a"},
        {"name": "x", "command": "a", "stranger": 1},
    ],
)
async def test_what_is_no_server_is_refused(at: World, body: dict[str, Any]) -> None:
    refused = await at.owner.post("/api/mcp-servers", body)
    assert refused.status == 422, refused.body
    assert refused.json["errors"]
    assert at.servers.changes == []


async def test_an_address_may_have_a_query_and_keeps_its_slash(at: World) -> None:
    made = await add(at, {"name": "x", "url": "https://b.example/mcp/?v=1"})
    assert made["url"] == "https://b.example/mcp/?v=1"


async def test_only_the_fields_sent_are_changed(at: World) -> None:
    made = await add(at, PROGRAM)
    path = f"/api/mcp-servers/{made['id']}"
    changed = await at.owner.patch(path, {"trusted": True, "enabled": False})
    assert (changed.status, changed.json["trusted"], changed.json["enabled"]) == (200, True, False)
    assert changed.json["args"] == ["mcp-server-time"]
    assert await secrets_of(at, made["id"]) == {"API_TOKEN": "t0psecret"}
    cleared = await at.owner.patch(path, {"env": None})
    assert cleared.json["has_secrets"] is False


async def test_other_arguments_get_neither_the_secrets_nor_the_trust(at: World) -> None:
    made = await add(at, {**PROGRAM, "trusted": True})
    path = f"/api/mcp-servers/{made['id']}"
    changed = await at.owner.patch(path, {"args": ["something-else"]})
    assert (changed.json["has_secrets"], changed.json["trusted"]) == (False, False)
    again = await at.owner.patch(path, {"args": ["third"], "env": {"KEY": "k"}, "trusted": True})
    assert (again.json["secrets"], again.json["trusted"]) == (["KEY"], True)


@pytest.mark.parametrize(
    "body", [{"url": "https://b.example"}, {"headers": {}}, {"name": None}, {"command": None}, {"trusted": None}]
)
async def test_a_program_stays_a_program_with_a_name(at: World, body: dict[str, Any]) -> None:
    made = await add(at, PROGRAM)
    assert (await at.owner.patch(f"/api/mcp-servers/{made['id']}", body)).status == 422


async def test_a_name_is_taken_once(at: World) -> None:
    await add(at, PROGRAM)
    refused = await at.owner.post("/api/mcp-servers", {**ADDRESS, "name": "clock"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "name")


async def test_a_server_can_be_tried_and_asked_for_its_prompts(at: World) -> None:
    path = f"/api/mcp-servers/{(await add(at, PROGRAM))['id']}"
    assert (await at.client.post(f"{path}/test", {})).json == {"ok": True, "detail": "It speaks.", "models": None}
    assert (await at.client.get(f"{path}/prompts")).json["items"][0]["arguments"][0]["name"] == "who"
    filled = await at.client.post(f"{path}/prompts", {"name": "greet", "arguments": {"who": "Ada"}})
    assert filled.json == {"messages": [{"role": "user", "text": "greet Ada"}]}


async def test_a_server_that_fails_is_a_bad_gateway(at: World) -> None:
    path = f"/api/mcp-servers/{(await add(at, PROGRAM))['id']}"
    at.servers.broken = True
    failed = await at.client.get(f"{path}/prompts")
    assert (failed.status, failed.json["code"]) == (502, "tool_server_failed")


async def test_a_server_that_is_not_there_is_not_found(at: World) -> None:
    for path in ("", "/prompts"):
        assert (await at.client.get(f"/api/mcp-servers/none{path}")).status == 404
    assert (await at.client.post("/api/mcp-servers/none/test", {})).status == 404
