"""Event streams: a turn's log as server-sent events, whole or folded, alone or several in one.

Where a reader goes on is decided in `positions` and `opening`, before an answer begins; the streams themselves cannot refuse.
"""
