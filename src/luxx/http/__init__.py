"""The HTTP surface: parse, call, render.

Here are the routes, the event streams, the trust rules of a server on loopback, the problem documents and the page's files.
What a turn does is luxx.turns'; nothing here touches a running turn, all streams read its log. `page/` is the built web page.
"""
