"""The embedded store: one SQLite file in the data directory, held by one process.

`store` opens it and puts the parts together: the `writer` thread with its group commit, the `readers`, and one module for each
noun with its SQL. Functions that take a connection run in one of these threads, inside a transaction.
"""
