"""Tool: a Python function that a model can call."""

import functools
import inspect
import math
import re
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol, overload

import msgspec

from luxx.core.ports import ToolInfo
from luxx.core.prompts import Effect, ToolSpec
from luxx.tools import docstrings
from luxx.tools.arguments import Arguments
from luxx.tools.context import ToolContext
from luxx.tools.errors import ToolDefinitionError
from luxx.tools.results import ToolFile
from luxx.tools.schema import hints_of, object_schema, parameters_of, plain, unwrapped

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

DEFAULT_TIMEOUT_S = 30.0

Close = Callable[[], Awaitable[None]]
Asks = Callable[[dict[str, object], ToolContext], bool | Awaitable[bool]]
"""Says of one call, by its values, whether a person is to be asked before it."""

Approval = Literal["auto", "always", "never"] | Asks
"""Whether a person is asked before a call: ``auto`` asks if the effect is unsafe."""

__all__ = ["Approval", "Asks", "Close", "Reader", "Tool", "ToolContext", "ToolFile", "tool"]


class Reader(Protocol):
    """Reads the JSON text that a model wrote as arguments."""

    def read(self, text: str) -> dict[str, object]:
        """Return the values by name. Raises BadArguments with what is to be changed, and nothing else."""
        ...


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool: what the model sees, what running it twice does, and how it is run. `timeout` is in seconds.

    `arguments` reads what the model wrote. `function` gets the values by their names, and the ToolContext under the name that
    `context` has; a `bare` one gets all values as one dict, and the ToolContext. `blocking` says that it needs a thread; `close` frees
    what the tool holds; `source` is who brought it, and `target` marks what that leads to where it can be changed.
    """

    spec: ToolSpec
    effect: Effect
    timeout: float
    function: Callable[..., Any]
    arguments: Reader
    context: str | None = None
    bare: bool = False
    blocking: bool = False
    approval: Approval = "auto"
    close: Close | None = None
    source: str = "luxx"
    target: str = ""

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
            asks=self._asks,
            source=self.source,
        )

    def run(self, values: dict[str, object], context: ToolContext) -> Any:  # noqa: ANN401 - whatever the function gives
        """Call the function with a call's values."""
        if self.bare:
            return self.function(values, context)
        if self.context:
            return self.function(**values, **{self.context: context})
        return self.function(**values)

    @property
    def _asks(self) -> Literal["always", "never", "depends"]:
        if callable(self.approval):
            return "depends"
        if self.approval == "auto":
            return "always" if self.effect == "unsafe" else "never"
        return self.approval

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
    approval: Approval = "auto",
    close: Close | None = None,
) -> Tool: ...


@overload
def tool(
    *,
    effect: Effect = "unsafe",
    timeout: float = DEFAULT_TIMEOUT_S,
    name: str | None = None,
    description: str | None = None,
    approval: Approval = "auto",
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
    approval: Approval = "auto",
    close: Close | None = None,
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function with type hints; a decorator, with or without arguments.

    Name and description are the function's unless given; an ``Args:`` section describes the arguments. An async function
    runs in place, any other in a thread. `approval` says whether a person is asked before a call. Raises ToolDefinitionError for a function that a model could not call.
    """
    make = functools.partial(
        _make, effect=effect, timeout=timeout, name=name, description=description, approval=approval, close=close
    )
    return make if function is None else make(function)


def _make(
    function: Callable[..., Any],
    *,
    effect: Effect,
    timeout: float,
    name: str | None,
    description: str | None,
    approval: Approval,
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
        approval=approval,
        close=close,
    )


def _check(function: Callable[..., Any], name: str, timeout: float, description: str) -> None:
    if not NAME.fullmatch(name):
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
