"""Providers: one default, and keys that stay in the store."""

import pytest

from luxx.core.errors import InvalidRequest, NotFound
from luxx.core.prices import Price
from luxx.store.interface import Store
from luxx.store.records import ConversationSettings, NewProvider, Provider, ProviderChange
from tests.store.engines import Engine


async def make(store: Store, name: str = "Acme", **fields: str | bool) -> Provider:
    return await store.providers.create(store.owner, NewProvider(name=name, format="openai", **fields))  # pyright: ignore[reportArgumentType]


async def defaults(store: Store) -> list[str]:
    return [provider.name for provider in await store.providers.list(store.owner) if provider.is_default]


async def test_a_provider_is_stored_without_showing_its_key(store: Store) -> None:
    made = await make(store, base_url="https://api.example.com/v1", api_key="sk-secret", default_model="m1")
    assert (made.name, made.format, made.base_url, made.default_model) == (
        "Acme",
        "openai",
        "https://api.example.com/v1",
        "m1",
    )
    assert made.has_key
    assert "secret" not in repr(made)
    assert await store.providers.get(store.owner, made.id) == made
    assert (await store.providers.credentials(store.owner, made.id))[1] == "sk-secret"


async def test_a_provider_may_have_no_key(store: Store) -> None:
    for made in (await make(store), await make(store, "Other", api_key="")):
        assert not made.has_key
        assert (await store.providers.credentials(store.owner, made.id))[1] is None


async def test_providers_are_listed_oldest_first(store: Store) -> None:
    for name in ("c", "a", "b"):
        await make(store, name)
    assert [provider.name for provider in await store.providers.list(store.owner)] == ["c", "a", "b"]


async def test_the_first_is_the_default_until_another_is_made_it(store: Store) -> None:
    assert await store.providers.default(store.owner) is None
    first = await make(store, "first")
    assert await store.providers.default(store.owner) == first
    await make(store, "second")
    assert await defaults(store) == ["first"]
    await make(store, "third", is_default=True)
    assert await defaults(store) == ["third"]
    await store.providers.change(store.owner, first.id, ProviderChange(is_default=True))
    assert await defaults(store) == ["first"]


async def test_the_default_cannot_just_be_given_up(store: Store) -> None:
    first, second = await make(store, "first"), await make(store, "second")
    with pytest.raises(InvalidRequest) as refused:
        await store.providers.change(store.owner, first.id, ProviderChange(name="new", is_default=False))
    assert refused.value.field == "is_default"
    assert (await store.providers.get(store.owner, first.id)).name == "first"
    await store.providers.change(store.owner, second.id, ProviderChange(is_default=False))
    assert await defaults(store) == ["first"]


async def test_a_deleted_default_passes_to_the_oldest_left(store: Store) -> None:
    made = [await make(store, name) for name in ("first", "second", "third")]
    await store.providers.delete(store.owner, made[0].id)
    assert await defaults(store) == ["second"]
    await store.providers.delete(store.owner, made[2].id)
    await store.providers.delete(store.owner, made[1].id)
    assert await store.providers.default(store.owner) is None
    with pytest.raises(NotFound):
        await store.providers.get(store.owner, made[0].id)


async def test_a_deleted_default_passes_over_who_has_no_model(store: Store) -> None:
    first = await make(store, "first")
    await make(store, "bare")
    await make(store, "able", default_model="m")
    await store.providers.delete(store.owner, first.id)
    assert await defaults(store) == ["able"]


async def test_conversations_of_a_deleted_provider_fall_back_to_the_default(store: Store) -> None:
    await make(store, "first")
    second = await make(store, "second")
    settings = ConversationSettings(provider_id=second.id)
    conversation = await store.conversations.create(store.owner, None, settings)
    await store.providers.delete(store.owner, second.id)
    assert (await store.conversations.get(store.owner, conversation.id)).settings.provider_id is None


async def test_a_name_that_is_taken_is_refused(store: Store) -> None:
    await make(store, "Acme")
    other = await make(store, "Other")
    with pytest.raises(InvalidRequest) as refused:
        await make(store, "Acme")
    assert refused.value.field == "name"
    with pytest.raises(InvalidRequest):
        await store.providers.change(store.owner, other.id, ProviderChange(name="Acme"))
    await store.providers.change(store.owner, other.id, ProviderChange(name="Other"))


async def test_only_the_fields_named_are_changed(store: Store) -> None:
    made = await make(store, base_url="https://a.example", api_key="k", default_model="m1")
    assert await store.providers.change(store.owner, made.id, ProviderChange()) == made
    changed = await store.providers.change(store.owner, made.id, ProviderChange(name="New", default_model=None))
    assert (changed.name, changed.default_model, changed.base_url, changed.has_key) == (
        "New",
        None,
        "https://a.example",
        True,
    )


