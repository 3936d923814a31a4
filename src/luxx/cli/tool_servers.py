"""Tool servers: the commands that MCP servers and OpenAPI services have in common."""

import sys
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, Protocol, TypeVar

import msgspec
import typer

from luxx.cli.console import process_console
from luxx.cli.lookup import Named, named
from luxx.cli.options import DataDir
from luxx.cli.servers import ask_server, wanted_server
from luxx.cli.table import shown_table
from luxx.client import Client

Name = Annotated[str, typer.Argument(help="Its name or id.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Luxx = Annotated[
    str | None,
    typer.Option(
        "--server", envvar="LUXX_URL", help="Address of the Luxx server, if it is not the one of the data directory."
    ),
]
No = Annotated[bool, typer.Option("--no", help="No longer.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


Server = TypeVar("Server", bound=Named)
Listed = TypeVar("Listed", bound=Named, covariant=True)
Fields = TypeVar("Fields")
Changed = TypeVar("Changed", contravariant=True)


class Servers(Protocol[Listed, Changed]):
    """The part of a client that looks after one kind."""

    async def list(self) -> Sequence[Listed]:
        """Return all."""
        ...

    async def change(self, server_id: str, fields: Changed, /) -> object:
        """Change one."""
        ...

    async def delete(self, server_id: str, /) -> None:
        """Delete one."""
        ...


class Kind(msgspec.Struct, Generic[Server, Fields], frozen=True, kw_only=True):
    """What tells one kind from the other. `fields` makes the fields to change, `columns` and `row` are the table's."""

    word: str
    servers: Callable[[Client], Servers[Server, Fields]]
    fields: Callable[..., Fields]
    columns: Sequence[str]
    row: Callable[[Server], Sequence[str]]
    trusting: str

    async def find(self, client: Client, name: str) -> Server:
        """Return the one of that name or id. Raises NotFound, which lists the names."""
        return named(await self.servers(client).list(), name, self.word)

    async def change(self, client: Client, name: str, fields: Fields) -> None:
        """Change the one of that name or id. Raises NotFound."""
        await self.servers(client).change((await self.find(client, name)).id, fields)

    async def delete(self, client: Client, name: str) -> None:
        """Delete the one of that name or id. Raises NotFound."""
        await self.servers(client).delete((await self.find(client, name)).id)


def add_commands(app: typer.Typer, kind: Kind[Server, Fields]) -> None:
    """Add the commands list, enable, disable, trust and remove."""
    app.command("list", help=f"List every {kind.word}.")(_listing(kind))
    app.command("enable", help="Offer its tools again.")(_switching(kind, "is enabled", kind.fields(enabled=True)))
    off = _switching(kind, "is disabled", kind.fields(enabled=False))
    app.command("disable", help="Stop it if it runs, and offer none of its tools.")(off)
    app.command("trust", help=kind.trusting)(_trusting(kind))
    app.command("remove", help="Remove it with its secrets.")(_removing(kind))


def _listing(kind: Kind[Server, Fields]) -> Callable[..., None]:
    def list_all(json: Json = False, server: Luxx = None, data_dir: DataDir = None) -> None:
        found = ask_server(wanted_server(server, data_dir), lambda client: kind.servers(client).list())
        console = process_console()
        if json:
            console.line(msgspec.json.encode(found).decode())
        else:
            shown_table(console, kind.columns, [kind.row(one) for one in found])

    return list_all


def _switching(kind: Kind[Server, Fields], said: str, fields: Fields) -> Callable[..., None]:
    def switch(name: Name, server: Luxx = None, data_dir: DataDir = None) -> None:
        ask_server(wanted_server(server, data_dir), lambda client: kind.change(client, name, fields))
        process_console().line(f"{name} {said}.")

    return switch


def _trusting(kind: Kind[Server, Fields]) -> Callable[..., None]:
    def trust(name: Name, no: No = False, server: Luxx = None, data_dir: DataDir = None) -> None:
        said = "is no longer trusted" if no else "is trusted"
        _switching(kind, said, kind.fields(trusted=not no))(name, server, data_dir)

    return trust


def _removing(kind: Kind[Server, Fields]) -> Callable[..., None]:
    def remove(name: Name, yes: Yes = False, server: Luxx = None, data_dir: DataDir = None) -> None:
        if not yes and sys.stdin.isatty():
            typer.confirm(f"Remove {name} and its secrets?", abort=True, err=True)
        ask_server(wanted_server(server, data_dir), lambda client: kind.delete(client, name))
        process_console().line(f"{name} is removed.")

    return remove
