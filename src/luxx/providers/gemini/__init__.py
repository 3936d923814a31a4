"""Google's native format: generateContent, as the Gemini API, Vertex and gateways to them speak it.

framing (bytes -> events), answer (events -> Deltas) with calls, arguments, sources and returned, and request (ModelRequest -> bytes)
with history, tools, schema and thinking are pure; model joins them with the transport.
"""
