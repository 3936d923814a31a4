"""The tools that come with Luxx, one to a module; they touch nothing outside the process but the clock.

Here belongs a tool that every installation offers. Not here: tools for trials (demo), tools of packages (installed).
"""
