"""Leash: a program that runs a server's program and takes its whole process group down when Luxx is gone, however Luxx ended.

Started as ``python -I -S leash.py FD COMMAND ARGS...`` in a session of its own. FD is the reading end of a pipe whose other end only
Luxx holds: it ends when Luxx does, even by SIGKILL. Standard library only, nothing of Luxx: it is there for as long as the server is.
"""

import os
import signal
import sys
import threading

_FROM = {
    "uvx": "It comes with uv (pip install uv)",
    "uv": "To have it: pip install uv",
    "npx": "It comes with Node.js (https://nodejs.org)",
    "node": "It is Node.js (https://nodejs.org)",
}
"""How to get the programs that servers are most often started with."""


def main() -> None:
    """Run the program and end as it ended."""
    lifeline, command = int(sys.argv[1]), sys.argv[2:]
    child = os.fork()
    if child == 0:
        os.close(lifeline)
        _become(command)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # for the group: the server is to end first
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
    _, status = os.waitpid(child, 0)
    os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def _become(command: list[str]) -> None:
    try:
        os.execvp(command[0], command)
    except OSError as error:
        words = f"{command[0]} cannot be run: {error.strerror}"
        if isinstance(error, FileNotFoundError) and command[0] in _FROM:
            words += f". {_FROM[command[0]]}; it has to be in the PATH that Luxx's server has."
        os.write(2, f"{words}\n".encode(errors="replace"))
        os._exit(127)


def _watch(lifeline: int) -> None:
    os.read(lifeline, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
