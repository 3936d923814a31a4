"""Operations of a web service, called as tools."""

import functools
import json
from collections.abc import Mapping

import pytest

from luxx.core.errors import NotFound
from luxx.core.ports import ToolOutcome
from luxx.core.tool_servers import NewToolServer, OpenApiTarget, ToolServer
from luxx.tools.box import Toolbox
from luxx.tools.builtin.web.client import WebClient
from luxx.tools.builtin.web.guard import Guard
from luxx.tools.mcp.names import tool_name
from luxx.tools.openapi.document import BadDocument, read_document
from luxx.tools.openapi.servers import OpenApiServers, fetched, new_target
from luxx.tools.openapi.tools import Access, Service, service_of
from tests.tools.calls import KEY, FakeContext, call
from tests.tools.openapi.shop import document, with_paths
from tests.tools.web.sites import Names, Site, client, site

TOKEN = "token-1234567890"


def service(
    at: Site,
    data: bytes | None = None,
    access: Access | None = None,
    using: WebClient | None = None,
    *,
    trusted: bool = True,
) -> Service:
    return service_of(
        read_document(data or document()),
        using or client(),
        name=functools.partial(tool_name, "shop"),
        source="shop",
        found_at=at.url("/spec/openapi.json"),
        access=access,
        trusted=trusted,
    )


async def use(made: Service, name: str, at: FakeContext | None = None, /, **arguments: object) -> ToolOutcome:
    return await call(Toolbox(made.tools), arguments, tool_name("shop", name), at)


async def test_each_operation_is_a_tool_with_the_effect_of_its_method() -> None:
    async with site() as at:
        made = service(at)
    assert made.base_url == at.url("/v1/api")
    assert [
        (info.name.split("__")[1][:8], info.effect, info.asks, info.source) for info in Toolbox(made.tools).infos()
    ] == [
        ("list_ite", "read", "never", "shop"),
        ("addItem", "unsafe", "always", "shop"),
        ("getItem", "read", "never", "shop"),
        ("putItem", "idempotent", "always", "shop"),
        ("deleteIt", "idempotent", "always", "shop"),
    ]


async def test_arguments_are_sent_where_they_belong() -> None:
    async with site() as at:
        at.page("/v1/api/items", "[]", "application/json")
        arguments = {"tag": ["a b", "c&d"], "ids": [1, 2], "where": {"x": 1, "y": True}, "X-Trace": "t1", "lang": None}
        outcome = await use(service(at), "list.items", None, **arguments)
        assert outcome.content == "[]"
        request = at.requests[0]
        assert (request.method, request.headers["x-trace"]) == ("GET", "t1")
        assert request.target == "/v1/api/items?tag=a+b&tag=c%26d&ids=1,2&where%5Bx%5D=1&where%5By%5D=true"
        assert "idempotency-key" not in request.headers


