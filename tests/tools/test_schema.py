"""How a function with type hints becomes a tool: name, description and JSON schema."""

import dataclasses
import enum
import functools
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, TypedDict, Union

import msgspec
import pytest

from luxx.tools.errors import ToolDefinitionError
from luxx.tools.tool import Tool, ToolContext, tool


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(msgspec.Struct):
    """A place on the map."""

    x: int
    y: int = 0


@dataclasses.dataclass
class Box:
    corner: Point
    tags: list[str] = dataclasses.field(default_factory=list)


class Query(TypedDict):
    text: str
    limit: NotRequired[int]


class Pair(NamedTuple):
    left: int
    right: str


class Node(msgspec.Struct):
    value: int
    children: "list[Node]" = []


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    tricks: list[str]


POINT = {
    "title": "Point",
    "description": "A place on the map.",
    "type": "object",
    "properties": {"x": {"type": "integer"}, "y": {"type": "integer", "default": 0}},
    "required": ["x"],
}


def schema_of(hint: object) -> dict[str, Any]:
    """Return the schema of an argument with a hint."""

    def function(value: object) -> None:
        """Do it."""

    function.__annotations__["value"] = hint
    return tool(function).spec.parameters["properties"]["value"]


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, {"type": "string"}),
        (int, {"type": "integer"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (None, {"type": "null"}),
        (Any, {}),
        (bytes, {"type": "string", "contentEncoding": "base64"}),
        (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045 - people write it so
        (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007 - people write it so
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
        (Literal["a", 1], {"enum": [1, "a"]}),
        (Colour, {"title": "Colour", "type": "string", "enum": ["blue", "red"]}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (list, {"type": "array"}),
        (set[str], {"type": "array", "items": {"type": "string"}, "uniqueItems": True}),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, float], {"type": "object", "additionalProperties": {"type": "number"}}),
        (dict, {"type": "object"}),
        (datetime, {"type": "string"}),
        (Annotated[datetime, msgspec.Meta(tz=True)], {"type": "string", "format": "date-time"}),
        (date, {"type": "string", "format": "date"}),
        (Point, POINT),
        (list[Point], {"type": "array", "items": POINT}),
        (Annotated[int, msgspec.Meta(ge=1, le=5)], {"type": "integer", "minimum": 1, "maximum": 5}),
        (Annotated[int, "How many"], {"type": "integer", "description": "How many"}),
        (Annotated[int, msgspec.Meta(description="How many")], {"type": "integer", "description": "How many"}),
        (Annotated[Point, "Where"], {**POINT, "description": "Where"}),
    ],
    ids=str,
)
def test_a_hint_becomes_its_json_schema(hint: object, expected: dict[str, Any]) -> None:
    assert schema_of(hint) == expected


def test_an_int_enum_is_a_list_of_numbers() -> None:
    assert schema_of(Level)["enum"] == [1, 2]


def test_a_dataclass_is_written_out_with_what_it_holds() -> None:
    schema = schema_of(Box)
    assert schema["properties"]["corner"] == POINT
    assert schema["required"] == ["corner"]


def test_a_typed_dict_says_what_may_be_left_out() -> None:
    schema = schema_of(Query)
    assert schema["properties"] == {"limit": {"type": "integer"}, "text": {"type": "string"}}
    assert schema["required"] == ["text"]


def test_a_named_tuple_is_an_array_of_its_parts() -> None:
    assert schema_of(Pair)["prefixItems"] == [{"type": "integer"}, {"type": "string"}]


def test_a_union_of_structs_has_no_references() -> None:
    schema = schema_of(Cat | Dog)
    assert [option["title"] for option in schema["anyOf"]] == ["Cat", "Dog"]
    assert "discriminator" not in schema
    assert "$ref" not in str(schema)


def test_a_type_that_contains_itself_keeps_its_reference() -> None:
    def plant(tree: Node, at: Point) -> None:
        """Plant a tree."""

    parameters = tool(plant).spec.parameters
    assert parameters["properties"]["tree"] == {"$ref": "#/$defs/Node"}
    assert parameters["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}
    assert parameters["properties"]["at"] == POINT
    assert list(parameters["$defs"]) == ["Node"]


def test_the_whole_schema_lists_arguments_in_order_and_allows_no_others() -> None:
    @tool(effect="read")
    def search(query: str, limit: int = 10, colour: Colour = Colour.RED, until: date | None = None) -> str:
        """Search the archive.

        Only what is public is found.

        Args:
            query: What to look for,
                in any language.
            limit (int): How many at most.

        Returns:
            The hits, one to a line.

        Raises:
            OSError: if the archive is away.
        """
        return query

    assert search.spec.name == "search"
    assert search.spec.description == (
        "Search the archive.\n\nOnly what is public is found.\n\nReturns:\n    The hits, one to a line."
    )
    assert search.spec.parameters == {
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What to look for, in any language."},
            "limit": {"type": "integer", "description": "How many at most.", "default": 10},
            "colour": {"title": "Colour", "type": "string", "enum": ["blue", "red"], "default": "red"},
            "until": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]},
        },
        "required": ["query"],
        "additionalProperties": False,
    }


