"""luxx doctor: check the installation, and say what to do about what is wrong."""

from collections.abc import Iterator

import typer

from luxx.cli import checks, server_file, shared_checks
from luxx.cli.checks import Finding, State
from luxx.cli.console import Console, Style, process_console
from luxx.cli.options import DataDir, Url, load_settings
from luxx.cli.servers import Wanted, ask_server
from luxx.client import Client, Provider
from luxx.core.errors import LuxxError
from luxx.core.ports import Check
from luxx.providers.local.needs import read_cpuinfo
from luxx.settings import Settings
from luxx.store.records import Inspected
from luxx.store.sqlite.store import DATABASE

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)

_MARKS: dict[State, tuple[str, Style]] = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "broken": ("✗", "red")}
_LOCAL = "local"


@app.command()
def doctor(data_dir: DataDir = None, url: Url = None) -> None:
    """Check everything that Luxx needs; the exit code is 1 if something is broken."""
    settings = load_settings(data_dir=data_dir)
    console = process_console()
    findings = [_show(console, finding) for finding in _findings(Wanted(url=url, settings=settings))]
    broken = sum(finding.state == "broken" for finding in findings)
    if broken:
        console.line(f"{broken} of {len(findings)} checks failed.", "red")
        raise typer.Exit(1)
    console.line("Everything that Luxx needs is in place.", "green")


def _findings(wanted: Wanted) -> Iterator[Finding]:
    settings = wanted.settings
    yield checks.machine()
    yield checks.data_directory(settings.data_dir, shared=settings.database_url is not None)
    yield checks.free_space(settings.data_dir)
    yield checks.running(settings.data_dir)
    stored, in_use = _stored(settings)
    yield from stored
    yield checks.page()
    tried: list[tuple[Provider, Check]] = []
    usable = all(finding.state != "broken" for finding in stored)
    if usable and (in_use or wanted.url or server_file.find(settings.data_dir)):
        try:
            tried = ask_server(wanted, _try_providers)
        except LuxxError as error:
            yield Finding("providers", "broken", error.message, "see the lines above, or start the server: luxx serve")
    needed = all(provider.format == _LOCAL for provider, _ in tried)
    yield checks.processor(read_cpuinfo(), needed=needed)
    yield checks.engine(needed=needed)
    yield checks.embedded_model(settings.data_dir, needed=needed)
    for provider, check in tried:
        if provider.format != _LOCAL:
            yield _provider_finding(provider, check)


def _stored(settings: Settings) -> tuple[tuple[Finding, ...], bool]:
    """Look at where everything is stored; also return whether there is anything."""
    if settings.database_url is None:
        found = (checks.database(settings.data_dir), checks.secret_key(settings))
        return found, (settings.data_dir / DATABASE).exists()
    seen = shared_checks.look(settings.database_url.get_secret_value())
    if not isinstance(seen, Inspected):
        return (seen, shared_checks.secret_key(settings, None)), False
    shared = (shared_checks.database(seen), shared_checks.nodes(seen), shared_checks.secret_key(settings, seen))
    return shared, seen.revision == seen.wanted


async def _try_providers(client: Client) -> list[tuple[Provider, Check]]:
    tried: list[tuple[Provider, Check]] = []
    for provider in await client.providers():
        if provider.format == _LOCAL:  # its parts are checked one by one
            tried.append((provider, Check(ok=True, detail="")))
        else:
            tried.append((provider, await client.test_provider(provider.id)))
    return tried


def _provider_finding(provider: Provider, check: Check) -> Finding:
    name = f"provider {provider.name}"
    if check.ok:
        return Finding(name, "ok", check.detail)
    remedy = f"check its address and key; to remove it: luxx providers remove {provider.name!r}"
    return Finding(name, "broken", check.detail, remedy)


def _show(console: Console, finding: Finding) -> Finding:
    mark, style = _MARKS[finding.state]
    console.out.write(mark, style)
    console.line(f" {finding.name}: {finding.detail}")
    if finding.remedy and finding.state != "ok":
        console.line(f"    → {finding.remedy}")
    return finding
