"""References within a schema: what they name, and those that name nothing."""

import pytest

from luxx.core.json_schema import part_at

ROOT = {"anyOf": [{"type": "string"}, {"a/b": {"~": 1}}], "$defs": {"7": True}}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#", ROOT),
        ("#/anyOf/0", {"type": "string"}),
        ("#/anyOf/1/a~1b/~0", 1),
        ("#/$defs/7", True),
        ("#/anyOf/2", None),
        ("#/anyOf/-1", None),
        (f"#/anyOf/{'9' * 5_000}", None),
        (f"#/anyOf/{'0' * 5_000}", None),
        ("#anchor", None),
        ("other.json#/anyOf", None),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_reference_names_a_part_of_its_schema_or_nothing(reference: str, found: object) -> None:
    assert part_at(ROOT, reference) == found
