"""OpenAPI documents: what is read, and what is refused with its reason."""

import pytest

from luxx.tools.openapi.document import BadDocument, read_document
from luxx.tools.openapi.operations import operations_of
from tests.tools.openapi.shop import document, with_paths


def test_json_and_yaml_are_read() -> None:
    assert read_document(document()).title == "Shop"
    yaml = b"openapi: 3.1.0\ninfo: {title: Shop, version: 2026-11-22}\npaths:\n  /a:\n    get:\n      responses: {200: {}}\n"
    read = read_document(yaml)
    assert (read.title, list(read.paths)) == ("Shop", ["/a"])
    assert read_document(read.json().encode()).title == "Shop"
    assert '"version":"2026-11-22"' in read.json()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "with an object in it"),
        (b"[1]", "with an object in it"),
        (b"\xff\xfe\x00", "neither as JSON nor as YAML"),
        (b"a: [", "neither as JSON nor as YAML"),
        (b"openapi: 3.0.0\nx: !!python/object/apply:os.system [id]", "neither as JSON nor as YAML"),
        (b'{"swagger": "2.0"}', "this is swagger 2.0"),
        (b'{"openapi": "4.0.0"}', "this is version 4.0.0"),
        (b"{}", "this is no OpenAPI document"),
        (b"[" * 20_000, "neither as JSON nor as YAML"),
        (b"x" * 6_000_000, "larger than 5,000,000 bytes"),
        (b"x" * 1_100_000, "give this one as JSON"),
    ],
)
def test_what_is_no_such_document_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadDocument, match=reason):
        read_document(data)


def test_aliases_that_multiply_are_not_written_out() -> None:
    lines = ["openapi: 3.0.0", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    read = read_document("\n".join(lines).encode())
    with pytest.raises(BadDocument, match="too large"):
        read.json()


def test_a_document_that_contains_itself_is_not_written_out() -> None:
    with pytest.raises(BadDocument):
        read_document(b"openapi: 3.0.0\na: &a\n  b: *a\n").json()


def test_the_operations_are_found_and_the_others_are_told_with_their_reasons() -> None:
    operations, problems = operations_of(read_document(document()))
    assert [(found.method, found.path) for found in operations] == [
        ("GET", "/items"),
        ("POST", "/items"),
        ("GET", "/items/{id}"),
        ("PUT", "/items/{id}"),
        ("DELETE", "/items/{id}"),
    ]
    assert problems == [
        "POST /upload is left out: its body can only be sent as multipart/form-data",
        "GET /lost/{what} is left out: it does not say what what in its path is",
        "GET /bad is left out: http://elsewhere.example/p.json leads out of the document",
        "GET /login is left out: its parameter sid in cookie cannot be sent",
    ]


def test_parameters_and_body_become_one_schema() -> None:
    listed, added, *_ = operations_of(read_document(document()))[0]
    assert listed.description == "List the items\n\n(GET /items)"
    assert listed.parameters["properties"]["lang"] == {"type": "string", "description": "A language"}
    assert list(listed.parameters["properties"]) == ["lang", "tag", "ids", "where", "X-Trace"]
    assert added.parameters == {
        "type": "object",
        "properties": {
            "lang": {"type": "string", "description": "A language"},
            "body": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "parts": {"type": "array", "items": {}},
                    "size": {"type": "integer", "exclusiveMinimum": 0},
                    "price": {"type": ["number", "null"]},
                },
                "required": ["name", "price"],
            },
        },
        "required": ["body"],
        "additionalProperties": False,
    }


def test_arguments_of_one_name_in_two_places_are_told_apart() -> None:
    parameters = [
        {"name": name, "in": where, "schema": {}}
        for name, where in (("id", "path"), ("id", "query"), ("body", "query"))
    ]
    (found,) = operations_of(read_document(with_paths({"/a/{id}": {"get": {"parameters": parameters}}})))[0]
    assert list(found.parameters["properties"]) == ["id", "id_query", "body_query"]


def test_a_schema_that_multiplies_is_left_open() -> None:
    schemas = {
        f"S{n}": {"properties": {f"p{m}": {"$ref": f"#/components/schemas/S{n + 1}"} for m in range(10)}}
        for n in range(30)
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    data = document(paths={"/a": {"post": {"requestBody": body}}}, components={"schemas": {**schemas, "S30": {}}})
    (found,) = operations_of(read_document(data))[0]
    assert len(str(found.parameters)) < 50_000


def test_references_in_a_circle_are_told_of() -> None:
    data = document(
        paths={"/a": {"get": {"parameters": [{"$ref": "#/components/parameters/A"}]}}},
        components={"parameters": {"A": {"$ref": "#/components/parameters/A"}}},
    )
    assert operations_of(read_document(data)) == ([], ["GET /a is left out: a reference leads in a circle"])


def test_only_so_many_operations_are_taken() -> None:
    operations, problems = operations_of(read_document(with_paths({f"/p{n}": {"get": {}} for n in range(300)})))
    assert (len(operations), problems) == (200, ["Only the first 200 operations are taken."])


@pytest.mark.parametrize(
    "paths", [None, 7, [], {"/a": 7}, {"/a": {"get": 7}}, {"a": {"get": {}}}, {"/a": {"get": {"parameters": 7}}}]
)
def test_odd_paths_are_no_error(paths: object) -> None:
    assert len(operations_of(read_document(with_paths(paths)))[0]) <= 1
