"""Those who answer: one package for each wire format, the scripted model, and the embedded one.

Here belongs what turns a ModelRequest into a provider's words and its stream into Deltas: pure functions for each format,
one transport, one reading of failures. Retrying, tools and turns belong to the engine; keys and settings come in as values.
"""
