"""Reference: the OpenAPI document as a web page, rendered here because the usual pages load scripts from elsewhere."""

from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent) }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 56rem; padding: 0 1rem }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer } code, pre { font: .9em/1.5 ui-monospace, monospace }
b { display: inline-block; min-width: 4.5rem } pre { overflow-x: auto; white-space: pre-wrap }
table { border-collapse: collapse; width: 100% } th { text-align: left }
td, th { border-top: 1px solid var(--line); padding: .25rem .5rem .25rem 0; vertical-align: top }
h2 { margin-top: 2rem }
"""


def render(document: dict[str, Any]) -> str:
    """Return the page of an OpenAPI document."""
    info = document["info"]
    schemas = document["components"]["schemas"]
    title = f"{escape(info['title'])} API {escape(info['version'])}"
    body = "".join((*_operations(document["paths"]), "<h2>Types</h2>", *map(_type, schemas, schemas.values())))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style><body><h1>{title}</h1>'
        f"<p>{_prose(info['description'])}</p>"
        f'<p>The same as data: <a href="/api/openapi.json">openapi.json</a>.</p>{body}</body></html>'
    )


def _operations(paths: dict[str, Any]) -> Iterator[str]:
    tag = ""
    for path, methods in paths.items():
        for method, operation in methods.items():
            first = operation.get("tags", [""])[0]
            if first != tag:
                tag = first
                yield f"<h2>{escape(tag.capitalize())}</h2>"
            yield _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parameters = "".join(map(_parameter, operation.get("parameters", ())))
    bodies = operation.get("requestBody", {}).get("content", {})
    body = " or ".join(f"{_kind(content['schema'])} ({escape(media)})" for media, content in bodies.items())
    parts = [
        f"<details><summary><b>{method}</b> <code>{escape(path)}</code></summary>",
        f"<p>{_prose(operation.get('description', ''))}</p>",
        f"<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>{parameters}</table>"
        if parameters
        else "",
        f"<p>Body: {body}</p>" if body else "",
        f"<table><tr><th>Status</th><th>Answer</th><th></th></tr>{_answers(operation['responses'])}</table></details>",
    ]
    return "".join(parts)


def _parameter(parameter: dict[str, Any]) -> str:
    name = escape(parameter["name"]) + ("" if parameter.get("required") else "?")
    words = _prose(parameter.get("description", ""))
    kind = _kind(parameter.get("schema", {}))
    return f"<tr><td><code>{name}</code></td><td>{escape(parameter['in'])}</td><td>{kind}</td><td>{words}</td></tr>"


def _answers(responses: dict[str, Any]) -> str:
    rows: list[str] = []
    for status, response in responses.items():
        kinds = " or ".join(_kind(content.get("schema", {})) for content in response.get("content", {}).values())
        words = _prose(response.get("description", ""))
        rows.append(f"<tr><td>{escape(status)}</td><td>{kinds}</td><td>{words}</td></tr>")
    return "".join(rows)


def _type(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(field)}{'' if field in required else '?'}</code></td><td>{_kind(kind)}</td></tr>"
        for field, kind in schema.get("properties", {}).items()
    )
    words = _prose(schema.get("description", ""))
    return (
        f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><p>{words}</p>'
        f"<table>{rows}</table></details>"
    )


def _kind(schema: dict[str, Any]) -> str:
    """Return a schema in a few words; named ones are links."""
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    for joined in ("anyOf", "oneOf", "allOf"):
        if joined in schema:
            return " or ".join(map(_kind, schema[joined]))
    if "enum" in schema:
        return " or ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return escape(str(schema.get("type", "anything"))) + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    words = {"minimum": "from", "maximum": "to", "minLength": "at least", "maxLength": "at most"}
    bounds = [f"{word} {schema[name]}" for name, word in words.items() if name in schema]
    return f" ({', '.join(bounds)})" if bounds else ""


def _prose(text: str) -> str:
    """Return text with its `code` marked."""
    pieces = escape(text).split("`")
    return "".join(f"<code>{piece}</code>" if place % 2 else piece for place, piece in enumerate(pieces))
