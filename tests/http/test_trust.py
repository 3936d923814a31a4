"""The rules of a server on loopback: who is answered, and what the others are told."""

from pathlib import Path

import pytest

from tests.http.asgi import HOST
from tests.http.world import World, world

OWN = f"http://{HOST}"


def _code(body: bytes) -> str:
    return body.decode().partition('"code":"')[2].partition('"')[0]


@pytest.mark.parametrize("host", [HOST, "127.0.0.1:8420", "[::1]:8420", "LOCALHOST:8420"])
async def test_the_server_answers_to_its_loopback_names(at: World, host: str) -> None:
    assert (await at.client.get("/api/health", host=host)).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:80",
        "localhost:8421",
        "evil.example:8420",
        "127.0.0.1.evil.example:8420",
        "0.0.0.0:8420",
        "",
    ],
)
async def test_another_host_is_refused_with_what_to_do(at: World, host: str) -> None:
    answer = await at.client.get("/api/health", host=host)
    assert (answer.status, answer.json["code"]) == (403, "foreign_host")
    assert "accounts are needed" in answer.json["detail"]


async def test_two_hosts_are_refused_even_if_one_is_right(at: World) -> None:
    answer = await at.client.send("GET", "/api/health", headers=[("host", HOST), ("host", "evil.example:8420")])
    assert answer.json["code"] == "foreign_host"


async def test_the_default_port_may_be_left_out_of_the_host(tmp_path: Path) -> None:
    async with world(tmp_path, port=80) as at:
        assert (await at.client.get("/api/health", host="localhost")).status == 200
        assert (await at.client.get("/api/health", host="localhost:80")).status == 200


async def test_the_own_origin_passes(at: World) -> None:
    assert (await at.client.get("/api/health", origin=OWN)).status == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "https://localhost:8420", "http://localhost:3000", "http://127.0.0.1:8420", "https://evil.example", ""],
)
async def test_a_foreign_origin_is_refused(at: World, origin: str) -> None:
    answer = await at.client.post("/api/conversations", {}, origin=origin)
    assert (answer.status, answer.json["code"]) == (403, "foreign_origin")


@pytest.mark.parametrize("site", ["same-origin", "none"])
async def test_the_own_page_and_no_page_pass(at: World, site: str) -> None:
    assert (await at.client.get("/api/health", sec_fetch_site=site)).status == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "something-new"])
async def test_requests_of_other_sites_are_refused(at: World, site: str) -> None:
    answer = await at.client.get("/api/health", sec_fetch_site=site)
    assert (answer.status, answer.json["code"]) == (403, "cross_site")


NAVIGATION = {
    "sec_fetch_site": "cross-site",
    "sec_fetch_mode": "navigate",
    "sec_fetch_dest": "document",
    "accept": "text/html",
}


@pytest.mark.parametrize("path", ["/", "/c/123", "/open?token=the-owners-secret", "/api/docs"])
async def test_a_link_on_another_site_may_open_the_page(at: World, path: str) -> None:
    answer = await at.client.get(path, **NAVIGATION)
    assert _code(answer.body) != "cross_site"
    assert answer.status != 403


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        ("/api/conversations", {}),
        ("/api/openapi.json", {}),
        ("/", {"sec_fetch_dest": "iframe"}),
        ("/", {"sec_fetch_mode": "no-cors"}),
        ("/", {"sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}),
    ],
)
async def test_nothing_else_of_another_site_passes(at: World, path: str, changed: dict[str, str]) -> None:
    answer = await at.client.get(path, **{**NAVIGATION, **changed})
    assert _code(answer.body) == "cross_site"


async def test_a_form_of_another_site_cannot_navigate_with_a_post(at: World) -> None:
    answer = await at.client.post("/", {}, **NAVIGATION)
    assert answer.json["code"] == "cross_site"


@pytest.mark.parametrize(
    "header",
    ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded", "X-Real-IP", "Via"],
)
async def test_a_proxy_in_front_is_refused_with_what_to_do(at: World, header: str) -> None:
    answer = await at.client.get("/api/health", **{header: "127.0.0.1"})
    assert (answer.status, answer.json["code"]) == (403, "behind_proxy")
    assert "accounts are needed" in answer.json["detail"]


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_a_change_must_be_declared_as_json(at: World, method: str, kind: str) -> None:
    answer = await at.client.send(method, "/api/conversations", b"{}", {"content-type": kind})
    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")
    assert (await at.client.send(method, "/api/conversations", b"{}")).status == 415


async def test_two_content_types_must_both_be_json(at: World) -> None:
    headers = [("content-type", "application/json"), ("content-type", "text/plain")]
    assert (await at.client.send("POST", "/api/conversations", b"{}", headers)).status == 415


async def test_json_may_name_its_charset(at: World) -> None:
    answer = await at.client.send(
        "POST", "/api/conversations", b"{}", {"content-type": "Application/JSON; charset=utf-8"}
    )
    assert answer.status == 201


async def test_a_delete_needs_no_content_type_unless_it_has_a_body(at: World) -> None:
    conversation_id = await at.conversation()
    path = f"/api/conversations/{conversation_id}"
    assert (await at.client.send("DELETE", path, b"x", {"content-length": "1"})).status == 415
    assert (await at.client.send("DELETE", path, b"x", {"transfer-encoding": "chunked"})).status == 415
    assert (await at.client.send("DELETE", path, b"", {"content-length": "0"})).status == 204


async def test_a_refused_request_stores_nothing(at: World) -> None:
    await at.client.post("/api/conversations", {}, origin="https://evil.example")
    assert (await at.client.get("/api/conversations")).json["items"] == []


@pytest.mark.parametrize("path", ["/api/health", "/", "/nothing", "/api/nothing", "/api/docs", "/open"])
async def test_every_answer_has_the_security_headers(at: World, path: str) -> None:
    for host in (HOST, "evil.example"):
        headers = (await at.client.get(path, host=host)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_no_answer_allows_other_origins_to_read_it(at: World) -> None:
    answer = await at.client.send("OPTIONS", "/api/conversations", b"", {"origin": OWN})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_websocket_is_closed(at: World) -> None:
    sent: list[str] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    async def receive() -> dict[str, object]:
        return {"type": "websocket.connect"}

    await at.app({"type": "websocket", "path": "/", "headers": []}, receive, send)
    assert sent == ["websocket.close"]
