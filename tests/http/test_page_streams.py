"""One stream for a page: notices and several turns, resumed as a whole."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from luxx.core.sse import ServerEvent
from tests.http.world import World, world


def _of(events: list[ServerEvent], turn_id: str) -> list[tuple[int, str]]:
    """Return the seqs and names of one turn's events."""
    decoded = [(event.event, msgspec.json.decode(event.data)) for event in events]
    return [(data["seq"], name) for name, data in decoded if data.get("turn") == turn_id]


def _notices(events: list[ServerEvent]) -> list[dict[str, str]]:
    return [msgspec.json.decode(event.data) for event in events if event.event == "notice"]


async def test_a_page_hears_of_what_happens_elsewhere(at: World) -> None:
    async with at.client.stream("GET", "/api/events") as page:
        assert page.headers["content-type"] == "text/event-stream; charset=utf-8"
        conversation_id = await at.conversation()
        at.model.say("x", end=True)
        started = await at.start(conversation_id)
        await page.until_text(b"turn_ended")
        await at.client.patch(f"/api/conversations/{conversation_id}", {"title": "T"})
        await at.client.delete(f"/api/conversations/{conversation_id}")
        await page.until_text(b"conversation_deleted")
        notices = _notices(page.events)
    assert notices[0] == {"kind": "conversation_changed", "conversation_id": conversation_id}
    ended = next(notice for notice in notices if notice["kind"] == "turn_ended")
    assert (ended["turn_id"], ended["status"]) == (started["turn_id"], "done")
    assert notices[-1] == {"kind": "conversation_deleted", "conversation_id": conversation_id}


async def test_several_turns_come_in_one_stream_each_whole_and_in_order(at: World) -> None:
    one, two = await at.finished("a"), await at.finished("b")
    live = await at.start()
    query = "&".join(f"turn={started['turn_id']}:0" for started in (one, two, live))
    async with at.client.stream("GET", f"/api/events?{query}") as page:
        at.model.say("c", end=True)
        await page.until(15)
        await page.until_text(b"turn_ended")
        for started in (one, two, live):
            alone = (await at.client.get(started["events_url"])).events
            assert _of(page.events, started["turn_id"]) == [(int(event.id), event.event) for event in alone]
        wrapped = next(event for event in page.events if event.event == "done")
        assert msgspec.json.decode(wrapped.data)["data"]["finish_reason"] == "stop"


async def test_a_page_goes_on_from_every_event_without_a_gap_or_a_repetition(at: World) -> None:
    turns = [await at.finished("a"), await at.finished("b")]
    path = "/api/events?" + "&".join(f"turn={started['turn_id']}:0" for started in turns)
    async with at.client.stream("GET", path) as page:
        whole = await page.until(10)
    for place, event in enumerate(whole[:-1]):
        async with at.client.stream("GET", path, last_event_id=event.id) as page:
            rest = await page.until(len(whole) - place - 1)
        for started in turns:
            seen = _of(whole[: place + 1], started["turn_id"]) + _of(rest, started["turn_id"])
            assert seen == _of(whole, started["turn_id"])


async def test_a_page_that_has_seen_all_gets_only_news(at: World) -> None:
    started = await at.finished("a")
    path = f"/api/events?turn={started['turn_id']}:0"
    async with at.client.stream("GET", path) as page:
        last = (await page.until(5))[-1].id
    async with at.client.stream("GET", path, last_event_id=last) as page:
        await at.conversation()
        await page.until_text(b"conversation_changed")
        assert [event.event for event in page.events] == ["notice"]


async def test_a_cursor_of_another_list_says_nothing(at: World) -> None:
    started = await at.finished("a")
    other = await at.finished("b")
    async with at.client.stream("GET", f"/api/events?turn={other['turn_id']}:0") as page:
        foreign = (await page.until(5))[-1].id
    path = f"/api/events?turn={started['turn_id']}:2"
    for cursor in (foreign, "nonsense", "12", f"{started['turn_id']}:5"):
        async with at.client.stream("GET", path, last_event_id=cursor) as page:
            events = await page.until(3)
        assert _of(events, started["turn_id"])[0][0] == 3


async def test_a_turn_deleted_while_the_page_was_away_is_left_out(at: World) -> None:
    started = await at.finished("a")
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    path = f"/api/events?turn={started['turn_id']}:0"
    async with at.client.stream("GET", path) as page:
        cursor = (await page.until(2))[1].id
    await at.client.delete(f"/api/conversations/{turn['conversation_id']}")
    assert (await at.client.get(path)).status == 404
    async with at.client.stream("GET", path, last_event_id=cursor) as page:
        assert page.status == 200


@pytest.mark.parametrize("query", ["turn=x", "turn=x:-1", "turn=:1", "turn=x:y", "turn=x:1&turn=x:2", "turn=a%20b:1"])
async def test_a_malformed_name_of_a_turn_is_refused(at: World, query: str) -> None:
    answer = await at.client.get(f"/api/events?{query}")
    assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_a_page_may_name_only_so_many_turns(tmp_path: Path) -> None:
    async with world(tmp_path, max_turns_per_stream=1) as at:
        answer = await at.client.get("/api/events?turn=a:0&turn=b:0")
        assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_a_place_beyond_a_turns_log_is_refused(at: World) -> None:
    started = await at.finished("a")
    answer = await at.client.get(f"/api/events?turn={started['turn_id']}:99")
    assert (answer.status, answer.json["code"]) == (409, "ahead_of_log")


async def test_a_silent_page_gets_comments(tmp_path: Path) -> None:
    async with world(tmp_path, heartbeat=0.05) as at, at.client.stream("GET", "/api/events") as page:
        await page.until_text(b": keep-alive\n\n")


async def test_a_draining_server_asks_pages_to_come_back(at: World) -> None:
    started = await at.start()
    async with (
        at.client.stream("GET", "/api/events") as idle,
        at.client.stream("GET", f"/api/events?turn={started['turn_id']}:0") as busy,
    ):
        await busy.until(1)
        async with asyncio.TaskGroup() as group:
            group.create_task(at.supervisor.drain(5))
            for page in (idle, busy):
                await page.until_end()
                assert page.bytes.endswith(b"retry: 500\n\n")
            at.model.say(end=True)
