"""Tools: the operations of a web service as tools of Luxx."""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPMethod, HTTPStatus
from urllib.parse import quote, quote_plus, urlencode

import msgspec
from yarl import URL

from luxx.core.openapi import OfferedOperation
from luxx.core.prompts import Effect, ToolSpec
from luxx.core.text import storable
from luxx.tools.arguments import BadArguments
from luxx.tools.builtin.web.charset import text_of
from luxx.tools.builtin.web.client import Answer, WebClient, WebError
from luxx.tools.builtin.web.guard import Refused
from luxx.tools.declared import DeclaredArguments
from luxx.tools.errors import OutcomeUnknown, ToolError
from luxx.tools.model_schema import fitted, restore
from luxx.tools.openapi.document import BadDocument, Document, text_at
from luxx.tools.openapi.operations import MAX_PROBLEMS, Operation, call_of, operations_of, without
from luxx.tools.results import ToolFile, shorten
from luxx.tools.tool import Tool, ToolContext

_READING_S = 10.0
_TITLE_CHARS = 300
_SERVER_CHARS = 2_000
_ERROR_CHARS = 2_000
_SHORTEST_SECRET = 4
_ACCEPT = {"Accept": "application/json, text/*;q=0.9, */*;q=0.5"}
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/x-ndjson")
_EFFECTS: Mapping[str, Effect] = {
    HTTPMethod.GET: "read",
    HTTPMethod.HEAD: "read",
    HTTPMethod.PUT: "idempotent",
    HTTPMethod.DELETE: "idempotent",
}
"""By RFC 9110, sections 9.2.1 and 9.2.2, where the person trusts the service to keep to it: PUT and DELETE may be sent again after a crash.
They ask a person all the same.
"""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """What a service wants to be shown: headers and query arguments, their values secret."""

    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}

    def hidden(self, text: str) -> str:
        """Return a text with the secrets taken out, also where a service or an error repeats them."""
        for value in sorted({*self.headers.values(), *self.query.values()}, key=len, reverse=True):
            for secret in (value, value.partition(" ")[2]):
                if len(secret) < _SHORTEST_SECRET:
                    continue
                for spelled in _spellings(secret):
                    text = text.replace(spelled, "[secret]")
        return text


Current = Callable[[], Awaitable[Access]]
"""Returns what the service wants to be shown now; raises ToolError if it is not to be called any longer."""


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """The tools of a document. `operations` and `problems` tell the person who brought it what became tools, and what was left out."""

    title: str
    base_url: str
    tools: tuple[Tool, ...]
    operations: tuple[OfferedOperation, ...]
    problems: tuple[str, ...]


def service_of(
    document: Document,
    client: WebClient,
    *,
    name: Callable[[str], str],
    source: str,
    base_url: str = "",
    found_at: str = "",
    trusted: bool = False,
    access: Access | None = None,
    current: Current | None = None,
) -> Service:
    """Return the operations of a document as tools.

    `name` makes the name of a tool of an operation's id, `source` is what the service is called.
    Requests go to `base_url`, else to the first server that the document names; a relative one is taken from `found_at`, where the
    document lies. Arguments that `access` supplies are not the model's; what is sent is what `current` returns at each call, if it
    is given. Only of a service that is `trusted` the methods mean what they should. Raises BadDocument if there is no address.
    """
    base = _base(document, base_url, found_at)
    shown = access or Access()
    found, problems = operations_of(document)
    tools: dict[str, Tool] = {}
    operations: list[OfferedOperation] = []
    for operation in (without(one, shown.headers, shown.query) for one in found):
        effect = _EFFECTS.get(operation.method, "unsafe") if trusted else "unsafe"
        caller = _Caller(client, base, current or _always(shown), operation, effect)
        tool = _tool(operation, caller, name, source, effect)
        if tools.setdefault(tool.name, tool) is tool:
            operations.append(_offered(operation, tool))
        elif len(problems) <= MAX_PROBLEMS:
            problems.append(
                f"{operation.method} {operation.path[:200]} is left out: its id {operation.id[:80]} is there already"
            )
    return Service(
        title=document.title[:_TITLE_CHARS],
        base_url=base,
        tools=tuple(tools.values()),
        operations=tuple(operations),
        problems=tuple(problems),
    )


def _always(access: Access) -> Current:
    async def current() -> Access:
        return access

    return current


def _offered(operation: Operation, tool: Tool) -> OfferedOperation:
    return OfferedOperation(
        tool=tool.name,
        method=operation.method,
        path=operation.path,
        description=operation.description.partition("\n")[0][:_TITLE_CHARS],
        effect=tool.effect,
        asks=tool.info.asks,
    )


def _tool(
    operation: Operation,
    caller: "_Caller",
    name: Callable[[str], str],
    source: str,
    effect: Effect,
) -> Tool:
    shown = fitted(operation.parameters)

    async def run(values: dict[str, object], context: ToolContext) -> object:
        restore(values, shown.names)
        return await caller.run(values, context)

    return Tool(
        spec=ToolSpec(name=name(operation.id), description=operation.description, parameters=shown.schema),
        effect=effect,
        timeout=caller.timeout_s,
        function=run,
        arguments=DeclaredArguments(shown.schema),
        bare=True,
        approval="never" if effect == "read" else "always",
        source=source,
    )


