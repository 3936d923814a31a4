"""The model behind an OpenAI-compatible endpoint."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from yarl import URL

from luxx.core.deltas import Delta
from luxx.core.errors import (
    AnswerIncomplete,
    ProviderAuth,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
)
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import ModelRequest
from luxx.providers.failures import Report, from_response, read_body
from luxx.providers.openai.answer import AnswerDecoder
from luxx.providers.openai.catalogue import read_catalogue
from luxx.providers.openai.contents import unseen_in
from luxx.providers.openai.request import Quirk, encode_request, quirk_in, shown_files
from luxx.providers.transport import Reply, Transport

_ERROR_LIMIT = 64 * 1024
_LIST_LIMIT = 8 * 1024 * 1024
_LIST_PATIENCE_S = 30.0
# How long to wait for the usage and the end mark once the finish reason is there: some endpoints leave the stream open.
_LINGER_S = 5.0
# An end of the body that comes with the end mark, or right after it, leaves the connection open for the next request.
_END_PATIENCE_S = 0.05


class OpenAIModel:
    """A provider that speaks chat completions at `base_url`, taken as given (most end in ``/v1``).

    `headers` are added to every request and `extra` to the body of every answer asked for; both win over Luxx's own. An
    endpoint that refuses a field that it need not have is asked once more without it, which is remembered for the model.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        transport: Transport,
        *,
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._base_url = base_url.strip()
        self._api_key = (api_key or "").strip()
        self._transport = transport
        self._headers = dict(headers or {})
        self._extra = dict(extra or {})
        self._secrets = tuple(s for s in (self._api_key, *self._headers.values()) if s)
        self._quirks: dict[str, frozenset[Quirk]] = {}

    @property
    def format(self) -> Literal["openai"]:
        """The wire format's name."""
        return "openai"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model)."""
        decoder = AnswerDecoder(self._secrets, self._origin())
        async with (
            self._answer(request) as reply,
            contextlib.aclosing(_read(reply, decoder, self._transport.patience.between_deltas_s)) as answer,
        ):
            async for deltas in answer:
                yield deltas

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists. Raises ProviderError."""
        url = self._url("models")
        headers = self._request_headers("application/json")
        try:
            async with asyncio.timeout(_LIST_PATIENCE_S), self._transport.open("GET", url, headers) as reply:
                body = await reply.read_all(_LIST_LIMIT)
        except TimeoutError as error:
            raise ProviderTimeout(f"The list of models did not come within {_LIST_PATIENCE_S:g} s.") from error
        if reply.status // 100 != 2:
            raise from_response(reply.status, reply.headers, body, self._secrets)
        models = read_catalogue(body)
        if models is None:
            raise ProviderRejected("The address does not answer with a list of models. Check this provider's base URL.")
        return models

    async def check(self) -> Check:
        """Ask for the models, as a try-out of address and key; never raises."""
        try:
            models = await self.list_models()
        except ProviderRejected as error:
            if error.status in (404, 405, 501):
                hint = "It answers, but has no list of models. Check the base URL; a few providers have no such list."
                return Check(ok=False, detail=hint)
            return Check(ok=False, detail=error.message)
        except ProviderError as error:
            return Check(ok=False, detail=error.message)
        return Check(ok=True, detail=f"It answers, and serves {len(models)} models.", models=len(models))

    @contextlib.asynccontextmanager
    async def _answer(self, request: ModelRequest) -> AsyncGenerator[Reply, None]:
        """Give the reply of an endpoint that accepted the request."""
        url = self._url("chat/completions")
        headers = self._request_headers("text/event-stream")
        while True:
            quirks = self._known_quirks(request.model, url)
            body = await self._body(request, quirks)
            async with self._transport.open("POST", url, headers, body) as reply:
                if reply.status // 100 == 2:
                    yield reply
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            quirk = _quirk(reply.status, read_body(refusal), request, quirks)
            if quirk is None or quirk in quirks:
                raise from_response(reply.status, reply.headers, refusal, self._secrets)
            self._quirks[request.model] = quirks.union({quirk})

    async def _body(self, request: ModelRequest, quirks: frozenset[Quirk]) -> bytes:
        encode = partial(encode_request, request, origin=self._origin(), quirks=quirks, extra=self._extra)
        # Files are megabytes, which the event loop shall not wait for.
        return await asyncio.to_thread(encode) if request.files else encode()

    def _known_quirks(self, model: str, url: URL) -> frozenset[Quirk]:
        # OpenAI's own models take this name, and its newer ones no other.
        own: frozenset[Quirk] = frozenset({"max_completion_tokens"}) if url.host == "api.openai.com" else frozenset()
        return self._quirks.get(model, own)

    def _url(self, path: str) -> URL:
        try:
            base = URL(self._base_url)
            if base.scheme not in ("http", "https") or not base.host:
                raise ValueError("no address")
            return base.with_path(f"{base.path.rstrip('/')}/{path}", keep_query=True)
        except ValueError as error:
            raise ProviderRejected("The base URL of this provider is no http or https address.") from error

    def _origin(self) -> str:
        url = self._url("")
        return f"{url.host}:{url.port}"

    def _request_headers(self, accept: str) -> dict[str, str]:
        if not (self._api_key.isascii() and (self._api_key.isprintable() or not self._api_key)):
            raise ProviderAuth("The API key of this provider has characters that no key has: copy it again.")
        key = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        return {"Content-Type": "application/json", "Accept": accept, **key, **self._headers}


def _quirk(status: int, report: Report, request: ModelRequest, quirks: frozenset[Quirk]) -> Quirk | None:
    if status in (400, 422):
        return quirk_in(report, request, quirks)
    # Gateways say 404 where no model can see images, llama.cpp 500.
    return unseen_in(report, shown_files(request), quirks) if status in (404, 415, 500, 501) else None


async def _read(reply: Reply, decoder: AnswerDecoder, patience_s: float) -> AsyncGenerator[Sequence[Delta], None]:
    """Yield what each read brings; at the end, the rest with the Finish, or an error."""
    begun = False
    broken: ProviderError | None = None
    try:
        async for deltas in _batches(reply, decoder, patience_s):
            begun = True
            yield deltas
    except (ProviderUnreachable, ProviderTimeout) as error:
        broken = error
    rest = decoder.end()
    if broken and not decoder.has_reason:
        if rest:
            yield rest
        cut = begun and isinstance(broken, ProviderUnreachable)
        raise AnswerIncomplete(f"{broken.message} The answer is cut.") if cut else broken
    try:
        last = decoder.finish()
    except ProviderError:
        if rest:
            yield rest
        raise
    yield [*rest, last]
    if not broken:
        with contextlib.suppress(ProviderError):
            await reply.read(_END_PATIENCE_S)


async def _batches(reply: Reply, decoder: AnswerDecoder, patience_s: float) -> AsyncGenerator[Sequence[Delta], None]:
    """Yield what reads bring, until the answer's end. Raises ProviderUnreachable, ProviderTimeout."""
    clock = asyncio.get_running_loop().time
    shown_at = clock()
    while not decoder.ended and (data := await reply.read(_LINGER_S if decoder.has_reason else None)):
        if deltas := decoder.feed(data):
            yield deltas
            shown_at = clock()
        elif clock() - shown_at > patience_s:
            raise ProviderTimeout(f"The provider sent nothing but signs of life for {patience_s:g} s.")
