"""Tool: a Python function that a model can call."""

import functools
import inspect
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, overload

import msgspec

from luxx.core.ports import Progress, ToolInfo
from luxx.core.prompts import Effect, ToolSpec
from luxx.core.text import storable
from luxx.tools import docstrings
from luxx.tools.arguments import Arguments
from luxx.tools.errors import ToolDefinitionError
from luxx.tools.results import shorten
from luxx.tools.schema import hints_of, object_schema, parameters_of, plain, unwrapped

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_MAX_MESSAGE_CHARS = 500

DEFAULT_TIMEOUT_S = 30.0

Close = Callable[[], Awaitable[None]]


class ToolContext:
    """What a running tool may know of its call. A function gets it by an argument with this hint, hidden from the model.

    `key` is the call's idempotency key: a call that is run again after a crash has the same one.
    """

    def __init__(self, key: str, report: Progress) -> None:
        self.key = key
        self._report = report
        self._over = False

    def progress(self, message: str = "", progress: float | None = None, total: float | None = None) -> None:
        """Tell the reader how far the tool is, from any thread; without effect once the call is over."""
        if not self._over:
            self._report(shorten(storable(message), _MAX_MESSAGE_CHARS), _finite(progress), _finite(total))

    def end(self) -> None:
        """Let nothing more be reported: a thread that was left behind may still be at work."""
        self._over = True


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool: what the model sees, what running it twice does, and how it is run. `timeout` is in seconds.

    `context` names the argument that takes the ToolContext; `blocking` says that the function needs a thread; `close`
    frees what the tool holds.
    """

    spec: ToolSpec
    effect: Effect
    timeout: float
    function: Callable[..., Any]
    arguments: Arguments
    context: str | None
    blocking: bool
    close: Close | None = None

    @property
    def name(self) -> str:
        """The name that the model uses."""
        return self.spec.name

    @property
    def info(self) -> ToolInfo:
        """The tool as a person sees it."""
        spec = self.spec
        return ToolInfo(
            name=spec.name,
            description=spec.description,
            effect=self.effect,
            timeout_s=self.timeout,
            parameters=spec.parameters,
        )

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Call the function itself, as any Python code would."""
        return self.function(*args, **kwargs)


@overload
def tool(
    function: Callable[..., Any],
    /,
    *,
    effect: Effect = "unsafe",
    timeout: float = DEFAULT_TIMEOUT_S,
    name: str | None = None,
    description: str | None = None,
    close: Close | None = None,
) -> Tool: ...


@overload
def tool(
    *,
    effect: Effect = "unsafe",
    timeout: float = DEFAULT_TIMEOUT_S,
    name: str | None = None,
    description: str | None = None,
    close: Close | None = None,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None,
    /,
    *,
    effect: Effect = "unsafe",
    timeout: float = DEFAULT_TIMEOUT_S,
    name: str | None = None,
    description: str | None = None,
    close: Close | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function with type hints; a decorator, with or without arguments.

    Name and description are the function's unless given; an ``Args:`` section describes the arguments. An async function
    runs in place, any other in a thread. Raises ToolDefinitionError for a function that a model could not call.
    """
    if function is None:
        return functools.partial(_make, effect=effect, timeout=timeout, name=name, description=description, close=close)
    return _make(function, effect=effect, timeout=timeout, name=name, description=description, close=close)


def _make(
    function: Callable[..., Any],
    *,
    effect: Effect,
    timeout: float,
    name: str | None,
    description: str | None,
    close: Close | None,
) -> Tool:
    title = name or _title(function)
    docs = docstrings.read(plain(function).__doc__)
    try:
        _check(function, title, timeout, description or docs.description)
        context = _context_argument(function)
        parameters = parameters_of(function, docs.arguments, context)
    except ToolDefinitionError as error:
        raise ToolDefinitionError(f"tool {title}: {error}") from error
    return Tool(
        spec=ToolSpec(name=title, description=description or docs.description, parameters=object_schema(parameters)),
        effect=effect,
        timeout=timeout,
        function=function,
        arguments=Arguments(title, parameters),
        context=context,
        blocking=not inspect.iscoroutinefunction(plain(function)),
        close=close,
    )


def _check(function: Callable[..., Any], name: str, timeout: float, description: str) -> None:
    if not _NAME.fullmatch(name):
        raise ToolDefinitionError("a name has 1 to 64 characters: letters, digits, _ and -")
    if not (timeout > 0 and math.isfinite(timeout)):
        raise ToolDefinitionError(f"the timeout must be a positive number of seconds, not {timeout}")
    if not description:
        raise ToolDefinitionError("a docstring or a description has to tell the model what it does")
    if inspect.isclass(function):
        raise ToolDefinitionError("a class cannot be a tool; wrap it in a function")
    if inspect.isgeneratorfunction(plain(function)) or inspect.isasyncgenfunction(plain(function)):
        raise ToolDefinitionError("a generator gives no result; return a list")


def _title(function: Callable[..., Any]) -> str:
    target = unwrapped(function)
    return str(getattr(target, "__name__", type(target).__name__))


def _context_argument(function: Callable[..., Any]) -> str | None:
    names = [name for name, hint in hints_of(function).items() if hint is ToolContext and name != "return"]
    if len(names) > 1:
        raise ToolDefinitionError(f"only one argument can be a ToolContext, not {', '.join(names)}")
    return names[0] if names else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
