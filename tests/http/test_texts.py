"""Texts from people that hold what not every database takes: mended or refused, the same with each engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.http.world import World, world
from tests.postgres_server import PostgresServer


@pytest.fixture(params=["sqlite", "postgres"])
async def at(request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer) -> AsyncIterator[World]:
    """A server on one of the engines."""
    database = postgres.database() if request.param == "postgres" else ""
    async with world(tmp_path, database=database) as found:
        yield found
    if database:
        postgres.give_back(database)


async def test_what_people_write_is_mended(at: World) -> None:
    title, prompt, text = r"a\u0000b", r"\ud83d", r"x\u0000\ud83d\ude00"
    body = f'{{"title": "{title}", "system_prompt": "{prompt}"}}'.encode()
    made = (await at.client.post("/api/conversations", body)).json
    assert (made["title"], made["system_prompt"]) == ("a\ufffdb", "\ufffd")
    path = f"/api/conversations/{made['id']}"
    changed = (await at.client.patch(path, rb'{"title": "\u0000", "system_prompt": "\ud800\u0000"}')).json
    assert (changed["title"], changed["system_prompt"]) == ("\ufffd", "\ufffd\ufffd")
    at.model.say("ok", end=True)
    assert (await at.client.post(f"{path}/messages", f'{{"text": "{text}"}}'.encode())).status == 202
    page = (await at.client.get(f"{path}/messages")).json
    assert page["items"][0]["text"] == "x\ufffd\U0001f600"
    assert len((await at.client.get("/api/conversations?q=x%00")).json["items"]) == 1


async def test_names_ids_and_cursors_with_such_characters_are_refused(at: World) -> None:
    conversation_id = await at.conversation()
    messages = f"/api/conversations/{conversation_id}/messages"
    null = r"a\u0000b"
    for name in ("model", "provider_id", "client_request_id"):
        answer = await at.client.post("/api/conversations", f'{{"{name}": "{null}"}}'.encode())
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, name)
    for name in ("parent_id", "model", "client_request_id"):
        answer = await at.client.post(messages, f'{{"text": "x", "{name}": "{null}"}}'.encode())
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, name)
    for name in ("name", "format", "default_model", "base_url", "api_key"):
        body = {"name": "n", "format": "openai", "base_url": "http://127.0.0.1:1/v1", name: "a\0b"}
        answer = await at.owner.post("/api/providers", body)
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, name)
    for path in (f"{messages}?leaf=a%00b", f"{messages}?before=a%00b", "/api/turns/a%00b", "/api/conversations/a%00b"):
        assert (await at.client.get(path)).status == 404
    answer = await at.client.get("/api/conversations?cursor=WyJhXHUwMDAwIiwgImIiXQ==")
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "cursor")
