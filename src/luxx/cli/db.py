"""luxx db: copy an installation to PostgreSQL, back a database up."""

from pathlib import Path
from typing import Annotated

import typer

from luxx.cli.console import process_console
from luxx.cli.options import DataDir, load_settings
from luxx.core.errors import ConfigurationError
from luxx.store.opening import copy_to_postgres
from luxx.store.secrets import KEY_FILE
from luxx.store.sqlite.backup import back_up
from luxx.store.sqlite.store import DATABASE

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Copy an installation to PostgreSQL, back a database up.",
)


@app.command()
def copy(data_dir: DataDir = None) -> None:
    """Copy everything from the data directory into the empty PostgreSQL database that LUXX_DATABASE_URL names."""
    settings = load_settings(data_dir=data_dir)
    if settings.database_url is None:
        raise ConfigurationError("Set LUXX_DATABASE_URL to the database to copy to: postgresql://user@host/luxx")
    moved = copy_to_postgres(settings.data_dir, settings.database_url.get_secret_value())
    console = process_console()
    console.line(f"{moved.rows} rows were copied; {settings.data_dir} is as it was.")
    if moved.changed:
        console.line(
            f"In {moved.changed} of them a text held U+0000, which PostgreSQL cannot store; U+FFFD is there instead."
        )
    if settings.secret_key is None and settings.secret_key_file is None:
        console.line(f"Give every server the same key: LUXX_SECRET_KEY_FILE={settings.data_dir / KEY_FILE}")


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to make.")],
    data_dir: DataDir = None,
) -> None:
    """Make a consistent copy of the database, also while a server runs. The secret key is not in it: keep that too."""
    settings = load_settings(data_dir=data_dir)
    if settings.database_url is not None:
        raise ConfigurationError("The database is PostgreSQL's (LUXX_DATABASE_URL): use its own pg_dump.")
    size = back_up(settings.data_dir / DATABASE, file)
    process_console().line(f"{file}: {size / 1024**2:.1f} MiB")
