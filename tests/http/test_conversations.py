"""Conversations over the API: made, listed, changed, deleted, and what their bodies may hold."""

import asyncio

import pytest

from tests.http.world import World

FIELDS = {
    "title": "T",
    "system_prompt": "Be kind.",
    "model": "m2",
    "temperature": 0.5,
    "max_tokens": 9,
    "tools_enabled": False,
}


async def test_a_conversation_has_what_was_asked_for(at: World) -> None:
    answer = await at.client.post("/api/conversations", FIELDS)
    assert answer.status == 201
    made = answer.json
    assert answer.headers["location"] == f"/api/conversations/{made['id']}"
    assert {name: made[name] for name in FIELDS} == FIELDS
    assert (made["title_source"], made["leaf_id"], made["turns"]) == ("user", None, [])
    assert (await at.client.get(f"/api/conversations/{made['id']}")).json == made


async def test_an_empty_body_makes_one_with_the_defaults(at: World) -> None:
    made = (await at.client.post("/api/conversations", {})).json
    assert (made["title"], made["title_source"], made["tools_enabled"], made["temperature"]) == ("", "auto", True, None)


async def test_the_list_comes_in_pages_newest_first(at: World) -> None:
    ids = [await at.conversation(title=f"c{number}") for number in range(5)]
    first = (await at.client.get("/api/conversations?limit=3")).json
    second = (await at.client.get(f"/api/conversations?limit=3&cursor={first['next_cursor']}")).json
    assert [one["id"] for one in first["items"] + second["items"]] == ids[::-1]
    assert second["next_cursor"] is None


async def test_the_list_can_be_searched(at: World) -> None:
    await at.conversation(title="apples")
    wanted = await at.conversation(title="pears")
    assert [one["id"] for one in (await at.client.get("/api/conversations?q=pear")).json["items"]] == [wanted]
    assert (await at.client.get("/api/conversations?q=%00")).status == 200


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=x", f"q={'x' * 201}"])
async def test_a_bad_query_is_refused_with_its_field(at: World, query: str) -> None:
    answer = await at.client.get(f"/api/conversations?{query}")
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert [one["field"] for one in answer.json["errors"]] == [query.partition("=")[0]]


async def test_a_change_leaves_what_it_does_not_name(at: World) -> None:
    conversation_id = await at.conversation(**FIELDS)
    changed = (await at.client.patch(f"/api/conversations/{conversation_id}", {"temperature": 1})).json
    assert {name: changed[name] for name in FIELDS} == {**FIELDS, "temperature": 1}


async def test_null_clears_a_field(at: World) -> None:
    conversation_id = await at.conversation(**FIELDS)
    changed = (await at.client.patch(f"/api/conversations/{conversation_id}", dict.fromkeys(FIELDS))).json
    cleared = {
        "title": "",
        "system_prompt": None,
        "model": None,
        "temperature": None,
        "max_tokens": None,
        "tools_enabled": True,
    }
    assert {name: changed[name] for name in FIELDS} == cleared
    assert changed["title_source"] == "auto"


async def test_changes_at_once_are_all_kept(at: World) -> None:
    conversation_id = await at.conversation()
    path = f"/api/conversations/{conversation_id}"
    await asyncio.gather(*(at.client.patch(path, {name: value}) for name, value in FIELDS.items()))
    changed = (await at.client.get(path)).json
    assert {name: changed[name] for name in FIELDS} == FIELDS


