"""Messages over the API: sent, read back, answered again, and safe to send twice."""

from pathlib import Path

import msgspec
import pytest

from luxx.core.errors import ProviderRejected
from tests.http.asgi import Answer
from tests.http.world import World, world


async def _post(at: World, conversation_id: str, body: object, **headers: str) -> Answer:
    return await at.client.post(f"/api/conversations/{conversation_id}/messages", body, **headers)


async def _messages(at: World, conversation_id: str, query: str = "") -> list[dict[str, object]]:
    return (await at.client.get(f"/api/conversations/{conversation_id}/messages{query}")).json["items"]


async def test_a_message_is_accepted_with_the_ids_of_its_turn(at: World) -> None:
    answer = await _post(at, await at.conversation(), {"text": "hi"})
    body = answer.json
    assert answer.status == 202
    assert body.keys() == {"turn_id", "message_id", "user_message_id", "events_url"}
    assert body["events_url"] == f"/api/turns/{body['turn_id']}/events"
    assert answer.headers["luxx-turn-id"] == body["turn_id"]
    assert answer.headers["content-location"] == body["events_url"]


async def test_a_finished_turn_is_read_back_as_messages(at: World) -> None:
    started = await at.finished("Hel", "lo")
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    user, answer = await _messages(at, turn["conversation_id"])
    assert (user["id"], user["role"], user["text"], user["parent_id"]) == (
        started["user_message_id"],
        "user",
        "hi",
        None,
    )
    assert "steps" not in user
    assert (answer["role"], answer["text"], answer["status"], answer["turn"]) == ("assistant", "Hello", "done", None)
    assert [step["content"] for step in answer["steps"]] == ["Hello"]


async def test_a_message_in_progress_names_the_seq_that_its_steps_are_folded_to(at: World) -> None:
    at.model.say("Hel")
    conversation_id = await at.conversation()
    started = await at.start(conversation_id)
    async with at.client.stream("GET", started["events_url"]) as events:
        await events.until_text(b"Hel")
        answer = (await _messages(at, conversation_id))[-1]
        seq = answer["turn"]["seq"]
        assert "".join(step["content"] for step in answer["steps"]) == "Hel"
        at.model.say("lo", end=True)
        rest = await at.client.get(f"{started['events_url']}?after={seq}")
    assert [event.id for event in rest.events] == [str(number) for number in range(seq + 1, seq + 1 + len(rest.events))]
    assert b'"text":"lo"' in rest.body


async def test_pages_of_a_branch_go_back_in_time(at: World) -> None:
    conversation_id = await at.conversation()
    for number in range(2):
        at.model.say(str(number), end=True)
        started = await at.start(conversation_id)
        await at.client.get(started["events_url"])
    page = (await at.client.get(f"/api/conversations/{conversation_id}/messages?limit=3")).json
    assert [one["role"] for one in page["items"]] == ["assistant", "user", "assistant"]
    assert page["has_more"] is True
    older = (await at.client.get(f"/api/conversations/{conversation_id}/messages?before={page['items'][0]['id']}")).json
    assert [one["role"] for one in older["items"]] == ["user"]
    assert older["has_more"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": " \n"}, "text"),
        ({"text": 1}, "text"),
        ({"text": None}, "text"),
        ({"text": "x" * 101}, "text"),
        ({"text": "x", "on_busy": "wait"}, "on_busy"),
        ({"text": "x", "parent_id": ""}, "parent_id"),
        ({"text": "x", "parent_id": 7}, "parent_id"),
        ({"text": "x", "provider_id": "none"}, "provider_id"),
        ({"text": "x", "temperature": 9}, "temperature"),
        ({"text": "x", "max_tokens": -1}, "max_tokens"),
        ({"text": "x", "role": "system"}, "role"),
    ],
)
async def test_a_refused_message_stores_nothing(tmp_path: Path, body: object, field: str) -> None:
    async with world(tmp_path, max_message_chars=100) as at:
        conversation_id = await at.conversation()
        for accept in ("*/*", "text/event-stream"):
            answer = await _post(at, conversation_id, body, accept=accept)
            assert answer.status == 422
            assert [one["field"] for one in answer.json["errors"]] == [field]
        assert await _messages(at, conversation_id) == []


async def test_text_that_cannot_be_stored_is_mended_and_the_rest_kept_to_the_letter(at: World) -> None:
    conversation_id = await at.conversation()
    await _post(at, conversation_id, rb'{"text": "  a\ud83d\u0000\u2028\r\n  "}')
    assert (await _messages(at, conversation_id))[0]["text"] == "  a\ufffd\ufffd\u2028\r\n  "


async def test_overrides_reach_the_model_for_this_turn_only(at: World) -> None:
    conversation_id = await at.conversation(temperature=0.1, max_tokens=5)
    overrides = {"temperature": None, "max_tokens": 7, "model": "other"}
    at.model.say("x", end=True)
    await at.client.get((await _post(at, conversation_id, {"text": "hi", **overrides})).json["events_url"])
    request = at.model.requests[-1]
    assert (request.temperature, request.max_tokens, request.model) == (None, 7, "other")
    at.model.say("x", end=True)
    await at.client.get((await at.start(conversation_id))["events_url"])
    request = at.model.requests[-1]
    assert (request.temperature, request.max_tokens, request.model) == (0.1, 5, "m")


async def test_a_message_to_an_answer_in_progress_is_refused_with_its_turn_or_queued(at: World) -> None:
    conversation_id = await at.conversation()
    first = await at.start(conversation_id)
    refused = await _post(at, conversation_id, {"text": "more"})
    assert (refused.status, refused.json["code"], refused.json["turn_id"]) == (409, "turn_running", first["turn_id"])
    queued = await _post(at, conversation_id, {"text": "more", "on_busy": "queue"})
    assert (await at.client.get(f"/api/turns/{queued.json['turn_id']}")).json["status"] == "queued"


