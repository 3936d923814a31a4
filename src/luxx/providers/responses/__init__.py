"""The Responses format of OpenAI, which Azure, xAI, gateways and local servers speak as well.

request (ModelRequest -> bytes) with inputs (prompts -> input items) and quirks (what an endpoint does not take), returned (what
goes back verbatim), events (JSON -> Event), items (output items from their pieces), calls, asides (notices, sources, files) and
answer (bytes -> Deltas) are pure; model joins them with the transport.
"""
