"""Prices: what providers tell of money, with an answer's usage and in their lists of models."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import cast

from luxx.core.prices import Price
from luxx.core.usage import DIGITS
from luxx.providers.values import fields_of

_MOST_DOLLARS = 1_000_000
_TICKS = 10**10
_MILLION = 1_000_000
_LONGEST_NUMBER = 40
_TOKENS = (("prompt", "completion"), ("input", "output"), ("input_tokens", "output_tokens"))
_CACHED = ("input_cache_read", "cached_input", "cache_read_tokens")
_WRITTEN = ("input_cache_write", "cache_write", "cache_write_tokens")
"""Input and output, what was read from the cache, what was put there: as OpenRouter, Vercel, Together and DeepInfra call their prices."""
_BESIDES = ("request", "internal_reasoning")
"""What makes a price more than one for tokens read and written."""
_LEAST, _MOST = Decimal("0.0001"), Decimal(2000)
"""Dollars for a million tokens: a price outside is in another unit than it seems to be."""


def told_cost(usage: Mapping[str, object]) -> float | None:
    """Return how many US dollars an answer cost by its usage, None if that does not tell.

    OpenRouter, Vercel and LiteLLM say `cost`, Perplexity an object of that name, xAI `cost_in_usd_ticks` (ten thousand million are a
    dollar), DeepInfra `estimated_cost`. Who brings a key of the maker's own to a gateway (`is_byok`) pays that one besides, as
    `cost_details` says.
    """
    cost = usage.get("cost")
    if isinstance(cost, dict):
        parts = cast("dict[str, object]", cost)
        return _dollars(parts.get("total_cost")) if _in_dollars(parts) else None
    if not _in_dollars(usage):
        return None
    if usage.get("is_byok") is True:
        details = fields_of(usage.get("cost_details"))
        fee, upstream = _number(cost), _number(details.get("upstream_inference_cost"))
        return None if fee is None or upstream is None else _dollars(fee + upstream)
    ticks = _number(usage.get("cost_in_usd_ticks"))
    found = (
        _dollars(cost),
        _dollars(ticks / _TICKS if ticks is not None else None),
        _dollars(usage.get("estimated_cost")),
    )
    return next((dollars for dollars in found if dollars is not None), None)


def told_price(model: Mapping[str, object]) -> Price | None:
    """Return the price that a list tells of a model, None if it tells none that is plain.

    Texts are dollars for a token (OpenRouter, Vercel), numbers for a million (Together, DeepInfra). A price that depends on the length
    of a request, or has a part for each request, is none; nor are zeros as numbers, with which models stand in lists that are paid for
    by the hour.
    """
    pricing = fields_of(model.get("pricing")) or fields_of(fields_of(model.get("metadata")).get("pricing"))
    if not _in_dollars(pricing) or any(_number(pricing.get(name)) for name in _BESIDES) or _has_tiers(pricing):
        return None
    for names in _TOKENS:
        if all(pricing.get(name) is not None for name in names):
            return _price(pricing, *names)
    return None


def _price(pricing: Mapping[str, object], *names: str) -> Price | None:
    """Return the price whose parts have these names, None if a part of it cannot be right."""
    cached = next((name for name in _CACHED if pricing.get(name) is not None), None)
    written = next((name for name in _WRITTEN if pricing.get(name) is not None), None)
    parts = {name: _per_million(pricing[name]) for name in (*names, cached, written) if name}
    if None in parts.values() or not (any(parts.values()) or isinstance(pricing[names[0]], str)):
        return None
    read, wrote = (parts[name] or 0.0 for name in names)
    return Price(
        input=read,
        output=wrote,
        cached_input=parts[cached] if cached else None,
        cache_write=parts[written] if written else None,
    )


def _per_million(value: object) -> float | None:
    number = _number(value)
    if number is None:
        return None
    dollars = number * _MILLION if isinstance(value, str) else number
    return float(dollars) if not dollars or _LEAST <= dollars <= _MOST else None


def _has_tiers(pricing: Mapping[str, object]) -> bool:
    tiers = {name: cast("list[object]", value) for name, value in pricing.items() if isinstance(value, list)}
    return bool(tiers.get("overrides")) or any(len(of) > 1 for of in tiers.values())


def _in_dollars(fields: Mapping[str, object]) -> bool:
    currency = fields.get("currency")
    return currency is None or (isinstance(currency, str) and currency.upper() == "USD")


def _dollars(value: object) -> float | None:
    number = value if isinstance(value, Decimal) else _number(value)
    return round(float(number), DIGITS) if number is not None and number <= _MOST_DOLLARS else None


def _number(value: object) -> Decimal | None:
    """Return a number that is not negative, or the text of one."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)) or len(text := str(value)) > _LONGEST_NUMBER:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and number >= 0 else None
