"""OpenAPI services over the API: what may be added, where calls may go, and that secrets stay inside."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from luxx.tools.box import Toolbox
from luxx.tools.openapi.servers import OpenApiServers
from luxx.tools.sources import ToolSources
from tests.http.world import World, web_client
from tests.tools.calls import call
from tests.tools.openapi.shop import document, with_paths
from tests.tools.web.sites import Site, site

PATH = "/api/openapi-servers"
SECRETS = {"X-Key": "t0psecret", "query:token": "al50secret"}
TEXT = document().decode()
BASE = "https://shop.example/v1"
GIVEN = {"name": "shop", "document": TEXT, "base_url": BASE, "secrets": SECRETS}


@pytest.fixture
async def shop() -> AsyncIterator[Site]:
    """A service on this machine, with its document."""
    async with site(address="127.0.0.1") as found:
        found.page("/openapi.json", with_paths({"/items": {"get": {"operationId": "items"}}}), "application/json")
        found.page("/v1/api/items", "[]", "application/json")
        yield found


def at_home(shop: Site, path: str = "/openapi.json") -> str:
    return shop.url(path, "127.0.0.1")


async def add(at: World, body: dict[str, Any]) -> dict[str, Any]:
    made = await at.owner.post(PATH, body)
    assert made.status == 201, made.body
    return made.json


async def secrets_of(at: World, server_id: str) -> dict[str, str]:
    return (await at.store.tool_servers.credentials(at.store.owner, server_id))[1]


def source_of(at: World) -> OpenApiServers:
    """Return the tools of the services as a turn gets them."""
    return OpenApiServers(at.store.tool_servers, web_client)


async def refused(at: World, body: dict[str, Any], path: str = PATH) -> tuple[str, str]:
    answer = await (at.owner.patch if path != PATH else at.owner.post)(path, body)
    assert answer.status == 422, answer.body
    return answer.json["errors"][0]["field"], answer.json["errors"][0]["message"]


async def test_a_document_is_given_back_as_its_operations_without_the_secrets(at: World) -> None:
    made = await at.owner.post(PATH, GIVEN)
    assert made.status == 201
    assert made.headers["location"] == f"{PATH}/{made.json['id']}"
    assert b"secret" not in made.body.replace(b"has_secrets", b"").replace(b'"secrets"', b"")
    assert made.json["secrets"] == ["X-Key", "query:token"]
    assert (made.json["title"], made.json["base_url"], made.json["named"], made.json["url"]) == (
        "Shop",
        BASE,
        True,
        None,
    )
    assert [(one["method"], one["path"], one["effect"], one["asks"]) for one in made.json["operations"]][:2] == [
        ("GET", "/items", "unsafe", "always"),
        ("POST", "/items", "unsafe", "always"),
    ]
    assert len(made.json["left_out"]) == 4
    assert await secrets_of(at, made.json["id"]) == SECRETS
    listed = await at.client.get(PATH)
    assert [item["name"] for item in listed.json["items"]] == ["shop"]
    assert b"0secret" not in listed.body
    assert (await at.client.get("/api/mcp-servers")).json["items"] == []


async def test_only_of_a_trusted_service_the_methods_count(at: World) -> None:
    made = await add(at, {**GIVEN, "trusted": True})
    assert [(one["method"], one["effect"], one["asks"]) for one in made["operations"]] == [
        ("GET", "read", "never"),
        ("POST", "unsafe", "always"),
        ("GET", "read", "never"),
        ("PUT", "idempotent", "always"),
        ("DELETE", "idempotent", "always"),
    ]


async def test_a_document_is_fetched_and_its_service_called_on_the_owners_machine(at: World, shop: Site) -> None:
    made = await add(at, {"name": "shop", "url": at_home(shop), "secrets": {"X-Key": "t0psecret"}})
    assert made["base_url"] == at_home(shop, "/v1/api")
    assert "x-key" not in shop.requests[0].headers
    (tool,) = await source_of(at).tools(at.store.owner)
    outcome = await call(Toolbox([tool]), {}, tool.name)
    assert outcome.content == "[]"
    assert shop.requests[1].headers["x-key"] == "t0psecret"


async def test_writing_needs_the_owners_secret(at: World) -> None:
    path = f"{PATH}/{(await add(at, GIVEN))['id']}"
    assert (await at.client.post(PATH, {**GIVEN, "name": "x"})).status == 401
    assert (await at.client.patch(path, {"trusted": True})).status == 401
    assert (await at.client.post(f"{path}/refresh", {})).status == 401
    assert (await at.client.delete(path)).status == 401
    assert (await at.owner.delete(path)).status == 204
    assert (await at.client.get(path)).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "https://a.example/o.json", "document": TEXT}, "url"),
        ({"url": "ftp://a.example"}, "url"),
        ({"url": "http://10.0.0.1:1/openapi.json"}, "url"),
        ({"document": ""}, "document"),
        ({"document": "{}"}, "document"),
        ({"document": "x" * 2_000_001}, "document"),
        ({"document": TEXT}, "document"),
        ({"document": TEXT, "base_url": "nowhere"}, "base_url"),
        ({"document": TEXT, "base_url": "http://0x7f.1"}, "base_url"),
        ({"document": TEXT, "base_url": BASE, "secrets": {"Host": "x"}}, "secrets"),
        ({"document": TEXT, "base_url": BASE, "secrets": {"X-A": "a\r\nX-B: c"}}, "secrets"),
        ({"document": TEXT, "base_url": BASE, "secrets": {"query:": "x"}}, "secrets"),
        ({"document": TEXT, "base_url": BASE, "secrets": {"query:a b": "x"}}, "secrets"),
        ({"document": TEXT, "base_url": BASE, "secrets": {"query:a": ""}}, "secrets"),
        ({"document": TEXT, "base_url": BASE, "stranger": 1}, "stranger"),
    ],
)
async def test_what_is_no_service_is_refused(at: World, body: dict[str, Any], field: str) -> None:
    said = await at.owner.post(PATH, {"name": "x", **body})
    assert said.status in (413, 422), said.body
    if said.status == 422:
        assert said.json["errors"][0]["field"].split(".")[0] == field
    assert await at.store.tool_servers.list(at.store.owner) == ()


@pytest.mark.parametrize("inside", ["http://127.0.0.1:8000", "http://169.254.169.254/latest", "http://router.lan"])
async def test_a_document_cannot_name_a_private_host(at: World, inside: str) -> None:
    text = document(servers=[{"url": inside}]).decode()
    field, message = await refused(at, {"name": "x", "document": text})
    assert field == "base_url"
    assert inside in message
    assert (await add(at, {"name": "x", "document": text, "base_url": inside}))["named"] is True


async def test_a_document_cannot_ask_for_secrets(at: World, shop: Site) -> None:
    text = document(servers=[{"url": "https://collector.example"}])
    shop.page("/openapi.json", text, "application/json")
    for given in ({"document": text.decode()}, {"url": at_home(shop)}):
        field, message = await refused(at, {"name": "x", "secrets": SECRETS, **given})
        assert field == "base_url"
        assert "https://collector.example" in message
        assert "secret" not in message.replace("your secrets", "")
    made = await add(at, {"name": "x", "url": at_home(shop)})
    assert (await refused(at, {"secrets": SECRETS}, f"{PATH}/{made['id']}"))[0] == "base_url"
    named = await at.owner.patch(f"{PATH}/{made['id']}", {"secrets": SECRETS, "base_url": "https://collector.example"})
    assert named.json["secrets"] == ["X-Key", "query:token"]


async def test_a_redirect_to_a_private_address_is_not_followed(at: World, shop: Site) -> None:
    async with site(address="127.0.0.1") as inside:
        inside.page("/openapi.json", document(), "application/json")
        shop.redirect("/openapi.json", at_home(inside))
        field, message = await refused(at, {"name": "x", "url": at_home(shop)})
        assert (field, "not public" in message) == ("url", True)
        assert inside.requests == []


async def test_only_the_fields_sent_are_changed(at: World) -> None:
    path = f"{PATH}/{(await add(at, GIVEN))['id']}"
    changed = await at.owner.patch(path, {"trusted": True, "enabled": False, "name": "store"})
    assert (changed.json["name"], changed.json["trusted"], changed.json["enabled"]) == ("store", True, False)
    assert changed.json["operations"][1]["tool"] == "store__addItem"
    assert changed.json["secrets"] == ["X-Key", "query:token"]
    assert (await at.owner.patch(path, {"base_url": BASE + "/two"})).json["secrets"] == ["X-Key", "query:token"]
    assert (await at.owner.patch(path, {"secrets": None})).json["has_secrets"] is False
    for name in ("name", "base_url", "trusted", "enabled"):
        assert (await refused(at, {name: None}, path))[0] == name


async def test_another_origin_gets_neither_the_secrets_nor_the_trust(at: World) -> None:
    path = f"{PATH}/{(await add(at, {**GIVEN, 'trusted': True}))['id']}"
    changed = await at.owner.patch(path, {"base_url": "https://other.example/v1"})
    assert (changed.json["has_secrets"], changed.json["trusted"]) == (False, False)
    again = await at.owner.patch(path, {"base_url": BASE, "secrets": {"X-Key": "k"}, "trusted": True})
    assert (again.json["secrets"], again.json["trusted"]) == (["X-Key"], True)


async def test_a_name_is_taken_once_also_by_an_mcp_server(at: World) -> None:
    assert (await at.owner.post("/api/mcp-servers", {"name": "shop", "command": "a"})).status == 201
    assert (await refused(at, GIVEN))[0] == "name"


async def test_a_refresh_says_what_is_different(at: World, shop: Site) -> None:
    made = await add(at, {"name": "shop", "url": at_home(shop), "secrets": SECRETS, "trusted": True})
    path = f"{PATH}/{made['id']}"
    same = await at.owner.post(f"{path}/refresh", {})
    assert same.json["change"] == {"added": [], "removed": [], "changed": []}
    paths = {"/items": {"get": {"operationId": "items", "summary": "All"}}, "/new": {"get": {"operationId": "new"}}}
    shop.page("/openapi.json", with_paths(paths), "application/json")
    other = await at.owner.post(f"{path}/refresh", {})
    assert other.json["change"] == {"added": ["shop__new"], "removed": [], "changed": ["shop__items"]}
    assert (other.json["moved"], other.json["server"]["trusted"], other.json["server"]["has_secrets"]) == (
        False,
        True,
        True,
    )
    shop.page("/openapi.json", document(servers=[{"url": "https://away.example"}]), "application/json")
    away = await at.owner.post(f"{path}/refresh", {})
    assert away.json["moved"] is True
    assert away.json["server"]["base_url"] == "https://away.example"
    assert (away.json["server"]["trusted"], away.json["server"]["has_secrets"]) == (False, False)


async def test_a_refresh_that_fails_changes_nothing(at: World, shop: Site) -> None:
    made = await add(at, {"name": "shop", "url": at_home(shop)})
    path = f"{PATH}/{made['id']}"
    shop.page("/openapi.json", "gone", status=404)
    gone = await at.owner.post(f"{path}/refresh", {})
    assert (gone.status, gone.json["code"]) == (502, "tool_server_failed")
    shop.page("/openapi.json", "[]", "application/json")
    assert (await at.owner.post(f"{path}/refresh", {})).status == 422
    assert (await at.client.get(path)).json["operations"] == made["operations"]


async def test_a_document_brought_as_a_text_is_replaced_by_another(at: World) -> None:
    path = f"{PATH}/{(await add(at, GIVEN))['id']}"
    assert (await at.owner.post(f"{path}/refresh", {})).json["errors"][0]["field"] == "document"
    text = with_paths({"/items": {"post": {"operationId": "addItem"}}}).decode()
    done = await at.owner.post(f"{path}/refresh", {"document": text})
    assert done.json["change"]["changed"] == ["shop__addItem"]
    assert len(done.json["change"]["removed"]) == 4
    assert done.json["server"]["base_url"] == BASE


async def test_a_turn_that_began_before_a_change_calls_the_service_no_more(at: World, shop: Site) -> None:
    made = await add(at, {"name": "shop", "url": at_home(shop), "trusted": True})
    (tool,) = await source_of(at).tools(at.store.owner)
    for change in ({"trusted": False}, {"trusted": True, "enabled": False}, {"enabled": True, "base_url": BASE}):
        await at.owner.patch(f"{PATH}/{made['id']}", change)
        outcome = await call(Toolbox([tool]), {}, tool.name)
        assert "The call was not made" in outcome.content
    await at.owner.delete(f"{PATH}/{made['id']}")
    assert (await call(Toolbox([tool]), {}, tool.name)).failed
    assert len(shop.requests) == 1


async def test_a_turn_that_waited_meanwhile_does_not_call_the_service_elsewhere(at: World, shop: Site) -> None:
    made = await add(at, {"name": "shop", "url": at_home(shop), "trusted": True})
    sources = ToolSources(Toolbox(), [source_of(at)])
    began = await sources.targets(at.store.owner)
    names = tuple(info.name for info in await sources.offered(at.store.owner))
    assert not (await call(await sources.box(at.store.owner, names, began), {}, names[0])).failed
    for change in ({"trusted": False}, {"base_url": shop.url("/v2", "127.0.0.1")}):
        await at.owner.patch(f"{PATH}/{made['id']}", change)
        outcome = await call(await sources.box(at.store.owner, names, began), {}, names[0])
    assert outcome.content == "The call was not made: shop was changed since this turn began."
    await at.owner.delete(f"{PATH}/{made['id']}")
    await add(at, {"name": "shop", "url": at_home(shop)})
    assert (await call(await sources.box(at.store.owner, names, began), {}, names[0])).failed
    assert len([request for request in shop.requests if request.target == "/v1/api/items"]) == 2


async def test_what_is_no_such_service_is_not_found(at: World) -> None:
    program = (await at.owner.post("/api/mcp-servers", {"name": "p", "command": "a"})).json["id"]
    for server_id in (program, "none"):
        path = f"{PATH}/{server_id}"
        assert (await at.client.get(path)).status == 404
        assert (await at.owner.patch(path, {"trusted": True})).status == 404
        assert (await at.owner.post(f"{path}/refresh", {})).status == 404
        assert (await at.owner.delete(path)).status == 404


async def test_ten_thousand_operations_are_taken_up_to_the_bound(at: World) -> None:
    text = msgspec.json.encode(
        {"openapi": "3.1.0", "info": {"title": "Many"}, "paths": {f"/p{n}": {"get": {}} for n in range(10_000)}}
    ).decode()
    made = await add(at, {"name": "many", "document": text, "base_url": BASE})
    assert len(made["operations"]) == 200
    assert made["left_out"] == ["Only the first 200 operations are taken."]
