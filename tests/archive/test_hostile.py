"""Hostile exports: whatever is in them, what comes out is a whole tree, or a reason."""

import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.archive.json_values import Damaged, decoded, values
from luxx.archive.reading import conversations
from luxx.archive.tally import Tally
from luxx.core.archive import ArchivedConversation
from luxx.core.steps import Step
from tests.archive.exports import CHATGPT, CLAUDE, LIBRECHAT, OPEN_WEBUI

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
EXPORTS = [CHATGPT, CLAUDE, OPEN_WEBUI, LIBRECHAT]


def check(conversation: ArchivedConversation) -> None:
    """Make sure that a conversation is a whole tree."""
    roles: dict[str | None, str | None] = {None: None}
    for message in conversation.messages:
        assert message.id not in roles
        assert message.parent_id in roles
        assert roles[message.parent_id] != message.role
        assert message.role == "user" or message.parent_id is not None
        assert (message.answer is None) == (message.role == "user")
        roles[message.id] = message.role
        steps = [] if message.answer is None else [msgspec.json.decode(raw, type=Step) for raw in message.answer.steps]
        assert [step.index for step in steps] == sorted({step.index for step in steps})
        assert len(message.created_at) == 27
    assert conversation.leaf_id in roles
    assert conversation.messages
    msgspec.json.encode(conversation)


def take(export: object) -> Tally:
    """Read an export, and check all that comes out."""
    with tempfile.TemporaryDirectory() as folder:
        path, tally = Path(folder) / "upload", Tally()
        path.write_text(json.dumps(export), encoding="utf-8")
        for found in conversations(path, path.with_name("unpacked"), 10_000_000, tally):
            check(found.conversation)
    return tally


def places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return where something stands in a value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path] + [place for key, child in children for place in places(child, (*path, key))]


def changed(value: Any, path: tuple[Any, ...], new: object) -> Any:  # noqa: ANN401 - any JSON
    """Return a copy with something else in a place."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], new)
    return copy


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_anything_may_stand_anywhere_in_an_export(data: st.DataObject) -> None:
    export: Any = data.draw(st.sampled_from(EXPORTS))
    for _ in range(data.draw(st.integers(1, 4))):
        export = changed(export, data.draw(st.sampled_from(places(export))), data.draw(JSON))
    take([export])


@settings(max_examples=80, deadline=None)
@given(
    links=st.lists(st.integers(0, 9), min_size=1, max_size=10),
    roles=st.lists(st.sampled_from(["user", "assistant", "tool", "system", ""]), min_size=10, max_size=10),
)
def test_any_links_between_messages_become_a_tree(links: list[int], roles: list[str]) -> None:
    mapping = {
        f"n{n}": {
            "parent": f"n{parent}",
            "message": {"author": {"role": roles[n]}, "content": {"content_type": "text", "parts": [str(n)]}},
        }
        for n, parent in enumerate(links)
    }
    take([{"mapping": mapping, "title": "x", "conversation_id": "c"}])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=6), JSON, max_size=4), max_size=4), st.booleans())
def test_values_are_found_as_they_stand(exports: list[dict[str, Any]], in_list: bool) -> None:
    source = json.dumps(exports, indent=1) if in_list else "\n".join(map(json.dumps, exports))
    raw = source.encode()
    assert [decoded(raw[span.start : span.end]) for span in values(raw)] == exports


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text('{}[]",:\\ 1', max_size=40).map(str.encode))
def test_no_bytes_do_harm(raw: bytes) -> None:
    try:
        for span in values(raw):
            decoded(raw[span.start : span.end])
    except Damaged:
        pass
