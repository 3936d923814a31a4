"""The tools that come with Luxx: time, arithmetic, Python code, the conversation's files, and the web.

Here belongs a tool that every installation offers. Not here: tools for trials (demo), tools of packages (installed), of MCP servers
(mcp) and of web services (openapi).
"""