async def test_arguments_with_names_that_providers_refuse_are_sent_under_their_own() -> None:
    body = {"type": "object", "properties": {"@type": {"type": "string", "pattern": "("}}, "required": ["@type"]}
    operation = {
        "operationId": "find",
        "parameters": [{"name": "filter[name]", "in": "query", "required": True, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": body}}},
    }
    async with site() as at:
        at.page("/v1/api/find", "[]", "application/json")
        made = service(at, with_paths({"/find": {"post": operation}}))
        schema = made.tools[0].spec.parameters
        (named, inner), (body_schema,) = schema["properties"], [schema["properties"]["body"]]
        assert (schema["required"], inner, "pattern" in str(schema)) == ([named], "body", False)
        arguments = {named: "tea", "body": {next(iter(body_schema["properties"])): "x"}}
        assert not (await use(made, "find", None, **arguments)).failed
        assert at.requests[0].target == "/v1/api/find?filter%5Bname%5D=tea"
        assert json.loads(at.requests[0].body) == {"@type": "x"}


async def test_a_body_is_sent_as_json_or_as_a_form_with_the_calls_key() -> None:
    async with site() as at:
        at.page("/v1/api/items", '{"id": 7}', "application/json", 201)
        at.page("/v1/api/items/a%2Fb%3Fc", "", status=204)
        assert (await use(service(at), "addItem", None, body={"name": "tea", "price": 2.5})).content == '{"id": 7}'
        done = await use(service(at), "putItem", None, id="a/b?c", body={"x": "1 2", "y": ["a", "b"]})
        assert done.content == "Done; the service answered 204 without content."
        posted, put = at.requests
        assert json.loads(posted.body) == {"name": "tea", "price": 2.5}
        assert (posted.headers["content-type"], posted.headers["idempotency-key"]) == ("application/json", KEY)
        assert (put.method, put.target, put.body) == ("PUT", "/v1/api/items/a%2Fb%3Fc", b"x=1+2&y=a&y=b")


async def test_a_request_without_a_body_has_no_type_of_one() -> None:
    async with site() as at:
        at.page("/v1/api/ping", "[]", "application/json")
        made = service(at, with_paths({"/ping": {"post": {"operationId": "ping"}}}))
        assert not (await use(made, "ping")).failed
        assert "content-type" not in at.requests[0].headers


@pytest.mark.parametrize(
    ("name", "arguments", "text"),
    [
        ("getItem", {}, "arguments.id is missing"),
        ("getItem", {"id": ""}, "a part of the address"),
        ("getItem", {"id": ".."}, "a part of the address"),
        ("getItem", {"id": None}, "arguments.id is not of the type string"),
        ("getItem", {"id": "1", "other": 2}, "arguments.other must not be there"),
        ("addItem", {}, "arguments.body is missing"),
        ("putItem", {"id": "1", "body": "text"}, "arguments.body is not of the type object"),
        ("list.items", {"X-Trace": "a\r\nHost: evil"}, "plain characters"),
    ],
)
async def test_arguments_that_cannot_be_sent_are_refused(name: str, arguments: Mapping[str, object], text: str) -> None:
    async with site() as at:
        outcome = await use(service(at), name, None, **arguments)
        assert outcome.failed
        assert text in outcome.content
        assert at.requests == []


@pytest.mark.parametrize("value", ["x/../../admin", "a?b#c", "@evil.example", "\\..\\x", "%2e%2e"])
async def test_a_path_argument_cannot_lead_elsewhere(value: str) -> None:
    async with site() as at:
        await use(service(at), "getItem", None, id=value)
        assert len(at.requests[0].target.split("/")) == 5
        assert at.requests[0].headers["host"] == f"site.example:{at.port}"


async def test_secrets_are_sent_and_never_shown() -> None:
    access = Access(
        headers={"Authorization": f"Bearer {TOKEN}", "X-Key": "header-secret"}, query={"api_key": "q s&secret"}
    )
    async with site() as at:
        at.page("/v1/api/items", f"no: {TOKEN} header-secret q s&secret q%20s%26secret", "text/plain", 403)
        outcome = await use(service(at, access=access), "list.items", None, lang="de")
        assert outcome.content == "The service answered 403 X: no: [secret] [secret] [secret] [secret]"
        request = at.requests[0]
        assert (request.headers["authorization"], request.headers["x-key"]) == (f"Bearer {TOKEN}", "header-secret")
        assert request.target == "/v1/api/items?lang=de&api_key=q+s%26secret"


async def test_secrets_do_not_follow_a_redirect_to_another_origin() -> None:
    access = Access(headers={"X-Key": "header-secret"})
    async with site() as at:
        at.redirect("/v1/api/items", at.url("/stolen", "other.example"))
        at.page("/stolen", "{}", "application/json")
        await use(service(at, access=access), "list.items")
        assert [request.headers.get("x-key") for request in at.requests] == ["header-secret", None]


async def test_a_call_that_changes_something_follows_no_redirect() -> None:
    async with site() as at:
        at.redirect("/v1/api/items/1", at.url("/elsewhere"), 307)
        assert (await use(service(at), "deleteItem", None, id="1")).content.startswith("The service answered 307")
        assert len(at.requests) == 1


async def test_files_and_long_answers_are_kept() -> None:
    context = FakeContext()
    async with site() as at:
        at.page("/v1/api/items/1", b"\x89PNG\r\n\x1a\n", "image/png")
        outcome = await use(service(at), "getItem", context, id="1")
        assert outcome.content == "The service sent image/png:\n[file getItem.png: id file-1, image/png, 8 bytes]"
        at.page("/v1/api/items/1", '"' + "x" * 90_000 + '"', "application/json")
        assert "all of it is in the file file-2" in (await use(service(at), "getItem", context, id="1")).content


async def test_a_service_at_a_private_address_is_only_called_by_who_may() -> None:
    async with site(address="127.0.0.1") as at:
        at.page("/items", "[]", "application/json")
        data = document(servers=[{"url": f"http://127.0.0.1:{at.port}"}])
        outcome = await use(service(at, data, using=WebClient(Guard(Names()))), "list.items")
        assert outcome.failed
        assert at.requests == []


@pytest.mark.parametrize(
    "servers", [[], [{"url": "ftp://x"}], [{"url": "{broken"}], [{"url": "http://[a]@"}], [{"url": 7}], None]
)
def test_a_document_without_a_usable_address_needs_one(servers: object) -> None:
    with pytest.raises(BadDocument):
        service_of(read_document(document(servers=servers)), client(), name=str, source="")


@pytest.mark.parametrize("servers", [None, [], [{}], [{"url": ""}], [{"url": "/"}]])
async def test_a_service_without_an_address_is_where_its_document_lies(servers: object) -> None:
    target, _ = await new_target(document(servers=servers), client(), found_at="https://a.example/docs/openapi.json")
    assert (target.base_url, target.named) == ("https://a.example", False)


async def test_of_two_operations_with_one_id_the_first_is_taken() -> None:
    data = with_paths({f"/{n}": {"get": {"operationId": "same"}} for n in range(2)})
    target, offer = await new_target(data, client(), base_url="https://a.example/api/")
    assert (target.base_url, [one.tool for one in offer.operations]) == ("https://a.example/api", ["same"])
    assert offer.left_out == ("GET /1 is left out: its id same is there already",)


class Stored:
    """A store of tool servers, as far as tools are made of it."""

    def __init__(self, *servers: ToolServer, secrets: Mapping[str, str] | None = None) -> None:
        self.servers = {server.id: server for server in servers}
        self.secrets = dict(secrets or {})

    async def list(self, owner: str) -> tuple[ToolServer, ...]:
        return tuple(self.servers.values()) if owner == "ada" else ()

    async def credentials(self, owner: str, server_id: str) -> tuple[ToolServer, dict[str, str]]:
        if owner != "ada" or server_id not in self.servers:
            raise NotFound("there is no such server")
        return self.servers[server_id], self.secrets


async def stored(name: str, data: bytes, *, enabled: bool = True) -> ToolServer:
    new = NewToolServer(name=name, target=(await new_target(data, client(), "https://a.example"))[0], enabled=enabled)
    return ToolServer(id=name, name=new.name, target=new.target, trusted=False, enabled=enabled, created_at="now")


async def test_the_tools_of_a_persons_documents_are_offered() -> None:
    one, off = (
        await stored("one", with_paths({"/a": {"get": {"operationId": "a"}}})),
        await stored("off", document(), enabled=False),
    )
    broken = ToolServer(
        id="b",
        name="broken",
        target=OpenApiTarget(base_url="x", document="{}"),
        trusted=False,
        enabled=True,
        created_at="now",
    )
    source = OpenApiServers(Stored(broken, one, off), lambda _, named: client())  # type: ignore[arg-type]
    assert [tool.name for tool in await source.tools("ada")] == ["one__a"]
    assert await source.tools("ada") == await source.tools("ada")
    assert await source.tools("bob") == ()


async def test_stored_secrets_are_headers_or_parts_of_the_address() -> None:
    async with site() as at:
        at.page("/items", "[]", "application/json")
        server = await stored("shop", document())
        target = OpenApiTarget(base_url=at.url(""), document=document().decode())
        server = ToolServer(
            id="s", name="shop", target=target, trusted=False, enabled=True, created_at=server.created_at
        )
        store = Stored(server, secrets={"X-Key": "abcd1", "query:k": "efgh2"})
        source = OpenApiServers(store, lambda _, named: client())  # type: ignore[arg-type]
        box = Toolbox(await source.tools("ada"))
        assert (await call(box, {}, tool_name("shop", "list.items"))).content == "[]"
        assert (at.requests[0].headers["x-key"], at.requests[0].target) == ("abcd1", "/items?k=efgh2")


async def test_a_document_is_fetched_from_where_it_lies() -> None:
    async with site() as at:
        at.page("/openapi.json", document(), "application/json")
        data = await fetched(client(), at.url("/openapi.json"))
        assert (await new_target(data, client(), found_at=at.url("/openapi.json")))[0].base_url == at.url("/v1/api")
        with pytest.raises(BadDocument, match="answered 404"):
            await fetched(client(), at.url("/none"))
        with pytest.raises(BadDocument, match="not public"):
            await fetched(client(), "http://10.0.0.1/openapi.json")


@pytest.mark.parametrize(
    ("status", "trusted", "unknown"), [(503, False, True), (408, False, True), (404, False, False), (503, True, False)]
)
async def test_of_an_unsafe_call_that_may_have_arrived_nobody_says_what_it_did(
    status: int, trusted: bool, unknown: bool
) -> None:
    async with site() as at:
        at.page("/v1/api/items/7", "no", status=status)
        outcome = await use(service(at, trusted=trusted), "putItem", id="7")
    assert outcome.failed
    assert ("The outcome is unknown" in outcome.content) is unknown


async def test_a_service_that_is_not_there_has_done_nothing() -> None:
    async with site() as at:
        made = service(at, trusted=False)
    outcome = await use(made, "putItem", id="7")
    assert outcome.failed
    assert "The outcome is unknown" not in outcome.content
