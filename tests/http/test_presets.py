"""Presets over the API: a name and a key are enough, and what is missing is said in words."""

from typing import Any

import pytest

from luxx.core.errors import CreditExhausted, ProviderAuth, ProviderRejected
from luxx.core.ports import ModelInfo, Unlisted
from luxx.store.records import NewProvider
from tests.http.world import World


def named(*ids: str) -> tuple[ModelInfo, ...]:
    return tuple(ModelInfo(id=id) for id in ids)


async def added(at: World, **body: object) -> dict[str, Any]:
    answer = await at.owner.post("/api/providers", body)
    assert answer.status == 201, answer.body
    return answer.json


async def test_presets_are_listed_with_what_they_need(at: World) -> None:
    items = (await at.client.get("/api/presets")).json["items"]
    assert items[0] == {
        "id": "host",
        "name": "Host",
        "format": "responses",
        "base_url": "https://host.example/v1",
        "key": "needed",
        "key_url": "https://host.example/keys",
        "default_model": None,
        "own": False,
        "hint": None,
    }
    assert [item["id"] for item in items] == ["host", "own", "elsewhere"]


async def test_a_preset_and_a_key_are_enough(at: World) -> None:
    at.model.models = named("text-embedding-9", "chat-9", "chat-10", "chat-realtime")
    made = await added(at, preset="host", api_key="sk-1")
    fields = ("preset", "name", "format", "base_url", "has_key", "default_model")
    assert [made[field] for field in fields] == [
        "host",
        "Host",
        "responses",
        "https://host.example/v1",
        True,
        "chat-10",
    ]
    assert "notice" not in made
    assert (await at.client.get(f"/api/providers/{made['id']}")).json == made


async def test_all_that_a_preset_says_can_be_said_otherwise(at: World) -> None:
    body = {"name": "Mine", "format": "openai", "base_url": "https://proxy.example", "default_model": "big"}
    made = await added(at, preset="host", api_key="sk-1", **body)
    assert {field: made[field] for field in body} == body
    assert at.made == []


@pytest.mark.parametrize(
    ("body", "field", "told"),
    [
        ({"preset": "nowhere"}, "preset", "host, own, elsewhere"),
        ({"preset": "host"}, "api_key", "https://host.example/keys"),
        ({"preset": "elsewhere", "api_key": "sk-1"}, "base_url", "It is at https://YOURS.example."),
        ({"format": "openai", "base_url": "https://a.example"}, "name", "preset"),
        ({"name": "x", "base_url": "https://a.example"}, "format", "preset"),
    ],
)
async def test_what_is_missing_is_named(at: World, body: dict[str, str], field: str, told: str) -> None:
    answer = await at.owner.post("/api/providers", body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert told in answer.json["errors"][0]["message"]


async def test_a_provider_whose_model_nobody_can_choose_says_so(at: World) -> None:
    at.model.models = named("large", "small")
    made = await added(at, preset="host", api_key="sk-1")
    assert made["default_model"] is None
    assert "none of its 2 models stands out" in made["notice"]


async def test_a_provider_that_does_not_list_its_models_is_stored_with_the_reason(at: World) -> None:
    at.model.failure = ProviderAuth("The provider refused the API key (401).")
    made = await added(at, preset="host", api_key="sk-1")
    assert (made["default_model"], "refused the API key" in made["notice"]) == (None, True)


async def test_a_preset_becomes_the_default_only_with_a_model_that_was_found(at: World) -> None:
    embedded = NewProvider(name="d", format="local", default_model="m", is_default=True)
    await at.store.providers.create(at.store.owner, embedded)
    at.model.failure = ProviderAuth("The provider refused the API key (401).")
    assert (await added(at, preset="host", api_key="sk-1", name="Refused"))["is_default"] is False
    at.model.failure = None
    at.model.models = named("chat-9")
    assert (await added(at, preset="host", api_key="sk-1", name="Told", is_default=False))["is_default"] is False
    assert (await added(at, preset="host", api_key="sk-1"))["is_default"] is True


async def test_a_format_with_an_official_address_needs_none(at: World) -> None:
    assert (await added(at, name="x", format="responses"))["base_url"] is None
    assert (await added(at, name="y", format="responses", base_url="https://a.example"))[
        "base_url"
    ] == "https://a.example"


async def test_a_try_asks_the_default_model_for_a_word(at: World) -> None:
    made = await added(at, name="x", format="openai", base_url="https://a.example", default_model="m")
    at.model.say("ready", end=True)
    answer = (await at.client.post(f"/api/providers/{made['id']}/test", {})).json
    assert answer == {"ok": True, "detail": "It answers and serves 1 model; m works.", "models": 1}
    assert at.model.requests[0].tools == ()


@pytest.mark.parametrize(
    "error",
    [CreditExhausted("The provider wants payment (402)."), ProviderRejected("There is no such model.", status=404)],
)
async def test_a_try_says_what_a_list_of_models_does_not_show(at: World, error: CreditExhausted) -> None:
    made = await added(at, name="x", format="openai", base_url="https://a.example", default_model="m")
    at.model.words.put_nowait(error)
    answer = (await at.client.post(f"/api/providers/{made['id']}/test", {})).json
    assert (answer["ok"], answer["detail"]) == (False, f"m: {error.message}")


async def test_a_provider_without_a_list_of_models_is_all_right_if_its_model_answers(at: World) -> None:
    at.model.check_result = Unlisted(ok=False, detail="It answers, but has no list of models.")
    made = await added(at, name="x", format="openai", base_url="https://a.example")
    path = f"/api/providers/{made['id']}"
    assert (await at.client.post(f"{path}/test", {})).json["ok"] is False
    await at.owner.patch(path, {"default_model": "m"})
    at.model.say("ready", end=True)
    answer = (await at.client.post(f"{path}/test", {})).json
    assert (answer["ok"], answer["detail"]) == (True, "It answers and has no list of models; m works.")


async def test_a_fallback_is_set_changed_and_cleared(at: World) -> None:
    backup = await added(at, name="b", format="responses")
    made = await added(at, name="x", format="responses", fallback_id=backup["id"])
    assert made["fallback_id"] == backup["id"]
    path = f"/api/providers/{made['id']}"
    for bad in (made["id"], "nothing"):
        refused = await at.owner.patch(path, {"fallback_id": bad})
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, "fallback_id")
    assert (await at.owner.patch(path, {"fallback_id": None})).json["fallback_id"] is None
    await at.owner.patch(path, {"fallback_id": backup["id"]})
    await at.owner.delete(f"/api/providers/{backup['id']}")
    assert (await at.client.get(path)).json["fallback_id"] is None


async def test_an_address_that_only_the_person_knows_cannot_be_cleared(at: World) -> None:
    made = await added(at, preset="elsewhere", api_key="sk-1", base_url="https://mine.example", default_model="m")
    refused = await at.owner.patch(f"/api/providers/{made['id']}", {"base_url": None})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "base_url")
    hosted = await added(at, preset="host", api_key="sk-1", default_model="m")
    changed = await at.owner.patch(f"/api/providers/{hosted['id']}", {"base_url": None})
    assert (changed.json["base_url"], changed.json["has_key"]) == (None, False)
