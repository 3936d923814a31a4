"""What tokens cost by a price, and what calls cost together."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from luxx.core.prices import Price, priced
from luxx.core.usage import NOTHING, Usage

PLAIN = Price(input=3, output=15)
CACHING = Price(input=3, output=15, cached_input=0.3, cache_write=3.75)


@pytest.mark.parametrize(
    ("price", "usage", "cost"),
    [
        (PLAIN, Usage(input_tokens=1_000, output_tokens=100, total_tokens=1_100), 0.0045),
        (Price(input=0.15, output=0.6), Usage(input_tokens=7, output_tokens=3, total_tokens=10), 0.00000285),
        (PLAIN, Usage(input_tokens=1_000, cached_tokens=600, cache_write_tokens=300), 0.003),
        (CACHING, Usage(input_tokens=1_000, cached_tokens=600), 0.00138),
        (CACHING, Usage(input_tokens=1_000, cached_tokens=600, cache_write_tokens=300), 0.001605),
        (CACHING, Usage(input_tokens=10, cached_tokens=8, cache_write_tokens=8), 0.0000324),
        (CACHING, Usage(input_tokens=10, output_tokens=1_000, reasoning_tokens=900), 0.01503),
        (Price(input=0, output=0), Usage(input_tokens=10, output_tokens=5), 0),
        (Price(input=3, output=15, cached_input=0), Usage(input_tokens=10, cached_tokens=10), 0),
    ],
)
def test_every_token_is_charged_once_by_what_it_is(price: Price, usage: Usage, cost: float) -> None:
    assert priced(usage, price).cost == cost


@pytest.mark.parametrize(
    ("price", "usage"),
    [
        (None, Usage(input_tokens=10, output_tokens=5)),
        (PLAIN, Usage(input_tokens=10, output_tokens=5, estimated=True)),
        (PLAIN, Usage(total_tokens=15)),
    ],
)
def test_what_cannot_be_known_stays_unknown(price: Price | None, usage: Usage) -> None:
    assert priced(usage, price) == usage


@pytest.mark.parametrize("cost", [0.0, 0.5])
def test_what_the_provider_told_stands(cost: float) -> None:
    assert priced(Usage(input_tokens=10, cost=cost), PLAIN).cost == cost


def test_sums_show_no_noise() -> None:
    assert sum([Usage(cost=0.1), Usage(cost=0.2)], NOTHING).cost == 0.3
    assert sum([Usage(cost=0.000_000_1)] * 1_000, NOTHING).cost == 0.0001


def test_a_sum_with_an_unknown_part_is_unknown() -> None:
    assert sum([Usage(cost=0.1), Usage(input_tokens=1)], NOTHING).cost is None


@given(st.integers(1, 10**9), st.integers(0, 10**9), st.floats(0, 1_000), st.floats(0, 1_000))
def test_two_halves_cost_what_the_whole_does(read: int, written: int, input: float, output: float) -> None:
    price = Price(input=input, output=output)
    half = priced(Usage(input_tokens=read, output_tokens=written), price)
    whole = priced(Usage(input_tokens=2 * read, output_tokens=2 * written), price)
    assert (half + half).cost == pytest.approx(whole.cost, rel=1e-9, abs=1e-11)


def test_usage_of_before_there_were_costs_is_read() -> None:
    assert msgspec.json.decode(b'{"input_tokens": 3}', type=Usage).cost is None


@pytest.mark.parametrize("cost", [b"-1", b"1e999", b'"1"', b"NaN"])
def test_a_cost_that_cannot_be_is_refused(cost: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(b'{"cost": ' + cost + b"}", type=Usage)
