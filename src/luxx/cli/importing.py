"""luxx import: conversations that Luxx or another system exported."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from luxx.cli.console import Console, process_console
from luxx.cli.options import DataDir, Url
from luxx.cli.safetext import fit
from luxx.cli.servers import ask_server, wanted_server
from luxx.client import Client, ImportReport
from luxx.core.errors import InvalidRequest

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

_MOST_PROBLEMS = 10


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="The export, as JSON or in the ZIP archive that it came in.")],
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Take in conversations from ChatGPT, Claude, Open WebUI, LibreChat or Luxx; those that are here already are left alone."""

    async def send(client: Client) -> ImportReport:
        try:
            opened = file.expanduser().open("rb")
        except OSError as error:
            raise InvalidRequest(f"{file} cannot be read: {error.strerror or error}.") from error
        with opened:
            return await client.archive.import_file(opened)

    report = ask_server(wanted_server(url, data_dir), send)
    console = process_console()
    if json:
        console.line(msgspec.json.encode(report).decode())
    else:
        _tell(console, report)
    if report.refused or not report.found:
        raise typer.Exit(1)


def _tell(console: Console, report: ImportReport) -> None:
    if not report.found:
        console.error("There are no conversations in it that Luxx knows how to read.")
        return
    console.line(f"{report.imported} of {report.found} conversations imported, with {report.messages} messages.")
    if report.skipped:
        console.line(f"{report.skipped} were here already.")
    for what, counts in (("Left out", report.left_out), ("Made up", report.mended)):
        if counts:
            told = ", ".join(f"{count} x {kind.replace('_', ' ')}" for kind, count in sorted(counts.items()))
            console.line(f"{what}: {told}")
    for problem in report.problems[:_MOST_PROBLEMS]:
        console.line(fit(f"Refused: {problem.title}: {problem.reason}", 200))
    if report.refused > _MOST_PROBLEMS:
        console.line(f"... {report.refused} refused in all.")
