"""Tool servers: where they are, what they may do, and secrets that stay in the store."""

import asyncio
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from luxx.core.errors import ConfigurationError, InvalidRequest, NotFound
from luxx.core.ids import new_id
from luxx.core.tool_servers import (
    HttpTarget,
    NewToolServer,
    OpenApiTarget,
    SecretsChange,
    StdioTarget,
    Target,
    ToolServer,
    ToolServerChange,
)
from luxx.store.interface import Store
from luxx.store.secrets import SecretBox
from luxx.store.sqlite.store import open_sqlite
from tests.store.engines import Engine

PROGRAM = StdioTarget(command="uvx", args=("mcp-server-time", "--utc"), cwd="/srv")
ADDRESS = HttpTarget(url="https://mcp.example.com/mcp")
API = OpenApiTarget(base_url="https://api.example.com/v1", document='{"openapi": "3.1.0"}')
SECRETS = {"Authorization": "Bearer s3cret"}


async def make(store: Store, name: str = "one", target: Target = ADDRESS, **secrets: str) -> ToolServer:
    return await store.tool_servers.create(store.owner, NewToolServer(name=name, target=target, secrets=secrets))


async def secrets_of(store: Store, server: ToolServer) -> dict[str, str]:
    return (await store.tool_servers.credentials(store.owner, server.id))[1]


@pytest.mark.parametrize("target", [PROGRAM, ADDRESS, API])
async def test_a_server_of_each_kind_is_kept_as_it_was_given(store: Store, target: Target) -> None:
    made = await make(store, target=target, **SECRETS)
    assert (made.name, made.target, made.trusted, made.enabled, made.tools) == ("one", target, False, True, None)
    assert made.kind == {PROGRAM: "stdio", ADDRESS: "http", API: "openapi"}[target]
    assert "s3cret" not in repr(made)
    assert made.secrets_tag
    assert await store.tool_servers.get(store.owner, made.id) == made
    assert await secrets_of(store, made) == SECRETS


async def test_a_server_without_secrets_has_no_tag(store: Store) -> None:
    made = await make(store)
    assert made.secrets_tag == ""
    assert await secrets_of(store, made) == {}


async def test_the_tag_changes_with_the_secrets(store: Store) -> None:
    made = await make(store, **SECRETS)
    changed = await store.tool_servers.change(store.owner, made.id, ToolServerChange(secrets={"X-Key": "2"}))
    assert changed.secrets_tag not in ("", made.secrets_tag)
    assert await secrets_of(store, made) == {"X-Key": "2"}
    assert (await store.tool_servers.change(store.owner, made.id, ToolServerChange(secrets={}))).secrets_tag == ""


async def test_servers_are_listed_oldest_first(store: Store) -> None:
    for name in ("c", "a", "b"):
        await make(store, name)
    assert [server.name for server in await store.tool_servers.list(store.owner)] == ["c", "a", "b"]


async def test_a_name_is_taken_once(store: Store) -> None:
    await make(store, "one")
    other = await make(store, "two")
    with pytest.raises(InvalidRequest):
        await make(store, "one")
    with pytest.raises(InvalidRequest):
        await store.tool_servers.change(store.owner, other.id, ToolServerChange(name="one"))
    renamed = await store.tool_servers.change(store.owner, other.id, ToolServerChange(name="three"))
    assert renamed.name == "three"


async def test_a_new_path_of_the_same_origin_keeps_secrets_and_trust_and_forgets_the_tools(store: Store) -> None:
    made = await make(store, **SECRETS)
    await store.tool_servers.change(store.owner, made.id, ToolServerChange(trusted=True))
    assert await store.tool_servers.set_tools(store.owner, made, b"[]")
    moved = ToolServerChange(target=HttpTarget(url="https://MCP.example.com/v2"))
    changed = await store.tool_servers.change(store.owner, made.id, moved)
    assert (changed.trusted, changed.tools) == (True, None)
    assert await secrets_of(store, made) == SECRETS


@pytest.mark.parametrize(
    "target",
    [
        HttpTarget(url="https://mcp.example.com:444/mcp"),
        HttpTarget(url="http://mcp.example.com/mcp"),
        HttpTarget(url="https://evil.example/mcp"),
        PROGRAM,
    ],
)
async def test_another_origin_gets_neither_secrets_nor_trust(store: Store, target: Target) -> None:
    made = await make(store, **SECRETS)
    await store.tool_servers.change(store.owner, made.id, ToolServerChange(trusted=True))
    changed = await store.tool_servers.change(store.owner, made.id, ToolServerChange(target=target))
    assert (changed.target, changed.trusted, changed.secrets_tag) == (target, False, "")
    assert await secrets_of(store, made) == {}


