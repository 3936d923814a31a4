"""Transcript: what a model is told of earlier answers; the same steps always give the same prompts."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from luxx.core.files import FileRef
from luxx.core.ports import ModelCall
from luxx.core.prompts import AnswerPrompt, CallPrompt, Prompt, ResultPrompt
from luxx.core.steps import File, Step, Text, Thinking, ToolCall, ToolResult

NOT_RUN = "Not run: the turn ended before this tool was started."
UNKNOWN = "Outcome unknown: it was stopped while it was running, and may or may not have taken effect."


class Transcript:
    """Writes answers as prompts for one request; it keeps the ids of calls unique within that request.

    `provider` and `format` are those that the request goes to: an answer's `raw` is sent back only where it came from. `told`
    are the prompts of the request that another transcript has written: this one goes on after them.
    """

    def __init__(self, provider: str, format: str, told: Iterable[Prompt] = ()) -> None:
        self._provider = provider
        self._format = format
        self.go_on_after(told)

    def go_on_after(self, told: Iterable[Prompt]) -> None:
        """Go on after these prompts, and no others."""
        self._ids = {call.id for prompt in told if isinstance(prompt, AnswerPrompt) for call in prompt.calls}

    def answers(self, steps: Iterable[Step], calls: Sequence[ModelCall]) -> list[Prompt]:
        """Return the prompts for the steps of one message, an answer and its results for each model call."""
        by_call: dict[int, list[Step]] = {}
        for step in steps:
            if step.state != "void":
                by_call.setdefault(step.call, []).append(step)
        records = {call.n: call for call in calls}
        parts = {-call.n: call for call in calls if call.n <= 0}
        prompts: list[Prompt] = []
        for n in sorted(by_call):
            prompts += self._answer(by_call[n], parts, records.get(n))
        return prompts

    def _answer(self, steps: list[Step], parts: Mapping[int, ModelCall], record: ModelCall | None) -> list[Prompt]:
        results = {step.id_ref: step for step in steps if isinstance(step, ToolResult)}
        calls = {
            step.id: CallPrompt(id=self._unique(step), name=step.name, arguments=step.arguments)
            for step in steps
            if isinstance(step, ToolCall) and step.state == "complete"
        }
        records = [parts[step.index] for step in sorted(steps, key=_index) if step.index in parts]
        records += [record] if record else []
        answer = AnswerPrompt(
            text="".join(step.content for step in steps if isinstance(step, Text)),
            thinking="".join(step.content for step in steps if isinstance(step, Thinking)),
            calls=tuple(calls.values()),
            model=records[-1].model if records else "",
            raw=b"\n".join(one.raw for one in records if one.raw and self._is_own(one)),
            files=tuple(
                FileRef(id=step.file_id, name=step.name, media_type=step.media_type, size=step.size)
                for step in steps
                if isinstance(step, File)
            ),
        )
        if not (answer.text or answer.calls or answer.raw or answer.files):
            return []
        return [answer, *self._results(calls, results)]

    def _is_own(self, record: ModelCall) -> bool:
        return record.provider == self._provider and record.format == self._format

    def _results(self, calls: Mapping[str, CallPrompt], results: Mapping[str, ToolResult]) -> Iterable[Prompt]:
        for step_id, call in calls.items():
            result = results.get(step_id)
            if result is None:
                yield ResultPrompt(id=call.id, name=call.name, content=NOT_RUN, failed=True)
            elif result.state == "running":
                yield ResultPrompt(id=call.id, name=call.name, content=UNKNOWN, failed=True)
            else:
                yield ResultPrompt(
                    id=call.id,
                    name=call.name,
                    content=result.content,
                    failed=result.state == "failed",
                    files=_images(result),
                )

    def _unique(self, call: ToolCall) -> str:
        wanted = call.id_ref or f"call_{call.index}"
        unique, count = wanted, 1
        while unique in self._ids:
            count += 1
            unique = f"{wanted}_{count}"
        self._ids.add(unique)
        return unique


def _index(step: Step) -> int:
    return step.index


def _images(result: ToolResult) -> tuple[FileRef, ...]:
    """Return what a model sees of a result besides its text; other files it reads with a tool, if it wants to."""
    files = [msgspec.convert(part, FileRef) for part in result.parts if part.get("type") == "file"]
    return tuple(file for file in files if file.is_image)
