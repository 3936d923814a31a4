"""Luxx: a self-hosted chat server for language models that use tools."""

__version__ = "0.1.0"
