"""Problems: every error has a status, a stable code and words, and none shows the inside."""

from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope

from luxx.core import errors
from luxx.http.errors import STATUS, ErrorBoundary, on_luxx_error, problem_of
from luxx.http.reply import Reply
from tests.http.asgi import Answer, Client
from tests.http.world import World, world


def test_every_error_of_luxx_has_a_status() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.LuxxError)}
    assert kinds <= STATUS.keys()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest("bad"), 422, "invalid_request"),
        (errors.NotFound("gone"), 404, "not_found"),
        (errors.Conflict("turn_running", "busy", "t1"), 409, "turn_running"),
        (errors.Conflict("queue_full", "full"), 409, "queue_full"),
        (errors.LimitReached("too_many_turns", "many"), 429, "too_many_turns"),
        (errors.LimitReached("draining", "later"), 503, "draining"),
        (errors.LimitReached("starting", "soon"), 503, "starting"),
        (errors.SecretRequired("who are you?"), 401, "owner_secret_required"),
        (errors.TurnAbandoned("given up"), 500, "turn_abandoned"),
        (errors.Fenced("taken"), 503, "fenced"),
        (errors.ProviderAuth("no", 401), 502, "provider_auth"),
        (errors.ProviderTimeout("slow"), 504, "provider_timeout"),
        (errors.RateLimited("slow down"), 429, "rate_limited"),
    ],
)
def test_an_error_becomes_its_status_and_code(error: errors.LuxxError, status: int, code: str) -> None:
    problem = problem_of(error)
    assert (problem.status, problem.code) == (status, code)
    assert problem.title


@pytest.mark.parametrize("reason", ["starting", "draining", "too_many_turns"])
async def test_who_is_to_come_back_is_told_when(reason: str) -> None:
    answer = await on_luxx_error(
        Request({"type": "http", "path": "/x", "headers": []}), errors.LimitReached(reason, "not now")
    )
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(("text", "shown"), [("\ud83d\ude00", "😀"), ("\ude00\0", "\ufffd\ufffd")])
def test_any_text_of_an_error_can_be_sent(text: str, shown: str) -> None:
    assert problem_of(errors.NotFound(text)).detail == shown


def test_a_turn_in_the_way_is_named() -> None:
    assert problem_of(errors.Conflict("turn_running", "busy", "t1")).turn_id == "t1"


def test_a_field_is_named_twice_for_programs_and_people() -> None:
    problem = problem_of(errors.InvalidRequest("is too long", field="title"))
    assert problem.detail == "title: is too long"
    assert [(one.field, one.message) for one in problem.errors] == [("title", "is too long")]


async def _boundary(app: object) -> Answer:
    return await Client(ErrorBoundary(app)).get("/x")


async def test_an_unexpected_error_shows_nothing_of_the_inside() -> None:
    async def app(scope: Scope, receive: Receive, reply: Reply) -> None:
        raise RuntimeError("the password is hunter2")

    answer = await _boundary(app)
    assert (answer.status, answer.json["code"]) == (500, "internal")
    assert b"hunter2" not in answer.body


async def test_an_answer_that_broke_off_is_not_made_whole() -> None:
    sent: list[str] = []

    async def app(scope: Scope, receive: Receive, reply: Reply) -> None:
        await reply({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("broken")

    async def send(message: dict[str, object]) -> None:
        sent.append(str(message["type"]))

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    await ErrorBoundary(app)({"type": "http", "path": "/", "method": "GET", "headers": []}, receive, send)
    assert sent == ["http.response.start"]


async def test_a_route_that_fails_is_a_500(at: World) -> None:
    await at.store.close()
    answer = await at.client.get("/api/conversations")
    assert answer.status in (500, 503)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/conversations/", "/api/turns/x/y/z", "/assets/x.js"]
)
async def test_an_unknown_path_is_a_problem(at: World, path: str) -> None:
    answer = await at.client.get(path, accept="text/html")
    assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), [("PUT", "/api/health"), ("DELETE", "/api/conversations"), ("POST", "/x")])
async def test_a_method_that_is_not_there_is_a_problem(at: World, method: str, path: str) -> None:
    answer = await at.client.send(method, path, b"", {"content-type": "application/json"})
    assert (answer.status, answer.json["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/conversations/none",
        "/api/conversations/none/messages",
        "/api/turns/none",
        "/api/turns/none/events",
        "/api/providers/none",
        "/api/providers/none/models",
        "/api/events?turn=none:0",
        "/api/turns/%00/events",
        "/api/turns/a%20b",
    ],
)
async def test_an_unknown_id_is_not_found(at: World, path: str) -> None:
    answer = await at.client.get(path)
    assert (answer.status, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/api/conversations/none/messages",
        "/api/messages/none/regenerate",
        "/api/messages/none/continue",
        "/api/turns/none/cancel",
        "/api/providers/none/test",
    ],
)
async def test_a_post_to_an_unknown_id_is_not_found(at: World, path: str) -> None:
    body = {"text": "hi"} if path.startswith("/api/conv") else {}
    for accept in ("application/json", "text/event-stream"):
        answer = await at.client.post(path, body, accept=accept)
        assert (answer.status, answer.json["code"]) == (404, "not_found")


async def test_a_body_that_is_too_large_is_refused_however_it_comes(tmp_path: Path) -> None:
    async with world(tmp_path, max_body=1000) as at:
        large = b'{"title":"' + b"x" * 1000 + b'"}'
        declared = {"content-type": "application/json", "content-length": str(len(large))}
        whole = await at.client.send("POST", "/api/conversations", large, declared)
        chunked = {"content-type": "application/json", "transfer-encoding": "chunked"}
        pieces = await at.client.send("POST", "/api/conversations", [large[:500], large[500:900], large[900:]], chunked)
        for answer in (whole, pieces):
            assert (answer.status, answer.json["code"]) == (413, "body_too_large")
            assert answer.headers["content-type"] == "application/problem+json"
        assert (await at.client.get("/api/conversations")).json["items"] == []


async def test_a_provider_that_fails_is_a_bad_gateway(at: World) -> None:
    provider_id = (await at.client.get("/api/providers")).json["items"][0]["id"]
    at.model.failure = errors.ProviderUnreachable("no route to host")
    answer = await at.client.get(f"/api/providers/{provider_id}/models")
    assert (answer.status, answer.json["code"], answer.json["detail"]) == (
        502,
        "provider_unreachable",
        "no route to host",
    )
    at.model.failure = errors.RateLimited("slow down", retry_after=2.6)
    answer = await at.client.get(f"/api/providers/{provider_id}/models")
    assert (answer.status, answer.headers["retry-after"]) == (429, "3")
