"""Usage: what a model call cost in tokens."""

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one model call, or of all calls of a turn added up.

    `input_tokens` includes `cached_tokens`, which were read from the provider's cache, and `cache_write_tokens`, which were put there (as
    far as the provider tells); `output_tokens` includes `reasoning_tokens`. `estimated` is set where the provider gave no figures and
    Luxx counted four characters as a token.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: "Usage") -> "Usage":
        """Add two calls up; the sum is an estimate if a part of it is."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated=self.estimated or other.estimated,
        )
