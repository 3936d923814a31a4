"""Report: the table of what was reached beside what is wanted, and all figures as JSON."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from benchmarks.figures import COLUMNS, Figure, Figures, TargetName
from benchmarks.measures import crash, nodes, starting, streams, tools, turns

_HEADS: Mapping[TargetName, str] = {"nginx": "nginx", "raw": "raw relay", "luxx": "Luxx"}
_NOTHING = "-"

Cell = Callable[[Figures, TargetName], str]


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """Under which conditions the figures came about."""

    load_side: str
    server_core: int
    load_core: int
    rounds: int
    python: str
    system: str
    notes: tuple[str, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What the JSON file holds."""

    conditions: Conditions
    figures: list[Figure]


class Row(msgspec.Struct, frozen=True):
    """A row of the table."""

    title: str
    goal: str
    cell: Cell


def record(conditions: Conditions, figures: Figures) -> bytes:
    """Return everything as JSON."""
    return msgspec.json.format(msgspec.json.encode(Record(conditions=conditions, figures=figures.all())))


def table(figures: Figures) -> str:
    """Return the table in Markdown; rows of which nothing was measured are left out, and so is a table without rows."""
    columns: list[TargetName] = [name for name in COLUMNS if any(figure.target == name for figure in figures.all())]
    lines = [["", "goal", *(_HEADS[name] for name in columns)]]
    for row in _rows(figures):
        cells = [row.cell(figures, name) for name in columns]
        if set(cells) != {_NOTHING}:
            lines.append([row.title, row.goal, *cells])
    if len(lines) == 1:
        return ""
    widths = [max(len(line[at]) for line in lines) for at in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "".join("| " + " | ".join(_padded(line, widths)) + " |\n" for line in lines)


def remarks(figures: Figures) -> Iterator[str]:
    """Yield what one must know to read the table."""
    for measure in (streams.FEW, streams.MANY):
        count = figures.get(measure, "direct", "streams")
        if count is not None:
            p50, p99 = (figures.get(measure, "direct", f"lat_p{at}_ms") for at in (50, 99))
            first = figures.get(measure, "direct", "ttft_p50_ms")
            yield f"Without a server between, {count:.0f} streams: latency {p50:.1f} / {p99:.1f} ms, first token {first:.1f} ms."
    noise = [figure.value for figure in figures.all() if figure.name == "noise_cores"]
    if noise:
        yield f"Other processes used up to {max(noise):.2f} cores meanwhile: compare columns, not runs."
    for figure in figures.failures():
        yield f"FAILED: {figure.measure}, {figure.target}: {figure.name} = {figure.value:g}"


def _rows(figures: Figures) -> Sequence[Row]:
    return (
        *_stream_rows(figures, streams.FEW),
        *_stream_rows(figures, streams.MANY),
        *_stream_rows(figures, streams.FAST, rate=50),
        *_node_rows(figures),
        *_history_rows(figures),
        Row("CPU of a whole turn of one token", "<= 1 ms", _number(turns.SHORT_TURN, "cpu_ms_per_turn", "{:.2f} ms")),
        Row("memory per open stream", "<= 32 KiB", _number(streams.MANY, "KiB_per_stream", "{:.0f} KiB")),
        Row("memory of the idle server", "<= 120 MB", _number(turns.IDLE, "rss_MiB", "{:.0f} MiB")),
        Row("wire per token", "<= 75 B", _number(streams.FEW, "wire_B_per_tok", "{:.0f} B")),
        Row("wire per token, answer 10 times as long", "the same", _number(streams.LONG, "wire_B_per_tok", "{:.0f} B")),
        Row("three tools of 1 s", "<= 1.1 s", _number(tools.THREE, "slowest_s", "{:.2f} s")),
        Row(_many_tools_title(figures), "<= 0.5 s", _number(tools.MANY, "slowest_s", "{:.2f} s")),
        Row("from `luxx serve` to the first answer", "<= 2 s", _number(starting.START, "first_answer_s", "{:.2f} s")),
        Row("kill -9: to the next event, restart included", "", _number(crash.CRASH, "from_kill_s", "{:.2f} s")),
        Row("kill -9: events lost or doubled", "0", _number(crash.CRASH, "lost_or_doubled", "{:.0f}")),
        Row("kill -9: finished tools run again", "0", _number(crash.CRASH, "tools_run_again", "{:.0f}")),
    )


def _stream_rows(figures: Figures, measure: str, rate: int = 20) -> Iterator[Row]:
    count = next((n for name in COLUMNS if (n := figures.get(measure, name, "streams")) is not None), 0)
    at = f"{count:.0f} streams x {rate} tok/s"
    yield Row(f"CPU per token, {at}", "<= 2.5 x nginx", _beside_nginx(measure))
    yield Row(f"turns that failed, {at}", "0", _number(measure, "failed", "{:.0f}"))
    yield Row(f"latency per token p50 / p99, {at}", "<= 10 / 60 ms", _pair(measure, "lat"))
    yield Row(f"first token p50 / p99, {at}", "", _pair(measure, "ttft"))


def _node_rows(figures: Figures) -> Iterator[Row]:
    at = (
        f"{figures.get(nodes.NODES, 'luxx', 'streams') or 0:.0f} streams x 50 tok/s on PostgreSQL, read on another node"
    )
    yield Row(f"CPU per token of owner / reader / PostgreSQL, {at}", "", _three(nodes.NODES, "us_per_tok", "us"))
    yield Row("turns that failed, same", "0", _number(nodes.NODES, "failed", "{:.0f}"))
    yield Row("tokens missing, same", "0", _number(nodes.NODES, "gaps", "{:.0f}"))
    yield Row("events lost or doubled, same", "0", _number(nodes.NODES, "lost_or_doubled", "{:.0f}"))
    yield Row("latency per token p50 / p99, same", "", _pair(nodes.NODES, "lat"))
    yield Row("first token p50 / p99, same", "", _pair(nodes.NODES, "ttft"))
    cancels = f"{figures.get(nodes.CANCEL, 'luxx', 'cancels') or 0:.0f} cancels through another node"
    yield Row(
        f"until the provider's connection is closed, longest of {cancels}",
        "<= 300 ms",
        _number(nodes.CANCEL, "closed_max_ms", "{:.0f} ms"),
    )
    yield Row("the same, p50", "", _number(nodes.CANCEL, "closed_p50_ms", "{:.0f} ms"))
    turns_of = f"{figures.get(nodes.TAKEOVER, 'luxx', 'turns') or 0:.0f} turns"
    yield Row(
        f"kill -9 of a node, lease of {nodes.TTL_S:.0f} s: to the takeover, longest of {turns_of}",
        f"<= {nodes.TTL_S + 2:.0f} s",
        _number(nodes.TAKEOVER, "taken_over_max_s", "{:.2f} s"),
    )
    yield Row("the same: events lost or doubled", "0", _number(nodes.TAKEOVER, "lost_or_doubled", "{:.0f}"))


def _history_rows(figures: Figures) -> Iterator[Row]:
    for measure in dict.fromkeys(figure.measure for figure in figures.all()):
        name, _, messages = measure.rpartition("-")
        if name == turns.HISTORY:
            yield Row(f"first token added, {messages} messages", "<= 5 ms", _added_to_direct(measure))


def _many_tools_title(figures: Figures) -> str:
    return f"{figures.get(tools.MANY, 'luxx', 'turns') or 0:.0f} turns at once of 2 x 4 tools of 200 ms"


def _number(measure: str, name: str, form: str) -> Cell:
    def cell(figures: Figures, target: TargetName) -> str:
        value = figures.get(measure, target, name)
        return _NOTHING if value is None else form.format(value)

    return cell


def _three(measure: str, name: str, unit: str) -> Cell:
    def cell(figures: Figures, target: TargetName) -> str:
        values = [figures.get(measure, target, f"{process}_{name}") for process in ("owner", "reader", "postgres")]
        return (
            " / ".join(f"{value:.1f}" for value in values if value is not None) + f" {unit}"
            if any(values)
            else _NOTHING
        )

    return cell


def _pair(measure: str, name: str) -> Cell:
    def cell(figures: Figures, target: TargetName) -> str:
        p50, p99 = (figures.get(measure, target, f"{name}_p{at}_ms") for at in (50, 99))
        return _NOTHING if p50 is None or p99 is None else f"{p50:.1f} / {p99:.1f} ms"

    return cell


def _beside_nginx(measure: str) -> Cell:
    def cell(figures: Figures, target: TargetName) -> str:
        value, one = (figures.get(measure, at, "cpu_us_per_tok") for at in (target, "nginx"))
        if value is None:
            return _NOTHING
        return f"{value:.1f} us" + (f" ({value / one:.2f} x)" if one and target != "nginx" else "")

    return cell


def _added_to_direct(measure: str) -> Cell:
    def cell(figures: Figures, target: TargetName) -> str:
        value, one = (figures.get(measure, at, "ttft_p50_ms") for at in (target, "direct"))
        return f"{value - one:.1f} ms" if value and one else _NOTHING

    return cell


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [text.ljust(width) for text, width in zip(line, widths, strict=True)]
