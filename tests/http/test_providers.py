"""Providers over the API: what they may be, which one is the default, and that keys stay inside."""

import pytest

from luxx.core.deltas import Finish
from luxx.core.ports import ModelInfo
from luxx.core.prices import Price
from luxx.core.usage import Usage
from luxx.store.records import NewProvider
from tests.http.world import World

OPENAI = {"name": "x", "format": "openai", "base_url": "https://api.example/v1"}


async def _only(at: World) -> str:
    return (await at.client.get("/api/providers")).json["items"][0]["id"]


async def test_a_provider_is_given_back_without_its_key(at: World) -> None:
    made = await at.owner.post("/api/providers", {**OPENAI, "api_key": "sk-secret", "default_model": "big"})
    assert made.status == 201
    assert made.headers["location"] == f"/api/providers/{made.json['id']}"
    fields = {
        "name": "x",
        "format": "openai",
        "base_url": "https://api.example/v1",
        "default_model": "big",
        "has_key": True,
    }
    assert {name: made.json[name] for name in fields} == fields
    listed = await at.client.get("/api/providers")
    assert listed.json["items"][1] == made.json
    assert (await at.client.get(made.headers["location"])).json == made.json
    assert b"sk-secret" not in made.body + listed.body


@pytest.mark.parametrize(
    ("default_format", "asked", "becomes"),
    [
        ("local", None, True),
        ("local", False, False),
        ("openai", None, False),
        ("openai", True, True),
        ("scripted", None, False),
    ],
)
async def test_the_first_real_provider_becomes_the_default(
    at: World, default_format: str, asked: bool | None, becomes: bool
) -> None:
    providers = at.store.providers
    standing = NewProvider(name="d", format=default_format, default_model="m", is_default=True)
    await providers.create(at.store.owner, standing)
    body = {**OPENAI, "default_model": "big", **({} if asked is None else {"is_default": asked})}
    assert (await at.owner.post("/api/providers", body)).json["is_default"] is becomes


async def test_a_provider_becomes_the_default_only_when_it_has_a_model(at: World) -> None:
    embedded = NewProvider(name="d", format="local", default_model="m", is_default=True)
    await at.store.providers.create(at.store.owner, embedded)
    made = await at.owner.post("/api/providers", OPENAI)
    assert made.json["is_default"] is False
    path = made.headers["location"]
    assert (await at.owner.patch(path, {"name": "y"})).json["is_default"] is False
    assert (await at.owner.patch(path, {"default_model": "big"})).json["is_default"] is True
    second = (await at.owner.post("/api/providers", {**OPENAI, "name": "z"})).headers["location"]
    assert (await at.owner.patch(second, {"default_model": "big"})).json["is_default"] is False


async def test_a_first_model_takes_the_place_of_nobody_who_is_told_to_stay(at: World) -> None:
    embedded = NewProvider(name="d", format="local", default_model="m", is_default=True)
    await at.store.providers.create(at.store.owner, embedded)
    path = (await at.owner.post("/api/providers", OPENAI)).headers["location"]
    assert (await at.owner.patch(path, {"default_model": "big", "is_default": False})).json["is_default"] is False


async def test_a_default_without_a_model_gives_way_to_one_that_can_answer(at: World) -> None:
    await at.store.providers.create(at.store.owner, NewProvider(name="d", format="openai", is_default=True))
    assert (await at.owner.post("/api/providers", {**OPENAI, "default_model": "big"})).json["is_default"] is True


@pytest.mark.parametrize(("format", "tools"), [("local", False), ("openai", True), ("scripted", True)])
async def test_a_provider_says_whether_its_models_can_use_tools(at: World, format: str, tools: bool) -> None:
    body = {"name": "x", "format": format, **({"base_url": "https://api.example"} if format == "openai" else {})}
    made = await at.owner.post("/api/providers", body)
    path = made.headers["location"]
    changed = await at.owner.patch(path, {"name": "y"})
    listed = (await at.client.get("/api/providers")).json["items"][1]
    assert [one["tools"] for one in (made.json, changed.json, (await at.client.get(path)).json, listed)] == [tools] * 4


