"""Documents and services that mean harm: what they can make Luxx do, keep or show is bounded."""

import asyncio
from typing import Any

import msgspec
import pytest

from luxx.tools.box import Toolbox
from luxx.tools.openapi.document import BadDocument, read_document
from luxx.tools.openapi.operations import MAX_OPERATIONS, MAX_PROBLEMS, Operation, operations_of
from luxx.tools.openapi.tools import Access, service_of
from tests.tools.calls import call
from tests.tools.openapi.shop import document, with_paths
from tests.tools.web.sites import client, site

SECRET = 'k"e y/s&ecret'
MANY_CHARS = 100_000


def parsed(paths: dict[str, Any], **components: object) -> tuple[list[Operation], list[str]]:
    return operations_of(read_document(document(paths=paths, components=components)))


def bodies(schema: object) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    return {f"/p{n}": {"post": {"requestBody": {"content": content}}} for n in range(3)}


def test_of_ten_thousand_operations_the_first_are_taken() -> None:
    found, problems = parsed({f"/p{n}": {"get": {}} for n in range(10_000)})
    assert (len(found), problems) == (MAX_OPERATIONS, ["Only the first 200 operations are taken."])


@pytest.mark.parametrize("item", [{"get": {"parameters": [{"$ref": "#/nowhere"}]}}, {"$ref": "./other.yaml"}])
def test_of_ten_thousand_that_cannot_be_used_only_some_are_told_of(item: object) -> None:
    found, problems = parsed({f"/p{n}": item for n in range(10_000)})
    assert found == []
    assert MAX_PROBLEMS <= len(problems) <= MAX_PROBLEMS + 1


def test_a_path_that_lies_in_another_file_is_left_out_and_the_others_are_not() -> None:
    found, problems = parsed({"/a": {"$ref": "./a.yaml"}, "/b": {"get": {}}})
    assert [one.path for one in found] == ["/b"]
    assert problems == ["/a is left out: ./a.yaml leads out of the document"]


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {f"p{n}": {} for n in range(50_000)}},
        {"properties": {f"p{n}" * 100: {"description": "x" * 900} for n in range(400)}},
        {"enum": ["x" * 900] * 5_000},
        {"allOf": [{"properties": {f"p{n}": {}}} for n in range(20_000)]},
        {"default": "x" * 1_000_000},
        {"required": [f"p{n}" for n in range(50_000)], "properties": {"p1": {}}},
    ],
)
def test_a_huge_schema_makes_a_bounded_tool(schema: object) -> None:
    found, _ = parsed(bodies({"$ref": "#/components/schemas/S"}), schemas={"S": schema})
    assert len(found) == 3
    assert all(len(msgspec.json.encode(one.parameters)) < 4 * MANY_CHARS for one in found)


@pytest.mark.parametrize("name", [["a"], {"a": 1}, None, 7])
def test_odd_names_of_required_members_are_no_error(name: object) -> None:
    found, _ = parsed(bodies({"properties": {"a": {}}, "required": [name]}))
    assert found[0].parameters["properties"]["body"]["properties"] == {"a": {}}


def test_references_in_a_circle_end() -> None:
    schemas = {"A": {"properties": {"b": {"$ref": "#/components/schemas/B"}}}, "B": {"$ref": "#/components/schemas/A"}}
    found, problems = parsed(bodies({"$ref": "#/components/schemas/A"}), schemas=schemas)
    assert (len(found), problems) == (3, [])
    circle = {"C": {"$ref": "#/components/schemas/C"}}
    found, problems = parsed(bodies({"$ref": "#/components/schemas/C"}), schemas=circle)
    assert found == []
    assert all("in a circle" in problem for problem in problems)


def test_an_address_that_grows_is_refused() -> None:
    variables = {name: {"default": f"{{{after}}}" * 600} for name, after in ("ab", "bc", "cd", "de")}
    data = document(servers=[{"url": "https://{a}", "variables": variables}])
    with pytest.raises(BadDocument, match="too long"):
        service_of(read_document(data), client(), name=str, source="")


def test_too_many_parameters_and_too_long_a_path_are_left_out() -> None:
    parameters = [{"name": f"p{n}", "in": "query"} for n in range(101)]
    found, problems = parsed({"/a": {"get": {"parameters": parameters}}, "/" + "b" * 3_000: {"get": {}}})
    assert found == []
    assert [len(problem) < 400 for problem in problems] == [True, True]


def test_aliases_of_one_long_text_are_not_written_out() -> None:
    text = f"openapi: 3.0.0\na: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 1_000)}]\n"
    with pytest.raises(BadDocument, match="too large"):
        read_document(text.encode()).json()


async def test_external_references_are_never_fetched() -> None:
    async with site() as at:
        schema = {"$ref": at.url("/schema.json")}
        paths = {"/a": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}}}
        _, problems = parsed(paths)
        assert "leads out of the document" in problems[0]
        assert at.requests == []


async def test_a_secret_is_hidden_however_it_is_spelled_and_stands_alone_beside_arguments() -> None:
    access = Access(headers={"X-Key": "header-secret"}, query={"key": SECRET})
    parameters = [
        {"name": "x-key", "in": "header", "required": True},
        {"name": "key", "in": "query", "required": True},
        {"name": "q", "in": "query"},
    ]
    data = with_paths({"/a": {"get": {"operationId": "a", "parameters": parameters}}})
    async with site() as at:
        said = msgspec.json.encode({"echo": [SECRET, "header-secret", "k%22e+y%2Fs%26ecret", "k%22e+y/s%26ecret"]})
        at.page("/a", said, "application/json")
        made = service_of(read_document(data), client(), name=str, source="", base_url=at.url(""), access=access)
        box = Toolbox(made.tools)
        assert list(box.specs()[0].parameters["properties"]) == ["q"]
        outcome = await call(box, {"q": "1"}, "a")
        assert outcome.content == '{"echo":["[secret]","[secret]","[secret]","[secret]"]}'
        assert at.requests[0].target == "/a?q=1&key=k%22e+y/s%26ecret"
        refused = await call(box, {"x-key": "mine"}, "a")
        assert (refused.failed, len(at.requests)) == (True, 1)


async def test_a_huge_answer_is_cut_and_one_that_never_comes_is_given_up() -> None:
    data = with_paths({"/huge": {"get": {"operationId": "huge"}}, "/slow": {"get": {"operationId": "slow"}}})

    async def silence(*_: object) -> None:
        await asyncio.Event().wait()

    async with site() as at:
        at.page("/huge", "x" * 1_000_000, "text/plain")
        at.answers["/slow"] = silence
        patient, hasty = (
            Toolbox(service_of(read_document(data), limited, name=str, source="", base_url=at.url("")).tools)
            for limited in (client(max_bytes=10_000), client(timeout_s=0.3))
        )
        huge = await call(patient, {}, "huge")
        assert huge.content.startswith("xxx")
        assert "the answer was longer than 10,000 bytes" in huge.content
        assert len(huge.content) < 11_000
        slow = await call(hasty, {}, "slow")
        assert slow.failed
        assert "did not answer within" in slow.content
