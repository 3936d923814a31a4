"""luxx deny: refuse a call that waits for a person, or the question of a tool; the turn goes on without."""

import typer

from luxx.cli.approvals import Index, TurnId, decide
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import wanted_server

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


@app.command()
def deny(turn: TurnId, index: Index, url: Url = None, data_dir: DataDir = None) -> None:
    """Refuse a call that waits for a person, or the question of a tool; the turn goes on without."""
    wanted = wanted_server(url, data_dir)
    decide(turn, index, wanted, approve=False, arguments=None, always=False)
