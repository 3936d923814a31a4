"""luxx chat: ask a model, alone, in a pipe, or in a talk."""

import sys
from functools import partial
from typing import Annotated

import msgspec
import typer

from luxx.cli.asking import asker_for, what_waits
from luxx.cli.attachments import described, read_attachment
from luxx.cli.background import Background
from luxx.cli.chat_player import Player
from luxx.cli.chat_prompt import ChatPrompt
from luxx.cli.chat_session import Asked, ChatSession, Choice, Shown
from luxx.cli.console import Console, process_console
from luxx.cli.options import DataDir, Url, load_settings
from luxx.cli.servers import Server, Wanted
from luxx.cli.views import BothViews, JsonView, TerminalView, TextView, View
from luxx.core.errors import InvalidRequest
from luxx.core.events import Cancelled, Done, Failed

EXIT_FAILED = 1
EXIT_WAITING = 3
EXIT_CANCELLED = 130
_MOST_INPUT = 8 * 1024 * 1024

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


Which = Annotated[str | None, typer.Option("--conversation", "-c", metavar="ID|last", help="Go on in a conversation.")]
Attach = Annotated[
    str | None, typer.Option("--attach", metavar="TURN", help="Show a running or finished turn from its start.")
]
Paths = Annotated[
    list[str] | None, typer.Option("--file", "-f", metavar="PATH", help="Send a file along; may be repeated.")
]
Answer = Annotated[bool | None, typer.Option("--yes/--no", help="Allow every call that asks a person, or deny it.")]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What `luxx chat` was asked to do."""

    text: str | None
    conversation: str | None
    attach: str | None
    files: tuple[str, ...]
    queue: bool
    answer: bool | None
    json: bool


@app.command()
def chat(
    text: Annotated[
        str | None, typer.Argument(help="What to ask; without it, a talk begins.", show_default=False)
    ] = None,
    conversation: Which = None,
    attach: Attach = None,
    file: Paths = None,
    provider: Annotated[str | None, typer.Option("--provider", "-p", help="The provider's name or id.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model.")] = None,
    system: Annotated[str | None, typer.Option("--system", "-s", help="The system prompt.")] = None,
    temperature: Annotated[float | None, typer.Option("--temperature", help="The sampling temperature.")] = None,
    max_tokens: Annotated[int | None, typer.Option("--max-tokens", help="The longest answer.")] = None,
    tools: Annotated[bool | None, typer.Option("--tools/--no-tools", help="Let the model use tools.")] = None,
    queue: Annotated[
        bool, typer.Option("--queue", help="Wait in line if the conversation's last answer is in progress.")
    ] = False,
    answer: Answer = None,
    json: Annotated[bool, typer.Option("--json", help="Write the events as lines of JSON.")] = False,
    url: Url = None,
    data_dir: DataDir = None,
) -> None:
    """Ask a model and show its answer as it comes; text that is piped in is added to the question.

    In a pipe only the answer's text is written. Ctrl-C stops the answer (what was made is kept), a second one quits at once.
    What a tool asks of a person is asked here. The exit code is 0 for an answer, 1 for a failure, 3 for a turn that waits for a
    person where nobody can be asked, 130 for a stopped one.

    Without TEXT a talk begins, in which /help says what there is.
    """
    console = process_console()
    choice = Choice(
        provider=provider, model=model, system=system, temperature=temperature, max_tokens=max_tokens, tools=tools
    )
    piped = None if attach else _piped_input()
    request = Request(
        text=_question(text, piped),
        conversation=conversation,
        attach=attach,
        files=tuple(file or ()),
        queue=queue,
        answer=answer,
        json=json,
    )
    settings = load_settings(data_dir=data_dir)
    wanted = Wanted(url=url, settings=settings)
    raise typer.Exit(_chat(console, wanted, choice, request))


def _chat(console: Console, wanted: Wanted, choice: Choice, request: Request) -> int:
    talking = request.text is None and request.attach is None and not request.files
    if request.attach and request.files:
        raise InvalidRequest("--file goes with a message, --attach shows a turn: use one of them.")
    if talking and not (sys.stdin.isatty() and console.out.is_terminal):
        raise InvalidRequest('There is nothing to ask: luxx chat "TEXT", or pipe a text in.')
    files = [read_attachment(path) for path in request.files]
    with Background() as background, Server(background, wanted, turns=True) as server:
        session = ChatSession(server.client, console, lambda: _view(console, json=request.json), choice)
        player = Player(background, server, session, asker_for(console, answer=request.answer))
        if request.conversation:
            player.insist(partial(session.open, request.conversation))
        if talking:
            return ChatPrompt(player, console, wanted.settings.data_dir).talk()
        if request.attach:
            return report(console, player.play(partial(session.attach, request.attach)))
        if files:
            player.insist(lambda: session.attach_files(files[len(session.attached) :]))
        for file in session.attached:
            console.note(f"attached {described(file)}")
        return report(console, player.play(partial(session.ask, request.text or "", queue=request.queue)))


def report(console: Console, end: Shown) -> int:
    """Say how a turn ended, if it did not end well; return the exit code."""
    match end:
        case Done() | None:
            return 0
        case Failed(content=content, code=code):
            console.error(f"{content} ({code})")
            return EXIT_FAILED
        case Cancelled():
            console.note("stopped")
            return EXIT_CANCELLED
        case Asked(turn_id=turn_id, approval=approval):
            console.error(f"the turn waits: {what_waits(approval)}")
            decide = f"luxx approve {turn_id} {approval.index}, or luxx deny {turn_id} {approval.index}"
            console.err.line(f"Decide with {decide}; luxx chat --attach {turn_id} shows the answer.")
            return EXIT_WAITING


def _view(console: Console, *, json: bool) -> View:
    if json:
        return JsonView(console.out)
    if console.out.is_terminal:
        return TerminalView(console.out)
    if console.err.is_terminal:
        return BothViews(TextView(console.out), TerminalView(console.err, text=False))
    return TextView(console.out)


def _piped_input() -> str | None:
    """Return what was piped in, or None if a person sits at the keyboard. Raises InvalidRequest if it is too long."""
    if not sys.stdin or sys.stdin.isatty():
        return None
    data = sys.stdin.buffer.read(_MOST_INPUT + 1)
    if len(data) > _MOST_INPUT:
        raise InvalidRequest(f"What was piped in is longer than {_MOST_INPUT} bytes.")
    return data.decode("utf-8-sig", "replace")


def _question(text: str | None, piped: str | None) -> str | None:
    parts = [part.strip("\n") for part in (text, piped) if part and part.strip()]
    return "\n\n".join(parts) or None
