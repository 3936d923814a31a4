"""Trying: have a model say a word, which shows what a list of models does not: its name, the credit, the right to use it."""

import asyncio
import contextlib

from luxx.core.errors import ProviderError
from luxx.core.ports import Check, Model
from luxx.core.prompts import ModelRequest, UserPrompt

PATIENCE_S = 30.0
"""How long a model may take to its first word: one that has to be loaded takes longer, which is no fault."""
_TOKENS = 512
_QUESTION = "Reply with the single word: ready"


async def try_model(model: Model, name: str, listed: Check) -> Check:
    """Ask a model for a word and stop at the first that comes; `listed` is what the provider's list of models gave."""
    request = ModelRequest(model=name, prompts=(UserPrompt(_QUESTION),), max_tokens=_TOKENS)
    count = "1 model" if listed.models == 1 else f"{listed.models} models"
    has = f"serves {count}" if listed.models is not None else "has no list of models"
    try:
        async with asyncio.timeout(PATIENCE_S), contextlib.aclosing(model.stream(request)) as stream:
            async for _ in stream:
                break
    except TimeoutError:
        told = f"It answers and {has}; {name} said nothing within {PATIENCE_S:g} s (it may have to be loaded first)."
        return Check(ok=True, detail=told, models=listed.models)
    except ProviderError as error:
        return Check(ok=False, detail=f"{name}: {error.message}", models=listed.models)
    return Check(ok=True, detail=f"It answers and {has}; {name} works.", models=listed.models)
