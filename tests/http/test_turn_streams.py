"""Following a turn: from any place, to its end, once and in order; and what a stream costs a server that is full."""

import asyncio
from pathlib import Path
from typing import Never

import msgspec
import pytest

from luxx.core.errors import StorageError
from luxx.core.events import LogEntry
from luxx.core.replay import Replay
from luxx.core.steps import answer_text
from tests.http.asgi import Answer
from tests.http.world import World, world

STREAM = "text/event-stream"


def _ids(answer: Answer) -> list[int]:
    return [int(event.id) for event in answer.events]


def _text(*parts: list[object]) -> str:
    replay = Replay()
    for event in (event for part in parts for event in part):
        replay.apply(LogEntry(int(event.id), event.event, event.data))
    return answer_text(replay.steps())


async def test_a_message_can_be_answered_with_its_events(at: World) -> None:
    at.model.say("Hel", "lo", end=True)
    conversation_id = await at.conversation()
    answer = await at.client.post(f"/api/conversations/{conversation_id}/messages", {"text": "hi"}, accept=STREAM)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert (answer.headers["cache-control"], answer.headers["x-accel-buffering"]) == ("no-cache", "no")
    first = msgspec.json.decode(answer.events[0].data)
    assert answer.headers["luxx-turn-id"] == first["turn_id"]
    assert answer.headers["content-location"] == f"/api/turns/{first['turn_id']}/events"
    assert _ids(answer) == list(range(1, len(answer.events) + 1))
    assert [answer.events[0].event, answer.events[-1].event] == ["turn", "done"]
    assert _text(answer.events) == "Hello"
    assert (await at.client.get(answer.headers["content-location"])).body == answer.body


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 202),
        ("", 202),
        ("application/json", 202),
        ("text/event-stream", 200),
        ("TEXT/EVENT-STREAM; charset=utf-8", 200),
        ("application/json, text/event-stream", 200),
        ("application/json, text/event-stream;q=0.5", 202),
        ("text/event-stream;q=0", 202),
        ("text/event-stream;q=x", 202),
    ],
)
async def test_the_accept_header_chooses_the_form(at: World, accept: str, status: int) -> None:
    at.model.say("x", end=True)
    conversation_id = await at.conversation()
    path = f"/api/conversations/{conversation_id}/messages"
    assert (await at.client.post(path, {"text": "hi"}, accept=accept)).status == status


async def test_a_turn_is_read_on_from_every_place(at: World) -> None:
    started = await at.finished("a", "b", "c")
    whole = await at.client.get(started["events_url"])
    for after in range(len(whole.events)):
        rest = await at.client.get(f"{started['events_url']}?after={after}")
        assert rest.events == whole.events[after:]
        by_header = await at.client.get(f"{started['events_url']}?after=0", last_event_id=str(after))
        assert by_header.body == rest.body


async def test_a_reader_that_has_seen_all_of_an_ended_turn_is_told_to_stop(at: World) -> None:
    started = await at.finished("a")
    last = len((await at.client.get(started["events_url"])).events)
    for query in ("", "&deltas=false"):
        answer = await at.client.get(f"{started['events_url']}?after={last}{query}")
        assert (answer.status, answer.body) == (204, b"")


async def test_a_place_beyond_the_log_is_refused(at: World) -> None:
    started = await at.finished("a")
    answer = await at.client.get(started["events_url"], last_event_id="99")
    assert (answer.status, answer.json["code"]) == (409, "ahead_of_log")


@pytest.mark.parametrize("place", ["x", "-1", "1.0", "", " 1", "\uff11", "9" * 19, "0x1"])
async def test_a_place_that_is_no_number_is_refused(at: World, place: str) -> None:
    started = await at.finished("a")
    assert (await at.client.get(started["events_url"], last_event_id=place.encode().decode("latin-1"))).status == 400
    if place.isascii() and " " not in place:
        answer = await at.client.get(f"{started['events_url']}?after={place}")
        assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_the_head_and_each_event_come_at_once(at: World) -> None:
    started = await at.start()
    async with at.client.stream("GET", started["events_url"]) as events:
        assert events.status == 200
        await events.until(1)
        at.model.say("one")
        await events.until_text(b"one")
        at.model.say("two")
        await events.until_text(b"two")
        at.model.say(end=True)
        assert _text(await events.until_end()) == "onetwo"


