"""Logs: structured, to one stream; words for a person at a terminal, JSON for everything else."""

import logging
from typing import Literal, TextIO

import structlog
from structlog.typing import Processor

from luxx.cli import environment


def configure(
    level: Literal["debug", "info", "warning", "error"], form: Literal["auto", "text", "json"], stream: TextIO
) -> None:
    """Set up the logs of this process, those of libraries that use `logging` included."""
    threshold = logging.getLevelNamesMapping()[level.upper()]
    as_text = form == "text" or (form == "auto" and stream.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if as_text else "iso", utc=not as_text),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_rendering(stream, as_text=as_text))
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for library in (
        "alembic",
        "mcp",
        "uvicorn",
    ):  # which tell of every start, or of every request, at the level of info
        logging.getLogger(library).setLevel(max(threshold, logging.WARNING))


def _rendering(stream: TextIO, *, as_text: bool) -> list[Processor]:
    meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_text:
        colours = stream.isatty() and not environment.wants_no_colour()
        plain = structlog.dev.plain_traceback
        return [meta, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)]
    without_locals = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)  # which may hold secrets
    tracebacks = structlog.processors.ExceptionRenderer(without_locals)
    return [meta, tracebacks, structlog.processors.JSONRenderer()]
