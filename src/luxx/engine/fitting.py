"""Fitting: keeps what a model is told within what it can take. What it has seen is summed up, what it has not is shortened.

All sizes are estimates of tokens, and may be wrong by a factor of two either way: a provider's word that a request is too long
counts more than they do.
"""

import functools
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from luxx.core.errors import ContextOverflow, InvalidRequest
from luxx.core.events import ProcessStep
from luxx.core.files import Files
from luxx.core.ids import step_id
from luxx.core.ports import Model
from luxx.core.prompts import ModelRequest, ResultPrompt
from luxx.core.steps import Notice, Step, Summary
from luxx.core.usage import NOTHING, Usage
from luxx.engine.book import Book
from luxx.engine.context import Context
from luxx.engine.estimate import chars_of, tokens_in, tokens_of, tokens_of_tools
from luxx.engine.summing import notes_on
from luxx.engine.transcript import Transcript

ANSWER_TOKENS = 4_096
"""How much of a window is kept free for the answer, unless the request says more; never more than a quarter."""
TAIL_SHARE = 0.35
"""How much of the room for the prompts the latest messages may take that stay as they are."""
LEAST_ROOM = 0.125
"""The part of a window that instructions and tools must leave for the prompts; in less, a summary is of no use."""
LEAST_GAIN = 0.1
"""By this part a summary has to make the whole request smaller, or no other is made in this turn."""
SHRINK = 0.6
"""After a provider said that a request is too long, its prompts are to take this part of what they took."""
MOST_REFUSALS = 4
"""How often a turn makes room because the provider says that a request is too long."""
LEAST_RESULT = 200
"""What is left of a result at least, in tokens."""
RESULT_END = 400
"""How many characters of a shortened result's end stay: there it says where more is to be found."""
NOTE = 250
"""About how many characters the word takes that stands between its beginning and its end."""
LITTLE_ROOM = "little_room"
"""The kind of notice that tells of too many tools."""

TOO_LONG = (
    "The last message is longer than what the model can take. Shorten it, or choose a model with a larger window."
)
TOOLS_TAKE = "The tools that are switched on take about {part:,} of the {all:,} tokens {which}: switch some off."
SYSTEM_TAKES = "The system prompt takes about {part:,} of the {all:,} tokens {which}: shorten it."
SHORTENED = "\n[{left:,} of {all:,} characters left out here, which were more than the model can take{where}]\n"
WHERE = "; all of it is in the file {id} ({name}) of this conversation"


