"""Operations: what an OpenAPI document lets one call, and how its arguments are sent."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Literal, cast
from urllib.parse import quote, urlencode

import msgspec

from luxx.tools.arguments import BadArguments
from luxx.tools.openapi.document import BadDocument, Document, Node, nodes_in, text_at
from luxx.tools.openapi.schema import Schema, SchemaWriter

MAX_OPERATIONS = 200
MAX_PROBLEMS = 100
BODY = "body"
METHODS = ("get", "head", "post", "put", "patch", "delete")

_MAX_SEEN = 2_000
_MAX_PATH_CHARS = 2_000
_MAX_PARAMETERS = 100
_MAX_MEDIA = 50
_MAX_DESCRIPTION_CHARS = 2_000
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
_RESERVED_HEADERS = frozenset(
    {"host", "content-length", "connection", "transfer-encoding", "cookie", "upgrade", "te", "proxy-authorization"}
)
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_PLACE = re.compile(r"\{([^{}]*)\}")
_FORM = "application/x-www-form-urlencoded"

Where = Literal["path", "query", "header"]


class Argument(msgspec.Struct, frozen=True, kw_only=True):
    """An argument of an operation: `key` is its name for the model, `name` that for the service."""

    key: str
    name: str
    where: Where
    style: str
    explode: bool


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An operation. `body` is the media type that its body is sent as, empty for none; `parameters` is a JSON schema."""

    id: str
    method: str
    path: str
    description: str
    parameters: Schema
    arguments: tuple[Argument, ...]
    body: str = ""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request to be made; `target` is what follows the base URL."""

    target: str
    headers: Mapping[str, str]
    body: bytes | None


def operations_of(document: Document) -> tuple[list[Operation], list[str]]:
    """Return the operations in the document's order, and what was left out and why, in words for a person."""
    found: list[Operation] = []
    problems: list[str] = []
    for seen, (method, path) in enumerate(_listed(document, problems)):
        if len(found) == MAX_OPERATIONS or seen == _MAX_SEEN or len(problems) >= MAX_PROBLEMS:
            problems.append(_rest(len(found)))
            break
        item = document.node(document.paths[path])
        try:
            found.append(_operation(document, method, path, item, cast("Node", item[method])))
        except BadDocument as error:
            problems.append(f"{method.upper()} {path[:200]} is left out: {error}")
    return found, problems


def _rest(found: int) -> str:
    if found == MAX_OPERATIONS:
        return f"Only the first {MAX_OPERATIONS} operations are taken."
    return "What follows was not looked at: too much cannot be used."


def without(operation: Operation, headers: Iterable[str], query: Iterable[str]) -> Operation:
    """Return an operation without the arguments that something else supplies: these headers and parts of the query."""
    names = {("header", name.lower()) for name in headers} | {("query", name) for name in query}
    covered = [
        one
        for one in operation.arguments
        if (one.where, one.name.lower() if one.where == "header" else one.name) in names
    ]
    keys = {argument.key for argument in covered}
    if not keys:
        return operation
    parameters = dict(operation.parameters)
    parameters["properties"] = {key: value for key, value in parameters["properties"].items() if key not in keys}
    parameters["required"] = [key for key in parameters["required"] if key not in keys]
    return msgspec.structs.replace(
        operation,
        arguments=tuple(argument for argument in operation.arguments if argument.key not in keys),
        parameters=parameters,
    )


def call_of(operation: Operation, values: Mapping[str, object]) -> Call:
    """Return the request for a call. Raises BadArguments."""
    path = operation.path
    headers: dict[str, str] = {}
    pairs: list[tuple[str, str]] = []
    for argument in operation.arguments:
        if argument.key not in values or values[argument.key] is None:
            if argument.where == "path":
                raise BadArguments(f"`{argument.key}` is missing; it is a part of the address.")
            continue
        value = values[argument.key]
        match argument.where:
            case "path":
                path = path.replace(f"{{{argument.name}}}", _in_path(argument, value))
            case "query":
                pairs += _in_query(argument, value)
            case "header":
                headers[argument.name] = _in_header(argument, value)
    query = f"?{urlencode(pairs)}" if pairs else ""
    body = _body(operation, values[BODY]) if operation.body and values.get(BODY) is not None else None
    if body is not None:
        headers["Content-Type"] = operation.body
    return Call(target=path + query, headers=headers, body=body)


def _listed(document: Document, problems: list[str]) -> Iterator[tuple[str, str]]:
    """Yield the methods and paths of all operations; what is wrong with a whole path goes to `problems`."""
    for path, value in document.paths.items():
        if not str(path).startswith("/"):
            continue
        try:
            item = document.node(value)
        except BadDocument as error:
            if len(problems) < MAX_PROBLEMS:
                problems.append(f"{path[:200]} is left out: {error}")
            continue
        for method in METHODS:
            if isinstance(item.get(method), Mapping):
                yield method, path


