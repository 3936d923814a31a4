"""Shop: an OpenAPI document of a made-up service with what such documents have, good and odd."""

from typing import Any

import msgspec

SHOP: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "/{stage}/api", "variables": {"stage": {"default": "v1"}}}],
    "paths": {
        "/items": {
            "parameters": [{"$ref": "#/components/parameters/Lang"}],
            "get": {
                "operationId": "list.items",
                "summary": "List the items",
                "parameters": [
                    {"name": "tag", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"name": "ids", "in": "query", "explode": False, "schema": {"type": "array"}},
                    {"name": "where", "in": "query", "style": "deepObject", "schema": {"type": "object"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                    {"name": "Host", "in": "header", "schema": {"type": "string"}},
                    {"name": "session", "in": "cookie", "schema": {"type": "string"}},
                ],
            },
            "post": {
                "operationId": "addItem",
                "description": "Add an item",
                "requestBody": {
                    "required": True,
                    "content": {"application/json; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Item"}}},
                },
            },
        },
        "/items/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "getItem"},
            "put": {
                "operationId": "putItem",
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
            },
            "delete": {"operationId": "deleteItem"},
        },
        "/upload": {
            "post": {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": {}}}}},
        },
        "/lost/{what}": {"get": {"operationId": "lost"}},
        "/bad": {"get": {"parameters": [{"$ref": "http://elsewhere.example/p.json"}]}},
        "/login": {"get": {"parameters": [{"name": "sid", "in": "cookie", "required": True}]}},
    },
    "components": {
        "parameters": {
            "Lang": {"name": "lang", "in": "query", "description": "A language", "schema": {"type": "string"}}
        },
        "schemas": {
            "Item": {
                "allOf": [
                    {"$ref": "#/components/schemas/Named"},
                    {
                        "type": "object",
                        "required": ["price"],
                        "properties": {"price": {"type": "number", "nullable": True}},
                    },
                ]
            },
            "Named": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "id": {"type": "integer", "readOnly": True},
                    "name": {"type": "string", "minLength": 1, "example": "tea", "xml": {}},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Named"}},
                    "size": {"type": "integer", "minimum": 0, "exclusiveMinimum": True},
                },
            },
        },
    },
}


def document(**changes: object) -> bytes:
    """Return the document as JSON."""
    return msgspec.json.encode({**SHOP, **changes})


def with_paths(paths: object) -> bytes:
    """Return a document with other paths."""
    return document(paths=paths)
