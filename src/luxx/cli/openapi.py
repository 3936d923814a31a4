"""luxx openapi: the web services that bring tools by their OpenAPI documents."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import UNSET

from luxx.cli.asked import named_secret
from luxx.cli.console import Console, process_console
from luxx.cli.options import DataDir
from luxx.cli.servers import ask_server, wanted_server
from luxx.cli.table import shown_table
from luxx.cli.tool_servers import Json, Kind, Luxx, Name, add_commands
from luxx.client import Client, OpenApiRefreshed, OpenApiServer, OpenApiServerFields
from luxx.core.errors import InvalidRequest

_MAX_BYTES = 5_000_000

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Manage the web services that bring tools by their OpenAPI documents.",
)

Place = Annotated[
    str, typer.Argument(metavar="URL|FILE", help="The document: its address, or a file; - is standard input.")
]
NewText = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="The new document, if it does not lie at an address.")
]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME[=VALUE]", help="A secret header to send; without a value it is asked for."),
]
Query = Annotated[
    list[str] | None,
    typer.Option(
        "--query", metavar="NAME[=VALUE]", help="A secret part of the query; without a value it is asked for."
    ),
]
BaseUrl = Annotated[
    str | None, typer.Option("--base-url", help="Where the service is, if the document is not to say it.")
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name for it; its tools are called NAME__OPERATION.")],
    place: Place,
    header: Header = None,
    query: Query = None,
    base_url: BaseUrl = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Believe that its GETs only read: they run without asking.")
    ] = False,
    server: Luxx = None,
    data_dir: DataDir = None,
) -> None:
    """Add a web service by its OpenAPI document."""
    is_url = place.lower().startswith(("http://", "https://"))
    secrets = dict(named_secret(text, "header") for text in header or ())
    secrets |= dict(named_secret(f"query:{text}", "part of the query") for text in query or ())
    fields = OpenApiServerFields(
        name=name,
        url=place if is_url else UNSET,
        document=UNSET if is_url else _text(place),
        base_url=base_url or UNSET,
        secrets=secrets or UNSET,
        trusted=trust,
    )
    made = ask_server(wanted_server(server, data_dir), lambda client: client.openapi_servers.add(fields))
    console = process_console()
    console.line(f"{made.name} is stored: {_counted(made)} at {made.base_url}")
    _show_left_out(console, made)


@app.command()
def show(name: Name, json: Json = False, server: Luxx = None, data_dir: DataDir = None) -> None:
    """Show the operations of a service, and what was left out of its document."""

    async def get(client: Client) -> OpenApiServer:
        return await client.openapi_servers.get((await _KIND.find(client, name)).id)

    found = ask_server(wanted_server(server, data_dir), get)
    console = process_console()
    if json:
        console.line(msgspec.json.encode(found).decode())
        return
    console.line(f"{found.name}: {found.title or 'a service without a title'}, {_counted(found)} at {found.base_url}")
    console.line(f"document: {found.url or 'brought as a text'}", "dim")
    if found.secrets:
        console.line(f"secrets: {', '.join(found.secrets)}", "dim")
    rows = [(one.tool, one.effect, one.asks, f"{one.method} {one.path}") for one in found.operations]
    shown_table(console, ("TOOL", "EFFECT", "ASKS", "OPERATION"), rows)
    _show_left_out(console, found)


@app.command()
def refresh(name: Name, file: NewText = None, server: Luxx = None, data_dir: DataDir = None) -> None:
    """Fetch the document of a service again, or replace it, and say what is different."""
    document = _text(file) if file else None

    async def again(client: Client) -> OpenApiRefreshed:
        found = await _KIND.find(client, name)
        return await client.openapi_servers.refresh(found.id, document)

    done = ask_server(wanted_server(server, data_dir), again)
    console = process_console()
    change = done.change
    lines = [
        f"{sign} {tool}"
        for sign, tools in (("+", change.added), ("-", change.removed), ("~", change.changed))
        for tool in tools
    ]
    console.line(f"{done.server.name} {'has changed' if lines else 'is as before'}: {_counted(done.server)}")
    for line in lines:
        console.line(line)
    if done.moved:
        console.line(f"It is at {done.server.base_url} now, which gets neither the secrets nor the trust.", "yellow")
    _show_left_out(console, done.server)


def _text(place: str) -> str:
    """Return the text of a document in a file, or from standard input. Raises InvalidRequest."""
    try:
        if place == "-":
            data = sys.stdin.buffer.read(_MAX_BYTES + 1)
        else:
            with Path(place).open("rb") as file:
                data = file.read(_MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise InvalidRequest(f"{place} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{place} is no text in UTF-8.") from error
    if len(data) > _MAX_BYTES:
        raise InvalidRequest(f"{place} is larger than {_MAX_BYTES:,} bytes.")
    return text


def _counted(service: OpenApiServer) -> str:
    count = len(service.operations)
    return "1 operation" if count == 1 else f"{count} operations"


def _show_left_out(console: Console, service: OpenApiServer) -> None:
    for line in service.left_out:
        console.line(f"! {line}", "yellow")


def _row(service: OpenApiServer) -> tuple[str, ...]:
    state = "enabled" if service.enabled else "disabled"
    return service.name, state, "yes" if service.trusted else "no", service.base_url


_KIND = Kind(
    word="OpenAPI service",
    servers=lambda client: client.openapi_servers,
    fields=OpenApiServerFields,
    columns=("NAME", "STATE", "TRUSTED", "WHERE"),
    row=_row,
    trusting="Believe that its GETs only read: they then run without asking.",
)
add_commands(app, _KIND)
