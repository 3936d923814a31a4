"""luxx approvals: what waits for a person; with luxx approve and luxx deny, which decide about it."""

from typing import Annotated, Any

import msgspec
import typer

from luxx.cli.asking import what_waits
from luxx.cli.console import process_console
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import Wanted, ask_server, wanted_server
from luxx.cli.table import shown_table

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

TurnId = Annotated[str, typer.Argument(metavar="TURN", help="The turn that waits.")]
Index = Annotated[int, typer.Argument(min=0, help="Which of its calls: luxx approvals shows it.")]


@app.command()
def approvals(
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List all that waits for a decision, oldest first."""
    wanted = wanted_server(url, data_dir)
    found = ask_server(wanted, lambda client: client.approvals())
    console = process_console()
    if json:
        console.line(msgspec.json.encode(found).decode())
        return
    rows = [
        (each.turn_id, str(each.approval.index), _until(each.approval.expires_at), what_waits(each.approval))
        for each in found
    ]
    shown_table(console, ("TURN", "INDEX", "UNTIL", "WHAT"), rows)


def decide(
    turn_id: str, index: int, wanted: Wanted, *, approve: bool, arguments: dict[str, Any] | None, always: bool
) -> None:
    """Decide, and say what comes next."""
    turn = ask_server(wanted, lambda client: client.decide(turn_id, index, approve, arguments=arguments, always=always))
    console = process_console()
    console.line("It is approved." if approve else "It is denied.")
    if not turn.ended:
        console.line(f"To see the answer: luxx chat --attach {turn.id}", "dim")


def _until(expires_at: str | None) -> str:
    return (expires_at or "")[:16].replace("T", " ")
