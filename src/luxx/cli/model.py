"""luxx model: the embedded model's file."""

import typer

from luxx.cli.console import process_console
from luxx.cli.options import DataDir, load_settings
from luxx.cli.safetext import fit
from luxx.providers.local import model_file

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Fetch the embedded model.",
)


@app.command()
def pull(data_dir: DataDir = None) -> None:
    """Fetch the embedded model into the data directory: pinned, and checked by its hash."""
    settings = load_settings(data_dir=data_dir)
    console = process_console()

    def report(line: str) -> None:
        if console.err.has_cursor:
            console.err.status(fit(line, console.err.width - 1))

    try:
        path = model_file.pull(settings.data_dir, report)
    finally:
        console.err.status("")
    console.line(f"{model_file.SMOLLM2.name} is ready: {path} (licence: {model_file.SMOLLM2.licence})")


@app.command()
def path(data_dir: DataDir = None) -> None:
    """Print where the embedded model's file is; the exit code is 1 if it is missing."""
    console = process_console()
    found = model_file.find(load_settings(data_dir=data_dir).data_dir)
    if found is None:
        console.error("The embedded model's file is missing: run `luxx model pull`.")
        raise typer.Exit(1)
    console.line(str(found))
