"""The OpenAI chat-completions format with its dialects, which most hosts and local servers speak.

request (ModelRequest -> bytes), chunks (JSON -> Chunk), calls (tool calls from their pieces), answer (bytes -> Deltas) are
pure; model joins them with the transport.
"""
