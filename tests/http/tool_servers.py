"""Tool servers: who would deal with MCP servers, and only takes note of what is asked of it."""

from luxx.core.errors import ToolServerFailed
from luxx.core.ports import Check
from luxx.core.tool_servers import PromptArgument, PromptInfo, PromptMessage, ServerState, ToolServer


class NotedHost:
    """See luxx.core.tool_servers.ToolServerHost; `changes` has the ids of the servers that changed."""

    def __init__(self) -> None:
        self.changes: list[str] = []
        self.broken = False

    def state(self, server: ToolServer) -> ServerState:
        """Tell of a server that runs."""
        return ServerState(state="running", protocol="2026-07-28", title="Clock 1.0", tools=2, log=("ready",))

    def changed(self, owner: str, server_id: str) -> None:
        """Take note."""
        self.changes.append(server_id)

    async def check(self, owner: str, server_id: str) -> Check:
        """Find nothing wrong."""
        return Check(ok=True, detail="It speaks.")

    async def logged_in(self, owner: str, state: str, code: str, issuer: str | None) -> bool:
        """Know one state."""
        return (state, code) == ("known", "c")

    async def prompts(self, owner: str, server_id: str) -> tuple[PromptInfo, ...]:
        """Offer one prompt, or fail as told."""
        if self.broken:
            raise ToolServerFailed("The server is gone.")
        return (PromptInfo(name="greet", arguments=(PromptArgument(name="who", required=True),)),)

    async def prompt(
        self, owner: str, server_id: str, name: str, arguments: dict[str, str]
    ) -> tuple[PromptMessage, ...]:
        """Fill it in."""
        return (PromptMessage(role="user", text=f"{name} {arguments['who']}"),)
