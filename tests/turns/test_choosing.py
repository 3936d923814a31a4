"""Choosing a default model among those that a provider serves."""

import asyncio

import pytest

from luxx.core.errors import ProviderAuth
from luxx.core.ports import ModelInfo
from luxx.core.presets import Preset
from luxx.providers.presets import PRESETS
from luxx.turns.choosing import choose, find_default

BY_ID = {preset.id: preset for preset in PRESETS}
HOST = Preset(id="host", name="Host", format="openai")
OWN = Preset(id="own", name="Own", format="openai", key="none", own=True)


def models(*ids: str) -> list[ModelInfo]:
    return [ModelInfo(id=id) for id in ids]


@pytest.mark.parametrize(
    ("preset", "served", "chosen"),
    [
        ("openai", ("gpt-4", "gpt-5.4", "gpt-5", "gpt-image-2", "gpt-5.4-codex", "gpt-5.4-pro"), "gpt-5.4"),
        ("openai", ("gpt-5.5", "gpt-5.6-sol", "gpt-5.6-terra", "gpt-5.6-luna"), "gpt-5.6-terra"),
        ("openai", ("gpt-audio-2", "gpt-realtime-2", "text-embedding-3-small", "o3"), "o3"),
        ("anthropic", ("claude-opus-4-6", "claude-sonnet-4-5-20250929", "claude-sonnet-4-6"), "claude-sonnet-4-6"),
        ("anthropic", ("claude-sonnet-5", "claude-sonnet-4-20250514", "claude-sonnet-4-6"), "claude-sonnet-5"),
        (
            "gemini",
            ("gemini-2.5-flash", "gemini-3.6-flash", "gemini-3.5-flash-lite", "gemini-3-pro"),
            "gemini-3.6-flash",
        ),
        ("xai", ("grok-4.20", "grok-4.3", "grok-4-0709", "grok-4.7-mini"), "grok-4.3"),
        ("deepseek", ("deepseek-v4-pro", "deepseek-v4-flash", "deepseek-v4.1-flash"), "deepseek-v4.1-flash"),
        (
            "groq",
            ("whisper-large-v3", "llama-3.3-70b-versatile", "meta-llama/llama-guard-4-12b"),
            "llama-3.3-70b-versatile",
        ),
    ],
)
def test_a_preset_prefers_the_newest_of_its_kind(preset: str, served: tuple[str, ...], chosen: str) -> None:
    assert choose(models(*served), BY_ID[preset]) == chosen
    assert choose(models(*reversed(served)), BY_ID[preset]) == chosen


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-3-large",
        "nomic-embed-text:latest",
        "mxbai-embed-large",
        "bge-m3",
        "all-minilm:l6-v2",
        "whisper-1",
        "gpt-4o-mini-tts",
        "gpt-4o-transcribe",
        "gpt-4o-realtime-preview",
        "dall-e-3",
        "gpt-image-1",
        "imagen-4.0",
        "sora-2",
        "black-forest-labs/FLUX.1-dev",
        "omni-moderation-latest",
        "llama-guard3:8b",
        "jina-reranker-v2",
        "mistral-ocr-latest",
    ],
)
def test_a_model_that_does_not_chat_is_never_chosen(name: str) -> None:
    assert choose(models(name), HOST) is None
    assert choose(models(name, "llama3.2:3b"), HOST) == choose(models(name, "llama3.2:3b"), OWN) == "llama3.2:3b"


def test_a_guess_that_may_cost_money_is_not_made() -> None:
    assert choose(models("large", "small"), HOST) is None
    assert choose([], OWN) is None


def test_on_an_own_machine_the_first_that_can_call_tools_will_do() -> None:
    poor, silent = ModelInfo(id="poor", abilities=()), ModelInfo(id="silent")
    able = ModelInfo(id="able", abilities=("tools",))
    assert choose([poor, able], OWN) == "able"
    assert choose([poor, silent, able], OWN) == "silent"
    assert choose([poor], OWN) == "poor"


async def test_a_list_that_cannot_be_had_leaves_the_presets_own_model_or_the_reason() -> None:
    async def refuse() -> list[ModelInfo]:
        raise ProviderAuth("The key is wrong.")

    assert await find_default(refuse, BY_ID["perplexity"]) == ("sonar", None)
    assert await find_default(refuse, HOST) == (None, "No default model is chosen: The key is wrong.")


async def test_a_provider_that_is_slow_with_its_list_is_not_waited_for() -> None:
    async def hang() -> list[ModelInfo]:
        await asyncio.Event().wait()
        return []

    assert "did not come" in ((await find_default(hang, HOST, wait_s=0.01)).notice or "")
