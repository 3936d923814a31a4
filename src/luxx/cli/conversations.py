"""luxx conversations: list, show, export and delete them."""

import sys
from typing import Annotated

import msgspec
import typer

from luxx.cli.console import Console, process_console
from luxx.cli.exporting import Contents, ExportFormat, Output, write
from luxx.cli.lookup import conversation_named
from luxx.cli.options import DataDir, Url
from luxx.cli.safetext import fit
from luxx.cli.servers import ask_server, wanted_server
from luxx.cli.table import shown_table
from luxx.cli.views import result_line
from luxx.client import Client, Conversation, Message
from luxx.core.steps import File, Notice, Source, Summary, Text, Thinking, ToolCall, ToolResult

app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
    help="List, show, export and delete conversations.",
)

Which = Annotated[str, typer.Argument(metavar="ID|last", help="The conversation.")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
_PAGE = 100


@app.command("list")
def list_conversations(
    query: Annotated[str | None, typer.Option("--query", "-q", help="Look for this in titles and texts.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
    json: Json = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """List conversations, newest activity first."""

    async def fetch(client: Client) -> list[Conversation]:
        found: list[Conversation] = []
        cursor: str | None = None
        while len(found) < limit:
            page = await client.list_conversations(min(limit - len(found), _PAGE), cursor, query)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    conversations = ask_server(wanted_server(url, data_dir), fetch)
    console = process_console()
    if json:
        console.line(msgspec.json.encode(conversations).decode())
        return
    rows = [(each.id, each.updated_at[:16].replace("T", " "), each.title) for each in conversations]
    shown_table(console, ("ID", "LAST ACTIVITY", "TITLE"), rows)


@app.command()
def show(which: Which, json: Json = False, url: Url = None, data_dir: DataDir = None) -> None:
    """Show the branch of a conversation that its page shows."""

    async def fetch(client: Client) -> tuple[Conversation, list[Message]]:
        conversation = await conversation_named(client, which)
        messages: list[Message] = []
        has_more = True
        while has_more:
            before = messages[0].id if messages else None
            page = await client.messages(conversation.id, before=before, limit=_PAGE)
            messages = [*page.items, *messages]
            has_more = page.has_more and bool(page.items)
        return conversation, messages

    conversation, messages = ask_server(wanted_server(url, data_dir), fetch)
    console = process_console()
    if json:
        console.line(msgspec.json.encode({"conversation": conversation, "messages": messages}).decode())
        return
    console.line(conversation.title, "bold")
    for message in messages:
        _show_message(console, message)


@app.command()
def export(
    which: Which,
    format: Annotated[ExportFormat, typer.Option("--format", "-f", help="What to write.")] = ExportFormat.markdown,
    output: Output = None,
    contents: Contents = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Write a conversation: the branch shown as Markdown, or the whole tree as JSON, which can be imported again."""

    async def fetch(client: Client) -> None:
        conversation = await conversation_named(client, which)
        await write(client.archive.export(conversation.id, format.value, contents), output)

    ask_server(wanted_server(url, data_dir), fetch)


@app.command()
def delete(
    which: Which,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Delete a conversation; an answer in progress is stopped."""
    wanted = wanted_server(url, data_dir)
    conversation = ask_server(wanted, lambda client: conversation_named(client, which))
    if not yes and sys.stdin.isatty():
        typer.confirm(f"Delete {fit(conversation.title, 60)!r}?", abort=True, err=True)
    ask_server(wanted, lambda client: client.delete_conversation(conversation.id))
    process_console().line(f"{conversation.id} is deleted.")


def _show_message(console: Console, message: Message) -> None:
    console.line()
    if message.role == "assistant":
        _show_answer(console, message)
    else:
        _show_question(console, message)


def _show_answer(console: Console, message: Message) -> None:
    console.line(f"{message.model or message.role}:", "bold")
    for step in message.steps:
        match step:
            case Thinking(content=content):
                console.line(content, "dim")
            case Text(content=content):
                console.line(content)
            case ToolCall(name=name, arguments=arguments):
                console.line(fit(f"→ {name} {arguments}", console.out.width), "cyan")
            case ToolResult():
                line, style = result_line(step)
                console.line(fit(line, console.out.width), style)
            case File(name=name, file_id=file_id):
                console.line(f"[file {name}, {file_id}]", "cyan")
            case Source(url=url, title=title):
                console.line(f"[source {title} {url}]", "dim")
            case Notice(content=content) | Summary(content=content):
                console.line(content, "dim")
    if message.error:
        console.line(f"{message.error.content} ({message.error.code})", "red")


def _show_question(console: Console, message: Message) -> None:
    console.line(f"{message.role}:", "bold")
    for file in message.attachments:
        console.line(f"[file {file.name}, {file.id}]", "cyan")
    console.line(message.text)
