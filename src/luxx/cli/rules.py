"""luxx rules: which tools run, which ask first and which do not run, for you or in one conversation."""

from collections.abc import Callable
from typing import Annotated

import msgspec
import typer

from luxx.cli.console import process_console
from luxx.cli.lookup import conversation_named
from luxx.cli.options import DataDir, Url
from luxx.cli.servers import Wanted, ask_server, wanted_server
from luxx.cli.table import shown_table
from luxx.client import Client, ConversationFields
from luxx.core.errors import NotFound
from luxx.core.rules import Action, ToolRule

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="Say which tools run, which ask first and which do not run.",
)

Rules = tuple[ToolRule, ...]
Pattern = Annotated[
    str, typer.Argument(metavar="TOOL", help="A tool's name or a pattern with *, ? and [abc] (quote it).")
]
Where = Annotated[
    str | None,
    typer.Option("--conversation", "-c", metavar="ID|last", help="The rules of a conversation, not your own."),
]


@app.command("list")
def list_rules(
    conversation: Where = None,
    json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List the rules in the order in which they are looked at; those of a conversation come before your own."""
    _show(_changed(conversation, lambda rules: rules, wanted_server(url, data_dir)), json=json)


@app.command("set")
def set_rule(
    tool: Pattern,
    action: Annotated[Action, typer.Argument(help="Run it, ask first, or never run it.")],
    conversation: Where = None,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Set a rule. A new one is looked at before all others; one that there is keeps its place."""
    rule = ToolRule(tool=tool, action=action)

    def change(rules: Rules) -> Rules:
        if any(each.tool == tool for each in rules):
            return tuple(rule if each.tool == tool else each for each in rules)
        return rule, *rules

    _show(_changed(conversation, change, wanted_server(url, data_dir)))


@app.command()
def remove(tool: Pattern, conversation: Where = None, url: Url = None, data_dir: DataDir = None) -> None:
    """Remove a rule."""

    def change(rules: Rules) -> Rules:
        left = tuple(each for each in rules if each.tool != tool)
        if left == rules:
            raise NotFound(f"There is no rule for {tool!r}.")
        return left

    _show(_changed(conversation, change, wanted_server(url, data_dir)))


def _changed(conversation: str | None, change: Callable[[Rules], Rules], wanted: Wanted) -> Rules:
    async def work(client: Client) -> Rules:
        if conversation is None:
            before = await client.rules()
            after = change(before)
            return before if after == before else await client.set_rules(after)
        found = await conversation_named(client, conversation)
        after = change(found.rules)
        if after == found.rules:
            return after
        return (await client.change_conversation(found.id, ConversationFields(rules=after))).rules

    return ask_server(wanted, work)


def _show(rules: Rules, *, json: bool = False) -> None:
    console = process_console()
    if json:
        console.line(msgspec.json.encode(rules).decode())
        return
    rows = [(rule.tool, rule.action) for rule in rules]
    shown_table(console, ("TOOL", "ACTION"), rows)
