"""Page: what the web page costs in a real browser, beside a plain page that shows the same tokens in the same run.

The browser's tab, the texts, the plain page, the measures and their table belong here; servers and figures are those of the other
measures.
"""