async def test_two_readers_get_the_same_bytes(at: World) -> None:
    started = await at.start()
    async with (
        at.client.stream("GET", started["events_url"]) as one,
        at.client.stream("GET", started["events_url"]) as two,
    ):
        for word in "abc":
            at.model.say(word)
            await one.until_text(f'"{word}"'.encode())
        at.model.say(end=True)
        await one.until_end()
        await two.until_end()
        assert one.bytes == two.bytes


async def test_a_reader_that_leaves_stops_nothing_and_can_come_back(at: World) -> None:
    at.model.say("Hel")
    conversation_id = await at.conversation()
    path = f"/api/conversations/{conversation_id}/messages"
    async with at.client.stream("POST", path, {"text": "hi"}, accept=STREAM) as events:
        await events.until_text(b"Hel")
        seen = events.events
        url = events.headers["content-location"]
    at.model.say("lo", end=True)
    rest = await at.client.get(url, last_event_id=seen[-1].id)
    assert _text(seen, rest.events) == "Hello"
    assert [event.id for event in seen + rest.events] == [
        str(number) for number in range(1, len(seen + rest.events) + 1)
    ]


async def test_a_repeated_post_gives_the_same_stream_from_its_start_or_from_where_it_was_cut(at: World) -> None:
    at.model.say("Hello", end=True)
    conversation_id = await at.conversation()
    path, body = f"/api/conversations/{conversation_id}/messages", {"text": "hi", "client_request_id": "r"}
    first = await at.client.post(path, body, accept=STREAM)
    assert (await at.client.post(path, body, accept=STREAM)).body == first.body
    rest = await at.client.post(path, body, accept=STREAM, last_event_id="3")
    assert rest.events == first.events[3:]
    assert (await at.client.post(path, body, accept=STREAM, last_event_id=first.events[-1].id)).status == 204
    assert (await at.client.post(path, body, accept=STREAM, last_event_id="99")).status == 409


async def test_a_new_post_with_a_place_begins_at_the_start(at: World) -> None:
    at.model.say("x", end=True)
    path = f"/api/conversations/{await at.conversation()}/messages"
    assert _ids(await at.client.post(path, {"text": "hi"}, accept=STREAM, last_event_id="7"))[0] == 1
    assert (await at.client.post(path, {"text": "hi"}, accept=STREAM, last_event_id="x")).status == 400


async def test_silence_is_filled_with_comments(tmp_path: Path) -> None:
    async with world(tmp_path, heartbeat=0.05) as at:
        started = await at.start()
        for query in ("", "?deltas=false"):
            async with at.client.stream("GET", started["events_url"] + query) as events:
                await events.until_text(b": keep-alive\n\n")


async def test_a_draining_server_ends_its_streams_and_asks_readers_to_come_back(at: World) -> None:
    at.model.say("half")
    started = await at.start()
    async with at.client.stream("GET", started["events_url"]) as events:
        await events.until_text(b"half")
        async with asyncio.TaskGroup() as group:
            group.create_task(at.supervisor.drain(5))
            await events.until_end()
            assert events.bytes.endswith(b"\n\nretry: 500\n\n")
            ready = await at.client.get("/api/ready")
            assert (ready.status, ready.json["code"]) == (503, "draining")
            assert (await at.client.get("/api/health")).status == 200
            refused = await at.client.post(f"/api/conversations/{await at.conversation()}/messages", {"text": "x"})
            assert (refused.status, refused.json["code"]) == (503, "draining")
            at.model.say(end=True)


async def test_a_stream_too_many_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    async with world(tmp_path, max_streams=1) as at:
        started = await at.start()
        conversation_id = await at.conversation()
        path = f"/api/conversations/{conversation_id}/messages"
        async with at.client.stream("GET", started["events_url"]):
            for answer in (
                await at.client.get(started["events_url"]),
                await at.client.get("/api/events"),
                await at.client.post(path, {"text": "hi"}, accept=STREAM),
            ):
                assert (answer.status, answer.json["code"]) == (429, "too_many_streams")
                assert answer.headers["retry-after"]
            assert (await at.client.get(path)).json["items"] == []
            assert (await at.client.post(path, {"text": "hi"})).status == 202
        async with at.client.stream("GET", started["events_url"]) as events:
            assert events.status == 200


