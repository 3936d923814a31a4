"""The published reference servers, as people use them."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from luxx.core.ports import Reply
from luxx.core.tool_servers import HttpTarget, StdioTarget
from tests.ports import free_port
from tests.tools.calls import FakeContext, call
from tests.tools.mcp.book import OWNER, bench, module
from tests.tools.mcp.npm_servers import everything, everything_at, install


async def test_the_time_server_tells_the_time() -> None:
    async with bench() as found:
        await found.add("time", module("mcp_server_time", "--local-timezone", "UTC"), trusted=True)
        assert await found.names() == ["time__convert_time", "time__get_current_time"]
        told = await call(await found.box(), {"timezone": "Asia/Tokyo"}, "time__get_current_time")
        assert not told.failed
        assert told.data is not None
        assert told.data["timezone"] == "Asia/Tokyo"
        wrong = await call(await found.box(), {"timezone": "Moon/Base"}, "time__get_current_time")
        assert wrong.failed
        assert "Moon/Base" in wrong.content


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    git = ("git", "-C", str(tmp_path), "-c", "user.name=A", "-c", "user.email=a@b.example")
    for command in (("init", "-q"), ("commit", "-q", "--allow-empty", "-m", "the first one")):
        subprocess.run([*git, *command], check=True)
    return tmp_path


async def test_the_git_server_shows_a_repository(repository: Path) -> None:
    async with bench() as found:
        await found.add("git", module("mcp_server_git", "--repository", str(repository)), trusted=True)
        box = await found.box()
        log = await call(box, {"repo_path": str(repository), "max_count": 1}, "git__git_log")
        assert "the first one" in log.content
        assert {box.effect("git__git_log"), box.effect("git__git_reset")} <= {"read", "idempotent", "unsafe"}
        assert box.effect("git__git_log") == "read"


async def test_the_fetch_server_offers_its_prompt_and_refuses_nonsense() -> None:
    async with bench() as found:
        server = await found.add("fetch", module("mcp_server_fetch"))
        assert await found.names() == ["fetch__fetch"]
        refused = await call(await found.box(), {"url": f"http://127.0.0.1:{free_port()}/"}, "fetch__fetch")
        assert refused.failed
        (prompt,) = await found.servers.prompts(OWNER, server.id)
        assert (prompt.name, [blank.name for blank in prompt.arguments]) == ("fetch", ["url"])


@pytest.fixture(scope="session")
def npm() -> None:
    """Have the servers from npm installed."""
    install()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("over", ["stdio", "http"])
async def test_everything_is_everything(npm: None, over: str) -> None:
    with everything_at(free_port()) if over == "http" else contextlib.nullcontext("") as url:
        await _use_everything(HttpTarget(url=url) if url else everything())


async def _use_everything(target: HttpTarget | StdioTarget) -> None:
    accepts = FakeContext(replies=[Reply(action="accept", content={"name": "Ada"})])
    async with bench() as found:
        server = await found.add("all", target)
        box = await found.box()
        assert (await call(box, {"message": "hi"}, "all__echo")).content == "Echo: hi"
        picture = await call(box, {}, "all__get-tiny-image")
        assert [(ref.name, ref.is_image) for ref in picture.files] == [("image.png", True)]
        structured = await call(box, {"location": "Chicago"}, "all__get-structured-content")
        assert structured.data is not None
        assert structured.data.keys() == {"temperature", "conditions", "humidity"}
        progress = FakeContext()
        long = {"duration": 0.5, "steps": 3}
        assert "completed" in (await call(box, long, "all__trigger-long-running-operation", progress)).content
        assert progress.reports[-1] == ("", 3.0, 3.0)
        asked = await call(box, {}, "all__trigger-elicitation-request", accepts)
        assert "Name: Ada" in asked.content
        listed = await call(box, {}, "all__list_resources")
        assert "demo://resource/static/document/" in listed.content
        uri = next(line for line in listed.content.splitlines() if "static" in line).split()[1]
        assert not (await call(box, {"uri": uri}, "all__read_resource")).failed
        prompts = {prompt.name for prompt in await found.servers.prompts(OWNER, server.id)}
        assert "simple-prompt" in prompts
        filled = await found.servers.prompt(OWNER, server.id, "args-prompt", {"city": "Paris"})
        assert filled[0].text == "What's weather in Paris?"
