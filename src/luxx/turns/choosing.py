"""Choosing: which of a provider's models is its default when the person names none."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from luxx.core.errors import LuxxError
from luxx.core.ports import ModelInfo
from luxx.core.presets import Preset

LONGEST_WAIT_S = 15.0
"""How long a provider may take to list its models while it is being set up."""

_NO_CHAT = re.compile(
    r"(?:^|[^a-z])(?:\w*embed\w*|bge|e5|gte|minilm|rerank\w*|whisper|tts|stt|speech|voxtral|audio|realtime|live|transcribe"
    r"|voice|music|lyria|image|images|imagen|dall|flux|diffusion|sdxl|sora|video|veo|moderation|\w*guard|ocr|parse|reward"
    r"|davinci|babbage|turbo-instruct)(?:$|[^a-z])"
)
_VARIANT = re.compile(r"(?:^|[^a-z])(?:search|preview|deep-research|codex|computer-use|base|cyber)(?:$|[^a-z])")


class Choice(NamedTuple):
    """The model chosen, or why none was."""

    model: str | None
    notice: str | None = None


def choose(models: Sequence[ModelInfo], preset: Preset) -> str | None:
    """Return the model to use by default, None if a person has to say.

    Models that do not chat (embeddings, speech, images, moderation) are never chosen. The preset's preferences come first, of
    each the newest; then the only model there is. Where the models run on the person's own machine the first will do, one that
    can call tools before others; elsewhere a guess may cost money, and nothing is chosen.
    """
    chat = [model for model in models if not _NO_CHAT.search(model.id.lower())]
    for pattern in preset.prefers:
        found = [(_version(match), match.string) for model in chat if (match := re.fullmatch(pattern, model.id))]
        found = [entry for entry in found if not _VARIANT.search(entry[1])] or found
        if found:
            return max(found)[1]
    if len(chat) == 1:
        return chat[0].id
    if not preset.own:
        return None
    return next((model.id for model in sorted(chat, key=_lacks_tools)), None)


async def find_default(
    ask: Callable[[], Awaitable[Sequence[ModelInfo]]], preset: Preset, wait_s: float = LONGEST_WAIT_S
) -> Choice:
    """Ask a provider for its models and choose one; `preset.default_model` stands in for a list that cannot be had."""
    try:
        async with asyncio.timeout(wait_s):
            models = await ask()
    except TimeoutError:
        problem = f"the list of models did not come within {wait_s:g} s."
    except LuxxError as error:
        problem = error.message
    else:
        found = choose(models, preset) or preset.default_model
        if found:
            return Choice(found)
        told = "it serves none that can chat" if not models else f"none of its {len(models)} models stands out"
        return Choice(None, f"No default model is chosen: {told}. Choose one.")
    if preset.default_model:
        return Choice(preset.default_model)
    return Choice(None, f"No default model is chosen: {problem}")


def _version(match: re.Match[str]) -> tuple[float, ...]:
    return tuple(float(group or 0) for group in match.groups())


def _lacks_tools(model: ModelInfo) -> bool:
    return model.abilities is not None and "tools" not in model.abilities
