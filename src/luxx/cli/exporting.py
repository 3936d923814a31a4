"""luxx export: all conversations, in a file that can be imported again."""

import codecs
import contextlib
import os
from collections.abc import AsyncGenerator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from luxx.cli.console import process_console
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import ask_server, wanted_server
from luxx.core.errors import InvalidRequest

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

Output = Annotated[Path | None, typer.Option("--output", "-o", help="A new file to write to; else standard output.")]
Contents = Annotated[bool, typer.Option("--contents", help="Put the files' contents in, too.")]


class ExportFormat(StrEnum):
    """What a conversation is written as."""

    markdown = "markdown"
    json = "json"


@app.command()
def export(output: Output = None, contents: Contents = False, url: Url = None, data_dir: DataDir = None) -> None:
    """Write all conversations, one in a line, as JSON: `luxx import` takes them in again, here or elsewhere."""
    wanted = wanted_server(url, data_dir)
    ask_server(wanted, lambda client: write(client.archive.export_all(contents), output))


async def write(chunks: AsyncGenerator[bytes], output: Path | None) -> None:
    """Write what comes, to a file that is not there yet or to standard output. A file that was cut off is not left behind."""
    async with contextlib.aclosing(chunks):
        if output is None:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            async for chunk in chunks:
                process_console().out.write(decoder.decode(chunk))
            return
        await _write_file(chunks, output)


async def _write_file(chunks: AsyncGenerator[bytes], output: Path) -> None:
    try:
        descriptor = os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise InvalidRequest(f"{output} is there already; choose another name.") from error
    except OSError as error:
        raise InvalidRequest(f"{output} cannot be made: {error.strerror or error}.") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            async for chunk in chunks:
                file.write(chunk)
    except BaseException:
        _remove(output)
        raise


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