async def test_a_new_address_deletes_the_key(store: Store) -> None:
    made = await make(store, base_url="https://a.example", api_key="k")
    same = await store.providers.change(store.owner, made.id, ProviderChange(base_url="https://a.example"))
    assert same.has_key
    changed = await store.providers.change(store.owner, made.id, ProviderChange(base_url="https://b.example"))
    assert not changed.has_key
    both = ProviderChange(base_url="https://c.example", api_key="new")
    assert (await store.providers.change(store.owner, made.id, both)).has_key
    assert (await store.providers.credentials(store.owner, made.id))[1] == "new"


async def test_a_key_is_replaced_or_removed(store: Store) -> None:
    made = await make(store, api_key="old")
    await store.providers.change(store.owner, made.id, ProviderChange(api_key="new"))
    assert (await store.providers.credentials(store.owner, made.id))[1] == "new"
    assert not (await store.providers.change(store.owner, made.id, ProviderChange(api_key=None))).has_key


async def test_providers_of_others_are_not_found(store: Store) -> None:
    made = await make(store)
    stranger = "somebody else"
    assert await store.providers.list(stranger) == ()
    assert await store.providers.default(stranger) is None
    for attempt in (
        store.providers.get(stranger, made.id),
        store.providers.change(stranger, made.id, ProviderChange(name="x")),
        store.providers.delete(stranger, made.id),
        store.providers.credentials(store.owner, "nothing"),
    ):
        with pytest.raises(NotFound):
            await attempt


async def test_providers_outlive_the_server(engine: Engine) -> None:
    store = await engine.open()
    made = await make(store, api_key="k")
    await store.close()
    store = await engine.open()
    assert await store.providers.list(store.owner) == (made,)
    assert (await store.providers.credentials(store.owner, made.id))[1] == "k"


async def test_a_provider_keeps_its_preset_and_its_fallback(store: Store) -> None:
    backup = await make(store, "backup")
    made = await make(store, "main", preset="openai", fallback_id=backup.id)
    assert (made.preset, made.fallback_id) == ("openai", backup.id)
    assert await store.providers.get(store.owner, made.id) == made
    changed = await store.providers.change(store.owner, made.id, ProviderChange(fallback_id=None))
    assert (changed.preset, changed.fallback_id) == ("openai", None)


async def test_a_fallback_has_to_be_another_provider_of_the_same_owner(store: Store) -> None:
    made = await make(store)
    for fallback_id in ("nothing", made.id):
        with pytest.raises(InvalidRequest) as refused:
            await store.providers.change(store.owner, made.id, ProviderChange(fallback_id=fallback_id))
        assert refused.value.field == "fallback_id"
    with pytest.raises(InvalidRequest):
        await make(store, "new", fallback_id="nothing")
    assert await store.providers.list(store.owner) == (made,)


async def test_fallbacks_never_go_in_a_circle(store: Store) -> None:
    third = await make(store, "third")
    second = await make(store, "second", fallback_id=third.id)
    first = await make(store, "first", fallback_id=second.id)
    with pytest.raises(InvalidRequest) as refused:
        await store.providers.change(store.owner, third.id, ProviderChange(fallback_id=first.id))
    assert (refused.value.field, "back" in refused.value.message) == ("fallback_id", True)
    assert (await store.providers.get(store.owner, third.id)).fallback_id is None


async def test_a_deleted_provider_is_nobodys_fallback(store: Store) -> None:
    backup = await make(store, "backup")
    made = [await make(store, name, fallback_id=backup.id) for name in ("a", "b")]
    await store.providers.delete(store.owner, backup.id)
    assert [(await store.providers.get(store.owner, one.id)).fallback_id for one in made] == [None, None]


async def test_prices_are_kept_by_model_and_changed_one_by_one(store: Store) -> None:
    dear, cheap = Price(input=3, output=15, cached_input=0.3), Price(input=0.1, output=0.4)
    new = NewProvider(name="main", format="openai", prices={"big": dear})
    made = await store.providers.create(store.owner, new)
    assert made.prices == {"big": dear}
    changed = await store.providers.change(store.owner, made.id, ProviderChange(prices={"small": cheap}))
    assert changed.prices == {"big": dear, "small": cheap}
    changed = await store.providers.change(store.owner, made.id, ProviderChange(prices={"big": None, "none": None}))
    assert changed.prices == (await store.providers.get(store.owner, made.id)).prices == {"small": cheap}
    assert (await store.providers.change(store.owner, made.id, ProviderChange(name="x"))).prices == {"small": cheap}


async def test_a_provider_has_no_more_prices_than_anyone_enters(store: Store) -> None:
    made = await make(store)
    prices: dict[str, Price | None] = {str(number): Price(input=1, output=1) for number in range(501)}
    with pytest.raises(InvalidRequest) as refused:
        await store.providers.change(store.owner, made.id, ProviderChange(prices=prices))
    assert refused.value.field == "prices"
