"""Runs the MCP conformance suite against Luxx as a server: python -m tests.http.mcp_server_conformance [SCENARIO ...].

The scenarios that are left out need what Luxx does not offer (logging, prompts, completion, subscriptions, sampling, sessions that are
kept, extensions) or tools of the suite's own that no tool of Luxx can be (embedded resources, headers made of arguments).
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from luxx.tools.errors import ToolError
from luxx.tools.results import ToolFile
from luxx.tools.tool import Tool, ToolContext, tool
from tests.http.mcp_clients import PNG, mcp_world
from tests.http.world import TOKEN
from tests.tools.mcp.npm_servers import CONFORMANCE, NODE, install

SCENARIOS = {
    "2025-11-25": (
        "server-initialize",
        "server-session-lifecycle",
        "ping",
        "tools-list",
        "tools-call-simple-text",
        "tools-call-image",
        "tools-call-error",
        "tools-call-with-progress",
        "server-sse-multiple-streams",
        "server-sse-polling",
        "resources-list",
        "dns-rebinding-protection",
    ),
    "2026-07-28": (
        "tools-list",
        "tools-call-simple-text",
        "tools-call-image",
        "tools-call-error",
        "tools-call-with-progress",
        "server-sse-multiple-streams",
        "resources-list",
        "sep-2164-resource-not-found",
        "dns-rebinding-protection",
        "http-header-validation",
        "input-required-result-result-type",
        "input-required-result-tampered-state",
        "input-required-result-unsupported-methods",
        "input-required-result-ignore-extra-params",
    ),
}


def with_secret(app: ASGIApp) -> ASGIApp:
    """Return the app for a client that knows no secret: it is added to what the client sends."""

    async def added(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], (b"authorization", f"Bearer {TOKEN}".encode())]}
        await app(scope, receive, send)

    return added


def tools() -> Iterator[Tool]:
    """Make the tools that the scenarios call by name."""

    def simple() -> str:
        """Say something."""
        return "This is a simple text response for testing."

    def image() -> Any:  # noqa: ANN401 - what tools may return
        """Show something."""
        return ToolFile("dot.png", PNG)

    def fail() -> str:
        """Fail."""
        raise ToolError("This tool intentionally returns an error for testing")

    async def progress(context: ToolContext) -> str:
        """Tell how far it is."""
        for percent in (1, 50, 100):
            context.progress("on the way", percent, 100)
            await asyncio.sleep(0.5)
        return "done"

    yield tool(simple, name="test_simple_text", effect="read")
    yield tool(image, name="test_image_content", effect="read")
    yield tool(fail, name="test_error_handling", effect="read")
    yield tool(progress, name="test_tool_with_progress", effect="read")
    for asking in ("elicitation", "tampered_state"):
        yield tool(simple, name=f"test_input_required_result_{asking}", effect="unsafe")


async def main(wanted: list[str]) -> int:
    """Run the scenarios wanted, or all; return the number of those that failed."""
    await asyncio.to_thread(install)
    failed = 0
    for version, scenarios in SCENARIOS.items():
        for scenario in (one for one in scenarios if not wanted or one in wanted):
            with tempfile.TemporaryDirectory() as folder:
                async with mcp_world(Path(folder), *tools(), around=with_secret) as at:
                    passed, report = await _run(f"{at.url}/mcp", scenario, version)
            sys.stdout.write(f"{'✓' if passed else '✗'} {version} {scenario}\n{'' if passed else report}")
            sys.stdout.flush()
            failed += not passed
    return failed


async def _run(url: str, scenario: str, version: str) -> tuple[bool, str]:
    command = [NODE, str(CONFORMANCE), "server", "--url", url, "--scenario", scenario, "--spec-version", version]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode == 0, output.decode()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
