"""Luxx as an MCP server: what is no message gets a short JSON-RPC error in words, and batches what their version wants."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.http.asgi import Answer
from tests.http.mcp_clients import ACCEPT, mcp_world
from tests.http.world import World

VERSIONS = (None, "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")
DEEP = b"[" * 500 + b"]" * 500


def request(number: int | str, method: str = "ping", **params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


async def post(at: World, body: bytes | object, version: str | None) -> Answer:
    headers = {**ACCEPT, "content-type": "application/json"} | ({"mcp-protocol-version": version} if version else {})
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await at.owner.send("POST", "/mcp", data, headers)


@pytest.mark.parametrize(
    ("body", "code", "request_id", "words"),
    [
        (b"", -32700, None, "The body is no JSON."),
        (b"{", -32700, None, "The body is no JSON."),
        (b"\xff\xfe", -32700, None, "The body is no JSON."),
        (b"[" * 90_000, -32600, None, "The message is nested too deep."),
        (b"7", -32600, None, "A JSON-RPC message is an object."),
        (b'"ping"', -32600, None, "A JSON-RPC message is an object."),
        (b"null", -32600, None, "A JSON-RPC message is an object."),
        (b"{}", -32600, None, 'A message has "jsonrpc": "2.0".'),
        (b'{"jsonrpc":"1.0","id":4,"method":"ping"}', -32600, 4, 'A message has "jsonrpc": "2.0".'),
        (b'{"jsonrpc":"2.0"}', -32600, None, "A message is a request, a notification, or the answer to a request."),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600, None, "The `id` of a message is a text or a whole number."),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, None, "The `id` of a message is a text or a whole number."),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None, "The `id` of a message is a text or a whole number."),
        (b'{"jsonrpc":"2.0","id":"a","method":3}', -32600, "a", "The `method` of a message is a text."),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32600, 1, "The `params` of a message are an object."),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + DEEP + b"}}", -32600, 1, "The message cannot be read: is it nested too deep?"),
    ],
)  # fmt: skip
async def test_what_is_no_message_is_refused_in_words(
    at: World, body: bytes, code: int, request_id: object, words: str
) -> None:
    for version in VERSIONS:
        answer = await post(at, body, version)
        error = {"code": code, "message": words}
        assert (answer.status, answer.json) == (400, {"jsonrpc": "2.0", "id": request_id, "error": error}), version


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", "2026-07-28"])
async def test_a_batch_is_refused_where_the_version_has_none(at: World, version: str) -> None:
    answer = await post(at, [request(1), request(2)], version)
    assert (answer.status, answer.json["id"], answer.json["error"]["code"]) == (400, None, -32600)
    assert answer.json["error"]["message"].startswith("Batches are no part of MCP since 2025-06-18")


@pytest.mark.parametrize("version", ["2025-03-26", None])
async def test_a_batch_is_answered_in_the_version_that_has_them(tmp_path: Path, version: str | None) -> None:
    async with mcp_world(tmp_path) as found:
        note = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
        batch = [request(1), note, request("b", "tools/list"), request(3, "initialize"), 7, request(5, "no/such")]
        answer = await post(found.at, batch, version)
        assert answer.status == 200
        by_id = {part["id"]: part for part in answer.json}
        assert list(by_id) == [1, "b", 3, None, 5]
        assert by_id[1]["result"] == {}
        assert any(tool["name"] == "list_conversations" for tool in by_id["b"]["result"]["tools"])
        assert by_id[3]["error"]["message"] == "`initialize` cannot be part of a batch."
        assert by_id[None]["error"]["message"] == "A JSON-RPC message is an object."
        assert by_id[5]["error"]["code"] == -32601
        assert ((await post(found.at, [note], version)).status, (await post(found.at, [note], version)).body) == (
            202,
            b"",
        )


@pytest.mark.parametrize("size", [0, 51])
async def test_a_batch_of_none_or_of_too_many_is_refused(at: World, size: int) -> None:
    answer = await post(at, [request(number) for number in range(size)], None)
    assert (answer.status, answer.json["error"]["message"]) == (400, "A batch has 1 to 50 messages.")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "params",
    [{"name": 3}, {"name": "list_conversations", "arguments": 3}, {"name": "list_conversations", "_meta": 3}, {}],
)
async def test_parameters_of_a_wrong_type_are_refused_without_a_dump(
    at: World, version: str | None, params: dict[str, Any]
) -> None:
    answer = await post(at, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}, version)
    body = answer.body.decode()
    assert len(body) < 300, body
    assert "pydantic" not in body
    assert '"error"' in body