async def test_other_arguments_are_another_program(store: Store) -> None:
    made = await make(store, target=PROGRAM, TOKEN="t")
    other = StdioTarget(command="uvx", args=("something-else",), cwd="/srv")
    await store.tool_servers.change(store.owner, made.id, ToolServerChange(target=other))
    assert await secrets_of(store, made) == {}


async def test_secrets_and_trust_that_come_with_a_new_origin_are_kept(store: Store) -> None:
    made = await make(store, **SECRETS)
    change = ToolServerChange(target=PROGRAM, secrets={"TOKEN": "t"}, trusted=True, enabled=False)
    changed = await store.tool_servers.change(store.owner, made.id, change)
    assert (changed.kind, changed.trusted, changed.enabled) == ("stdio", True, False)
    assert await secrets_of(store, made) == {"TOKEN": "t"}


async def test_tools_of_a_server_that_has_changed_meanwhile_are_not_kept(store: Store) -> None:
    asked = await make(store)
    assert await store.tool_servers.set_tools(store.owner, asked, b"old")
    assert (await store.tool_servers.get(store.owner, asked.id)).tools == b"old"
    await store.tool_servers.change(store.owner, asked.id, ToolServerChange(target=PROGRAM))
    assert not await store.tool_servers.set_tools(store.owner, asked, b"older")
    assert (await store.tool_servers.get(store.owner, asked.id)).tools is None


async def test_secrets_that_are_changed_at_once_are_all_kept(store: Store) -> None:
    made = await make(store, **SECRETS)

    def adding(name: str) -> SecretsChange:
        return lambda secrets: {**secrets, name: "x"}

    names = [f"n{number}" for number in range(8)]
    servers = store.tool_servers
    kept = await asyncio.gather(*(servers.change_secrets(store.owner, made, adding(name)) for name in names))
    assert all(kept)
    assert await secrets_of(store, made) == SECRETS | dict.fromkeys(names, "x")
    tag = (await servers.get(store.owner, made.id)).secrets_tag
    assert not await servers.change_secrets(store.owner, made, lambda _: None)
    assert not await servers.change_secrets(new_id(), made, adding("stranger"))
    assert (await servers.get(store.owner, made.id)).secrets_tag == tag
    await servers.change(store.owner, made.id, ToolServerChange(target=HttpTarget(url=f"{ADDRESS.url}/v2")))
    assert not await servers.change_secrets(store.owner, made, adding("late"))
    assert "late" not in await secrets_of(store, made)


async def test_another_persons_servers_are_not_there(store: Store) -> None:
    made = await make(store)
    stranger = new_id()
    assert await store.tool_servers.list(stranger) == ()
    with pytest.raises(NotFound):
        await store.tool_servers.get(stranger, made.id)
    with pytest.raises(NotFound):
        await store.tool_servers.credentials(stranger, made.id)
    with pytest.raises(NotFound):
        await store.tool_servers.change(stranger, made.id, ToolServerChange(trusted=True))
    with pytest.raises(NotFound):
        await store.tool_servers.delete(stranger, made.id)
    assert not await store.tool_servers.set_tools(stranger, made, b"x")


async def test_a_deleted_server_is_gone(store: Store) -> None:
    made = await make(store, **SECRETS)
    await store.tool_servers.delete(store.owner, made.id)
    assert await store.tool_servers.list(store.owner) == ()
    with pytest.raises(NotFound):
        await store.tool_servers.delete(store.owner, made.id)


async def test_servers_are_there_after_a_restart(engine: Engine) -> None:
    store = await engine.open()
    made = await make(store, target=PROGRAM, TOKEN="t")
    await store.close()
    again = await engine.open()
    assert await again.tool_servers.list(again.owner) == (made,)
    assert await secrets_of(again, made) == {"TOKEN": "t"}


async def test_secrets_are_encrypted_anew_with_a_newer_key_and_refused_without_the_right_one(tmp_path: Path) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    first = await open_sqlite(tmp_path, SecretBox([old]))
    made = await make(first, **SECRETS)
    await first.close()
    assert not any(b"s3cret" in file.read_bytes() for file in tmp_path.iterdir())
    with pytest.raises(ConfigurationError, match="another secret key"):
        await open_sqlite(tmp_path, SecretBox([new]))
    for keys in ([new, old], [new]):
        store = await open_sqlite(tmp_path, SecretBox(keys))
        assert await secrets_of(store, made) == SECRETS
        await store.close()
