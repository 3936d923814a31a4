"""What providers tell of money: the cost of an answer, and the prices of their models."""

import json

import pytest

from luxx.core.prices import Price
from luxx.providers.openai.catalogue import read_catalogue
from luxx.providers.prices import told_cost
from tests.providers import chat, messages, responses, told

TOKENS = {"prompt_tokens": 194, "completion_tokens": 20, "total_tokens": 214}


def answered(*usages: object) -> float | None:
    """Return the cost of an answer in chat completions whose chunks bring these usages."""
    chunks = b"".join(chat.event({"choices": [], "usage": usage}) for usage in usages)
    found = told.decode([chat.delta(content="a") + chat.delta("stop") + chunks + chat.DONE])
    assert found.finish
    assert found.finish.usage
    return found.finish.usage.cost


@pytest.mark.parametrize(
    ("more", "cost"),
    [
        ({}, None),
        # OpenRouter
        ({"cost": 0.00014, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.00014}}, 0.00014),
        ({"cost": 0}, 0),
        ({"cost": 0.0000025, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.00005}}, 0.0000525),
        ({"cost": 0, "is_byok": True, "cost_details": {"upstream_inference_cost": None}}, None),
        ({"cost": 0.95, "is_byok": True}, None),
        # Vercel
        ({"cost": 0.002076, "is_byok": False, "cost_details": {}, "market_cost": 0.002076}, 0.002076),
        # xAI
        ({"cost_in_usd_ticks": 37756000}, 0.0037756),
        # Perplexity
        ({"cost": {"input_tokens_cost": 0.00001, "request_cost": 0.005, "total_cost": 0.00501}}, 0.00501),
        ({"cost": {"total_cost": 0.5, "currency": "EUR"}}, None),
        # DeepInfra
        ({"estimated_cost": 0.0000268}, 0.0000268),
        # gateways that do not know it
        ({"cost": None}, None),
        ({"cost": 0.1, "currency": "CNY"}, None),
    ],
)
def test_a_cost_is_found_where_providers_tell_it(more: dict[str, object], cost: float | None) -> None:
    assert answered({**TOKENS, **more}) == cost


def test_the_last_word_on_the_cost_counts() -> None:
    assert answered({**TOKENS, "cost": {"total_cost": 0}}, {**TOKENS, "cost": {"total_cost": 0.00501}}) == 0.00501


@pytest.mark.parametrize("cost", [-1, True, "much", "nan", 1e400, 10**9, [1], {}, {"total_cost": "-1"}, "1" * 99])
def test_a_cost_that_is_none_is_none(cost: object) -> None:
    assert told_cost({"cost": cost, "cost_in_usd_ticks": "x", "estimated_cost": None}) is None


@pytest.mark.parametrize("usage", [{"cost_in_usd_ticks": 5583500}, {"cost": 0.00055835}])
def test_a_response_tells_its_cost(usage: dict[str, object]) -> None:
    found = responses.decode(responses.completed(usage={"input_tokens": 2, "output_tokens": 1, **usage}))
    assert found.finish
    assert found.finish.usage
    assert found.finish.usage.cost == 0.00055835


def test_a_message_tells_its_cost_at_its_end() -> None:
    body = messages.begin(input_tokens=4) + messages.text(0, "a") + messages.end(output_tokens=2, cost=0.001)
    found = messages.decode(body)
    assert found.finish
    assert found.finish.usage
    assert (found.finish.usage.total_tokens, found.finish.usage.cost) == (6, 0.001)


def listed(**entry: object) -> Price | None:
    """Return the price of the one model of a list."""
    models = read_catalogue(json.dumps({"data": [{"id": "m", **entry}]}).encode())
    assert models
    return models[0].price


@pytest.mark.parametrize(
    ("pricing", "price"),
    [
        # OpenRouter: dollars for a token, as text
        ({"prompt": "0.0000025", "completion": "0.00001"}, Price(input=2.5, output=10)),
        (
            {
                "prompt": "0.000003",
                "completion": "0.000015",
                "request": "0",
                "image": "0.0048",
                "input_cache_read": "0.0000003",
                "input_cache_write": "0.00000375",
            },
            Price(input=3, output=15, cached_input=0.3, cache_write=3.75),
        ),
        ({"prompt": "0", "completion": "0"}, Price(input=0, output=0)),
        # Vercel: the same under other names
        (
            {"input": "0.00000015", "output": "0.0000006", "input_cache_read": "0.000000075"},
            Price(input=0.15, output=0.6, cached_input=0.075),
        ),
        ({"input": "0.000001", "output": "0.000002", "input_tiers": [{"min": 0}]}, Price(input=1, output=2)),
        # Together: dollars for a million, as numbers
        ({"hourly": 0, "input": 0.88, "output": 0.88, "base": 0}, Price(input=0.88, output=0.88)),
        ({"input": 0.5, "output": 2, "cached_input": 0.1}, Price(input=0.5, output=2, cached_input=0.1)),
    ],
)
def test_a_price_is_read_from_a_list(pricing: dict[str, object], price: Price) -> None:
    assert listed(pricing=pricing) == price


def test_a_price_is_read_from_where_deepinfra_puts_it() -> None:
    pricing = {"input_tokens": 0.1, "output_tokens": 0.3, "cache_read_tokens": 0.02}
    assert listed(metadata={"pricing": pricing}) == Price(input=0.1, output=0.3, cached_input=0.02)


@pytest.mark.parametrize(
    "pricing",
    [
        None,
        "free",
        {},
        {"prompt": "0.000001"},
        {"prompt": "-1", "completion": "-1"},
        {"prompt": "0.000001", "completion": "0.000002", "request": "0.005"},
        {"prompt": "0.000001", "completion": "0.000002", "currency": "CNY"},
        {"prompt": "0.000001", "completion": "0.000002", "overrides": [{"min_prompt_tokens": 200000}]},
        {"prompt": "0.000001", "completion": "0.000002", "input_cache_read": "-1"},
        {"input": "0.0000013", "output": "0.0000078", "input_tiers": [{"max": 128000}, {"min": 128000}]},
        {"input": 0, "output": 0, "hourly": 0},
        {"input": "0.15", "output": "0.6"},
        {"prompt": 0.00000015, "completion": 0.0000006},
        {"prompt": "NaN", "completion": "Infinity"},
        {"prompt": True, "completion": True},
        {"prompt": "1" * 99, "completion": "1"},
    ],
)
def test_a_price_that_is_not_plain_is_none(pricing: object) -> None:
    assert listed(pricing=pricing) is None
