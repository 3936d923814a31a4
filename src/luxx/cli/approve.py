"""luxx approve: let a call run that waits for a person, or answer the question of a tool."""

from typing import Annotated

import typer

from luxx.cli.approvals import Index, TurnId, decide
from luxx.cli.asking import read_arguments
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import wanted_server

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command()
def approve(
    turn: TurnId,
    index: Index,
    arguments: Annotated[
        str | None,
        typer.Option("--arguments", metavar="JSON", help="Run it with these instead; for a question, the answer."),
    ] = None,
    always: Annotated[
        bool, typer.Option("--always", help="Let this tool run without asking in this conversation from now on.")
    ] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Let a call run that waits for a person, or answer the question of a tool."""
    given = None if arguments is None else read_arguments(arguments)
    wanted = wanted_server(url, data_dir)
    decide(turn, index, wanted, approve=True, arguments=given, always=always)
