"""The embedded model as a provider: it asks the child process in the OpenAI format."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol, assert_never

import msgspec

from luxx.core.deltas import Delta
from luxx.core.errors import AnswerIncomplete, ProviderError, ProviderTimeout, ProviderUnreachable
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.attachments import as_text
from luxx.providers.local.engine import MODEL_ID, Address, LocalEngine
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport

CONTEXT_WINDOW = 8192
"""The model's window in tokens; a longer conversation ends with ContextOverflow."""

SYSTEM_PROMPT = "You are a helpful assistant. Answer briefly."
"""Used where a conversation has none: without one the model loops."""

EXTRA_BODY = {"return_progress": True}
"""Goes into every request: the child then writes while it reads the prompt, and so notices at once who has gone."""

# It offers to keep a connection and then often closes it, which the next request would notice too late.
_HEADERS = {"Connection": "close"}


class Answerer(Protocol):
    """What is needed of the model class of the OpenAI format."""

    def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Do what core.ports.Model says."""
        ...


Connect = Callable[[Address], Answerer]
"""Makes the model that answers at an address of the child."""


def over(transport: Transport) -> Connect:
    """Return how to reach the child over an HTTP client."""

    def connect(address: Address) -> Answerer:
        return OpenAIModel(address.base_url, address.api_key, transport, headers=_HEADERS, extra=EXTRA_BODY)

    return connect


class LocalModel:
    """The embedded model (a core.ports.Endpoint). The child is started by the first request.

    It cannot call tools, so it is never told of any; calls and results that another model left in the conversation
    reach it as plain words.
    """

    format = "local"

    def __init__(self, engine: LocalEngine, connect: Connect) -> None:
        self._engine = engine
        self._connect = connect

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model, see core.ports.Model. A child that dies is ProviderUnreachable, or AnswerIncomplete in mid-answer."""
        address = await self._engine.ensure()
        answering = False
        try:
            async with aclosing(self._connect(address).stream(adapt(request))) as answer:
                async for deltas in answer:
                    answering = True
                    yield deltas
        except (ProviderUnreachable, ProviderTimeout, AnswerIncomplete) as error:
            cause = await self._engine.cause_of_death(address)
            if cause is None:
                raise
            kind = AnswerIncomplete if answering else ProviderUnreachable
            raise kind(f"The embedded model stopped: {cause}") from error

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the one model there is."""
        return (ModelInfo(id=MODEL_ID, context_window=CONTEXT_WINDOW),)

    async def check(self) -> Check:
        """Start the model and say whether it runs; never raises."""
        try:
            await self._engine.ensure()
        except ProviderError as error:
            return Check(ok=False, detail=error.message)
        return Check(
            ok=True, detail="The embedded model runs: a tiny one (135 million parameters) for trying Luxx.", models=1
        )


def adapt(request: ModelRequest) -> ModelRequest:
    """Return the request as the embedded model can take it: with a system prompt and without tools."""
    return msgspec.structs.replace(
        request,
        model=MODEL_ID,
        system=request.system if request.system and request.system.strip() else SYSTEM_PROMPT,
        prompts=tuple(_in_words(request.prompts, request.files)),
        tools=(),
        files={},
    )


def _in_words(prompts: Sequence[Prompt], contents: Mapping[str, bytes]) -> Iterator[Prompt]:
    for prompt in prompts:
        match prompt:
            case UserPrompt(text=text, files=files):
                words = (*(as_text(file, contents) for file in files), text)
                yield UserPrompt("\n\n".join(filter(None, words)))
            case AnswerPrompt(text=text):
                if text:
                    yield AnswerPrompt(text=text)
            case ResultPrompt(name=name, content=content):
                yield UserPrompt(f"Result of {name}: {content}")
            case _:
                assert_never(prompt)
