"""luxx providers: the endpoints that serve models."""

import shlex
import sys
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
import typer
from msgspec import UNSET

from luxx.cli.console import Console, process_console
from luxx.cli.keys import KeyOptions, can_ask, read_key
from luxx.cli.lookup import provider_named
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import Wanted, ask_server, wanted_server
from luxx.cli.table import shown_table
from luxx.client import ApiError, Client, Preset, Provider, ProviderFields
from luxx.core.errors import InvalidRequest
from luxx.core.ports import Check, ModelInfo
from luxx.core.prices import Price

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Manage the endpoints that serve models.",
)

_CHAT = {"responses": "openai"}
"""What speaks like a preset's service at another address: chat completions, where the service has a newer form of its own."""
_KEYLESS = frozenset({"local", "scripted"})
Name = Annotated[str, typer.Argument(help="The provider's name or id.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@app.command("list")
def list_providers(json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the providers; the default one is marked with a star."""
    providers = ask_server(wanted_server(url, data_dir), lambda client: client.providers())
    console = process_console()
    if json:
        console.line(msgspec.json.encode(providers).decode())
        return
    names = {provider.id: provider.name for provider in providers}
    rows = [
        (
            "*" if provider.is_default else "",
            provider.name,
            provider.format,
            provider.default_model or "-",
            "yes" if provider.has_key else "no",
            names.get(provider.fallback_id or "", "-"),
            provider.base_url or "-",
        )
        for provider in providers
    ]
    shown_table(console, ("", "NAME", "FORMAT", "MODEL", "KEY", "FALLBACK", "ADDRESS"), rows)


@app.command("presets")
def list_presets(json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the providers that are known by name: `luxx providers add ID` needs no more than a key."""
    presets = ask_server(wanted_server(url, data_dir), lambda client: client.presets())
    console = process_console()
    if json:
        console.line(msgspec.json.encode(presets).decode())
        return
    rows = [
        (preset.id, preset.name, preset.key, preset.base_url or "(give it)", preset.key_url or "") for preset in presets
    ]
    shown_table(console, ("ID", "NAME", "KEY", "ADDRESS", "KEYS ARE AT"), rows)


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="A preset's id (luxx providers presets), or a name for another one.")],
    base_url: Annotated[
        str | None, typer.Option("--base-url", "-b", help="Its address, such as https://api.openai.com/v1.")
    ] = None,
    called: Annotated[str | None, typer.Option("--name", help="What to call it, if not as its preset.")] = None,
    format: Annotated[
        str | None, typer.Option("--format", help="Its wire format: openai, responses, anthropic, gemini, local.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model to use by default.")] = None,
    default: Annotated[bool, typer.Option("--default", help="Make it the default provider.")] = False,
    fallback: Annotated[
        str | None, typer.Option("--fallback", metavar="NAME", help="The provider that answers when this one fails.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Its key; others may see it there: better leave it out and be asked.")
    ] = None,
    key_env: Annotated[
        str | None, typer.Option("--key-env", metavar="NAME", help="Take the key from this environment variable.")
    ] = None,
    key_stdin: Annotated[bool, typer.Option("--key-stdin", help="Read the key from standard input.")] = False,
    no_key: Annotated[bool, typer.Option("--no-key", help="It needs no key.")] = False,
    test: Annotated[bool, typer.Option("--test/--no-test", help="Try it out at once.")] = True,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Add a provider, asking for its key without showing it. It is stored, but the exit code is 1 if it does not answer."""
    wanted = wanted_server(url, data_dir)
    preset = _preset(wanted, name)
    if preset and base_url and not _same_host(preset, base_url):  # not that service, only something that speaks like it
        format = format or _CHAT.get(preset.format, preset.format)
        preset = None
    format = format or (None if preset else "openai")
    if format == "openai" and not base_url and not preset:
        raise InvalidRequest("Give its address: --base-url https://…/v1, or name a preset: luxx providers presets")
    need, where = _key_need(preset, format)
    keys = KeyOptions(given=key, variable=key_env, stdin=key_stdin, none=no_key)
    fields = ProviderFields(
        preset=preset.id if preset else UNSET,
        name=called or (UNSET if preset else name),
        format=format or UNSET,
        base_url=base_url or UNSET,
        api_key=read_key(keys, need, where) or UNSET,
        default_model=model or UNSET,
        is_default=default or UNSET,
    )
    provider, check = ask_server(wanted, lambda client: _store(client, fields, fallback, test))
    if need != "none" and not (provider.has_key or no_key or can_ask()):
        process_console().line("It has no key: nobody could be asked for one (--key-env NAME or --key-stdin give it).")
    _tell_added(process_console(), provider, check)


@app.command("test")
def try_provider(name: Name, url: Url = None, data_dir: DataDir = None) -> None:
    """Try a provider's address and key; the exit code is 1 if it does not answer."""

    async def try_out(client: Client) -> Check:
        return await client.test_provider((await provider_named(client, name)).id)

    check = ask_server(wanted_server(url, data_dir), try_out)
    _report(process_console(), name, check)
    if not check.ok:
        raise typer.Exit(1)


@app.command()
def models(name: Name, json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """List the models that a provider serves."""

    async def fetch(client: Client) -> tuple[ModelInfo, ...]:
        return await client.models((await provider_named(client, name)).id)

    found = ask_server(wanted_server(url, data_dir), fetch)
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

    provider = ask_server(wanted_server(url, data_dir), change)
    process_console().line(f"{provider.name} is the default.")


@app.command("model")
def set_model(
    name: Name,
    model: Annotated[str, typer.Argument(help="Its default model from now on.")],
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Choose a provider's default model; its first makes it the default provider if none that can answer was set up."""

    async def change(client: Client) -> Provider:
        provider = await provider_named(client, name)
        return await client.change_provider(provider.id, ProviderFields(default_model=model))

    provider = ask_server(wanted_server(url, data_dir), change)
    process_console().line(f"The default model of {provider.name} is {provider.default_model}.")


@app.command("fallback")
def set_fallback(
    name: Name,
    other: Annotated[
        str | None, typer.Argument(help="The provider that answers when it fails; none without it.")
    ] = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Say which provider answers when one fails before its first word."""

    async def change(client: Client) -> tuple[Provider, Provider | None]:
        provider = await provider_named(client, name)
        fallback = await provider_named(client, other) if other else None
        fields = ProviderFields(fallback_id=fallback.id if fallback else None)
        return await client.change_provider(provider.id, fields), fallback

    provider, fallback = ask_server(wanted_server(url, data_dir), change)
    console = process_console()
    if fallback is None:
        console.line(f"{provider.name} has no fallback.")
        return
    console.line(f"{fallback.name} answers when {provider.name} fails.")
    if not fallback.default_model:
        console.line(f"It has no default model yet: luxx providers model {shlex.quote(fallback.name)} MODEL")


@app.command()
def price(
    name: Name,
    model: Annotated[str | None, typer.Argument(help="The model; without it, the prices entered are listed.")] = None,
    input: Annotated[float | None, typer.Option("--input", help="US dollars for a million tokens read.")] = None,
    output: Annotated[
        float | None, typer.Option("--output", help="The same for those written, thinking included.")
    ] = None,
    cached: Annotated[
        float | None, typer.Option("--cached", help="For input from the provider's cache, if it is cheaper.")
    ] = None,
    cache_write: Annotated[float | None, typer.Option("--cache-write", help="For input put into that cache.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Forget what was entered for the model.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Say what a model costs, where its provider does not tell: from its next answer on, the cost is counted."""
    told: Price | None = None
    if not model and (remove or input is not None or output is not None):
        raise InvalidRequest("Name the model as well.")
    if model and not remove:
        if input is None or output is None:
            raise InvalidRequest("Give --input and --output (US dollars for a million tokens), or --remove.")
        told = Price(input=input, output=output, cached_input=cached, cache_write=cache_write)

    async def change(client: Client) -> Provider:
        provider = await provider_named(client, name)
        return await client.change_provider(provider.id, ProviderFields(prices={model: told})) if model else provider

    _show_prices(process_console(), ask_server(wanted_server(url, data_dir), change))


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

    ask_server(wanted_server(url, data_dir), delete)
    process_console().line(f"{name} is removed.")


def _show_prices(console: Console, provider: Provider) -> None:
    if not provider.prices:
        console.line(f"No price is entered for a model of {provider.name}.")
        return
    rows = [
        (
            model,
            *("" if value is None else f"{value:.12g}" for value in (p.input, p.output, p.cached_input, p.cache_write)),
        )
        for model, p in sorted(provider.prices.items())
    ]
    shown_table(console, ("MODEL, $ PER MILLION", "INPUT", "OUTPUT", "CACHED", "CACHE WRITE"), rows)


def _preset(wanted: Wanted, name: str) -> Preset | None:
    presets = ask_server(wanted, lambda client: client.presets())
    return next((preset for preset in presets if preset.id == name), None)


def _same_host(preset: Preset, base_url: str) -> bool:
    """Whether an address is the preset's own service; one without an address of its own is wherever the person says."""
    return preset.base_url is None or urlsplit(preset.base_url).hostname == urlsplit(base_url).hostname


def _key_need(preset: Preset | None, format: str | None) -> tuple[str, str | None]:
    """Return whether a key is needed, and where to get one; of a provider of another kind nobody knows."""
    if format in _KEYLESS:
        return "none", None
    return (preset.key, preset.key_url) if preset else ("unknown", None)


async def _store(
    client: Client, fields: ProviderFields, fallback: str | None, test: bool
) -> tuple[Provider, Check | None]:
    if fallback:
        fields = msgspec.structs.replace(fields, fallback_id=(await provider_named(client, fallback)).id)
    provider = await client.create_provider(fields)
    if not test:
        return provider, None
    provider = await _with_only_model(client, provider)
    return provider, await client.test_provider(provider.id)


def _tell_added(console: Console, provider: Provider, check: Check | None) -> None:
    console.line(f"{provider.name} is stored{' and is the default' if provider.is_default else ''}.")
    if check:
        _report(console, provider.name, check)
    name = shlex.quote(provider.name)
    failed = check is not None and not check.ok
    if provider.default_model:
        console.line(f"Its default model is {provider.default_model}.")
    else:
        if provider.notice and not failed:
            console.line(provider.notice)
        console.line(f"It has no default model: luxx providers default {name} --model MODEL")
    if failed:
        console.line(f"To try it again: luxx providers test {name}")
        console.line(f"For another key or address: luxx providers remove {name}, then add it anew.")
        raise typer.Exit(1)


async def _with_only_model(client: Client, provider: Provider) -> Provider:
    """Give a provider that serves a single model that one as its default."""
    if provider.default_model or provider.notice:
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
