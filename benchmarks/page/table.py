"""Table: each budget of the page beside what was measured, on Luxx's page and on the plain one."""

from collections.abc import Iterator

import msgspec

from benchmarks.figures import Figures
from benchmarks.page import measures as at

_NOTHING = "-"


class Budget(msgspec.Struct, frozen=True):
    """A budget: the figure must not be above it."""

    title: str
    measure: str
    name: str
    most: float
    unit: str = ""


BUDGETS = (
    Budget("entry script, gz", at.LOADING, "entry_js_KB", 90, "KB"),
    Budget("entry style, gz", at.LOADING, "entry_css_KB", 15, "KB"),
    Budget("requests until one can write", at.LOADING, "requests", 15),
    Budget("requests to other hosts", at.LOADING, "foreign", 0),
    Budget("formulas, gz", at.LOADING, "formulas_KB", 80, "KB"),
    Budget("highlighter, gz", at.LOADING, "highlighter_KB", 30, "KB"),
    Budget("largest other part, gz", at.LOADING, "other_KB", 60, "KB"),
    Budget("built page in the wheel", at.LOADING, "whole_MB", 3, "MB"),
    Budget("script per token, 1000 tok/s", at.FAST, "script_ms_per_tok", 0.15, "ms"),
    Budget("the same, last quarter / first quarter", at.FAST, "script_growth", 1.3),
    Budget("main thread per token, 200 tok/s, last 3/10", at.STEADY, "busy_ms_per_tok", 1.5, "ms"),
    Budget("main thread busy, the same", at.STEADY, "busy_percent", 30, "%"),
    Budget("tasks over 50 ms, the same", at.STEADY, "long_tasks", 0),
    Budget("long conversation: to the last screen", at.OPENING, "opened_ms", 500, "ms"),
    Budget("long conversation: nodes", at.OPENING, "nodes", 6000),
    Budget("1000 tok/s into it: busy", at.LONG, "busy_percent", 55, "%"),
    Budget("1000 tok/s into it: frame p95", at.LONG, "frame_p95_ms", 17, "ms"),
    Budget("1000 tok/s into it: frames lost", at.LONG, "frames_lost_percent", 1, "%"),
    Budget("1000 tok/s into it: longest task", at.LONG, "longest_ms", 200, "ms"),
    Budget("1000 tok/s into it: key to paint p95", at.LONG, "key_p95_ms", 100, "ms"),
    Budget("heap after it", at.LONG, "heap_MB", 20, "MB"),
)


def table(figures: Figures) -> str:
    """Return the table in Markdown; budgets of which nothing was measured are left out."""
    lines = [["", "budget", "Luxx", "plain page", "ratio", ""], *_lines(figures)]
    if len(lines) == 1:
        return ""
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    padded = (" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(f"| {line} |\n" for line in padded)


def _lines(figures: Figures) -> Iterator[list[str]]:
    for budget in BUDGETS:
        value = figures.get(budget.measure, "luxx", budget.name)
        plain = figures.get(budget.measure, "plain", budget.name)
        if value is None:
            continue
        beside = (
            [_NOTHING] * 2
            if plain is None
            else [_number(plain, budget.unit), f"{value / plain:.2f}" if plain else _NOTHING]
        )
        verdict = "ok" if value <= budget.most else "over"
        yield [budget.title, f"<= {budget.most:g} {budget.unit}".strip(), _number(value, budget.unit), *beside, verdict]


def _number(value: float, unit: str) -> str:
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {unit}".strip()
