"""Spent: the tokens of an answer, of which every event tells as far as it is."""

from collections.abc import Mapping

from luxx.core.usage import Usage
from luxx.providers.gemini.values import get
from luxx.providers.values import tokens_of

_COUNTS = (
    "promptTokenCount",
    "toolUsePromptTokenCount",
    "cachedContentTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "totalTokenCount",
)


class Spent:
    """The last word on each count; an event that leaves one out does not take it back."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._before: Usage | None = None

    def go_on(self) -> None:
        """The next part of the answer counts anew."""
        self._before = self.usage()
        self._counts = {}

    def note(self, metadata: Mapping[str, object]) -> None:
        """Take the usage metadata of an event."""
        for name in _COUNTS:
            if (count := tokens_of(get(metadata, name))) is not None:
                self._counts[name] = count

    def usage(self) -> Usage | None:
        """Return the usage of all parts so far, None if nothing was told.

        Thoughts are not among the candidates' tokens, except with gateways that count them in, as their total shows.
        """
        prompt, tool_use, cached, candidates, thoughts, total = (self._counts.get(name, 0) for name in _COUNTS)
        given = prompt + tool_use
        inside = 0 < thoughts <= candidates and total == given + candidates
        made = candidates if inside else candidates + thoughts
        if not (given or made or total):
            return self._before
        usage = Usage(
            input_tokens=given,
            output_tokens=made,
            total_tokens=total or given + made,
            cached_tokens=min(cached, given),
            reasoning_tokens=thoughts,
        )
        return self._before + usage if self._before else usage
