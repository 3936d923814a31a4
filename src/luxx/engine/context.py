"""Context: what a model is told as it grows, and what of it has to give way to a summary."""

from collections.abc import Iterable, Sequence

import msgspec

from luxx.core.ports import ModelCall
from luxx.core.prompts import ModelRequest, Prompt, UserPrompt
from luxx.core.steps import Step, Summary
from luxx.engine.estimate import tokens_in, tokens_of
from luxx.engine.summing import NOTED
from luxx.engine.transcript import Transcript

SUMMARY = NOTED + "\n\n{content}\n\n[The conversation goes on from here.]"
ANSWER_TOKENS = 4_096
"""How much of a window is kept free for the answer, unless the request says more; never more than a quarter."""
TAIL_SHARE = 0.35
"""How much of a window the latest messages may take that stay as they are."""
SHRINK = 0.6
"""After a provider said that a request is too long, its window is taken for this part of it."""


class Mark(msgspec.Struct, frozen=True):
    """A place where the prompts can be cut: so many of them tell all up to and with a message, or with a call of the turn's own (``""``)."""

    message_id: str
    call: int
    prompts: int


class Context:
    """The prompts as they grow, and the `marks` where they can be cut.

    `window` is what the model can take, in tokens, None where nobody knows.
    """

    def __init__(self, prompts: Sequence[Prompt], marks: Iterable[Mark] = (), window: int | None = None) -> None:
        self.prompts = list(prompts)
        self.marks = list(marks)
        self.window = window
        self._question = list(prompts[-1:])

    def ask(self, question: UserPrompt) -> None:
        """Go on with what a person said."""
        self.prompts.append(question)
        self._question = [question]

    def answer(
        self, steps: Sequence[Step], calls: Sequence[ModelCall], transcript: Transcript, message_id: str = ""
    ) -> int:
        """Go on with what was made of a message; return how many summaries were put in the place of what they sum up.

        A whole message is marked by its id, one that goes on by its calls.
        """
        taken = 0
        for call in sorted({step.call for step in steps}):
            made = [step for step in steps if step.call == call]
            self.add(transcript.answers(made, calls), call)
            for step in made:
                if isinstance(step, Summary) and step.state == "complete" and self.take(step, transcript):
                    taken += 1
        if message_id:
            self.marks = [mark for mark in self.marks if mark.message_id]
            self.marks.append(Mark(message_id, 0, len(self.prompts)))
        return taken

    def add(self, prompts: Iterable[Prompt], call: int | None = None) -> None:
        """Go on with what a call brought, or with what is said in between."""
        self.prompts += prompts
        if call is not None:
            self.marks.append(Mark("", call, len(self.prompts)))

    def too_long(self, request: ModelRequest) -> bool:
        """Whether the prompts do not fit into the window together with an answer."""
        return self.window is not None and self.tokens(request) > self.window - self._reserve(request, self.window)

    def shrink(self, request: ModelRequest) -> None:
        """Take note that a request was too long for the model."""
        self.window = int(self.tokens(request) * SHRINK)

    def tokens(self, request: ModelRequest) -> int:
        """Estimate how many tokens a request with these prompts takes."""
        tools = sum(tokens_in(tool.description) + tokens_in(str(tool.parameters)) for tool in request.tools)
        return int(sum(map(tokens_of, self.prompts)) + tokens_in(request.system or "") + tools)

    def cut(self, request: ModelRequest) -> Mark | None:
        """Return up to where to sum up, so that what stays takes a small part of the window; None if nothing can go."""
        if self.window is None or not self.marks:
            return None
        room = TAIL_SHARE * (self.window - self._reserve(request, self.window))
        tails = [sum(map(tokens_of, self.prompts[mark.prompts :])) for mark in self.marks]
        return next((mark for mark, tail in zip(self.marks, tails, strict=True) if tail <= room), self.marks[-1])

    def take(self, summary: Summary, transcript: Transcript) -> bool:
        """Put a summary in the place of what it sums up; tell whether that was found. `transcript` goes on after what is left."""
        mark = next((m for m in self.marks if (m.message_id, m.call) == (summary.until, summary.until_call)), None)
        if mark is None:
            return False
        head = [summary_prompt(summary), *([] if mark.message_id else self._question)]
        moved = len(head) - mark.prompts
        self.prompts = [*head, *self.prompts[mark.prompts :]]
        self.marks = [Mark(m.message_id, m.call, m.prompts + moved) for m in self.marks if m.prompts > mark.prompts]
        transcript.go_on_after(self.prompts)
        return True

    def _reserve(self, request: ModelRequest, window: int) -> int:
        return min(max(request.max_tokens or 0, ANSWER_TOKENS), window // 4)


def summary_prompt(summary: Summary) -> UserPrompt:
    """Return what a model is told in place of what was summed up."""
    return UserPrompt(SUMMARY.format(content=summary.content), by_person=False)
