"""What both engines share: the statements, one module for each noun, and the threads that run them.

Functions that take a `Connection` run in a thread of the `writer` or of the `readers`, inside a transaction. They are written once:
what the engines say differently is in `dialect`, how they are reached in luxx.store.sqlite and luxx.store.postgres. Rows that
two nodes may want to change are locked in one order: the conversation first, of several the one with the lower id, then
its turns; a `{lock}` in a statement marks the place.
"""
