"""The demonstration: what the scripted model says to someone who sent no script."""

import re
from collections.abc import Sequence
from typing import cast

from luxx.core.prompts import ModelRequest, ResultPrompt, ToolSpec
from luxx.providers.script import Call, Round, Say, Think

_LONGEST_QUOTE = 400
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+.!|~$&-])")


def demonstration(request: ModelRequest, question: str, number: int) -> Round:
    """Return a round: think and ask two tools at once if they are offered, then answer with what they gave."""
    tools = {tool.name: tool for tool in request.tools}
    clock, calculator = tools.get("current_time"), tools.get("calculator")
    if number == 0 and clock and calculator:
        return (
            Think(text="There are tools for the time and for sums. I ask both at once.", chunk=6, delay_ms=20),
            Call(name=clock.name, arguments=_arguments(clock, "UTC") if clock.parameters.get("required") else {}),
            Call(name=calculator.name, arguments=_arguments(calculator, "6 * 7")),
        )
    results = [prompt for prompt in request.prompts if isinstance(prompt, ResultPrompt)] if number else []
    thought = () if number else (Think(text="A short greeting will do.", chunk=6, delay_ms=20),)
    return (*thought, Say(text=_answer(question, results[-2:]), chunk=6, delay_ms=15))


def _arguments(tool: ToolSpec, value: str) -> dict[str, str]:
    required = cast("list[str]", tool.parameters.get("required") or [])
    names = required or list(cast("dict[str, object]", tool.parameters.get("properties") or {}))
    return {names[0]: value} if names else {}


def _answer(question: str, results: Sequence[ResultPrompt]) -> str:
    said = "\n".join("> " + _MARKUP.sub(r"\\\1", line) for line in _short(question).splitlines())
    told = "".join(f"\n\n**{result.name}**:\n\n{_indented(result.content)}" for result in results)
    heard = f"You wrote:\n\n{said}\n\n" if said else ""
    asked = f"I asked two tools at once. This is what they gave:{told}\n\n" if results else ""
    return (
        f"# Hello from the scripted model\n\n{heard}{asked}"
        "I am no language model: I play scripts. Send a JSON object with the key `script`, and I play yours; "
        "the format is described in `docs/scripted.md`."
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[:_LONGEST_QUOTE] + "…"


def _indented(text: str) -> str:
    """Return a text as a code block, in which nothing is markup."""
    return "\n".join(f"    {line}" for line in _short(text).splitlines())
