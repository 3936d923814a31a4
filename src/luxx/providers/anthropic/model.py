"""The model behind an endpoint that speaks the Messages API: Anthropic's own, a cloud's or a gateway's."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from yarl import URL

from luxx.core.deltas import Delta, Finish
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import AnswerPrompt, ModelRequest
from luxx.providers import listing
from luxx.providers.address import base_address, check_key
from luxx.providers.anthropic.answer import PAUSED, AnswerDecoder
from luxx.providers.anthropic.catalogue import read_page
from luxx.providers.anthropic.quirks import Quirks, Relief, relief_for
from luxx.providers.anthropic.request import Encoded, encode_request
from luxx.providers.anthropic.wire import Block, wire_names
from luxx.providers.failures import from_response, read_body
from luxx.providers.reading import read_answer
from luxx.providers.remembered import Remembered
from luxx.providers.transport import Reply, Transport
from luxx.providers.unshown import Unshown, relieved

DEFAULT_URL = "https://api.anthropic.com"

_VERSION = "2023-06-01"
_INTERLEAVED = "interleaved-thinking-2025-05-14"
_PERSONAL = "sk-ant-oat"
_ERROR_LIMIT = 64 * 1024
_MOST_PAGES = 20
_MOST_TRIES = 8
_MOST_PAUSES = 10


class AnthropicModel:
    """A provider that speaks the Messages API at `base_url`, with or without its ``/v1``; Anthropic's own if it is empty.

    `headers` are added to every request and win over Luxx's own; so does `extra` in the body of every answer asked for, but
    for its tools, which are offered beside Luxx's. An endpoint that refuses what it need not have is asked again without it,
    which is remembered: for the model, or for the conversation where its history or one of its files was refused.
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
        self._base_url = base_url.strip() or DEFAULT_URL
        self._api_key = (api_key or "").strip()
        self._transport = transport
        self._headers = dict(headers or {})
        self._extra = dict(extra or {})
        self._secrets = tuple(s for s in (self._api_key, *self._headers.values()) if s)
        self._bearer = self._api_key.startswith(_PERSONAL)
        self._quirks = Remembered[str, Quirks](Quirks())
        self._plain = Remembered[str, bool](False)
        self._unshown = Unshown()
        self._max_output: dict[str, int] = {}

    @property
    def format(self) -> Literal["anthropic"]:
        """The wire format's name."""
        return "anthropic"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model). An answer that the provider pauses is asked to go on, as a part of this one."""
        decoder = AnswerDecoder(self._secrets, {wire: own for own, wire in wire_names(request.tools).items()})
        paused: list[Block] = []
        for pauses in range(_MOST_PAUSES + 1):
            goes_on = False
            async with (
                self._answer(request, paused) as reply,
                contextlib.aclosing(read_answer(reply, decoder, self._transport.patience.between_deltas_s)) as answer,
            ):
                async for deltas in answer:
                    last = deltas[-1]
                    goes_on = isinstance(last, Finish) and last.reason == PAUSED and pauses < _MOST_PAUSES
                    if shown := deltas[:-1] if goes_on else deltas:
                        yield shown
            if not goes_on:
                return
            paused = decoder.go_on()

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists. Raises ProviderError."""
        models: dict[str, ModelInfo] = {}
        after = ""
        for _ in range(_MOST_PAGES):
            page = read_page(await self._page(after))
            if page is None:
                raise listing.no_list()
            fresh = [model for model in page.models if model.id not in models]
            models.update((model.id, model) for model in fresh)
            after = page.after if fresh else ""
            if not after:
                break
        self._max_output = {m.id: m.max_output_tokens for m in models.values() if m.max_output_tokens}
        return tuple(models.values())

    async def check(self) -> Check:
        """Ask for the models, as a try-out of address and key; never raises."""
        return await listing.check(self.list_models)

    async def _page(self, after: str) -> bytes:
        """Return the body of a page of the list of models. Raises ProviderError."""
        url = self._url("models").update_query({"limit": "1000", **({"after_id": after} if after else {})})
        async with listing.in_time():
            while True:
                headers = self._request_headers("application/json")
                async with self._transport.open("GET", url, headers) as reply:
                    body = await reply.read_all(listing.LIST_LIMIT)
                if reply.status // 100 == 2:
                    return body
                if not self._turn_key(reply.status, headers):
                    raise from_response(reply.status, reply.headers, body, self._secrets)

    @contextlib.asynccontextmanager
    async def _answer(self, request: ModelRequest, paused: Sequence[Block]) -> AsyncGenerator[Reply, None]:
        """Give the reply of an endpoint that accepted the request."""
        url = self._url("messages")
        relief = self._known(request)
        asked = self._unshown.without(request)
        for tries in range(1, _MOST_TRIES + 1):
            encoded = await self._encode(asked, relief, paused)
            headers = self._request_headers("text/event-stream", interleaved=encoded.interleaved)
            async with self._transport.open("POST", url, headers, encoded.body) as reply:
                if reply.status // 100 == 2:
                    self._unshown.keep(request, asked)
                    del encoded  # see Transport.open
                    yield reply
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            if tries < _MOST_TRIES and self._turn_key(reply.status, headers):
                continue
            new = relief_for(read_body(refusal), asked, relief) if reply.status in (400, 413, 422) else None
            of_file = new is not None and new.left_out > relief.left_out
            less = relieved(asked, again=relief.left_out > 0) if of_file else asked
            if new is None or less is None or tries == _MOST_TRIES or _is_vain(new, relief, request):
                raise from_response(reply.status, reply.headers, refusal, self._secrets)
            asked, relief = less, new
            self._remember(request, relief)

    async def _encode(self, request: ModelRequest, relief: Relief, paused: Sequence[Block]) -> Encoded:
        max_output = self._max_output.get(request.model)
        encode = partial(
            encode_request, request, relief=relief, max_output=max_output, paused=paused, extra=self._extra
        )
        # Files are megabytes, which the event loop shall not wait for.
        return await asyncio.to_thread(encode) if request.files else encode()

    def _known(self, request: ModelRequest) -> Relief:
        return Relief(quirks=self._quirks.get(request.model), plain=self._plain.get(request.conversation_id))

    def _remember(self, request: ModelRequest, relief: Relief) -> None:
        self._quirks.keep(request.model, relief.quirks)
        if relief.plain and request.conversation_id:
            self._plain.keep(request.conversation_id, True)

    def _turn_key(self, status: int, headers: Mapping[str, str]) -> bool:
        """Some gateways take the key as a bearer token only: whether to ask again with it in the other header."""
        if status != 401 or not self._api_key or self._is_official() or self._api_key.startswith(_PERSONAL):
            return False
        self._bearer = "x-api-key" in headers
        return self._bearer

    def _is_official(self) -> bool:
        return (self._url("").host or "").endswith("anthropic.com")

    def _url(self, path: str) -> URL:
        base = base_address(self._base_url)
        root = base.path.rstrip("/").removesuffix("/messages").rstrip("/")
        root = root if root.endswith("/v1") else f"{root}/v1"
        return base.with_path(f"{root}/{path}", keep_query=True)

    def _request_headers(self, accept: str, *, interleaved: bool = False) -> dict[str, str]:
        check_key(self._api_key)
        key: dict[str, str] = {}
        if self._api_key:
            key = {"Authorization": f"Bearer {self._api_key}"} if self._bearer else {"x-api-key": self._api_key}
        own = {"Content-Type": "application/json", "Accept": accept, "anthropic-version": _VERSION, **key}
        given = {name.lower() for name in self._headers}
        kept = {name: value for name, value in own.items() if name.lower() not in given}
        if interleaved and self._is_official() and "anthropic-beta" not in given:
            kept["anthropic-beta"] = _INTERLEAVED
        return {**kept, **self._headers}


def _is_vain(new: Relief, known: Relief, request: ModelRequest) -> bool:
    """Whether a relief would leave out what the request does not have."""
    has_raw = any(isinstance(prompt, AnswerPrompt) and prompt.raw for prompt in request.prompts)
    return new.plain and not known.plain and not has_raw