class Fitting:
    """Owns what is known of the model's window, and what was tried in this turn; `summaries` counts the calls that went into it.

    `request` says what goes along with the prompts of `context`: that has its fixed share. `window` is asked before each model call
    until it is known.
    """

    def __init__(
        self,
        context: Context,
        transcript: Transcript,
        model: Model,
        request: ModelRequest,
        window: Callable[[], int | None],
        book: Book,
        files: Files,
    ) -> None:
        self.summaries = 0
        self._context = context
        self._transcript = transcript
        self._model = model
        self._request = request
        self._tell_window = window
        self._window: int | None = None
        self._room: float | None = None
        self._book = book
        self._files = files
        self._whole: dict[str, str] = {}
        self._in_vain = False
        self._warned = False
        self._refusals = 0

    def remember(self, steps: list[Step]) -> None:
        """Take note of what an earlier owner of the turn has done."""
        self.summaries += sum(isinstance(step, Summary) and step.state == "complete" for step in steps)
        self._warned |= any(isinstance(step, Notice) and step.kind == LITTLE_ROOM for step in steps)

    def give(self, summary: Summary) -> int:
        """Begin with the summary that a person has written; return its call."""
        index = next(self._book.indexes)
        self._finish(replace(summary, id=step_id(index), index=index, call=1), summary.content, NOTHING)
        return 1

    async def fit(self, call: int) -> int:
        """Make the prompts fit as far as the window is known; return the number of the last call made."""
        if self._window is None and (known := self._tell_window()) is not None:
            self._window, self._room = known, known - _reserve(self._request, known) - self._fixed
        room, window = self._room, self._window
        if room is None or window is None or self._context.tokens <= room:
            return call
        if room < LEAST_ROOM * window:
            self._warn(call, window)
            return call
        call = await self._sum_up(call, room, window)
        await self._shorten(room)
        return call

    async def refused(self, call: int) -> int:
        """Make room once, for the provider said that the request is too long; return the number of the last call made.

        Raises ContextOverflow if none can be made.
        """
        before, told = self._size, self._context.tokens
        self._refusals += 1
        if self._refusals <= MOST_REFUSALS:
            most = int(before * SHRINK)
            self._window = window = most if self._window is None else min(self._window, most)
            self._room = room = told * SHRINK
            call = await self._sum_up(call, room, window)
            await self._shorten(room)
        if self._context.tokens > (1 - LEAST_GAIN) * told:
            raise ContextOverflow(self._too_long(int(before)))
        return call

    @functools.cached_property
    def _tools(self) -> float:
        return tokens_of_tools(self._request.tools)

    @functools.cached_property
    def _fixed(self) -> float:
        """What system prompt and tools take."""
        return self._tools + tokens_in(self._request.system or "")

    @property
    def _size(self) -> float:
        return self._fixed + self._context.tokens

    async def _sum_up(self, call: int, room: float, window: int) -> int:
        """Put a summary in the place of what the model has seen, if that is worth it; return the number of the last call made."""
        mark = None if self._in_vain else self._context.cut(TAIL_SHARE * room)
        if mark is None:
            return call
        before, told = self._size, self._context.prompts[: mark.prompts]
        if sum(map(tokens_of, told)) < LEAST_GAIN * before:
            return call
        index = next(self._book.indexes)
        summary = Summary(id=step_id(index), index=index, call=call + 1, until=mark.message_id, until_call=mark.call)
        self._book.append(ProcessStep(summary))
        try:
            text, usage = await notes_on(told, self._model, self._request, window, self._book.broke_off)
        except BaseException:
            self._book.append(ProcessStep(replace(summary, state="failed")))
            raise
        self._finish(summary, text, usage)
        self._in_vain = self._size > (1 - LEAST_GAIN) * before
        return call + 1

    def _finish(self, summary: Summary, text: str, usage: Usage) -> None:
        summary = replace(summary, state="complete", content=text)
        self._book.append(ProcessStep(summary))
        self._book.record(summary.call, "summary", usage)
        self.summaries += 1
        self._context.take(summary, self._transcript)

    async def _shorten(self, room: float) -> None:
        """Shorten the longest of the results that the model has not seen, so that the prompts fit; the log keeps them whole."""
        excess = self._context.tokens - room
        if excess <= 0:
            return
        unseen = self._context.unseen()
        sizes = {place: tokens_in(result.content) for place, result in unseen.items()}
        most = max(_level(sizes.values(), sum(sizes.values()) - excess), LEAST_RESULT)
        self._context.replace(
            {place: await self._shortened(unseen[place], most) for place, size in sizes.items() if size > most}
        )

    async def _shortened(self, result: ResultPrompt, tokens: float) -> ResultPrompt:
        """Return a result that takes about so many tokens, with a word on where the rest is; one that would hardly become shorter stays."""
        text = self._whole.get(result.content, result.content)
        head = max(chars_of(text, tokens) - RESULT_END - NOTE, RESULT_END)
        left = len(text) - head - RESULT_END
        if left <= NOTE:
            return result
        try:
            kept = await self._files.keep(f"{result.name}-result.txt", text.encode())
            where = WHERE.format(id=kept.id, name=kept.name)
        except InvalidRequest:
            where = ""
        shown = text[:head] + SHORTENED.format(left=left, all=len(text), where=where) + text[-RESULT_END:]
        self._whole[shown] = text
        return replace(result, content=shown)

    def _warn(self, call: int, window: int) -> None:
        """Say once that there is little room, and why."""
        if not self._warned:
            self._warned = True
            self._book.note(call, LITTLE_ROOM, self._share(window, "that the model can take"))

    def _too_long(self, size: int) -> str:
        return TOO_LONG if self._fixed < size / 2 else self._share(size, "of this request, which are too many")

    def _share(self, size: int, which: str) -> str:
        if self._tools >= self._fixed / 2:
            return TOOLS_TAKE.format(part=int(self._tools), all=size, which=which)
        return SYSTEM_TAKES.format(part=int(self._fixed - self._tools), all=size, which=which)


def _reserve(request: ModelRequest, window: int) -> int:
    return min(max(request.max_tokens or 0, ANSWER_TOKENS), window // 4)


def _level(sizes: Iterable[float], room: float) -> float:
    """Return the size to which the largest must shrink so that all together take so much room."""
    left = sorted(sizes)
    while left and left[0] * len(left) <= room:
        room -= left.pop(0)
    return room / len(left) if left else room
