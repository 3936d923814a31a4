"""luxx mcp: the MCP servers that bring tools."""

import shlex
from typing import Annotated

import typer
from msgspec import UNSET

from luxx.cli import environment
from luxx.cli.asked import named_secret
from luxx.cli.console import Console, process_console
from luxx.cli.options import DataDir
from luxx.cli.servers import ask_server, wanted_server
from luxx.cli.tool_servers import Kind, Luxx, Name, add_commands
from luxx.client import Client, McpServer, McpServerFields
from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Manage the MCP servers that bring tools.",
)

Command = Annotated[
    list[str] | None, typer.Argument(help="After --, the program with its arguments.", show_default=False)
]
McpUrl = Annotated[str | None, typer.Option("--url", help="Or its address, over streamable HTTP.")]
Header = Annotated[
    list[str] | None,
    typer.Option("--header", metavar="NAME[=VALUE]", help="A header to send; without a value it is asked for."),
]
Env = Annotated[
    list[str] | None,
    typer.Option("--env", metavar="NAME[=VALUE]", help="A variable of the program; without a value the one set here."),
]
ClientId = Annotated[
    str | None, typer.Option("--client-id", help="The client that its log-in knows Luxx as, if it has to be told.")
]
ClientSecret = Annotated[
    str | None,
    typer.Option("--client-secret-env", metavar="NAME", help="Take that client's secret from this variable."),
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name for it; its tools are called NAME__TOOL.")],
    command: Command = None,
    url: McpUrl = None,
    header: Header = None,
    env: Env = None,
    client_id: ClientId = None,
    client_secret_env: ClientSecret = None,
    cwd: Annotated[str | None, typer.Option("--cwd", help="The folder that the program starts in.")] = None,
    trust: Annotated[bool, typer.Option("--trust", help="Believe what it says of its tools: see docs/mcp.md.")] = False,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Try it out at once.")] = True,
    server: Luxx = None,
    data_dir: DataDir = None,
) -> None:
    """Add an MCP server: a program (luxx mcp add NAME -- COMMAND ARGS...) or an address (luxx mcp add NAME --url URL).

    It is stored in any case; the exit code is 1 if it cannot be used.
    """
    if bool(command) == bool(url):
        raise InvalidRequest("Give either a program, after --, or its address with --url.")
    fields = McpServerFields(
        name=name,
        command=command[0] if command else UNSET,
        args=tuple(command[1:]) if command else UNSET,
        cwd=cwd or UNSET,
        env=dict(map(_variable, env)) if env else UNSET,
        url=url or UNSET,
        headers=dict(named_secret(text, "header") for text in header) if header else UNSET,
        client_id=client_id or UNSET,
        client_secret=_variable(client_secret_env)[1] if client_secret_env else UNSET,
        trusted=trust,
    )

    async def store(client: Client) -> tuple[McpServer, Check | None]:
        made = await client.mcp_servers.add(fields)
        return made, await client.mcp_servers.test(made.id) if test else None

    made, check = ask_server(wanted_server(server, data_dir), store)
    console = process_console()
    console.line(f"{made.name} is stored.")
    if check:
        _report(console, made.name, check)
        if not check.ok:
            raise typer.Exit(1)


@app.command("test")
def try_server(name: Name, server: Luxx = None, data_dir: DataDir = None) -> None:
    """Connect to a server and list its tools; the exit code is 1 if that fails, and its last words are shown."""

    async def try_out(client: Client) -> tuple[Check, McpServer]:
        found = await _KIND.find(client, name)
        check = await client.mcp_servers.test(found.id)
        return check, await client.mcp_servers.get(found.id)

    check, found = ask_server(wanted_server(server, data_dir), try_out)
    console = process_console()
    _report(console, name, check)
    if not check.ok:
        for line in found.status.log[-20:]:
            if line not in check.detail:
                console.line(f"  {line}", "dim")
        raise typer.Exit(1)


def _state(server: McpServer) -> str:
    return server.status.state if server.enabled else "disabled"


def _tools(server: McpServer) -> str:
    return "-" if server.status.tools is None else str(server.status.tools)


def _row(server: McpServer) -> tuple[str, ...]:
    return server.name, _state(server), _tools(server), "yes" if server.trusted else "no", server.place


def _variable(text: str) -> tuple[str, str]:
    """Return the name and the value of NAME=VALUE, or of a variable of this process. Raises InvalidRequest."""
    name, given, value = text.partition("=")
    if given:
        return name, value
    if (here := environment.variable(name)) is None:
        raise InvalidRequest(f"The environment variable {name} is not set.")
    return name, here


def _report(console: Console, name: str, check: Check) -> None:
    console.line(f"{'✓' if check.ok else '✗'} {name}: {check.detail}", "green" if check.ok else "red")
    if not check.ok:
        console.line(f"To look at it again: luxx mcp test {shlex.quote(name)}")


_KIND = Kind(
    word="MCP server",
    servers=lambda client: client.mcp_servers,
    fields=McpServerFields,
    columns=("NAME", "STATE", "TOOLS", "TRUSTED", "WHERE"),
    row=_row,
    trusting="Believe what it says of its tools: those that only read then run without asking.",
)
add_commands(app, _KIND)
