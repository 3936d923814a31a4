"""The model behind an endpoint that speaks generateContent."""

import asyncio
import contextlib
import re
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
from luxx.providers.failures import read_body
from luxx.providers.gemini.answer import AnswerDecoder
from luxx.providers.gemini.catalogue import read_page
from luxx.providers.gemini.quirks import Quirk, quirk_in
from luxx.providers.gemini.refusals import from_answer
from luxx.providers.gemini.request import encode_request
from luxx.providers.gemini.tools import tool_names
from luxx.providers.transport import Reply, Transport

GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
"""The address of Google's own Gemini API."""

_ERROR_LIMIT = 64 * 1024
_LIST_LIMIT = 8 * 1024 * 1024
_LIST_PATIENCE_S = 30.0
_PAGE_SIZE = "1000"
_MOST_PAGES = 20
# How long to wait for more once the finish reason is there: some endpoints leave the stream open.
_LINGER_S = 5.0
# An end of the body that comes right after the end mark leaves the connection open for the next request.
_END_PATIENCE_S = 0.05
_MOST_CONVERSATIONS = 1000
_MODEL = re.compile(r"(?!.*\.\.)[\w.:@+/ -]+")
_COLLECTIONS = ("models/", "tunedModels/", "publishers/", "projects/", "endpoints/")
_NONE: frozenset[Quirk] = frozenset()
# What a conversation brings with it: another one may do well without.
_OF_CONVERSATION: frozenset[Quirk] = frozenset({"no_signatures", "no_files"})


