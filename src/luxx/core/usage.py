"""Usage: what a model call took in tokens and in money."""

from typing import Annotated

import msgspec

DIGITS = 12
"""Decimal places of a dollar to which costs are rounded, so that their sums show no noise: finer than any price of a token."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one model call, or of all calls of a turn added up, and their cost.

    `input_tokens` includes `cached_tokens`, which were read from the provider's cache, and `cache_write_tokens`, which were put there (as
    far as the provider tells); `output_tokens` includes `reasoning_tokens`. `estimated` is set where the provider gave no figures and
    Luxx counted four characters as a token. `cost` is in US dollars: what the provider says that it charges, else what the tokens cost by
    the model's price (see core.prices); None where nobody knows, 0 only where nothing was asked, or somebody says that it is free.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    cost: Annotated[float, msgspec.Meta(ge=0)] | None = None

    def __add__(self, other: "Usage") -> "Usage":
        """Add two calls up; the sum is an estimate if a part of it is, and its cost is unknown if that of a part is."""
        known = self.cost is not None and other.cost is not None
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated=self.estimated or other.estimated,
            cost=round((self.cost or 0) + (other.cost or 0), DIGITS) if known else None,
        )


NOTHING = Usage(cost=0.0)
"""What no call at all took: sums begin with it."""
