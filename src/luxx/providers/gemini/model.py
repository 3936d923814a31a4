"""The model behind an endpoint that speaks generateContent."""

import asyncio
import contextlib
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from yarl import URL

from luxx.core.deltas import Delta, Finish
from luxx.core.errors import ProviderRejected
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import ModelRequest
from luxx.providers import listing
from luxx.providers.address import base_address, check_key
from luxx.providers.failures import from_response, read_body
from luxx.providers.families import chatting
from luxx.providers.gemini.answer import AnswerDecoder
from luxx.providers.gemini.catalogue import read_page
from luxx.providers.gemini.quirks import Quirk, quirk_in
from luxx.providers.gemini.request import encode_request
from luxx.providers.gemini.tools import tool_names
from luxx.providers.reading import read_answer
from luxx.providers.remembered import Remembered
from luxx.providers.transport import Reply, Transport

GOOGLE = "https://generativelanguage.googleapis.com/v1beta"
"""The address of Google's own Gemini API."""

_ERROR_LIMIT = 64 * 1024
_PAGE_SIZE = "1000"
_MOST_PAGES = 20
_MOST_PARTS = 20
"""Of one answer."""
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
        self._quirks = Remembered[str, frozenset[Quirk]](_NONE)
        self._conversations = Remembered[tuple[str, str], frozenset[Quirk]](_NONE)

    @property
    def format(self) -> Literal["gemini"]:
        """The wire format's name."""
        return "gemini"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model). An answer that the provider gives in parts is asked for to its end, and is one."""
        decoder = AnswerDecoder(self._secrets, tool_names(request.tools))
        continuation = ""
        for parts in range(1, _MOST_PARTS + 1):
            goes_on = False
            async with (
                self._answer(request, continuation) as reply,
                contextlib.aclosing(read_answer(reply, decoder, self._transport.patience.between_deltas_s)) as answer,
            ):
                async for deltas in answer:
                    more = decoder.continuation not in ("", continuation) and parts < _MOST_PARTS
                    goes_on = isinstance(deltas[-1], Finish) and more
                    if shown := deltas[:-1] if goes_on else deltas:
                        yield shown
            if not goes_on:
                return
            continuation = decoder.continuation
            decoder.go_on()

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists and that can answer. Raises ProviderError."""
        found: dict[str, ModelInfo] = {}
        async with listing.in_time():
            page = ""
            for _ in range(_MOST_PAGES):
                models, next_page = await self._page(page)
                found.update((model.id, model) for model in models if model.id not in found)
                if not next_page or next_page == page:
                    break
                page = next_page
        return chatting(found.values())

    async def check(self) -> Check:
        """Ask for the models, as a try-out of address and key; never raises."""
        return await listing.check(self.list_models, "Check the base URL: Google's own ends in /v1beta.")

    async def _page(self, token: str) -> tuple[tuple[ModelInfo, ...], str]:
        query = {"pageSize": _PAGE_SIZE, "pageToken": token} if token else {"pageSize": _PAGE_SIZE}
        url = self._url("models").update_query(query)
        async with self._transport.open("GET", url, self._request_headers("application/json")) as reply:
            body = await reply.read_all(listing.LIST_LIMIT)
        if reply.status // 100 != 2:
            raise from_response(reply.status, reply.headers, body, self._secrets)
        page = read_page(body)
        if page is None:
            raise listing.no_list()
        return page

    @contextlib.asynccontextmanager
    async def _answer(self, request: ModelRequest, continuation: str) -> AsyncGenerator[Reply, None]:
        """Give the reply of an endpoint that accepted the request."""
        url = self._url(f"{_path(request.model)}:streamGenerateContent").update_query(alt="sse")
        headers = self._request_headers("text/event-stream")
        while True:
            quirks = self._known_quirks(request)
            encode = partial(
                encode_request,
                request,
                new_ids=not _is_vertex(url),
                quirks=quirks,
                extra=self._extra,
                continuation=continuation,
            )
            # Files are megabytes, which the event loop shall not wait for.
            body = await asyncio.to_thread(encode) if request.files else encode()
            async with self._transport.open("POST", url, headers, body) as reply:
                if reply.status // 100 == 2:
                    del body  # see Transport.open
                    yield reply
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            quirk = quirk_in(read_body(refusal), request, quirks) if reply.status in (400, 422) else None
            if quirk is None:
                raise from_response(reply.status, reply.headers, refusal, self._secrets)
            self._remember(request, quirk)

    def _known_quirks(self, request: ModelRequest) -> frozenset[Quirk]:
        of_conversation = self._conversations.get((request.model, request.conversation_id))
        return self._quirks.get(request.model) | of_conversation

    def _remember(self, request: ModelRequest, quirk: Quirk) -> None:
        """Keep a quirk for the model, or for the conversation if that brings it."""
        if quirk in _OF_CONVERSATION:
            key = request.model, request.conversation_id
            self._conversations.keep(key, self._conversations.get(key).union({quirk}))
        else:
            self._quirks.keep(request.model, self._quirks.get(request.model).union({quirk}))

    def _url(self, path: str) -> URL:
        base = base_address(self._base_url)
        before = base.path.rstrip("/")
        if base.host == URL(GOOGLE).host:
            # People copy the address of the chat-completions layer, or the bare host.
            before = before.removesuffix("/openai") or "/v1beta"
        before = before.removesuffix("/models") if path.startswith("models") else before
        return base.with_path(f"{before}/{path}", keep_query=True)

    def _request_headers(self, accept: str) -> dict[str, str]:
        check_key(self._api_key)
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
