"""Fallback with the real formats: each says of a failure what the turn needs to know to ask another provider."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from luxx.core.ports import Endpoint as Model
from luxx.core.steps import Notice, answer_text
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.responses.model import ResponsesModel
from luxx.providers.transport import Patience, Transport
from luxx.store.records import NewProvider, ProviderChange
from tests.providers import chat
from tests.providers.endpoint import Answer, Endpoint
from tests.turns.bench import Bench, bench, replay

JSON = {"Content-Type": "application/json"}
FORMATS = [OpenAIModel, ResponsesModel, AnthropicModel, GeminiModel]
FAILURES = {
    "provider_auth": Answer(status=401, headers=JSON, pieces=[b'{"error": {"message": "Invalid API key."}}']),
    "provider_overloaded": Answer(status=503, headers=JSON, pieces=[b'{"error": {"message": "Overloaded"}}']),
    "rate_limited": Answer(status=429, headers={**JSON, "Retry-After": "3600"}, pieces=[b'{"error": {"message": "Slow"}}']),
    "credit_exhausted": Answer(status=402, headers=JSON, pieces=[b'{"error": {"message": "Payment required"}}']),
    "provider_timeout": Answer(silent=True),
    "silence after the headers": Answer(end="hold"),
    "provider_unreachable": Answer(end="cut"),
}  # fmt: skip


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport(Patience(connect_s=5, first_byte_s=0.2, between_reads_s=0.2))
    yield made
    await made.aclose()


async def with_fallback(at: Bench) -> None:
    providers, owner = at.store.providers, at.store.owner
    (main,) = await providers.list(owner)
    backup = await providers.create(owner, NewProvider(name="backup", format="fake", default_model="b"))
    await providers.change(owner, main.id, ProviderChange(fallback_id=backup.id))


@pytest.mark.parametrize("made", FORMATS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failure_before_the_first_token_is_answered_by_the_fallback(
    tmp_path: Path, transport: Transport, failure: str, made: type[OpenAIModel]
) -> None:
    async with Endpoint(FAILURES[failure]) as failing, Endpoint(Answer(pieces=[chat.text("hello")])) as well:
        main = made(failing.url, "key-1", transport)
        others: dict[str, Model] = {"backup": OpenAIModel(well.url, "key-2", transport)}
        async with bench(tmp_path, main, others=others) as at:
            await with_fallback(at)
            folded = replay(await at.follow((await at.post()).turn.id))
    (notice,) = [step for step in folded.steps() if isinstance(step, Notice)]
    assert answer_text(folded.steps()) == "hello"
    assert notice.content.startswith("p failed: ")
    assert notice.content.endswith(" backup (b) answers instead.")
    assert [request.json["messages"][-1]["content"] for request in well.asked if request.method == "POST"] == ["hi"]


@pytest.mark.parametrize("made", FORMATS, ids=lambda made: made.__name__)
async def test_an_address_where_nothing_is_makes_the_fallback_answer(
    tmp_path: Path, transport: Transport, made: type[OpenAIModel]
) -> None:
    async with Endpoint(Answer(pieces=[chat.text("hello")])) as well:
        main = made("http://127.0.0.1:9/v1", "key-1", transport)
        others: dict[str, Model] = {"backup": OpenAIModel(well.url, "key-2", transport)}
        async with bench(tmp_path, main, others=others) as at:
            await with_fallback(at)
            assert await at.answer((await at.post()).turn.id) == "hello"
