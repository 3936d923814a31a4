"""Context: what a model is told as it grows, and where it can be cut so that a summary takes the place of what is before."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from luxx.core.ports import ModelCall
from luxx.core.prompts import AnswerPrompt, Prompt, ResultPrompt, UserPrompt
from luxx.core.steps import Step, Summary
from luxx.engine.estimate import tokens_of
from luxx.engine.summing import NOTED
from luxx.engine.transcript import Transcript

SUMMARY = NOTED + "\n\n{content}\n\n[The conversation goes on from here.]"


class Mark(msgspec.Struct, frozen=True):
    """A place where the prompts can be cut: so many of them tell all up to and with a message, or with a call of the turn's own (``""``)."""

    message_id: str
    call: int
    prompts: int


class Context:
    """The prompts as they grow, and the `marks` where they can be cut."""

    def __init__(self, prompts: Sequence[Prompt], marks: Iterable[Mark] = ()) -> None:
        self.prompts = list(prompts)
        self.marks = list(marks)
        self._question = list(prompts[-1:])

    @property
    def tokens(self) -> float:
        """About how much room the prompts take in a window."""
        return sum(map(tokens_of, self.prompts))

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

    def cut(self, tail: float) -> Mark | None:
        """Return the first mark after which come no more than so many tokens, else the last one; None if nothing can go.

        The last answer of the turn itself stays, for the model has not seen its results.
        """
        unseen = self._last_answer()
        marks = [mark for mark in self.marks if mark.message_id or mark.prompts <= unseen]
        left = [*itertools.accumulate(map(tokens_of, reversed(self.prompts)), initial=0.0)]
        fits = (mark for mark in marks if left[len(self.prompts) - mark.prompts] <= tail)
        return next(fits, marks[-1] if marks else None)

    def unseen(self) -> dict[int, ResultPrompt]:
        """Return the results that no request has told of yet, by their place among the prompts."""
        first = self._last_answer() + 1
        return {
            place: prompt
            for place, prompt in enumerate(self.prompts[first:], first)
            if isinstance(prompt, ResultPrompt)
        }

    def replace(self, results: Mapping[int, ResultPrompt]) -> None:
        """Tell other results instead of those in these places."""
        for place, result in results.items():
            self.prompts[place] = result

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

    def _last_answer(self) -> int:
        """Return the place of the last answer, -1 if there is none."""
        places = range(len(self.prompts) - 1, -1, -1)
        return next((place for place in places if isinstance(self.prompts[place], AnswerPrompt)), -1)


def summary_prompt(summary: Summary) -> UserPrompt:
    """Return what a model is told in place of what was summed up."""
    return UserPrompt(SUMMARY.format(content=summary.content), by_person=False)
