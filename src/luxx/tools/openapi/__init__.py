"""Tools from an OpenAPI document: each operation of a web service becomes a tool.

Here belongs reading a document and calling what it describes. Not here: where documents and secrets are stored.
"""
