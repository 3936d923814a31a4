"""The root of the command line: the table of commands, each loaded when it is called, and where errors become words."""

import importlib
from typing import Annotated, Any

import typer
from typer._click import Context  # pyright: ignore[reportPrivateUsage] - typer carries its own click without a public door
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from luxx import __version__
from luxx.cli.console import process_console
from luxx.core.errors import LuxxError

COMMANDS = {
    "serve": "Run the server.",
    "chat": "Ask a model, with an answer that is never lost.",
    "providers": "Manage the endpoints that serve models.",
    "models": "List the models of the providers, with what they can take and do.",
    "mcp": "Manage the MCP servers that bring tools.",
    "openapi": "Manage the web services that bring tools by their OpenAPI documents.",
    "approvals": "List what waits for a person.",
    "approve": "Let a call run that waits, or answer a tool's question.",
    "deny": "Refuse a call that waits, or a tool's question.",
    "rules": "Say which tools run, ask first, or do not run.",
    "conversations": "List, show, export and delete conversations.",
    "export": "Write all conversations to a file.",
    "import": "Take in conversations that Luxx or another system exported.",
    "model": "Fetch the embedded model.",
    "db": "Copy an installation to PostgreSQL, back a database up.",
    "doctor": "Check the installation and say what to do.",
}
"""The commands and what they are for; each is luxx.cli.NAME (or as below) with a typer app called `app`."""


_MODULES = {"import": "importing", "export": "exporting"}
"""The commands whose modules have other names."""


class _Lazy(TyperCommand):
    """Stands for a command until it is called."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: Context | None = None,
        **extra: Any,  # noqa: ANN401 - the signature of the method that it replaces
    ) -> Context:
        """Load the command and let it parse its arguments."""
        command = get_command(importlib.import_module(f"luxx.cli.{_MODULES.get(self.name or '', self.name)}").app)
        return command.make_context(info_name, args, parent, **extra)


class _Root(TyperGroup):
    """Says in one line what went wrong."""

    def invoke(self, ctx: Context) -> Any:  # noqa: ANN401 - the signature of the method that it replaces
        """Run a command. What Luxx reports ends with code 1, a reader that has gone with that of SIGPIPE."""
        try:
            return super().invoke(ctx)
        except LuxxError as error:
            process_console().error(error.message)
            raise typer.Exit(1) from error


app = typer.Typer(cls=_Root, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        process_console().line(f"luxx {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Luxx: a chat server for language models that use tools. A turn is never lost."""


def _add_lazy(name: str, purpose: str) -> None:
    @app.command(name, help=purpose, cls=_Lazy)
    def stand_in() -> None:
        """Never called: _Lazy loads the command first."""


for _name, _purpose in COMMANDS.items():
    _add_lazy(_name, _purpose)


@app.command("version", help="Show the version.")
def version_command() -> None:
    """Show the version."""
    _version(True)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="luxx")