async def test_a_provider_beside_no_default_becomes_it(at: World) -> None:
    await at.owner.delete(f"/api/providers/{await _only(at)}")
    assert (await at.owner.post("/api/providers", OPENAI)).json["is_default"] is True


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "p"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"format": "smoke-signals"}, "format"),
        ({"format": "local"}, "base_url"),
        ({"base_url": None}, "base_url"),
        ({"base_url": "api.example"}, "base_url"),
        ({"base_url": "ftp://api.example"}, "base_url"),
        ({"base_url": "http://"}, "base_url"),
        ({"base_url": "https://me:secret@api.example"}, "base_url"),
        ({"base_url": "https://@api.example"}, "base_url"),
        ({"base_url": "https://api.example/?a=b"}, "base_url"),
        ({"base_url": "https://api.example/?"}, "base_url"),
        ({"base_url": "https://api.example/#top"}, "base_url"),
        ({"base_url": "https://api.example:99999"}, "base_url"),
        ({"base_url": "https://api.example:0"}, "base_url"),
        ({"base_url": "https://api.exa mple"}, "base_url"),
        ({"base_url": "https://api.example/\r\nHost: evil"}, "base_url"),
        ({"base_url": "https://[::1"}, "base_url"),
        ({"base_url": "javascript:alert(1)"}, "base_url"),
        ({"base_url": "https://" + "x" * 2000}, "base_url"),
        ({"api_key": ""}, "api_key"),
        ({"api_key": "sk\r\nHost: evil"}, "api_key"),
        ({"api_key": "schlüssel"}, "api_key"),
        ({"api_key": "x" * 4097}, "api_key"),
        ({"default_model": ""}, "default_model"),
        ({"owner": "me"}, "owner"),
    ],
)
async def test_a_bad_provider_is_refused_with_its_field_and_without_its_key(
    at: World, changed: dict[str, str], field: str
) -> None:
    body = {**OPENAI, "api_key": "sk-secret", **changed}
    answer = await at.owner.post("/api/providers", body)
    assert (answer.status, answer.json["code"]) == (422, "invalid_request")
    assert [one["field"] for one in answer.json["errors"]] == [field]
    assert b"secret" not in answer.body
    assert len((await at.client.get("/api/providers")).json["items"]) == 1


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("http://localhost:11434/v1/", "http://localhost:11434/v1"),
        (" https://api.example \n", "https://api.example"),
        ("https://[::1]:8000/v1", "https://[::1]:8000/v1"),
    ],
)
async def test_an_address_is_tidied(at: World, given: str, stored: str) -> None:
    assert (await at.owner.post("/api/providers", {**OPENAI, "base_url": given})).json["base_url"] == stored


async def test_a_change_leaves_what_it_does_not_name(at: World) -> None:
    made = (await at.owner.post("/api/providers", {**OPENAI, "api_key": "sk-1", "default_model": "big"})).json
    path = f"/api/providers/{made['id']}"
    assert (await at.owner.patch(path, {"name": "y"})).json == {**made, "name": "y"}
    assert (await at.owner.patch(path, {"default_model": None})).json["default_model"] is None
    assert (await at.owner.patch(path, {"api_key": None})).json["has_key"] is False


async def test_a_new_address_loses_the_key_unless_a_new_one_comes_with_it(at: World) -> None:
    made = (await at.owner.post("/api/providers", {**OPENAI, "api_key": "sk-1"})).json
    path = f"/api/providers/{made['id']}"
    assert (await at.owner.patch(path, {"base_url": "https://api.example/v1/"})).json["has_key"] is True
    assert (await at.owner.patch(path, {"base_url": "https://b.example", "api_key": "sk-2"})).json["has_key"] is True
    assert (await at.owner.patch(path, {"base_url": "https://c.example"})).json["has_key"] is False


@pytest.mark.parametrize("body", [{"name": None}, {"is_default": None}, {"base_url": None}, {"format": "local"}])
async def test_what_a_provider_needs_cannot_be_cleared(at: World, body: dict[str, str | None]) -> None:
    made = (await at.owner.post("/api/providers", OPENAI)).json
    answer = await at.owner.patch(f"/api/providers/{made['id']}", body)
    assert answer.status == 422
    assert [one["field"] for one in answer.json["errors"]] == list(body)


