"""The benchmark's command: `python -m benchmarks [--quick] [--only NAME] [--rounds N] [--json FILE] [--harness DIR]`."""

import argparse
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from benchmarks import report
from benchmarks.figures import Figures, TargetName
from benchmarks.loadside import GoLoad, PythonLoad, build_harness, find_harness, mock
from benchmarks.luxx import luxx
from benchmarks.machine import allow_many_files, cores
from benchmarks.measures import crash, nodes, starting, streams, tools, turns
from benchmarks.measures.bench import QUICK, Bench, Scale
from benchmarks.page import measures as page
from benchmarks.page.table import table as page_table
from benchmarks.process import ProgramFailed
from benchmarks.targets import Opened, Site, direct, find_nginx, nginx, raw_relay

MEASURES: Mapping[str, Callable[[Bench], None]] = {
    streams.FEW: streams.few_streams,
    streams.MANY: streams.many_streams,
    streams.FAST: streams.fast_streams,
    streams.LONG: streams.long_answer,
    turns.SHORT_TURN: turns.one_token_turn,
    turns.HISTORY: turns.first_token,
    turns.IDLE: turns.idle,
    tools.THREE: tools.three_tools,
    tools.MANY: tools.many_tools,
    starting.START: starting.start,
    crash.CRASH: crash.kill,
    nodes.NODES: nodes.many_nodes,
    nodes.CANCEL: nodes.cancel,
    nodes.TAKEOVER: nodes.takeover,
    page.LOADING: page.loading,
    page.FAST: page.fast,
    page.STEADY: page.steady,
    page.OPENING: page.opening,
    page.LONG: page.long,
}
_TARGETS: Mapping[TargetName, Opened] = {"direct": direct, "nginx": nginx, "raw": raw_relay, "luxx": luxx}
_CACHE = Path.home() / ".cache" / "luxx-benchmarks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, and return 1 if a turn failed or an event was lost; no time makes it fail."""
    options = _parser().parse_args(arguments)
    if not sys.platform.startswith("linux"):
        _say("The benchmark reads /proc and pins processes to cores: it needs Linux.")
        return 2
    allow_many_files()
    try:
        notes, figures = _measure(options)
    except ProgramFailed as error:
        _say(f"A program of the benchmark failed: {error}")
        return 2
    sys.stdout.write("\n" + "\n".join(filter(None, (report.table(figures), page_table(figures)))) + "\n")
    for remark in (*notes, *report.remarks(figures)):
        sys.stdout.write(remark + "\n")
    return 1 if figures.failures() else 0


def _measure(options: argparse.Namespace) -> tuple[tuple[str, ...], Figures]:
    side, on = _load_side(options), cores()
    targets = {name: opened for name, opened in _TARGETS.items() if name in options.targets}
    notes = (f"Load side: {side.name}; server on core {on.server}, load on core {on.load}.",)
    if not on.apart:
        notes += ("There is one core only: server and load take it from each other.",)
    if "nginx" in targets and not find_nginx():
        del targets["nginx"]
        notes += ("nginx is not installed: its column is left out.",)
    figures = Figures()
    with tempfile.TemporaryDirectory(prefix="luxx-bench-") as folder, mock(side, on.load, Path(folder)) as port:
        bench = Bench(
            site=Site(on, side, port, Path(folder)),
            targets=targets,
            scale=QUICK if options.quick else Scale(),
            figures=figures,
            say=_say,
        )
        for _ in range(options.rounds):
            for name in options.only or MEASURES:
                MEASURES[name](bench)
    if options.json:
        conditions = report.Conditions(
            load_side=side.name,
            server_core=on.server,
            load_core=on.load,
            rounds=options.rounds,
            python=platform.python_version(),
            system=platform.platform(),
            notes=notes,
        )
        options.json.write_bytes(report.record(conditions, figures))
    return notes, figures


def _load_side(options: argparse.Namespace) -> GoLoad | PythonLoad:
    harness = None if options.python else find_harness(options.harness)
    if options.harness and not harness:
        raise ProgramFailed(f"{options.harness} holds no harness, or Go is not installed.")
    return build_harness(harness, _CACHE) if harness else PythonLoad()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Luxx beside nginx and a raw relay."
    )
    parser.add_argument("--quick", action="store_true", help="small numbers: whether it all works")
    parser.add_argument(
        "--only", action="append", choices=MEASURES, metavar="NAME", help=f"one of {', '.join(MEASURES)}"
    )
    parser.add_argument("--targets", nargs="+", choices=_TARGETS, default=list(_TARGETS), help="what to measure")
    parser.add_argument("--rounds", type=int, default=1, help="how often to measure everything; medians are shown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there, as JSON")
    parser.add_argument("--harness", type=Path, metavar="DIR", help="folder of the load harness in Go")
    parser.add_argument("--python", action="store_true", help="make the load in Python even if the harness is there")
    return parser


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