class GeminiModel:
    """A provider that speaks generateContent at `base_url`, taken as given; without one it is Google's own API.

    `headers` are added to every request and `extra` to the body of every answer asked for; both win over Luxx's own. An
    endpoint that refuses a field that it need not have is asked once more without it, which is remembered.
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
        self._base_url = base_url.strip() or GOOGLE
        self._api_key = (api_key or "").strip()
        self._transport = transport
        self._headers = dict(headers or {})
        self._extra = dict(extra or {})
        self._secrets = tuple(s for s in (self._api_key, *self._headers.values()) if s)
        self._quirks: dict[str, frozenset[Quirk]] = {}
        self._conversations: dict[tuple[str, str], frozenset[Quirk]] = {}

    @property
    def format(self) -> Literal["gemini"]:
        """The wire format's name."""
        return "gemini"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model)."""
        decoder = AnswerDecoder(self._secrets, tool_names(request.tools))
        async with (
            self._answer(request) as reply,
            contextlib.aclosing(_read(reply, decoder, self._transport.patience.between_deltas_s)) as answer,
        ):
            async for deltas in answer:
                yield deltas

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists and that can answer. Raises ProviderError."""
        found: dict[str, ModelInfo] = {}
        try:
            async with asyncio.timeout(_LIST_PATIENCE_S):
                page = ""
                for _ in range(_MOST_PAGES):
                    models, next_page = await self._page(page)
                    found.update((model.id, model) for model in models if model.id not in found)
                    if not next_page or next_page == page:
                        break
                    page = next_page
        except TimeoutError as error:
            raise ProviderTimeout(f"The list of models did not come within {_LIST_PATIENCE_S:g} s.") from error
        return tuple(found.values())

    async def check(self) -> Check:
        """Ask for the models, as a try-out of address and key; never raises."""
        try:
            models = await self.list_models()
        except ProviderRejected as error:
            if error.status in (404, 405, 501):
                hint = "It answers, but has no list of models. Check the base URL: Google's own ends in /v1beta."
                return Check(ok=False, detail=hint)
            return Check(ok=False, detail=error.message)
        except ProviderError as error:
            return Check(ok=False, detail=error.message)
        return Check(ok=True, detail=f"It answers, and serves {len(models)} models.", models=len(models))

    async def _page(self, token: str) -> tuple[tuple[ModelInfo, ...], str]:
        query = {"pageSize": _PAGE_SIZE, "pageToken": token} if token else {"pageSize": _PAGE_SIZE}
        url = self._url("models").update_query(query)
        async with self._transport.open("GET", url, self._request_headers("application/json")) as reply:
            body = await reply.read_all(_LIST_LIMIT)
        if reply.status // 100 != 2:
            raise from_answer(reply.status, reply.headers, body, self._secrets)
        page = read_page(body)
        if page is None:
            raise ProviderRejected("The address does not answer with a list of models. Check this provider's base URL.")
        return page

    @contextlib.asynccontextmanager
    async def _answer(self, request: ModelRequest) -> AsyncGenerator[Reply, None]:
        """Give the reply of an endpoint that accepted the request."""
        url = self._url(f"{_path(request.model)}:streamGenerateContent").update_query(alt="sse")
        headers = self._request_headers("text/event-stream")
        while True:
            quirks = self._known_quirks(request)
            encode = partial(encode_request, request, new_ids=not _is_vertex(url), quirks=quirks, extra=self._extra)
            # Files are megabytes, which the event loop shall not wait for.
            body = await asyncio.to_thread(encode) if request.files else encode()
            async with self._transport.open("POST", url, headers, body) as reply:
                if reply.status // 100 == 2:
                    yield reply
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            quirk = quirk_in(read_body(refusal), request, quirks) if reply.status in (400, 422) else None
            if quirk is None:
                raise from_answer(reply.status, reply.headers, refusal, self._secrets)
            self._remember(request, quirk)

    def _known_quirks(self, request: ModelRequest) -> frozenset[Quirk]:
        of_model = self._quirks.get(request.model, _NONE)
        return of_model.union(self._conversations.get((request.model, request.conversation_id), _NONE))

    def _remember(self, request: ModelRequest, quirk: Quirk) -> None:
        """Keep a quirk for the model, or for the conversation if that brings it; the oldest of those are forgotten."""
        if quirk not in _OF_CONVERSATION:
            self._quirks[request.model] = self._quirks.get(request.model, _NONE).union({quirk})
            return
        key = request.model, request.conversation_id
        known = self._conversations.pop(key, _NONE)
        while len(self._conversations) >= _MOST_CONVERSATIONS:
            self._conversations.pop(next(iter(self._conversations)))
        self._conversations[key] = known.union({quirk})

    def _url(self, path: str) -> URL:
        try:
            base = URL(self._base_url)
            if base.scheme not in ("http", "https") or not base.host:
                raise ValueError("no address")
            before = base.path.rstrip("/")
            if base.host == URL(GOOGLE).host:
                # People copy the address of the chat-completions layer, or the bare host.
                before = before.removesuffix("/openai") or "/v1beta"
            before = before.removesuffix("/models") if path.startswith("models") else before
            return base.with_path(f"{before}/{path}", keep_query=True)
        except ValueError as error:
            raise ProviderRejected("The base URL of this provider is no http or https address.") from error

    def _request_headers(self, accept: str) -> dict[str, str]:
        if not (self._api_key.isascii() and (self._api_key.isprintable() or not self._api_key)):
            raise ProviderAuth("The API key of this provider has characters that no key has: copy it again.")
        return {"Content-Type": "application/json", "Accept": accept, **self._key_header(), **self._headers}

    def _key_header(self) -> dict[str, str]:
        if self._api_key.startswith("ya29."):  # an access token of Google Cloud, as Vertex wants it
            return {"Authorization": f"Bearer {self._api_key}"}
        return {"x-goog-api-key": self._api_key} if self._api_key else {}


def _path(model: str) -> str:
    if not _MODEL.fullmatch(model):
        raise ProviderRejected("The name of this model cannot be part of an address. Choose another model.")
    return model if model.startswith(_COLLECTIONS) else f"models/{model}"


def _is_vertex(url: URL) -> bool:
    return (url.host or "").endswith("aiplatform.googleapis.com")


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
    if decoder.ended and not broken:
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
