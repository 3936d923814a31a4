"""The store: the only package with SQL.

`interface` says what every store offers and `records` what it gives and takes; `opening` chooses the engine. The statements are
shared, in `sql`; `sqlite` and `postgres` say how each engine is reached, and who else may be using it. Tables come from the
numbered migrations, which are only added to. Rules of the conversation (who may write what, what a turn runs with) belong to
luxx.turns; here are only those that a transaction must hold.
"""
