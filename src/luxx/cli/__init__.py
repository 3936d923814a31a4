"""The command line.

Each command is a module with an `app`; `main` holds the table of them and loads a command's module only when it is called,
so that `luxx --help` is quick. What a command does with a conversation it does over HTTP through luxx.client, like any other
client; only `serve`, and commands that find no server running, build one through luxx.app. Output goes through `console`.
"""

from luxx.cli.main import main

__all__ = ["main"]
