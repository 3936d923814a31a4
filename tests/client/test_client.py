"""The client's requests: repeated where it is safe, refused in words."""

import asyncio

import msgspec
import pytest

from luxx.client import ApiError, Client, ClientError, Message, ProtocolError, Retry, Unreachable
from luxx.core.errors import InvalidRequest
from luxx.core.steps import Text
from tests.client.fake_server import serving
from tests.client.logs import TOOL_TURN

QUICK = Retry(patience=10, first=0.001, longest=0.01)


async def test_a_post_whose_answer_is_lost_is_repeated_with_the_same_id() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.health()
        server.lose_answers = 2
        handle = await client.post_message("c", "hello")
        assert handle.turn_id == "t"
        assert [post["text"] for post in server.posts] == ["hello"] * 3
        assert len({post["client_request_id"] for post in server.posts}) == 1


async def test_two_posts_have_two_ids() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.post_message("c", "hello")
        await client.post_message("c", "hello")
        first, second = (post["client_request_id"] for post in server.posts)
        assert first != second


async def test_what_is_not_set_is_not_sent() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.post_message("c", "hello", parent_id=None, client_request_id="r")
        assert server.posts == [{"text": "hello", "parent_id": None, "client_request_id": "r"}]


async def test_a_server_that_never_answered_is_reported_at_once() -> None:
    async with serving(TOOL_TURN) as server:
        await server.stop()
        async with asyncio.timeout(5), Client(server.url) as client:
            with pytest.raises(Unreachable, match="No server answers at"):
                await client.health()


async def test_a_server_that_answered_before_is_waited_for() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        await client.health()
        await server.stop()
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            health = group.create_task(client.health())
            await asyncio.sleep(0)
            await server.start()
            assert (await health).status == "ok"


async def test_a_refusal_carries_its_code_and_the_turn_in_the_way() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        problem = {"status": 409, "code": "turn_running", "detail": "an answer is in progress", "turn_id": "t"}
        server.refusals = [(409, {}, problem)]
        with pytest.raises(ApiError) as caught:
            await client.post_message("c", "hello")
        error = caught.value
        assert (error.status, error.reason, error.detail, error.turn_id) == (
            409,
            "turn_running",
            "an answer is in progress",
            "t",
        )


@pytest.mark.parametrize(("status", "body"), [(404, "not json at all"), (301, None), (500, [])])
async def test_a_refusal_without_a_problem_document_still_says_something(status: int, body: object) -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.refusals = [(status, {"Location": "http://192.0.2.1/"}, body)]
        with pytest.raises(ApiError, match=f"HTTP {status}"):
            await client.health()


async def test_a_server_that_is_not_ready_in_time_is_reported_in_its_own_words() -> None:
    async with serving(TOOL_TURN) as server:
        server.refusals = [(503, {}, {"code": "starting", "detail": "still starting"})] * 1000
        async with Client(server.url, retry=Retry(patience=0.03, first=0.001, longest=0.01)) as client:
            with pytest.raises(ApiError, match="still starting"):
                await client.health()


@pytest.mark.parametrize("status", [502, 504])
async def test_what_the_server_says_of_a_dead_provider_is_said_at_once(status: int) -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        problem = {"status": status, "code": "provider_unreachable", "detail": "no route to host"}
        headers = {"Content-Type": "application/problem+json"}
        server.refusals = [(status, headers, problem), (503, {}, None)]
        with pytest.raises(ApiError, match="no route to host"):
            await client.health()
        assert len(server.refusals) == 1


@pytest.mark.parametrize(
    ("status", "media_type"), [(502, "text/html"), (504, "text/html"), (503, "application/problem+json")]
)
async def test_a_server_that_is_not_ready_is_asked_again(status: int, media_type: str) -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.refusals = [(status, {"Content-Type": media_type}, {"detail": "not now"})] * 3
        assert (await client.health()).status == "ok"
        assert server.refusals == []


async def test_an_answer_of_another_kind_of_server_is_an_error() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, retry=QUICK) as client:
        server.refusals = [(200, {}, {"hello": "world"})]
        with pytest.raises(ProtocolError):
            await client.health()


async def test_the_secret_is_sent_as_a_bearer_token() -> None:
    async with serving(TOOL_TURN) as server, Client(server.url, token="s3cret", retry=QUICK) as client:
        await client.health()
        assert server.authorization == "Bearer s3cret"


@pytest.mark.parametrize("address", ["", "localhost", "127.0.0.1:8420", "ftp://x", "http://", "http://[bad"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ClientError):
        Client(address)


@pytest.mark.parametrize("bad", ["", "..", "a/b", "a?b", "x" * 129, "é"])
async def test_what_is_no_id_never_reaches_the_server(bad: str) -> None:
    async with Client("http://127.0.0.1:9") as client:
        with pytest.raises(InvalidRequest):
            await client.turn(bad)


def test_steps_of_a_newer_server_are_left_out() -> None:
    wire = b"""{"id": "m", "conversation_id": "c", "role": "assistant", "text": "hi", "surprise": 1, "steps": [
        {"type": "hologram", "index": 0},
        {"type": "text", "id": "step-1", "index": 1, "state": "complete", "call": 1, "content": "hi"}]}"""
    message = msgspec.json.decode(wire, type=Message)
    assert message.steps == (Text(id="step-1", index=1, state="complete", content="hi"),)
