"""The client that the MCP conformance suite drives: Luxx's own, which uses all that the server at the address given offers.

    conformance client --command "python -m tests.tools.mcp.conformance_client" --requirements 2026-07-28

The suite appends the address, and gives what a scenario needs beside it in MCP_CONFORMANCE_CONTEXT.
"""

import asyncio
import os
import sys
from typing import Any

import msgspec

from luxx.core.ports import Check, Reply
from luxx.core.tool_servers import LOGIN_CLIENT, HttpTarget, ToolServer
from luxx.tools.box import Toolbox
from luxx.tools.mcp.connection import Limits, Patience
from luxx.tools.mcp.names import tool_name
from tests.tools.calls import FakeContext
from tests.tools.mcp.book import OWNER, Bench, bench
from tests.tools.mcp.person import REDIRECT, log_in

_LIMITS = Limits(patience=Patience(connect_s=20, call_s=20, listing_s=20))
_SAMPLES: dict[str, object] = {"string": "text", "number": 2, "integer": 2, "boolean": True, "array": [], "object": {}}


async def main(url: str, context: dict[str, Any]) -> int:
    """Use a server; return the exit code: 1 if it could not be used at all."""
    async with bench(_LIMITS) as found, asyncio.TaskGroup() as tasks:
        found.servers.logins.redirect_uri = REDIRECT
        found.servers.logins.client_url = "https://conformance-test.local/client-metadata.json"
        known = {name: context[name] for name in ("client_id", "client_secret") if name in context}
        secrets = {LOGIN_CLIENT: msgspec.json.encode(known).decode()} if known else None
        server = await found.add("s", HttpTarget(url=url), trusted=True, secrets=secrets)
        person = tasks.create_task(log_in(found, server))
        worked = await _use(found, server, context)
        person.cancel()
    return 0 if worked else 1


async def _use(found: Bench, server: ToolServer, context: dict[str, Any]) -> bool:
    """Use all that the server offers; tell whether it could be used."""
    checked = await found.servers.check(OWNER, server.id)
    if "log in" in checked.detail:
        checked = await _checked_again(found, server)
    sys.stderr.write(checked.detail + "\n")
    if not checked.ok:
        return False
    box = await found.box()
    for name, arguments in _calls(box, context):
        outcome = await box.run(name, msgspec.json.encode(arguments).decode(), _willing())
        sys.stderr.write(f"{name}: {outcome.content[:200]}\n")
    await _use_prompts(found, server.id)
    return True


async def _checked_again(found: Bench, server: ToolServer) -> Check:
    """Wait for the person, who logs in meanwhile."""
    async with asyncio.timeout(20):
        while not (checked := await found.servers.check(OWNER, server.id)).ok and "log in" in checked.detail:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return checked


def _calls(box: Toolbox, context: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls that the scenario wants, else one of each tool."""
    if wanted := context.get("toolCalls"):
        return [(tool_name("s", call["name"]), call["arguments"]) for call in wanted]
    specs = box.specs()
    richest = max((spec.parameters for spec in specs), key=lambda schema: len(str(schema)), default={})
    return [(spec.name, _sample(spec.parameters, richest)) for spec in specs]


def _sample(schema: dict[str, Any], echoed: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for a tool; one that takes a schema gets `echoed`, to see what has become of it."""
    properties: dict[str, dict[str, Any]] = schema.get("properties", {})
    if "schema" in properties:
        return {"schema": echoed}
    if "uri" in properties:
        return {"uri": "file:///path/to/file%20name.txt"}
    return {name: _SAMPLES.get(str(member.get("type")), "text") for name, member in properties.items()}


async def _use_prompts(found: Bench, server_id: str) -> None:
    for prompt in await found.servers.prompts(OWNER, server_id):
        await found.servers.prompt(OWNER, server_id, prompt.name, {blank.name: "text" for blank in prompt.arguments})


def _willing() -> FakeContext:
    """Return a context whose person accepts all that is asked, and fills nothing in."""
    return FakeContext(replies=[Reply(action="accept")] * 20)


if __name__ == "__main__":
    given = os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}")  # noqa: TID251 - how the suite gives it
    sys.exit(asyncio.run(main(sys.argv[-1], msgspec.json.decode(given))))