class _Caller:
    """Calls one operation."""

    def __init__(self, client: WebClient, base: str, current: Current, operation: Operation, effect: Effect) -> None:
        self._client = client
        self._effect: Effect = effect
        self._base = base
        self._current = current
        self._operation = operation

    @property
    def timeout_s(self) -> float:
        """How long a call may take, with what is to be made of its answer."""
        return self._client.timeout_s + _READING_S

    async def run(self, values: dict[str, object], context: ToolContext) -> object:
        """Make the call. Raises ToolError with what the service says, the secrets taken out."""
        operation = self._operation
        try:
            call = call_of(operation, values)
        except BadArguments as error:
            raise ToolError(str(error)) from error
        access = await self._current()
        url = self._base + call.target
        if access.query:
            url += ("&" if "?" in call.target else "?") + urlencode(access.query)
        key = {} if operation.method in (HTTPMethod.GET, HTTPMethod.HEAD) else {"Idempotency-Key": context.key}
        headers = _headers(_ACCEPT, call.headers, key, access.headers)
        try:
            answer = await self._client.request(operation.method, url, headers=headers, body=call.body)
        except (ToolError, Refused) as error:
            in_doubt = isinstance(error, WebError) and error.sent
            raise self._failure(access.hidden(str(error)), in_doubt=in_doubt) from error
        return self._result(answer, access.hidden)

    def _failure(self, text: str, *, in_doubt: bool) -> ToolError:
        """Return what the model is told; of an unsafe call that may have reached the service also that nobody knows what it did."""
        return OutcomeUnknown(text) if in_doubt and self._effect == "unsafe" else ToolError(text)

    def _result(self, answer: Answer, hidden: Callable[[str], str]) -> object:
        kind = hidden(answer.media_type)
        is_text = kind.startswith(_TEXTS) or kind.endswith(("+json", "+xml")) or not kind
        text = (
            hidden(storable(text_of(answer.data, answer.headers.get("Content-Type", ""), cut=answer.cut)))
            if is_text
            else ""
        )
        if not HTTPStatus(200) <= answer.status < HTTPStatus(300):
            said = text[:_ERROR_CHARS] or f"{len(answer.data):,} bytes of {shorten(kind, 80)}"
            told = f"The service answered {answer.status} {hidden(answer.reason)}: {said}".rstrip(": ")
            raise self._failure(told, in_doubt=answer.status >= HTTPStatus(500) or answer.status == HTTPStatus(408))
        if not answer.data:
            return f"Done; the service answered {answer.status} without content."
        if answer.cut:
            text += f"\n[the answer was longer than {len(answer.data):,} bytes; the rest was not read]"
        return (
            text
            if is_text
            else [f"The service sent {shorten(kind, 80)}:", ToolFile(self._file_name(kind), answer.data)]
        )

    def _file_name(self, kind: str) -> str:
        stem = "".join(char if char.isalnum() else "-" for char in self._operation.id)[:60]
        ending = "".join(char for char in kind.rpartition("/")[2] if char.isalnum())[:10]
        return f"{stem}.{ending or 'bin'}"


def _headers(*layers: Mapping[str, str]) -> dict[str, str]:
    """Join headers; of those with one name, however it is spelled, the last wins: an argument cannot stand beside a secret."""
    joined: dict[str, tuple[str, str]] = {}
    for layer in layers:
        joined |= {name.lower(): (name, value) for name, value in layer.items()}
    return dict(joined.values())


def _spellings(secret: str) -> tuple[str, ...]:
    """Return how a service may repeat a secret: as it is, within JSON, and as it stood in the address."""
    queried = quote_plus(secret)
    written = msgspec.json.encode(secret).decode()[1:-1]
    return secret, written, quote(secret, safe=""), queried, URL(f"/?{queried}").raw_query_string


def _base(document: Document, given: str, found_at: str) -> str:
    text = given or _server(document)
    try:
        url = URL(found_at).join(URL(text)) if found_at and not given else URL(text)
    except (ValueError, TypeError, IndexError) as error:
        raise BadDocument(f"The document's server address is no URL: {text[:200]}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise BadDocument("The document does not say where the service is; give its base URL.")
    return str(url.with_query(None).with_fragment(None)).rstrip("/")


def _server(document: Document) -> str:
    """Return the address of the document's first server; one without an address is where the document lies (OpenAPI 3.1, 4.8.1)."""
    if not document.servers:
        return "/"
    server = document.servers[0]
    text = text_at(server, "url") or "/"
    for name, variable in document.node(server.get("variables")).items():
        if len(text) > _SERVER_CHARS:
            raise BadDocument("The document's server address is too long.")
        text = text.replace(f"{{{name}}}", text_at(document.node(variable), "default")[:_SERVER_CHARS])
    return text