async def test_a_changed_provider_is_asked_anew(at: World) -> None:
    made = (await at.owner.post("/api/providers", OPENAI)).json
    path = f"/api/providers/{made['id']}"
    for name in ("y", "z"):
        await at.owner.patch(path, {"name": name})
        await at.client.get(f"{path}/models")
    assert [provider.name for provider in at.made] == ["y", "z"]
    await at.owner.delete(path)
    assert (await at.client.get(f"{path}/models")).status == 404


async def test_the_default_can_be_passed_on_and_survives_a_deletion(at: World) -> None:
    first = await _only(at)
    made = (await at.owner.post("/api/providers", OPENAI)).json
    assert (await at.owner.patch(f"/api/providers/{made['id']}", {"is_default": True})).json["is_default"] is True
    assert (await at.client.get(f"/api/providers/{first}")).json["is_default"] is False
    assert (await at.owner.delete(f"/api/providers/{made['id']}")).status == 204
    assert (await at.client.get(f"/api/providers/{first}")).json["is_default"] is True


async def test_prices_are_entered_changed_and_taken_away(at: World) -> None:
    dear = {"input": 3, "output": 15.5, "cached_input": 0.3, "cache_write": 3.75}
    made = await at.owner.post("/api/providers", {**OPENAI, "prices": {"big": dear}})
    path = made.headers["location"]
    assert made.json["prices"] == (await at.client.get(path)).json["prices"] == {"big": dear}
    for change, prices in (
        ({"small": {"input": 0, "output": 0}}, {"big": dear, "small": {"input": 0, "output": 0}}),
        ({"big": None}, {"small": {"input": 0, "output": 0}}),
        (None, {}),
    ):
        assert (await at.owner.patch(path, {"prices": change})).json["prices"] == prices
    assert (await at.client.patch(path, {"prices": {"big": dear}})).status == 401


@pytest.mark.parametrize(
    "prices",
    [
        {"m": {"input": 1}},
        {"m": {"input": -1, "output": 1}},
        {"m": {"input": "1", "output": 1}},
        {"m": {"input": 1, "output": 1e7}},
        {"m": {"input": 1, "output": 1, "currency": "EUR"}},
        {"": {"input": 1, "output": 1}},
        {str(number): {"input": 1, "output": 1} for number in range(501)},
        [],
    ],
)
async def test_a_price_that_cannot_be_is_refused(at: World, prices: object) -> None:
    refused = await at.owner.patch(f"/api/providers/{await _only(at)}", {"prices": prices})
    assert refused.status == 422
    assert refused.json["errors"][0]["field"].startswith("prices")


async def test_an_answer_says_what_it_cost(at: World) -> None:
    await at.owner.patch(f"/api/providers/{await _only(at)}", {"prices": {"m": {"input": 3, "output": 15}}})
    at.model.words.put_nowait(Finish(reason="stop", usage=Usage(input_tokens=1_000, output_tokens=100)))
    started = await at.start()
    events = await at.client.get(started["events_url"])
    assert b'"cost":0.0045' in events.body
    turn = (await at.client.get(f"/api/turns/{started['turn_id']}")).json
    page = await at.client.get(f"/api/conversations/{turn['conversation_id']}/messages")
    assert page.json["items"][-1]["usage"]["cost"] == 0.0045
    exported = await at.client.get(f"/api/conversations/{turn['conversation_id']}/export?format=json")
    assert b'"cost":0.0045' in exported.body.replace(b'": ', b'":')


async def test_a_list_tells_prices(at: World) -> None:
    at.model.models = (ModelInfo(id="m", price=Price(input=3, output=15)), ModelInfo(id="n"))
    listed = (await at.client.get(f"/api/providers/{await _only(at)}/models")).json["items"]
    assert listed == [{"id": "m", "price": {"input": 3, "output": 15}}, {"id": "n"}]
