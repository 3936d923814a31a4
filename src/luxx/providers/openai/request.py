"""Request: a ModelRequest in the words of chat completions. The same prompts always give the same bytes."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec

from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.arguments import object_text
from luxx.providers.failures import Report
from luxx.providers.openai.contents import Part, Shown, Unseen, unseen_in
from luxx.providers.openai.effort import EffortQuirk, effort_fields, effort_quirk
from luxx.providers.openai.ids import CallIds, fit_name, wants_short_ids
from luxx.providers.openai.reasoning import (
    NO_REASONING,
    Attached,
    Returned,
    has_thoughts,
    refuses_thoughts,
    returned,
    wants_reasoning,
)
from luxx.providers.openai.roles import in_turns, wants_turns
from luxx.providers.plain_root import plain_root
from luxx.providers.unshown import shown_files
from luxx.providers.values import objects

Quirk = (
    Literal[
        "no_stream_options",
        "max_completion_tokens",
        "no_temperature",
        "in_turns",
        "reasoning_always",
        "no_thoughts",
        "short_ids",
    ]
    | EffortQuirk
    | Unseen
)
"""What an endpoint does not take as everyone else does."""

_UNSUPPORTED = re.compile(
    r"support|deprecat|not permitted|not allowed|unrecognized|unknown|only the default", re.IGNORECASE
)
_OUT_OF_RANGE = re.compile(r"range|between|less than|greater than|minimum|maximum|at most|at least", re.IGNORECASE)

_encoder = msgspec.json.Encoder()


def encode_request(
    request: ModelRequest,
    *,
    origin: str = "",
    quirks: frozenset[Quirk] = frozenset(),
    extra: Mapping[str, Any] | None = None,
) -> bytes:
    """Return the body of the request. `extra` is added to it and wins; `origin` is the host (see reasoning.Returned)."""
    body: dict[str, Any] = {"model": request.model, "stream": True}
    if "no_stream_options" not in quirks:
        body["stream_options"] = {"include_usage": True}
    if request.temperature is not None and "no_temperature" not in quirks:
        body["temperature"] = request.temperature
    body.update(effort_fields(request.thinking, origin, quirks))
    if request.max_tokens is not None:
        body["max_completion_tokens" if "max_completion_tokens" in quirks else "max_tokens"] = request.max_tokens
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    system = [{"role": "system", "content": request.system}] if request.system else []
    messages = _Writer(request, origin, quirks).messages()
    body["messages"] = [*system, *(in_turns(messages) if "in_turns" in quirks else messages)]
    body.update(extra or {})
    try:
        return _encoder.encode(body)
    except UnicodeEncodeError:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def quirk_in(
    report: Report, request: ModelRequest, quirks: frozenset[Quirk] = frozenset(), origin: str = ""
) -> Quirk | None:
    """Return the quirk that a refusal (400 or 422) tells of, if the request can do without what it complains about.

    `quirks` are those that the request was made with, `origin` is the host.
    A temperature that is out of range is the person's mistake, and is reported; one that the model takes none of is left out.
    """
    said = f"{report.param} {report.text}".lower()
    if "stream_options" in said or "include_usage" in said:
        return "no_stream_options"
    if request.max_tokens is not None and "max_tokens" in said and "max_completion_tokens" in said:
        return "max_completion_tokens"
    if effort := effort_quirk(report, request, origin, quirks):
        return effort
    if wants_turns(report):
        return "in_turns"
    if wants_reasoning(report):
        return "reasoning_always"
    if wants_short_ids(report):
        return "short_ids"
    refused = _UNSUPPORTED.search(f"{report.text} {' '.join(report.words)}")
    if request.temperature is not None and "temperature" in said and refused:
        return None if _OUT_OF_RANGE.search(report.text) else "no_temperature"
    if unseen := unseen_in(report, shown_files(request), quirks):
        return unseen
    sends = _Writer(request, origin, quirks).sends_thoughts
    return "no_thoughts" if refuses_thoughts(report) and sends() else None


def _tool(tool: ToolSpec) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": plain_root(tool.parameters)}
    return {"type": "function", "function": function}


class _Writer:
    """Writes the messages of one request."""

    def __init__(self, request: ModelRequest, origin: str, quirks: frozenset[Quirk]) -> None:
        self._prompts = request.prompts
        self._origin = origin
        self._model = request.model
        self._always = "reasoning_always" in quirks
        self._thoughts = "no_thoughts" not in quirks
        self._shown = Shown(request.files, quirks)
        self._ids = CallIds(short="short_ids" in quirks)

    def sends_thoughts(self) -> bool:
        """Whether thoughts go back with an answer, as blocks or within its content."""
        answers = (prompt for prompt in self._prompts if isinstance(prompt, AnswerPrompt))
        return any(
            has_thoughts(back, with_calls=bool(answer.calls)) for answer in answers if (back := self._back(answer))
        )

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield the messages; what an answer and its results have to be seen follows once all results are there."""
        aside: list[Part] = []
        for prompt in self._prompts:
            if aside and not isinstance(prompt, ResultPrompt):
                yield {"role": "user", "content": aside}
                aside = []
            match prompt:
                case UserPrompt(text=text, files=files):
                    yield {"role": "user", "content": self._shown.content(text, files)}
                case ResultPrompt(content=content, files=files):
                    said = self._shown.in_words(content, files)
                    yield {"role": "tool", "tool_call_id": self._ids.of(prompt.id), "content": said}
                    aside += self._shown.aside(f"From the tool {prompt.name}", files)
                case AnswerPrompt():
                    yield self._answer(prompt)
                    aside += self._shown.aside("Made in the answer above", prompt.files)
        if aside:
            yield {"role": "user", "content": aside}

    def _answer(self, prompt: AnswerPrompt) -> dict[str, Any]:
        reasoning = {"reasoning_content": prompt.thinking or NO_REASONING} if self._always else {}
        text = self._shown.in_words(prompt.text, prompt.files)
        # An empty text beside calls is null: Anthropic's models behind a gateway refuse an empty one.
        message: dict[str, Any] = {**reasoning, "role": "assistant", "content": text or (None if prompt.calls else "")}
        back = self._back(prompt)
        if back and prompt.calls:
            message.update(back.fields)
        if back and (thoughts := objects(back.fields.get("content"))):
            message["content"] = [*thoughts, *([{"type": "text", "text": text}] if text else [])]
        if prompt.calls:
            calls = [self._call(call, own=back is not None) for call in prompt.calls]
            if back:
                _attach(calls, [call.id for call in prompt.calls], back.attached)
            message["tool_calls"] = calls
        return message

    def _back(self, prompt: AnswerPrompt) -> Returned | None:
        same = prompt.model in ("", self._model)
        return returned(prompt.raw, self._origin, thoughts=same and self._thoughts) if prompt.raw else None

    def _call(self, call: CallPrompt, *, own: bool) -> dict[str, Any]:
        function = {"name": fit_name(call.name), "arguments": object_text(call.arguments)}
        return {"id": self._ids.of(call.id, own=own), "type": "function", "function": function}


def _attach(calls: list[dict[str, Any]], ids: list[str], attached: list[Attached]) -> None:
    """Give each call what came with it: by place while all calls are there (an id may have got an ending since), else by id."""
    in_place = all(one.slot < len(ids) and ids[one.slot].startswith(one.id) for one in attached)
    for one in attached:
        place = one.slot if in_place else ids.index(one.id) if one.id in ids else None
        if place is not None:
            calls[place]["extra_content"] = one.extra
