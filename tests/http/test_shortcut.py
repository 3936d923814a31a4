"""The shortcut of posted messages: what goes it is answered as the framework answers what does not."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message

from tests.http.asgi import HOST, Answer
from tests.http.world import World

_JSON = {"content-type": "application/json"}
_LONG_WAY = "?plain=no"
"""A request with parameters does not go the shortcut."""


async def _send(at: World, path: str, body: bytes | Sequence[bytes], **headers: str) -> Answer:
    return await at.client.send("POST", path, body, {**_JSON, **headers})


@pytest.mark.parametrize(
    "body",
    [
        b'{"text":"hi","title":"x"}',
        b'{"text":1}',
        b'{"text":""}',
        b'{"text":"  "}',
        b'{"text":"' + b"x" * 500_000 + b'"}',
        b'{"text":"hi","temperature":NaN}',
        b'{"text":"hi","temperature":3}',
        b'{"text":"hi","attachments":["unknown"]}',
        b'{"text":"hi","parent_id":"unknown"}',
        b'{"text":"hi","provider_id":"unknown"}',
        b'{"text":"hi"',
        b'{"text":"\xff"}',
        b"[" * 100_000,
        b'"hi"',
        b"null",
        b"{}",
    ],
    ids=lambda body: repr(body[:40]),
)
async def test_what_is_refused_is_refused_in_the_same_words(at: World, body: bytes) -> None:
    path = f"/api/conversations/{await at.conversation()}/messages"
    short, long = await _send(at, path, body), await _send(at, path + _LONG_WAY, body)
    assert 400 <= short.status < 500
    assert (short.status, short.headers, short.body) == (long.status, long.headers, long.body)


@pytest.mark.parametrize("conversation", ["unknown", "not an id", "x" * 65])
async def test_a_conversation_that_is_not_there_is_not_found(at: World, conversation: str) -> None:
    path = f"/api/conversations/{conversation}/messages"
    short, long = await _send(at, path, b'{"text":"hi"}'), await _send(at, path + _LONG_WAY, b'{"text":"hi"}')
    assert short.status == 404
    assert (short.headers, short.body) == (long.headers, long.body)


async def test_what_does_not_fit_the_branch_is_a_conflict(at: World) -> None:
    path = f"/api/conversations/{await at.conversation()}/messages"
    assert (await _send(at, path, b'{"text":"hi"}')).status == 202
    short, long = await _send(at, path, b'{"text":"again"}'), await _send(at, path + _LONG_WAY, b'{"text":"again"}')
    assert (short.status, short.json["code"]) == (409, "turn_running")
    assert (short.headers, short.body) == (long.headers, long.body)


async def test_a_position_that_is_no_number_is_refused_before_anything_is_stored(at: World) -> None:
    conversation = await at.conversation()
    path = f"/api/conversations/{conversation}/messages"
    headers = {"accept": "text/event-stream", "last-event-id": "x"}
    short = await _send(at, path, b'{"text":"hi"}', **headers)
    long = await _send(at, path + _LONG_WAY, b'{"text":"hi"}', **headers)
    assert short.status == 400
    assert (short.headers, short.body) == (long.headers, long.body)
    assert (await at.client.get(path)).json["items"] == []


async def test_a_message_is_taken_with_and_without_a_declared_length(at: World) -> None:
    for body in (b'{"text":"whole"}', [b'{"text":', b'"in pieces"}']):
        answer = await _send(at, f"/api/conversations/{await at.conversation()}/messages", body)
        assert answer.status == 202


@pytest.mark.parametrize("path", ["", _LONG_WAY])
async def test_a_turn_is_streamed_to_who_asks_for_events(at: World, path: str) -> None:
    at.model.say("Hello", end=True)
    url = f"/api/conversations/{await at.conversation()}/messages{path}"
    answer = await _send(at, url, b'{"text":"hi"}', accept="text/event-stream")
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (answer.events[0].event, answer.events[-1].event) == ("turn", "done")


async def test_a_client_that_goes_before_its_body_is_whole_posts_nothing(at: World) -> None:
    conversation = await at.conversation()
    path = f"/api/conversations/{conversation}/messages"
    body = b'{"text":"hi"}'
    messages: list[Message] = [
        {"type": "http.request", "body": body, "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        assert message["type"].startswith("http.response")

    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (b"host", HOST.encode()),
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % (len(body) + 1)),
        ],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8420),
        "state": {},
    }
    async with asyncio.timeout(10):
        await at.app(scope, receive, send)
    assert (await at.client.get(path)).json["items"] == []
