"""luxx providers: the endpoints that serve models."""

import getpass
import shlex
import sys
from typing import Annotated

import msgspec
import typer
from msgspec import UNSET

from luxx.cli import environment
from luxx.cli.console import Console, process_console
from luxx.cli.lookup import provider_named
from luxx.cli.options import DataDir, Url, load_settings
from luxx.cli.servers import Wanted, ask_server
from luxx.cli.table import table
from luxx.client import ApiError, Client, Provider, ProviderFields
from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check, ModelInfo

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Manage the endpoints that serve models.",
)

Name = Annotated[str, typer.Argument(help="The provider's name or id.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command("list")
def list_providers(json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the providers; the default one is marked with a star."""
    providers = ask_server(_wanted(url, data_dir), lambda client: client.providers())
    console = process_console()
    if json:
        console.line(msgspec.json.encode(providers).decode())
        return
    rows = [
        (
            "*" if provider.is_default else "",
            provider.name,
            provider.format,
            provider.default_model or "-",
            "yes" if provider.has_key else "no",
            provider.base_url or "-",
        )
        for provider in providers
    ]
    for line in table(("", "NAME", "FORMAT", "MODEL", "KEY", "ADDRESS"), rows, _width(console)):
        console.line(line)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A name for it.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", "-b", help="Its address, such as https://api.openai.com/v1.")
    ] = None,
    format: Annotated[str, typer.Option("--format", help="Its wire format: openai, local or scripted.")] = "openai",
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model to use by default.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Make it the default provider.")] = False,
    key_env: Annotated[
        str | None, typer.Option("--key-env", metavar="NAME", help="Take the key from this environment variable.")
    ] = None,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input.")] = False,
    no_key: Annotated[bool, typer.Option("--no-key", help="It needs no key.")] = False,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Try it out at once.")] = True,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Add a provider. Its key is asked for without being shown: a key among the arguments would be seen by others."""
    if format == "openai" and not base_url:
        raise InvalidRequest("Give its address: --base-url https://…/v1")
    key = None if no_key or format != "openai" else _read_key(key_env, from_stdin=key_stdin)
    fields = ProviderFields(
        name=name,
        format=format,
        base_url=base_url or UNSET,
        api_key=key or UNSET,
        default_model=model or UNSET,
        is_default=default or UNSET,
    )

    async def store(client: Client) -> tuple[Provider, Check | None]:
        provider = await client.create_provider(fields)
        if not test:
            return provider, None
        return await _with_only_model(client, provider), await client.test_provider(provider.id)

    provider, check = ask_server(_wanted(url, data_dir), store)
    console = process_console()
    console.line(f"{provider.name} is stored{' and is the default' if provider.is_default else ''}.")
    if check:
        _report(console, provider.name, check)
    if not provider.default_model:
        console.line(f"It has no default model: luxx providers default {shlex.quote(provider.name)} --model MODEL")


@app.command("test")
def try_provider(name: Name, url: Url = None, data_dir: DataDir = None) -> None:
    """Try a provider's address and key; the exit code is 1 if it does not answer."""

    async def try_out(client: Client) -> Check:
        return await client.test_provider((await provider_named(client, name)).id)

    check = ask_server(_wanted(url, data_dir), try_out)
    _report(process_console(), name, check)
    if not check.ok:
        raise typer.Exit(1)


@app.command()
def models(name: Name, json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the models that a provider serves."""

    async def fetch(client: Client) -> tuple[ModelInfo, ...]:
        return await client.models((await provider_named(client, name)).id)

    found = ask_server(_wanted(url, data_dir), fetch)
    console = process_console()
    if json:
        console.line(msgspec.json.encode(found).decode())
        return
    for model in found:
        console.line(model.id)


@app.command()
def default(
    name: Name,
    model: Annotated[str | None, typer.Option("--model", "-m", help="Its default model from now on.")] = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Make a provider the default one."""

    async def change(client: Client) -> Provider:
        provider = await provider_named(client, name)
        fields = ProviderFields(is_default=True, default_model=model or UNSET)
        return await client.change_provider(provider.id, fields)

    provider = ask_server(_wanted(url, data_dir), change)
    process_console().line(f"{provider.name} is the default.")


@app.command()
def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Remove a provider with its key; conversations that use it fall back to the default."""
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Remove {name} and its key?", abort=True, err=True)

    async def delete(client: Client) -> None:
        await client.delete_provider((await provider_named(client, name)).id)

    ask_server(_wanted(url, data_dir), delete)
    process_console().line(f"{name} is removed.")


def _wanted(url: str | None, data_dir: DataDir) -> Wanted:
    return Wanted(url=url, settings=load_settings(data_dir=data_dir))


def _width(console: Console) -> int:
    return console.out.width if console.out.is_terminal else 0


def _read_key(variable: str | None, *, from_stdin: bool) -> str | None:
    """Return the key, or None where there is nobody to ask for it. Raises InvalidRequest."""
    if variable:
        if key := environment.variable(variable):
            return key.strip()
        raise InvalidRequest(f"The environment variable {variable} is not set.")
    if from_stdin:
        if key := sys.stdin.readline().strip():
            return key
        raise InvalidRequest("No key came from standard input.")
    if not sys.stdin or not sys.stdin.isatty():
        return None
    return getpass.getpass("API key (empty for none): ").strip() or None


async def _with_only_model(client: Client, provider: Provider) -> Provider:
    """Give a provider that serves a single model that one as its default."""
    if provider.default_model:
        return provider
    try:
        models = await client.models(provider.id)
    except ApiError:  # the test that follows says what is wrong
        return provider
    if len(models) != 1:
        return provider
    return await client.change_provider(provider.id, ProviderFields(default_model=models[0].id))


def _report(console: Console, name: str, check: Check) -> None:
    console.line(f"{'✓' if check.ok else '✗'} {name}: {check.detail}", "green" if check.ok else "red")
