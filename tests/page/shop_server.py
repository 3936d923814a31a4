"""An MCP server over stdio that offers prompts, and tools whose results have every form."""

import json

from mcp.server.mcpserver import MCPServer

server = MCPServer("shop")


@server.prompt(title="Write a review")
def review(product: str, tone: str = "friendly") -> str:
    """Ask for a review of a product."""
    return f"Write a {tone} review of {product}."


@server.prompt()
def greet() -> str:
    """Say hello."""
    return "Say hello to the shop."


@server.tool(structured_output=False)
def stock() -> str:
    """List what there is."""
    return json.dumps([{"item": f"item {n}", "price": n * 10} for n in range(1, 41)])


@server.tool(structured_output=False)
def order() -> str:
    """Show an order."""
    return json.dumps({"id": 7, "lines": [{"item": "lamp", "tags": ["warm", "small"]}], "paid": True})


@server.tool(structured_output=False)
def terms() -> str:
    """Read the terms."""
    return "\n".join(f"Clause {n}." for n in range(1, 301))


if __name__ == "__main__":
    server.run()
