"""luxx models: what the providers serve."""

import asyncio
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace

from luxx.cli.console import Console, process_console
from luxx.cli.lookup import provider_named
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import ask_server, wanted_server
from luxx.cli.table import table
from luxx.client import Client, ClientError, Provider
from luxx.core.ports import ModelInfo
from luxx.core.prices import Price

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


class Served(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider serves; `error` says why nothing is known of it."""

    provider: str
    default_model: str | None
    models: tuple[ModelInfo, ...] = ()
    error: str | None = None


@app.command()
def models(
    provider: Annotated[str | None, typer.Argument(help="A provider's name or id; without it, all of them.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List models with what they can take (context and answer, in tokens), do and cost (US dollars for a million tokens, input / output).

    A star marks a provider's default model, and prices that were entered come before those that the provider tells.

    What a provider does not tell is left empty. The exit code is 1 if no provider answered.
    """

    async def fetch(client: Client) -> list[Served]:
        chosen = [await provider_named(client, provider)] if provider else await client.providers()
        return list(await asyncio.gather(*(_served(client, one) for one in chosen)))

    found = ask_server(wanted_server(url, data_dir), fetch)
    console = process_console()
    if json:
        console.line(msgspec.json.encode(found).decode())
    else:
        _show(console, found)
    if found and all(served.error for served in found):
        raise typer.Exit(1)


async def _served(client: Client, provider: Provider) -> Served:
    name, default = provider.name, provider.default_model
    try:
        listed = await client.models(provider.id)
        models = tuple(replace(model, price=provider.prices.get(model.id, model.price)) for model in listed)
        return Served(provider=name, default_model=default, models=models)
    except ClientError as error:
        return Served(provider=name, default_model=default, error=error.message)


def _show(console: Console, found: list[Served]) -> None:
    rows = [
        (
            "*" if model.id == served.default_model else "",
            served.provider,
            model.id,
            size(model.context_window),
            size(model.max_output_tokens),
            ", ".join(model.abilities or ()),
            dollars(model.price),
        )
        for served in found
        for model in served.models
    ]
    if rows:
        width = console.out.width if console.out.is_terminal else 0
        for line in table(("", "PROVIDER", "MODEL", "CONTEXT", "ANSWER", "CAN", "PRICE"), rows, width):
            console.line(line)
    for served in found:
        if served.error:
            console.error(f"{served.provider}: {served.error}")


def size(tokens: int | None) -> str:
    """Return a number of tokens as people say it, such as 131k or 1.05M; empty if it is not known."""
    if tokens is None:
        return ""
    if tokens < 1000:
        return str(tokens)
    return f"{tokens // 1000}k" if tokens < 1_000_000 else f"{tokens // 10_000 / 100:g}M"


def dollars(price: Price | None) -> str:
    """Return a price for input and output, such as $3 / $15; empty if it is not known."""
    return f"${price.input:.12g} / ${price.output:.12g}" if price else ""
