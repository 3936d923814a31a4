"""Lists of models: what hosts tell of them, what is known beyond that, and which are left out."""

import json

import pytest

from luxx.core.ports import ModelInfo
from luxx.providers.families import completed
from luxx.providers.openai.catalogue import read_catalogue


def listed(*entries: dict[str, object]) -> tuple[ModelInfo, ...]:
    found = read_catalogue(json.dumps({"data": entries}).encode())
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("entry", "model"),
    [
        (
            {  # Mistral
                "id": "m",
                "max_context_length": 131072,
                "capabilities": {"completion_chat": True, "function_calling": True, "vision": True},
            },
            ModelInfo(id="m", context_window=131072, abilities=("tools", "images")),
        ),
        (
            {  # OpenRouter
                "id": "a/m",
                "name": "A: M",
                "context_length": 400000,
                "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
                "top_provider": {"context_length": 400000, "max_completion_tokens": 128000},
                "supported_parameters": ["tools", "reasoning"],
            },
            ModelInfo(
                id="a/m",
                name="A: M",
                context_window=400000,
                max_output_tokens=128000,
                abilities=("tools", "images", "files", "thinking"),
            ),
        ),
        (
            {"id": "g", "context_window": 131072, "max_completion_tokens": 65536, "active": True},  # Groq
            ModelInfo(id="g", context_window=131072, max_output_tokens=65536),
        ),
        (
            {"id": "t", "type": "chat", "display_name": "T", "context_length": 8192},  # Together
            ModelInfo(id="t", name="T", context_window=8192),
        ),
        (
            {"id": "s", "context_length": "8192", "max_model_len": "lots", "max_output_tokens": "x"},
            ModelInfo(id="s", context_window=8192),
        ),
        (
            {"id": "f", "supports_chat": True, "supports_tools": False, "supports_image_input": True},  # Fireworks
            ModelInfo(id="f", abilities=("images",)),
        ),
        (
            {"id": "h", "providers": [{"supports_tools": False}, {"supports_tools": True}]},  # Hugging Face
            ModelInfo(id="h", abilities=("tools",)),
        ),
        ({"id": "k", "supports_image_in": True, "supports_reasoning": True}, ModelInfo(id="k")),  # silent about tools
        ({"id": "w", "capabilities": "all", "providers": 1, "architecture": []}, ModelInfo(id="w")),
    ],
)
def test_what_a_host_tells_of_a_model_is_read(entry: dict[str, object], model: ModelInfo) -> None:
    assert listed(entry) == (model,)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "embedding"},
        {"type": "embeddings"},
        {"type": "image"},
        {"capabilities": {"completion_chat": False}},
        {"supports_chat": False},
        {"architecture": {"output_modalities": ["embeddings"]}},
    ],
)
def test_a_model_that_is_said_not_to_chat_is_left_out(entry: dict[str, object]) -> None:
    assert listed({"id": "x", **entry}, {"id": "y"}) == (ModelInfo(id="y"),)


@pytest.mark.parametrize(
    "name",
    [
        "text-embedding-3-small",
        "nomic-embed-text:latest",
        "codestral-embed-2505",
        "mistral-embed",
        "snowflake-arctic-embed2",
        "google/embeddinggemma-300m",
        "whisper-1",
        "openai/whisper-large-v3-turbo",
        "tts-1-hd",
        "gpt-4o-mini-tts",
        "gpt-4o-transcribe",
        "rerank-v3.5",
        "BAAI/bge-reranker-v2-m3",
        "@cf/baai/bge-m3",
        "omni-moderation-latest",
        "dall-e-3",
        "gpt-image-1",
    ],
)
def test_a_model_whose_name_says_that_it_does_not_chat_is_left_out(name: str) -> None:
    assert completed("gateway.example", listed({"id": name}, {"id": "y"})) == (ModelInfo(id="y"),)


@pytest.mark.parametrize(
    "name",
    [
        "gpt-5.2",
        "gpt-4o-audio-preview",
        "embed-lab/chat-7b",
        "llama-guard-4-12b",
        "watts-7b",
        "sorac",
        "gemma3:4b",
        "-",
    ],
)
def test_a_model_that_may_chat_is_listed(name: str) -> None:
    assert completed("gateway.example", listed({"id": name})) == (ModelInfo(id=name),)


def test_what_a_host_tells_of_a_model_counts_more_than_its_name() -> None:
    told: dict[str, object] = {"id": "speech-tts-1", "supported_parameters": ["tools"]}
    assert completed(None, listed(told)) == (ModelInfo(id="speech-tts-1", abilities=("tools",)),)


def test_what_a_well_known_model_can_is_filled_in_at_its_makers_own_address() -> None:
    bare = (ModelInfo(id="gpt-4.1-mini"), ModelInfo(id="gpt-5-2025-08-07"), ModelInfo(id="gpt-5-mystery"))
    mini, five, mystery = completed("api.openai.com", bare)
    assert (mini.context_window, mini.max_output_tokens) == (1_047_576, 32_768)
    assert five.abilities == ("tools", "images", "files", "thinking")
    assert mystery == ModelInfo(id="gpt-5-mystery")
    assert completed("gateway.example", bare) == completed(None, bare) == bare


def test_what_a_host_tells_stands() -> None:
    told = ModelInfo(id="openai/gpt-oss-120b", context_window=9, abilities=())
    (model,) = completed("api.groq.com", (told,))
    assert (model.context_window, model.abilities, model.max_output_tokens) == (9, (), 65_536)