def _operation(document: Document, method: str, path: str, item: Node, operation: Node) -> Operation:
    if len(path) > _MAX_PATH_CHARS:
        raise BadDocument("its path is too long")
    writer = SchemaWriter(document)
    arguments: list[Argument] = []
    properties: Schema = {}
    required: list[str] = []
    for name, where, parameter in _parameters(document, item, operation):
        key = name if name not in properties and name != BODY else f"{name}_{where}"
        schema = writer.written(parameter.get("schema") or _content_schema(parameter))
        if about := writer.text(parameter, "description"):
            schema["description"] = about
        properties[key] = schema
        if parameter.get("required") is True or where == "path":
            required.append(key)
        style = text_at(parameter, "style") or ("form" if where == "query" else "simple")
        explode = parameter.get("explode")
        exploded = explode if isinstance(explode, bool) else style == "form"
        arguments.append(Argument(key=key, name=name, where=where, style=style, explode=exploded))
    media, body, needed = _body_of(document, operation)
    if media:
        properties[BODY] = writer.written(body)
        required += [BODY] if needed else []
    places = {match[1] for match in _PLACE.finditer(path)}
    if missing := places - {argument.name for argument in arguments if argument.where == "path"}:
        raise BadDocument(f"it does not say what {', '.join(sorted(missing))[:100]} in its path is")
    return Operation(
        id=text_at(operation, "operationId") or f"{method}{path}",
        method=method.upper(),
        path=path,
        description=_description(method, path, operation),
        parameters={"type": "object", "properties": properties, "required": required, "additionalProperties": False},
        arguments=tuple(arguments),
        body=media,
    )


def _parameters(document: Document, item: Node, operation: Node) -> Iterator[tuple[str, Where, Node]]:
    """Yield the parameters of a path and an operation; the operation's own replace the path's."""
    found: dict[tuple[str, str], Node] = {}
    for holder in (item, operation):
        raws = nodes_in(holder.get("parameters"), _MAX_PARAMETERS + 1)
        if len(raws) > _MAX_PARAMETERS:
            raise BadDocument(f"it has more than {_MAX_PARAMETERS} parameters")
        for raw in raws:
            parameter = document.node(raw)
            found[text_at(parameter, "name"), text_at(parameter, "in")] = parameter
    for (name, where), parameter in found.items():
        match where:
            case "path" | "query" if name:
                yield name, where, parameter
            case "header" if _HEADER.fullmatch(name) and name.lower() not in _RESERVED_HEADERS:
                if name.lower() not in _IGNORED_HEADERS:
                    yield name, where, parameter
            case _ if parameter.get("required") is True:
                raise BadDocument(f"its parameter {name[:80]} in {where[:20] or 'nowhere'} cannot be sent")
            case _:
                pass


def _content_schema(parameter: Node) -> object:
    content = parameter.get("content")
    first = next(iter(cast("Node", content).values()), None) if isinstance(content, Mapping) else None
    return cast("Node", first).get("schema") if isinstance(first, Mapping) else None


def _body_of(document: Document, operation: Node) -> tuple[str, object, bool]:
    body = document.node(operation.get("requestBody"))
    content = body.get("content")
    if not isinstance(content, Mapping) or not content:
        return "", None, False
    kinds = {str(kind).partition(";")[0].strip().lower(): kind for kind in islice(cast("Node", content), _MAX_MEDIA)}
    chosen = next((kind for kind in kinds if kind == "application/json" or kind.endswith("+json")), None)
    chosen = chosen or next((kind for kind in kinds if kind in (_FORM, "*/*")), None)
    needed = body.get("required") is True
    if chosen is None:
        if needed:
            raise BadDocument(f"its body can only be sent as {', '.join(kinds)[:100]}")
        return "", None, False
    media = document.node(cast("Node", content)[kinds[chosen]])
    return "application/json" if chosen == "*/*" else chosen, media.get("schema"), needed


def _description(method: str, path: str, operation: Node) -> str:
    parts = [text_at(operation, "summary").strip(), text_at(operation, "description").strip()]
    parts = list(dict.fromkeys(part for part in parts if part))
    return "\n\n".join([*parts, f"({method.upper()} {path})"])[:_MAX_DESCRIPTION_CHARS]


def _in_path(argument: Argument, value: object) -> str:
    text = quote(",".join(_items(value)), safe=",")
    if text in ("", ".", ".."):
        raise BadArguments(f'`{argument.key}` cannot be "{text}"; it is a part of the address.')
    return text


def _in_query(argument: Argument, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            members = cast("dict[str, object]", value)
            for name, member in members.items():
                yield (f"{argument.name}[{name}]" if argument.style == "deepObject" else name), _text(member)
        case list() if argument.explode:
            yield from ((argument.name, _text(item)) for item in cast("list[object]", value))
        case _:
            joint = {"spaceDelimited": " ", "pipeDelimited": "|"}.get(argument.style, ",")
            yield argument.name, joint.join(_items(value))


def _in_header(argument: Argument, value: object) -> str:
    text = ",".join(_items(value))
    if not text.isprintable() or not text.isascii():
        raise BadArguments(f"`{argument.key}` may only have plain characters; it is sent as a header.")
    return text


def _items(value: object) -> list[str]:
    return [_text(item) for item in cast("list[object]", value)] if isinstance(value, list) else [_text(value)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _body(operation: Operation, value: object) -> bytes:
    if operation.body != _FORM:
        return msgspec.json.encode(value)
    if not isinstance(value, dict):
        raise BadArguments("`body` must be an object; it is sent as a form.")
    members = cast("dict[str, Any]", value)
    return urlencode([(name, text) for name, member in members.items() for text in _items(member)]).encode()
