"""The owner's secret: what needs it, and the two ways to bring it."""

import pytest

from luxx.http.owner import OwnerSecret
from tests.http.world import TOKEN, World

NEW = {"name": "x", "format": "openai", "base_url": "https://api.example/v1", "api_key": "sk-1"}


async def _writes(at: World, **headers: str) -> list[int]:
    provider_id = (await at.client.get("/api/providers")).json["items"][0]["id"]
    path = f"/api/providers/{provider_id}"
    answers = [
        await at.client.post("/api/providers", NEW, **headers),
        await at.client.patch(path, {"name": "y"}, **headers),
        await at.client.delete(path, **headers),
    ]
    return [answer.status for answer in answers]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Bearer "},
        {"authorization": f"Basic {TOKEN}"},
        {"authorization": TOKEN},
        {"authorization": f"Bearer {TOKEN}x"},
        {"authorization": "Bearer \xff"},
        {"cookie": f"luxx_owner_8420={TOKEN}"},
        {"cookie": "luxx_owner_8420="},
    ],
)
async def test_changing_providers_needs_the_secret(at: World, headers: dict[str, str]) -> None:
    assert await _writes(at, **headers) == [401, 401, 401]
    assert len((await at.client.get("/api/providers")).json["items"]) == 1


async def test_the_bearer_is_enough(at: World) -> None:
    assert await _writes(at, authorization=f"bearer {TOKEN}") == [201, 200, 204]


async def test_a_401_says_which_file_and_which_link(at: World) -> None:
    answer = await at.client.post("/api/providers", NEW)
    assert answer.json["code"] == "owner_secret_required"
    assert "owner-token" in answer.json["detail"]
    assert "luxx serve" in answer.json["detail"]
    assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_the_link_sets_a_cookie_that_is_enough(at: World) -> None:
    answer = await at.client.get(f"/open?token={TOKEN}")
    assert (answer.status, answer.headers["location"], answer.headers["cache-control"]) == (303, "/", "no-store")
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert TOKEN not in cookie
    assert await _writes(at, cookie=f"other=1; {cookie}") == [201, 200, 204]


@pytest.mark.parametrize("token", ["", "wrong", f"{TOKEN}x", "%00", "%F0%9F%98%80"])
async def test_a_wrong_link_sets_nothing_and_says_where_the_right_one_is(at: World, token: str) -> None:
    answer = await at.client.get(f"/open?token={token}")
    assert answer.status == 401
    assert "set-cookie" not in answer.headers
    assert b"luxx serve" in answer.body


def test_servers_on_other_ports_have_other_cookies() -> None:
    assert OwnerSecret(TOKEN, 1).cookie_name != OwnerSecret(TOKEN, 2).cookie_name


def test_another_secret_makes_another_cookie() -> None:
    assert OwnerSecret("a", 1).cookie_value != OwnerSecret("b", 1).cookie_value


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(ValueError, match="empty"):
        OwnerSecret("", 1)


async def test_reading_and_trying_out_needs_no_secret(at: World) -> None:
    provider_id = (await at.client.get("/api/providers")).json["items"][0]["id"]
    assert (await at.client.get(f"/api/providers/{provider_id}/models")).json == {
        "items": [{"id": "m", "context_window": 4096}]
    }
    answer = await at.client.post(f"/api/providers/{provider_id}/test")
    assert answer.json == {"ok": True, "detail": "It answers.", "models": 1}
