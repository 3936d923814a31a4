"""Families: what well-known models can take and do where the list does not tell, as documented in November 2026.

Sizes and abilities hold for the maker's own address only: the same name elsewhere may stand for less. What is not known is left
open. That a model does not chat is known by its name wherever it is.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from luxx.core.ports import Ability, ModelInfo


class Family(NamedTuple):
    """Models whose names fit a pattern; sizes in tokens, None where they are not known."""

    names: str
    window: int | None
    output: int | None
    abilities: tuple[Ability, ...] | None


_DATED = r"(?:-\d{4}-\d{2}-\d{2})?"
_TOOLS: tuple[Ability, ...] = ("tools",)
_SEES: tuple[Ability, ...] = ("tools", "images", "files")
_THINKS: tuple[Ability, ...] = ("tools", "thinking")
_ALL: tuple[Ability, ...] = ("tools", "images", "files", "thinking")

_FAMILIES: dict[str, tuple[Family, ...]] = {
    "api.openai.com": (
        Family(r"gpt-3\.5-turbo(?:-0125|-1106)?", 16_385, 4_096, _TOOLS),
        Family(r"gpt-4(?:-0613)?", 8_192, 8_192, _TOOLS),
        Family(rf"gpt-4-turbo{_DATED}", 128_000, 4_096, ("tools", "images")),
        Family(r"gpt-4o(?:-2024-08-06|-2024-11-20)?|gpt-4o-mini(?:-2024-07-18)?", 128_000, 16_384, _SEES),
        Family(rf"gpt-4\.1(?:-mini|-nano)?{_DATED}", 1_047_576, 32_768, _SEES),
        Family(rf"o[13](?:-pro)?{_DATED}|o4-mini{_DATED}", 200_000, 100_000, _ALL),
        Family(rf"o3-mini{_DATED}", 200_000, 100_000, _THINKS),
        Family(rf"gpt-5(?:\.[12])?{_DATED}|gpt-5-(?:mini|nano){_DATED}", 400_000, 128_000, _ALL),
        Family(rf"gpt-5\.[45]{_DATED}", 1_050_000, 128_000, _ALL),
    ),
    "api.x.ai": (
        Family(r"grok-3", 131_072, None, _TOOLS),
        Family(r"grok-3-mini", 131_072, None, _THINKS),
        Family(r"grok-4(?:-0709)?", 256_000, None, ("tools", "images", "thinking")),
    ),
    "api.deepseek.com": (Family(r"deepseek-v4-(?:flash|pro)", 1_000_000, 384_000, _THINKS),),
    "api.groq.com": (
        Family(r"openai/gpt-oss-(?:20|120)b", 131_072, 65_536, _THINKS),
        Family(r"llama-3\.3-70b-versatile|llama-3\.1-8b-instant", 131_072, None, _TOOLS),
    ),
    "api.cerebras.ai": (Family(r"gpt-oss-120b", None, None, _THINKS),),
    "api.z.ai": (
        Family(r"glm-4\.5(?:-air)?", 128_000, 96_000, _THINKS),
        Family(r"glm-4\.[67]", 200_000, 128_000, _THINKS),
    ),
}

_NO_CHAT = re.compile(
    r"(?:^|.*[-_.])(?:(?:embed|rerank)\w*|whisper|tts|transcribe|moderation)(?:[-_.:].*)?"
    r"|(?:dall-e|gpt-image|sora|gpt-realtime|bge|all-minilm)(?:[-_.:].*)?"
)
"""The names, without what stands before a slash, of models that embed, rerank, listen, speak, draw or moderate, and of none that chats."""


def chatting(models: Iterable[ModelInfo]) -> tuple[ModelInfo, ...]:
    """Return the models without those that cannot chat, as their names tell beyond doubt; one that is said to have abilities can."""
    return tuple(m for m in models if m.abilities or not _NO_CHAT.fullmatch(m.id.rpartition("/")[2].lower()))


def completed(host: str | None, models: Iterable[ModelInfo]) -> tuple[ModelInfo, ...]:
    """Return the models of a host that may chat, with what is known of them beyond what it tells; what it tells stands."""
    families = _FAMILIES.get(host or "", ())
    return tuple(_completed(model, families) for model in chatting(models))


def _completed(model: ModelInfo, families: Iterable[Family]) -> ModelInfo:
    for family in families:
        if re.fullmatch(family.names, model.id):
            return replace(
                model,
                context_window=model.context_window or family.window,
                max_output_tokens=model.max_output_tokens or family.output,
                abilities=family.abilities if model.abilities is None else model.abilities,
            )
    return model