async def test_an_edit_and_a_new_root_are_siblings(at: World) -> None:
    started = await at.finished("one")
    conversation_id = (await at.client.get(f"/api/turns/{started['turn_id']}")).json["conversation_id"]
    at.model.say("two", end=True)
    edit = (await _post(at, conversation_id, {"text": "hi!", "parent_id": None})).json
    await at.client.get(edit["events_url"])
    user = (await _messages(at, conversation_id))[0]
    assert user["siblings"] == [started["user_message_id"], edit["user_message_id"]]


async def test_an_answer_is_made_again_and_gone_on_with(at: World) -> None:
    started = await at.finished("one")
    conversation_id = (await at.client.get(f"/api/turns/{started['turn_id']}")).json["conversation_id"]
    for verb in ("regenerate", "continue"):
        at.model.say("more", end=True)
        answer = await at.client.post(f"/api/messages/{started['message_id']}/{verb}", {})
        assert answer.status == 202
        await at.client.get(answer.json["events_url"])
    last = (await _messages(at, conversation_id))[-1]
    assert len(last["siblings"]) == 3
    assert last["text"] == "onemore"


async def test_another_model_answers_anew_for_this_time_only(at: World) -> None:
    conversation_id = await at.conversation(model="own")
    at.model.say("one", end=True)
    started = await at.start(conversation_id)
    await at.client.get(started["events_url"])
    path = f"/api/messages/{started['message_id']}/regenerate"
    for model, asked in (("other", "other"), (None, "m")):
        at.model.say("two", end=True)
        again = (await at.client.post(path, {"model": model})).json
        await at.client.get(again["events_url"])
        assert at.model.requests[-1].model == asked
        last = (await _messages(at, conversation_id))[-1]
        assert (last["id"], last["model"]) == (again["message_id"], asked)
    assert (await at.client.get(f"/api/conversations/{conversation_id}")).json["model"] == "own"
    refused = await at.client.post(path, {"provider_id": "none", "model": "x"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "provider_id")


async def test_the_same_request_starts_one_turn(at: World) -> None:
    conversation_id = await at.conversation()
    body = {"text": "hi", "client_request_id": "r1", "temperature": 1}
    first = await _post(at, conversation_id, body)
    again = await _post(at, conversation_id, {"temperature": 1.0, "client_request_id": "r1", "text": "hi"})
    assert (again.status, again.json) == (202, first.json)
    for other in ({**body, "text": "ho"}, {**body, "model": None}):
        refused = await _post(at, conversation_id, other)
        assert (refused.status, refused.json["code"]) == (422, "invalid_request")
    elsewhere = await _post(at, await at.conversation(), body)
    assert elsewhere.json["turn_id"] != first.json["turn_id"]
    assert len(await _messages(at, conversation_id)) == 2


async def test_a_repeated_regenerate_starts_one_turn(at: World) -> None:
    started = await at.finished("one")
    path = f"/api/messages/{started['message_id']}/regenerate"
    first = await at.client.post(path, {"client_request_id": "r"})
    again = await at.client.post(path, {"client_request_id": "r"})
    assert first.json == again.json


async def test_an_answer_that_fails_says_why(at: World) -> None:
    at.model.words.put_nowait(ProviderRejected("no such model"))
    conversation_id = await at.conversation()
    events = (await at.client.get((await at.start(conversation_id))["events_url"])).events
    assert events[-1].event == "error"
    assert msgspec.json.decode(events[-1].data)["code"] == "provider_rejected"
    answer = (await _messages(at, conversation_id))[-1]
    assert (answer["status"], answer["error"]) == ("failed", {"code": "provider_rejected", "content": "no such model"})


async def test_cancel_stops_a_turn_and_stays_when_it_has_ended(at: World) -> None:
    at.model.say("half")
    started = await at.start()
    path = f"/api/turns/{started['turn_id']}/cancel"
    async with at.client.stream("GET", started["events_url"]) as events:
        await events.until_text(b"half")
        stopped = await at.client.post(path, {})
        assert (await events.until_end())[-1].event == "cancelled"
    assert (stopped.status, stopped.json["status"]) == (200, "cancelled")
    assert (await at.client.post(path, b"")).json == stopped.json
    assert (await at.client.post(path, {"x": 1})).status == 422


async def test_messages_around_and_after_one_are_read(at: World) -> None:
    conversation_id = await at.conversation()
    started: list[dict[str, str]] = []
    for _ in range(3):
        at.model.say("a", end=True)
        started.append(await at.start(conversation_id))
        async for _ in at.supervisor.follow(at.store.owner, started[-1]["turn_id"], 0):
            pass
    ids = [one[name] for one in started for name in ("user_message_id", "message_id")]
    path = f"/api/conversations/{conversation_id}/messages"
    page = (await at.client.get(f"{path}?around={ids[2]}&limit=2")).json
    assert [one["id"] for one in page["items"]] == ids[2:4]
    assert (page["has_more"], page["has_newer"]) == (True, True)
    page = (await at.client.get(f"{path}?after={ids[3]}")).json
    assert ([one["id"] for one in page["items"]], page["has_newer"]) == (ids[4:], False)
    page = (await at.client.get(f"{path}?after=&limit=3")).json
    assert ([one["id"] for one in page["items"]], page["has_more"], page["has_newer"]) == (ids[:3], False, True)
    assert (await at.client.get(f"{path}?around=nothing")).status == 404
    assert (await at.client.get(f"{path}?around={ids[0]}&after={ids[0]}")).status == 422
