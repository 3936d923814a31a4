"""PostgreSQL, for many nodes: whoever holds a lease in its `node` table may own turns, and takes over those of the dead.

`store` opens it and puts the parts of luxx.store.sql together over its connections: one for the flushes of the logs, a few for other
writes and for reads, one for the `lease`, one that listens to the `others`. Only this package imports psycopg, and nobody imports
this package before a database address was given.
"""
