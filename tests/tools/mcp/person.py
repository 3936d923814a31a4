"""Person: who opens the log-in pages of servers, and agrees to all."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import aiohttp

from luxx.core.tool_servers import ToolServer
from tests.tools.mcp.book import OWNER, Bench

REDIRECT = "http://127.0.0.1:8420/mcp/login"


async def log_in(found: Bench, server: ToolServer, back: Bench | None = None) -> None:
    """Log in to a server on every page that it wants to have opened, until cancelled; the page leads back at once, to `back`."""
    opened: set[str] = set()
    async with aiohttp.ClientSession() as browser:
        while True:
            page = found.servers.state(server).login_url
            if page is not None and page not in opened:
                opened.add(page)
                async with browser.get(page, allow_redirects=False) as answer:
                    query = parse_qs(urlsplit(answer.headers["Location"]).query)
                    issuer = query.get("iss", [None])[0]
                    await (back or found).servers.logged_in(OWNER, query["state"][0], query["code"][0], issuer)
            await asyncio.sleep(0.02)
