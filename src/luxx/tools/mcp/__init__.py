"""MCP: tools of other people's servers, over stdio and streamable HTTP (modelcontextprotocol.io, 2024-11-05 to 2026-07-28).

Here belongs all that stands between a hostile server and a tool's result: its process or address, its bounds, what it lists, what it
answers. Only `session` and what it imports know the SDK; they are loaded when a server is first used, for that takes a second
and 60 MB. Not here: who may call a tool, and who is asked before (tools, engine), where servers are kept (store).
"""
