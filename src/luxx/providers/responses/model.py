"""The model behind an endpoint that speaks the Responses format."""

import contextlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from yarl import URL

from luxx.core.deltas import Delta
from luxx.core.errors import ProviderError, ProviderRejected
from luxx.core.ports import Check, ModelInfo
from luxx.core.prompts import ModelRequest
from luxx.providers import listing
from luxx.providers.address import base_address, check_key
from luxx.providers.failures import Report, from_response, read_body
from luxx.providers.families import completed
from luxx.providers.openai.catalogue import read_catalogue
from luxx.providers.openai.contents import blames_one_file
from luxx.providers.reading import read_answer
from luxx.providers.remembered import Remembered
from luxx.providers.responses.answer import AnswerDecoder
from luxx.providers.responses.quirks import OF_HISTORY, Quirk, known_quirks, quirk_in
from luxx.providers.responses.request import encode_request
from luxx.providers.transport import Reply, Transport
from luxx.providers.unshown import Unshown, relieved

OPENAI = "https://api.openai.com/v1"
"""The address of OpenAI's own API."""

_ERROR_LIMIT = 64 * 1024
_MOST_TRIES = 8
_AZURE = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com", ".openai.azure.us")
# How an access token of Azure begins, and no key does.
_TOKEN = "eyJ"


class _Terms(msgspec.Struct, frozen=True, kw_only=True):
    """In which form a request is made. `fewer` says that files were left out of it after a refusal."""

    request: ModelRequest
    quirks: frozenset[Quirk]
    fewer: bool = False

    def after(self, report: Report) -> "_Terms | None":
        """Return other terms that a refusal leaves to try, None if there are none."""
        if quirk := quirk_in(report, self.request, self.quirks):
            return msgspec.structs.replace(self, quirks=self.quirks | {quirk})
        less = relieved(self.request, again=self.fewer) if blames_one_file(report) else None
        return less and msgspec.structs.replace(self, request=less, fewer=True)


class ResponsesModel:
    """A provider that speaks the Responses format at `base_url`, taken as given; without one it is OpenAI's own API.

    `headers` are added to every request and `extra` to the body of every answer asked for; both win over Luxx's own. An
    endpoint that refuses something that it can do without is asked once more, which is remembered for the model; what it
    refuses of earlier answers, and of files, is remembered for the conversation.
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
        self._base_url = base_url.strip() or OPENAI
        self._api_key = (api_key or "").strip()
        self._transport = transport
        self._headers = dict(headers or {})
        self._extra = dict(extra or {})
        self._secrets = tuple(s for s in (self._api_key, *self._headers.values()) if s)
        self._quirks = Remembered[str, frozenset[Quirk]](frozenset())
        self._of_history = Remembered[tuple[str, str], frozenset[Quirk]](frozenset())
        self._unshown = Unshown()

    @property
    def format(self) -> Literal["responses"]:
        """The wire format's name."""
        return "responses"

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Sequence[Delta], None]:
        """Ask the model (see core.ports.Model). A refusal can also come as the first event of a stream."""
        terms = self._known_terms(request)
        patience_s = self._transport.patience.between_deltas_s
        while True:
            decoder = AnswerDecoder(self._secrets)
            begun = False
            try:
                async with (
                    self._answer(terms) as (reply, terms),
                    contextlib.aclosing(read_answer(reply, decoder, patience_s)) as answer,
                ):
                    async for deltas in answer:
                        if not begun:
                            self._remember(request, terms)
                        begun = True
                        yield deltas
                return
            except ProviderRejected:
                other = terms.after(decoder.refusal) if decoder.refusal and not begun else None
                if other is None:
                    raise
                terms = other

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Return the models that the endpoint lists. Raises ProviderError."""
        url = self._url("models")
        headers = self._request_headers(url, "application/json")
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
    async def _answer(self, terms: _Terms) -> AsyncGenerator[tuple[Reply, _Terms], None]:
        """Give the reply of an endpoint that accepted the request, and the terms on which it did."""
        url = self._url("responses")
        headers = self._request_headers(url, "text/event-stream")
        for tries_left in reversed(range(_MOST_TRIES)):
            body = encode_request(terms.request, quirks=terms.quirks, extra=self._extra)
            async with self._transport.open("POST", url, headers, body) as reply:
                if reply.status // 100 == 2:
                    del body  # see Transport.open
                    yield reply, terms
                    return
                refusal = await reply.read_all(_ERROR_LIMIT)
            error = from_response(reply.status, reply.headers, refusal, self._secrets)
            report = read_body(refusal)
            other = terms.after(report) if tries_left and _may_do_without(error, report) else None
            if other is None:
                raise error
            terms = other

    def _known_terms(self, request: ModelRequest) -> _Terms:
        of_model = self._quirks.get(request.model) or known_quirks(request.model)
        quirks = of_model | self._of_history.get(_place(request))
        return _Terms(request=self._unshown.without(request), quirks=quirks)

    def _remember(self, request: ModelRequest, terms: _Terms) -> None:
        """Keep what made the endpoint accept a request."""
        self._unshown.keep(request, terms.request)
        self._quirks.keep(request.model, terms.quirks - OF_HISTORY)
        if of_history := terms.quirks & OF_HISTORY:
            self._of_history.keep(_place(request), of_history)

    def _url(self, path: str) -> URL:
        base = base_address(self._base_url)
        # Azure shows the whole address of the endpoint for copying.
        before = base.path.rstrip("/").removesuffix("/responses")
        return base.with_path(f"{before}/{path}", keep_query=True)

    def _request_headers(self, url: URL, accept: str) -> dict[str, str]:
        check_key(self._api_key)
        if not self._api_key:
            key = {}
        elif (url.host or "").endswith(_AZURE) and not self._api_key.startswith(_TOKEN):
            key = {"api-key": self._api_key}
        else:
            key = {"Authorization": f"Bearer {self._api_key}"}
        return {"Content-Type": "application/json", "Accept": accept, **key, **self._headers}


def _place(request: ModelRequest) -> tuple[str, str]:
    return request.model, request.conversation_id


def _may_do_without(error: ProviderError, report: Report) -> bool:
    """Whether a refusal is about something in the request; OpenAI shows summaries to verified organisations only (403)."""
    if error.status == 403:
        return "verified" in report.text
    return error.status in (400, 404, 415, 422) and isinstance(error, ProviderRejected)