def test_a_decorated_function_can_still_be_called() -> None:
    @tool
    def double(value: int) -> int:
        """Double a number."""
        return value * 2

    assert double(4) == 8
    assert double.effect == "unsafe"
    assert double.timeout == 30.0


def test_the_context_is_hidden_from_the_model() -> None:
    def send(text: str, context: ToolContext) -> None:
        """Send it."""

    assert list(tool(send).spec.parameters["properties"]) == ["text"]


def test_what_a_partial_has_bound_is_hidden_from_the_model() -> None:
    def fetch(key: str, path: str, secret: str = "") -> str:
        """Fetch it."""
        return path

    bound = tool(functools.partial(fetch, "key", secret="s3cret"))
    assert bound.name == "fetch"
    assert list(bound.spec.parameters["properties"]) == ["path"]
    assert "s3cret" not in str(bound.spec)


def test_methods_and_objects_that_can_be_called_become_tools() -> None:
    class Shop:
        def buy(self, count: int) -> str:
            """Buy some."""
            return f"bought {count}"

        async def __call__(self, count: int) -> str:
            """Buy some, later."""
            return f"will buy {count}"

    method, instance = tool(Shop().buy), tool(Shop(), name="later")
    assert (method.name, method.blocking) == ("buy", True)
    assert (instance.name, instance.blocking) == ("later", False)
    assert list(instance.spec.parameters["properties"]) == ["count"]


def test_a_default_that_json_does_not_know_is_left_out_of_the_schema() -> None:
    def act(values: list[int], rate: float = float("nan")) -> None:
        """Act."""

    act.__defaults__ = (object(), float("nan"))
    parameters = tool(act).spec.parameters
    assert parameters["properties"] == {
        "values": {"type": "array", "items": {"type": "integer"}},
        "rate": {"type": "number"},
    }
    assert parameters["required"] == []


def no_hint(value) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - the case in point
    """Do it."""


def variadic(*values: int) -> None:
    """Do it."""


def keywords(**values: int) -> None:
    """Do it."""


def positional(value: int, /) -> None:
    """Do it."""


def without_docstring(value: int) -> None: ...


def unresolved(value: "Nowhere") -> None:  # type: ignore[name-defined]  # noqa: F821 - the case in point
    """Do it."""


def unsupported(value: complex) -> None:
    """Do it."""


def unsupported_within(value: list[Callable[[], int]]) -> None:
    """Do it."""


def two_arrays(value: list[int] | set[int]) -> None:
    """Do it."""


def two_contexts(first: ToolContext, second: ToolContext) -> None:
    """Do it."""


def generates(count: int) -> Iterator[int]:
    """Do it."""
    yield count


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (no_hint, "argument value has no type hint"),
        (variadic, "argument values: a model can only give arguments by name"),
        (keywords, "argument values: a model can only give arguments by name"),
        (positional, "argument value: a model can only give arguments by name"),
        (without_docstring, "a docstring or a description"),
        (unresolved, "'Nowhere' is not defined"),
        (unsupported, "argument value: the type hint <class 'complex'> is not supported"),
        (unsupported_within, "argument value: the type hint"),
        (two_arrays, "may not contain more than one array-like"),
        (two_contexts, "only one argument can be a ToolContext"),
        (generates, "a generator gives no result"),
        (Point, "a class cannot be a tool"),
    ],
)
def test_a_function_that_a_model_cannot_call_is_refused_at_once(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(ToolDefinitionError, match=f"^tool {function.__name__}: .*{reason}"):
        tool(function)


@pytest.mark.parametrize("name", ["", "a b", "a.b", "ä", "x" * 65, "a\n"])
def test_a_name_that_providers_refuse_is_refused(name: str) -> None:
    with pytest.raises(ToolDefinitionError, match="1 to 64 characters"):
        tool(positional, name=name or "!")


@pytest.mark.parametrize("timeout", [0, -1, float("inf"), float("nan")])
def test_a_timeout_is_a_positive_number_of_seconds(timeout: float) -> None:
    with pytest.raises(ToolDefinitionError, match="timeout"):
        tool(positional, timeout=timeout)


def test_the_tool_shows_a_person_its_effect_and_timeout() -> None:
    made: Tool = tool(lambda: None, name="noop", description="Do nothing.", effect="idempotent", timeout=2.5)
    assert (made.info.name, made.info.effect, made.info.timeout_s) == ("noop", "idempotent", 2.5)
    assert made.info.parameters == made.spec.parameters
