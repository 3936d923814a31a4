"""The model behind an OpenAI-compatible endpoint."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

from yarl import URL

from luxx.core.deltas import Delta
from luxx.core.errors import ProviderError, ProviderRejected
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import ModelRequest
from luxx.providers import listing
from luxx.providers.address import base_address, check_key
from luxx.providers.failures import Report, from_response, read_body
from luxx.providers.families import completed
from luxx.providers.openai.answer import AnswerDecoder
from luxx.providers.openai.catalogue import read_catalogue
from luxx.providers.openai.contents import blames_one_file, unseen_in
from luxx.providers.openai.ids import wants_short_ids
from luxx.providers.openai.request import Quirk, encode_request, quirk_in
from luxx.providers.openai.roles import wants_turns
from luxx.providers.reading import read_answer
from luxx.providers.remembered import Remembered
from luxx.providers.transport import Reply, Transport
from luxx.providers.unshown import Unshown, relieved, shown_files

_ERROR_LIMIT = 64 * 1024


class OpenAIModel:
    """A provider that speaks chat completions at `base_url`, taken as given (most end in ``/v1``).

    `headers` are added to every request and `extra` to the body of every answer asked for; both win over Luxx's own. An
    endpoint that refuses a field that it need not have is asked once more without it, which is remembered for the model; of a
    file that it refuses the model is told in words, which is remembered for the conversation.
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
        self._quirks = Remembered[str, frozenset[Quirk]](frozenset())
        self._unshown = Unshown()

    @property
    def format(self) -> Literal["openai"]:
        """The wire format's name."""
        return "openai"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model)."""
        decoder = AnswerDecoder(self._secrets, self._origin())
        async with (
            self._answer(request) as reply,
            contextlib.aclosing(read_answer(reply, decoder, self._transport.patience.between_deltas_s)) as answer,
        ):
            async for deltas in answer:
                yield deltas

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists. Raises ProviderError."""
        url = self._url("models")
        headers = self._request_headers("application/json")
        async with listing.in_time(), self._transport.open("GET", url, headers) as reply:
            body = await reply.read_all(listing.LIST_LIMIT)
        if reply.status // 100 != 2:
            raise from_response(reply.status, reply.headers, body, self._secrets)
        models = read_catalogue(body)
        if models is None:
            raise listing.no_list()
        return completed(url.host, models)

    async def check(self) -> Check:
        """Ask for the models, as a try-out of address and key; never raises."""
        return await listing.check(self.list_models)

    @contextlib.asynccontextmanager
    async def _answer(self, request: ModelRequest) -> AsyncGenerator[Reply, None]:
        """Give the reply of an endpoint that accepted the request."""
        url = self._url("chat/completions")
        headers = self._request_headers("text/event-stream")
        first = asked = self._unshown.without(request)
        tried: frozenset[Quirk] = frozenset()
        while True:
            quirks = self._known_quirks(request.model, url) | tried
            body = await self._body(asked, quirks)
            async with self._transport.open("POST", url, headers, body) as reply:
                if reply.status // 100 == 2:
                    self._unshown.keep(request, asked)
                    self._keep(request.model, url, tried)
                    del body  # see Transport.open
                    yield reply
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            report = read_body(refusal)
            quirk = _quirk(reply.status, report, asked, quirks, self._origin())
            if quirk and quirk not in quirks:
                tried = tried.union({quirk})
                continue
            error = from_response(reply.status, reply.headers, refusal, self._secrets)
            of_file = _is_of_request(error) and blames_one_file(report)
            less = relieved(asked, again=asked is not first) if of_file else None
            if less is None:
                raise error
            asked = less

    async def _body(self, request: ModelRequest, quirks: frozenset[Quirk]) -> bytes:
        encode = partial(encode_request, request, origin=self._origin(), quirks=quirks, extra=self._extra)
        # Files are megabytes, which the event loop shall not wait for.
        return await asyncio.to_thread(encode) if request.files else encode()

    def _known_quirks(self, model: str, url: URL) -> frozenset[Quirk]:
        # OpenAI's own models take this name, and its newer ones no other.
        own: frozenset[Quirk] = frozenset({"max_completion_tokens"}) if url.host == "api.openai.com" else frozenset()
        return self._quirks.get(model) or own

    def _keep(self, model: str, url: URL, tried: frozenset[Quirk]) -> None:
        """Remember what helped: not before a request was accepted so, as a refusal may have been about something else."""
        if tried:
            self._quirks.keep(model, self._known_quirks(model, url) | tried)

    def _url(self, path: str) -> URL:
        base = base_address(self._base_url)
        return base.with_path(f"{base.path.rstrip('/')}/{path}", keep_query=True)

    def _origin(self) -> str:
        url = self._url("")
        return f"{url.host}:{url.port}"

    def _request_headers(self, accept: str) -> dict[str, str]:
        check_key(self._api_key)
        key = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {}
        return {"Content-Type": "application/json", "Accept": accept, **key, **self._headers}


def _quirk(status: int, report: Report, request: ModelRequest, quirks: frozenset[Quirk], origin: str) -> Quirk | None:
    if status in (400, 422):
        return quirk_in(report, request, quirks, origin)
    if status == 500 and wants_turns(report):  # so says llama.cpp
        return "in_turns"
    if status == 500 and wants_short_ids(report):  # so do the templates of Mistral's models there
        return "short_ids"
    # Gateways say 404 where no model can see images, llama.cpp 500.
    return unseen_in(report, shown_files(request), quirks) if status in (404, 415, 500, 501) else None


def _is_of_request(error: ProviderError) -> bool:
    return isinstance(error, ProviderRejected) and error.status in (400, 415, 422)
