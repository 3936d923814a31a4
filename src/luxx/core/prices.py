"""Prices: what the tokens of a model cost."""

import msgspec
from msgspec.structs import replace

from luxx.core.usage import DIGITS, Usage

_MILLION = 1_000_000


class Price(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """US dollars for a million tokens.

    `cached_input` is for input that was read from the provider's cache, `cache_write` for input that was put there; where one is None, such
    input costs what other input does. Reasoning is output. What a provider charges besides tokens (searches, images) is in no price.
    """

    input: float
    output: float
    cached_input: float | None = None
    cache_write: float | None = None


def priced(usage: Usage, price: Price | None) -> Usage:
    """Return a call's usage with its cost.

    What the provider told stands. Without a price the cost stays unknown, and so it does where the tokens are only estimated, or
    nobody says which of them were read and which written.
    """
    counted = not usage.estimated and (usage.input_tokens or usage.output_tokens)
    if price is None or usage.cost is not None or not counted:
        return usage
    return replace(usage, cost=round(_dollars(usage, price), DIGITS))


def _dollars(usage: Usage, price: Price) -> float:
    plain = max(usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens, 0)
    cached = price.input if price.cached_input is None else price.cached_input
    written = price.input if price.cache_write is None else price.cache_write
    read = plain * price.input + usage.cached_tokens * cached + usage.cache_write_tokens * written
    return (read + usage.output_tokens * price.output) / _MILLION
