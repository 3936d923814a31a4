"""The Anthropic Messages format.

traits (what a model takes), quirks (what an endpoint refused), history (prompts -> messages), request (ModelRequest -> bytes),
blocks (content blocks from their pieces), aside (sources and notices) and answer (bytes -> Deltas) are pure; model joins them
with the transport.
"""
