"""Asking: what waits for a person, put to the one at the terminal, or decided by what the command line said."""

import sys
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from luxx.cli.console import Console
from luxx.cli.forms import Entry, entries_of
from luxx.cli.safetext import safe_line
from luxx.core.errors import InvalidRequest
from luxx.core.events import Approval, Question
from luxx.core.ports import Decision

try:
    import readline
except ImportError:  # Windows has none: then what is edited is typed anew
    readline = None

Asker = Callable[[Approval], Decision | None]
"""Decides, or leaves it waiting with None. Raises KeyboardInterrupt when the turn is to be stopped."""

_APPROVED = Decision(state="approved")
_DENIED = Decision(state="denied")


def asker_for(console: Console, *, answer: bool | None) -> Asker:
    """Return who decides: what the command line said, else the person at the terminal, else nobody."""
    if answer is not None:
        return _always_yes if answer else _always_no
    if sys.stdin and sys.stdin.isatty() and console.err.is_terminal:
        return Person(console)
    return _nobody


def what_waits(approval: Approval) -> str:
    """Return in a line what a call or a tool asks for."""
    if approval.question:
        return f"{approval.tool} asks: {approval.question.message}"
    return f"{approval.tool} asks for permission, with {as_json(approval.arguments)}"


def as_json(arguments: dict[str, Any]) -> str:
    """Return arguments as compact JSON."""
    return msgspec.json.encode(arguments).decode()


def read_arguments(text: str) -> dict[str, Any]:
    """Return the JSON object that a person wrote. Raises InvalidRequest."""
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidRequest(f"The arguments must be a JSON object: {error}.") from error


def _nobody(_: Approval) -> None:
    return None


def _always_yes(approval: Approval) -> Decision | None:
    return None if approval.question else _APPROVED


def _always_no(_: Approval) -> Decision:
    return _DENIED


class _Leave(Exception):
    """The person wants to decide later."""


class Person:
    """Asks the person at the terminal. Ctrl-D leaves what is asked waiting, Ctrl-C stops the turn."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screen = console.out if console.out.is_terminal else console.err

    def __call__(self, approval: Approval) -> Decision | None:
        """Ask; see Asker."""
        try:
            return self._question(approval.question) if approval.question else self._call(approval)
        except _Leave:
            return None
        except KeyboardInterrupt:
            self._screen.line()
            raise

    def _call(self, approval: Approval) -> Decision:
        self._screen.line("It would run with:", "yellow")
        self._screen.line(msgspec.json.format(msgspec.json.encode(approval.arguments), indent=2).decode())
        match self._choose("Allow it? [y]es, [n]o, [a]lways in this conversation, [e]dit: ", "ynae"):
            case "y":
                return _APPROVED
            case "a":
                return Decision(state="approved", always=True)
            case "e":
                return Decision(state="approved", arguments=self._edited(approval.arguments))
            case _:
                return _DENIED

    def _edited(self, arguments: dict[str, Any]) -> dict[str, Any]:
        text = as_json(arguments)
        while True:
            text = self._line("JSON: ", text)
            try:
                return read_arguments(text)
            except InvalidRequest as error:
                self._screen.line(error.message, "red")

    def _question(self, question: Question) -> Decision:
        if question.url is not None:
            return self._page(question.url)
        try:
            entries = entries_of(question.schema or {})
        except InvalidRequest as error:
            self._screen.line(f"{error.message} The page can, or: luxx approve TURN INDEX --arguments JSON", "red")
            raise _Leave from error
        if self._choose("Answer it? [y]es, [n]o: ", "yn") == "n":
            return _DENIED
        return Decision(state="approved", arguments=self._filled_in(entries))

    def _page(self, url: str) -> Decision:
        self._screen.line(f"It wants you to open a page at {_host(url)}:", "yellow")
        self._screen.line(url)
        opened = self._choose("Open it in your browser. Do you? [y]es, [n]o: ", "yn") == "y"
        return Decision(state="approved", arguments={}) if opened else _DENIED

    def _filled_in(self, entries: Sequence[Entry]) -> dict[str, object]:
        answers = {entry.name: self._value(entry) for entry in entries}
        return {name: value for name, value in answers.items() if value is not None}

    def _value(self, entry: Entry) -> object:
        """Return what a person enters into a field, None for nothing."""
        if entry.field.description:
            self._screen.line(entry.field.description, "dim")
        for number, choice in enumerate(entry.choices, 1):
            self._screen.line(f"  {number}  {choice.title or choice.value}")
        default = entry.field.default
        shown = "" if default is None else f" [{default}]"
        while True:
            text = self._line(f"{entry.label}{shown}{'' if entry.required else ' (optional)'}: ")
            if not text.strip() and (default is not None or not entry.required):
                return default
            try:
                return entry.read(text)
            except InvalidRequest as error:
                self._screen.line(error.message, "red")

    def _choose(self, prompt: str, letters: str) -> str:
        while True:
            word = self._line(prompt).strip().lower()
            if word[:1] and word[0] in letters:
                return word[0]

    def _line(self, prompt: str, text: str = "") -> str:
        """Return a typed line, which begins with `text` where lines can be edited and keeps out of the history."""
        if not self._console.out.is_terminal:  # where input() would write to it
            self._screen.write(prompt)
            prompt = ""
        if readline:
            readline.set_auto_history(False)
            readline.set_startup_hook((lambda: _insert(text)) if text else None)
        try:
            return input(safe_line(prompt)) or text
        except EOFError:
            self._screen.line()
            raise _Leave from None
        finally:
            if readline:
                readline.set_startup_hook(None)
                readline.set_auto_history(True)


def _insert(text: str) -> None:
    if readline:
        readline.insert_text(text)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that is none"