async def test_of_posts_at_once_those_without_a_place_store_nothing(tmp_path: Path) -> None:
    async with world(tmp_path, max_streams=1) as at:
        paths = [f"/api/conversations/{await at.conversation()}/messages" for _ in range(5)]
        async with asyncio.TaskGroup() as group:
            posts = {group.create_task(at.client.post(path, {"text": "hi"}, accept=STREAM)): path for path in paths}
            waiting = set(posts)
            while len(waiting) > 1:
                refused, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for post in refused:
                    answer = post.result()
                    assert (answer.status, answer.json["code"]) == (429, "too_many_streams")
                    assert (await at.client.get(posts[post])).json["items"] == []
            at.model.say("x", end=True)
        (followed,) = waiting
        assert (followed.result().status, _text(followed.result().events)) == (200, "x")


async def test_a_post_that_opens_no_stream_takes_no_place(tmp_path: Path) -> None:
    async with world(tmp_path, max_streams=1) as at:
        at.model.say("x", end=True)
        path, body = f"/api/conversations/{await at.conversation()}/messages", {"text": "hi", "client_request_id": "r"}
        for post in (
            at.client.post("/api/conversations/none/messages", {"text": "hi"}, accept=STREAM),
            at.client.post(path, {"text": "hi", "provider_id": "none"}, accept=STREAM),
            at.client.post(path, body, accept=STREAM, last_event_id="x"),
            at.client.post(path, body, accept=STREAM),
            at.client.post(path, body, accept=STREAM, last_event_id="99"),
            at.client.post(path, {"text": "hi", "client_request_id": "r", "model": "m"}, accept=STREAM),
        ):
            assert (await post).status != 429
        seen = (await at.client.post(path, body, accept=STREAM)).events[-1].id
        assert (await at.client.post(path, body, accept=STREAM, last_event_id=seen)).status == 204
        assert (await at.client.post(path, body, accept=STREAM)).status == 200


async def test_a_turn_without_deltas_ends_with_the_same_steps(at: World) -> None:
    at.model.say("Hel", "lo", end=True)
    conversation_id = await at.conversation()
    path = f"/api/conversations/{conversation_id}/messages?deltas=false"
    answer = await at.client.post(path, {"text": "hi"}, accept=STREAM)
    assert "step_delta" not in [event.event for event in answer.events]
    steps = [msgspec.json.decode(event.data)["step"] for event in answer.events if event.event == "process_step"]
    assert (steps[-1]["content"], steps[-1]["state"]) == ("Hello", "complete")
    assert (await at.client.get(f"{answer.headers['content-location']}?deltas=maybe")).status == 422


async def test_a_turn_says_where_it_is(at: World) -> None:
    started = await at.finished("a")
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    assert turn.keys() == {
        "id", "conversation_id", "message_id", "user_message_id", "status", "seq", "epoch", "provider", "model",
        "created_at", "ended_at",
    }  # fmt: skip
    assert (turn["status"], turn["provider"], turn["model"]) == ("done", "p", "m")
    assert turn["seq"] == len((await at.client.get(started["events_url"])).events)


async def test_streams_end_quietly_while_the_database_is_away_and_go_on_when_it_is_back(
    at: World, capsys: pytest.CaptureFixture[str]
) -> None:
    async def away(*given: object) -> Never:
        raise StorageError("The database failed: it is away")

    started = await at.finished("a", "b")
    log, at.store.turns.log = at.store.turns.log, away  # pyright: ignore[reportAttributeAccessIssue]
    for query in ("", "?deltas=false"):
        cut = await at.client.get(started["events_url"] + query)
        assert (cut.status, cut.body) == (200, b"retry: 500\n\n")
    page = await at.client.get(f"/api/events?turn={started['turn_id']}:0")
    assert (page.status, page.body) == (200, b"retry: 500\n\n")
    said = capsys.readouterr().out
    assert (said.count("cannot be read"), said.count("request failed")) == (1, 0)
    at.store.turns.log = log  # pyright: ignore[reportAttributeAccessIssue]
    whole = await at.client.get(started["events_url"])
    assert [whole.events[0].event, whole.events[-1].event] == ["turn", "done"]
