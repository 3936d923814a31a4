"""Luxx as an MCP server: its tools and conversations for other programs, over streamable HTTP at ``/mcp``.

Here is what makes MCP of what the stores, the supervisor and the tools do, with the rules of who may. `endpoint` alone is imported at
the start of a server; everything else needs the MCP SDK, which takes a second and 60 MB, and is loaded at the first request.
"""
