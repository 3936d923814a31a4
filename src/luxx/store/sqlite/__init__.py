"""The embedded store: one SQLite file in the data directory, held by one process.

`store` opens it and puts the parts of luxx.store.sql together over its connections: one that writes, two that read, and one for the
`checkpoints`.
"""
