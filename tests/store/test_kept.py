"""What the store keeps of its small tables: never anything older than the last change."""

import asyncio

import pytest

from luxx.core.errors import NotFound
from luxx.core.tool_servers import HttpTarget, NewToolServer, ToolServerChange
from luxx.store.interface import Store
from luxx.store.records import NewProvider, Provider, ProviderChange


async def _made(store: Store, name: str) -> Provider:
    return await store.providers.create(store.owner, NewProvider(name=name, format="openai"))


async def test_each_change_of_a_provider_is_seen_at_the_next_look(store: Store) -> None:
    owner, providers = store.owner, store.providers
    assert await providers.default(owner) is None
    first, second = await _made(store, "first"), await _made(store, "second")
    for wanted in (second, first):
        await providers.change(owner, wanted.id, ProviderChange(is_default=True, default_model=f"of {wanted.name}"))
        default = await providers.default(owner)
        assert default == await providers.get(owner, wanted.id)
        assert default is not None
        assert default.default_model == f"of {wanted.name}"
    await providers.delete(owner, first.id)
    assert await providers.default(owner) == await providers.get(owner, second.id)
    with pytest.raises(NotFound):
        await providers.get(owner, first.id)


async def test_each_change_of_a_tool_server_is_seen_at_the_next_look(store: Store) -> None:
    owner, servers = store.owner, store.tool_servers
    assert await servers.list(owner) == ()
    made = await servers.create(owner, NewToolServer(name="tools", target=HttpTarget(url="https://tools.example/mcp")))
    assert await servers.list(owner) == (made,)
    assert await servers.set_tools(owner, made, b"[]")
    assert [server.tools for server in await servers.list(owner)] == [b"[]"]
    await servers.change(owner, made.id, ToolServerChange(enabled=False))
    assert [server.enabled for server in await servers.list(owner)] == [False]
    await servers.delete(owner, made.id)
    assert await servers.list(owner) == ()


async def test_people_see_only_what_is_theirs(store: Store) -> None:
    made = await _made(store, "mine")
    assert await store.providers.get(store.owner, made.id) == made
    assert await store.providers.default("somebody else") is None
    with pytest.raises(NotFound):
        await store.providers.get("somebody else", made.id)


async def test_looks_beside_changes_leave_nothing_old(store: Store) -> None:
    owner, providers = store.owner, store.providers
    both = [await _made(store, "first"), await _made(store, "second")]
    for round_number in range(20):
        wanted = both[round_number % 2].id
        async with asyncio.TaskGroup() as group:
            for _ in range(3):
                group.create_task(providers.default(owner))
            group.create_task(providers.change(owner, wanted, ProviderChange(is_default=True)))
            for _ in range(3):
                group.create_task(providers.default(owner))
        default = await providers.default(owner)
        assert default is not None
        assert default.id == wanted


async def test_a_change_whose_caller_is_gone_is_seen_too(store: Store) -> None:
    owner, providers = store.owner, store.providers
    await _made(store, "first")
    second = await _made(store, "second")
    assert await providers.default(owner) != second
    async with asyncio.TaskGroup() as group:
        change = group.create_task(providers.change(owner, second.id, ProviderChange(is_default=True)))
        await asyncio.sleep(0)
        change.cancel()
    async with asyncio.timeout(10):
        while (default := await providers.default(owner)) is None or default.id != second.id:
            await store.ping()  # each waits behind what was written before
