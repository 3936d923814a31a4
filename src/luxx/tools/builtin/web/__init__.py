"""The tools that reach the web: fetch and search, and the guard that keeps them out of private networks.

Here belongs what speaks to hosts that a model or a page names. Not here: servers that a person set up (mcp, openapi).
"""
