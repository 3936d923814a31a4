"""The talk: a prompt with history, and the commands that begin with a slash."""

import os
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from luxx.cli.attachments import described, paths_in, read_attachment
from luxx.cli.chat_player import Player
from luxx.cli.chat_session import Asked, Shown
from luxx.cli.console import Console
from luxx.cli.safetext import fit
from luxx.client import Unreachable
from luxx.core.errors import InvalidRequest, LuxxError
from luxx.core.events import Cancelled, Failed

try:
    import readline
except ImportError:  # Windows has none: the prompt works without history
    readline = None

_HISTORY = "chat-history"
_HISTORY_LINES = 1000
_PROMPT = "> "


class _Command(msgspec.Struct, frozen=True):
    run: Callable[[str], None]
    usage: str
    purpose: str


class _Quit(Exception):
    """The person wants to leave."""


class ChatPrompt:
    """Reads what a person types and acts on it, until they leave."""

    def __init__(self, player: Player, console: Console, data_dir: Path) -> None:
        self._player = player
        self._session = player.session
        self._console = console
        self._history = data_dir / _HISTORY
        self._commands = {
            "new": _Command(self._new, "/new", "begin a new conversation"),
            "list": _Command(self._list, "/list", "list the latest conversations"),
            "open": _Command(self._open, "/open ID|last", "go on in a conversation"),
            "history": _Command(self._show_history, "/history", "show the conversation so far"),
            "model": _Command(self._model, "/model [NAME]", "choose the model, or go back to the default"),
            "provider": _Command(self._provider, "/provider [NAME]", "choose the provider, or go back to the default"),
            "system": _Command(self._system, "/system [TEXT]", "set the system prompt, or clear it"),
            "tools": _Command(self._tools, "/tools on|off", "let the model use tools or not"),
            "attach": _Command(
                self._attach, "/attach [PATH...]", "send files with the next message, or none after all"
            ),
            "retry": _Command(self._retry, "/retry", "ask for another answer to the last message"),
            "continue": _Command(self._continue, "/continue", "go on where the last answer was cut"),
            "help": _Command(self._help, "/help", "show this"),
            "quit": _Command(self._quit, "/quit", "leave (so does Ctrl-D)"),
        }

    def talk(self) -> int:
        """Talk until the person leaves; return the exit code."""
        self._load_history()
        self._console.line("Type a message; /help shows the commands, Ctrl-C stops an answer, Ctrl-D leaves.", "dim")
        try:
            self._guarded(self._begin)
            while (line := self._read()) is not None:
                if line.strip():
                    self._guarded(partial(self._act, line))
        except _Quit:
            pass
        finally:
            self._save_history()
        return 0

    def _read(self) -> str | None:
        """Return a line, or None at the end; a backslash at a line's end asks for another line."""
        lines: list[str] = []
        while True:
            try:
                line = input(_PROMPT if not lines else "… ")
            except KeyboardInterrupt:
                self._console.line()
                return ""
            except EOFError:
                self._console.line()
                return None
            if not line.endswith("\\"):
                return "\n".join([*lines, line])
            lines.append(line[:-1])

    def _guarded(self, act: Callable[[], None]) -> None:
        """Act, and say what went wrong: an error does not end the talk."""
        try:
            act()
        except Unreachable as error:
            self._console.error(error.message)
            if self._player.moved():
                self._console.note("Connected to another server: try again.")
        except LuxxError as error:
            self._console.error(error.message)
        except KeyboardInterrupt:
            self._console.line()

    def _begin(self) -> None:
        if conversation := self._session.conversation:
            self._console.line(conversation.title, "bold")
            self._play(self._session.attach_running)

    def _act(self, line: str) -> None:
        if not line.startswith("/"):
            self._play(partial(self._session.ask, line))
            return
        name, _, rest = line[1:].strip().partition(" ")
        command = self._commands.get(name)
        if command is None:
            raise InvalidRequest(
                f"There is no command /{name}; /help lists them. To send it as text, begin with a space."
            )
        command.run(rest.strip())

    def _play(self, begin: Callable[[], Coroutine[Any, Any, Shown]]) -> None:
        end = self._player.play(begin)
        if isinstance(end, Failed):
            self._console.error(f"{end.content} ({end.code}); /retry asks again")
        elif isinstance(end, Cancelled):
            self._console.line("stopped; /continue goes on, /retry asks again", "dim")
        elif isinstance(end, Asked):
            self._console.line("it waits for you; /open last asks again", "dim")
        self._console.line()

    def _new(self, _: str) -> None:
        self._session.leave()
        self._console.line("The next message begins a new conversation.", "dim")

    def _list(self, _: str) -> None:
        for conversation in self._player.run(self._session.latest(limit=15)):
            self._console.line(f"{conversation.id}  {fit(conversation.title, self._console.out.width - 34)}")

    def _open(self, wanted: str) -> None:
        if not wanted:
            raise InvalidRequest("Say which: /open ID, or /open last")
        self._player.run(self._session.open(wanted))
        self._begin()

    def _show_history(self, _: str) -> None:
        for message in self._player.run(self._session.branch()):
            self._console.line(message.role, "bold")
            for file in message.attachments:
                self._console.line(f"[{described(file)}]", "dim")
            self._console.line(message.text)
            self._console.line()

    def _model(self, name: str) -> None:
        self._choose(model=name or None)
        self._console.line(f"model: {name or 'the default'}", "dim")

    def _provider(self, name: str) -> None:
        self._player.run(self._session.choose_provider(name or None))
        self._console.line(f"provider: {name or 'the default'}", "dim")

    def _system(self, text: str) -> None:
        self._choose(system=text)
        self._console.line("system prompt set" if text else "no system prompt", "dim")

    def _attach(self, line: str) -> None:
        if not line:
            taken = self._player.run(self._session.take_back())
            self._console.line(f"taken back: {', '.join(file.name for file in taken) or 'nothing'}", "dim")
        files = [read_attachment(path) for path in paths_in(line)]
        for file in self._player.run(self._session.attach_files(files)) if files else ():
            self._console.line(f"attached {described(file)}", "dim")

    def _tools(self, word: str) -> None:
        if word not in ("on", "off"):
            raise InvalidRequest("Say /tools on or /tools off")
        self._choose(tools=word == "on")
        self._console.line(f"tools: {word}", "dim")

    def _choose(self, **changes: str | bool | None) -> None:
        self._session.choice = msgspec.structs.replace(self._session.choice, **changes)

    def _retry(self, _: str) -> None:
        self._play(self._session.retry)

    def _continue(self, _: str) -> None:
        self._play(self._session.go_on)

    def _help(self, _: str) -> None:
        for command in self._commands.values():
            self._console.line(f"  {command.usage:<20}{command.purpose}")
        self._console.line("  A line that ends with \\ goes on in the next one.")

    def _quit(self, _: str) -> None:
        raise _Quit

    def _load_history(self) -> None:
        if readline is None:
            return
        readline.set_history_length(_HISTORY_LINES)
        try:
            readline.read_history_file(self._history)
        except OSError:
            return

    def _save_history(self) -> None:
        """Keep what was typed, for the owner's eyes only; a folder that is not there or full is no reason to fail."""
        if readline is None:
            return
        try:
            os.close(os.open(self._history, os.O_WRONLY | os.O_CREAT, 0o600))
            readline.write_history_file(self._history)
        except OSError:
            self._console.note(f"The history could not be kept in {self._history}.")