async def test_the_branch_shown_can_be_chosen(at: World) -> None:
    started = await at.finished("one")
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    path = f"/api/conversations/{turn['conversation_id']}"
    again = (await at.client.post(f"/api/messages/{started['message_id']}/regenerate", {})).json
    assert (await at.client.get(path)).json["leaf_id"] == again["message_id"]
    changed = await at.client.patch(path, {"leaf_id": started["message_id"]})
    assert changed.json["leaf_id"] == started["message_id"]
    refused = await at.client.patch(path, {"leaf_id": "elsewhere"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "leaf_id")


async def test_a_deleted_conversation_is_gone(at: World) -> None:
    conversation_id = await at.conversation()
    answer = await at.client.delete(f"/api/conversations/{conversation_id}")
    assert (answer.status, answer.body) == (204, b"")
    assert (await at.client.get(f"/api/conversations/{conversation_id}")).status == 404
    assert (await at.client.delete(f"/api/conversations/{conversation_id}")).status == 404


async def test_a_conversation_lists_its_unfinished_turns(at: World) -> None:
    started = await at.start()
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    listed = (await at.client.get("/api/conversations")).json["items"][0]
    assert [(one["id"], one["message_id"], one["status"]) for one in listed["turns"]] == [
        (turn["id"], turn["message_id"], "active")
    ]
    assert (await at.client.get(f"/api/conversations/{turn['conversation_id']}")).json["turns"] == listed["turns"]


async def test_each_listed_conversation_has_its_own_unfinished_turns(at: World) -> None:
    ids = [await at.conversation() for _ in range(3)]
    started = [await at.start(ids[0]), await at.start(ids[2])]
    listed = (await at.client.get("/api/conversations")).json["items"]
    assert {one["id"]: [turn["id"] for turn in one["turns"]] for one in listed} == {
        ids[0]: [started[0]["turn_id"]],
        ids[1]: [],
        ids[2]: [started[1]["turn_id"]],
    }


async def test_the_same_request_makes_one_conversation(at: World) -> None:
    body = {"title": "T", "temperature": 1, "client_request_id": "r1"}
    first = await at.client.post("/api/conversations", body)
    again = await at.client.post("/api/conversations", {**body, "temperature": 1.0})
    assert (again.status, again.json) == (201, first.json)
    other = await at.client.post("/api/conversations", {**body, "title": None})
    assert (other.status, other.json["code"]) == (422, "invalid_request")
    assert len((await at.client.get("/api/conversations")).json["items"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff", "body"),
        (b"[]", "body"),
        (b"null", "body"),
        (b'"x"', "body"),
        (b"[" * 100_000, "body"),
        (b'{"max_tokens": ' + b"9" * 5000 + b"}", "body"),
        (b'{"temperature": NaN}', "body"),
        (b'{"temperature": Infinity}', "body"),
        (b'{"temperature": 1e999}', "temperature"),
        (b'{"temperature": -0.1}', "temperature"),
        (b'{"temperature": 2.1}', "temperature"),
        (b'{"temperature": "1"}', "temperature"),
        (b'{"temperature": true}', "temperature"),
        (b'{"max_tokens": 0}', "max_tokens"),
        (b'{"max_tokens": 1.5}', "max_tokens"),
        (b'{"max_tokens": 99999999999999999999}', "max_tokens"),
        (b'{"tools_enabled": "yes"}', "tools_enabled"),
        (b'{"title": ""}', "title"),
        (b'{"title": "  "}', "title"),
        (b'{"title": 1}', "title"),
        (b'{"title": "' + b"x" * 201 + b'"}', "title"),
        (b'{"system_prompt": "' + b"x" * 100_001 + b'"}', "system_prompt"),
        (b'{"model": ""}', "model"),
        (b'{"model": "a\\u0000b"}', "model"),
        (b'{"model": "a\\ud800b"}', "model"),
        (b'{"provider_id": "none"}', "provider_id"),
        (b'{"provider_id": "a b"}', "provider_id"),
        (b'{"client_request_id": ""}', "client_request_id"),
        (b'{"client_request_id": "' + b"x" * 129 + b'"}', "client_request_id"),
        (b'{"colour": "red"}', "colour"),
        (b'{"\\ud800": 1}', "body"),
    ],
)
async def test_a_bad_body_is_refused_with_its_field_and_stores_nothing(at: World, body: bytes, field: str) -> None:
    answer = await at.client.post("/api/conversations", body)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert answer.json["detail"].startswith(field)
    assert (await at.client.get("/api/conversations")).json["items"] == []


async def test_all_wrong_fields_are_named_at_once(at: World) -> None:
    answer = await at.client.post("/api/conversations", {"title": "", "temperature": 3})
    assert {one["field"] for one in answer.json["errors"]} == {"title", "temperature"}


async def test_free_text_that_cannot_be_stored_is_mended(at: World) -> None:
    made = (await at.client.post("/api/conversations", rb'{"title": "a\ud83d b\u0000 \ud83d\ude00"}')).json
    assert made["title"] == "a\ufffd b\ufffd \U0001f600"


async def test_pinned_and_unread_are_changed_and_listed(at: World) -> None:
    other, mine = [await at.conversation(title=title) for title in ("other", "mine")]
    changed = (await at.client.patch(f"/api/conversations/{mine}", {"pinned": True, "unread": True})).json
    assert (changed["pinned"], changed["unread"]) == (True, True)
    kept = (await at.client.patch(f"/api/conversations/{mine}", {"pinned": None, "title": "still mine"})).json
    assert (kept["pinned"], kept["unread"]) == (True, True)
    for query, wanted in (("pinned=true", [mine]), ("pinned=false", [other]), ("", [mine, other])):
        assert [one["id"] for one in (await at.client.get(f"/api/conversations?{query}")).json["items"]] == wanted
