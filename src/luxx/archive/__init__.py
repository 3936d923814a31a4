"""Conversations as files: what others export is read, and Luxx's own are written. Pure functions over bytes and core.archive.

Each format is a module that turns one conversation of it into a Draft; `settled` makes a whole tree of any draft. What a format has and Luxx
does not is counted in a Tally, never dropped in silence. No store, no web, no model.
"""
