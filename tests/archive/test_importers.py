"""Importers: what each system exports becomes whole conversations, and what does not fit is told."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from luxx.archive.reading import Found, conversations
from luxx.archive.tally import Tally
from luxx.core.archive import ArchivedConversation, ArchivedMessage
from luxx.core.steps import Source, Step, Text, Thinking, ToolCall, ToolResult
from tests.archive.exports import CHATGPT, CLAUDE, LIBRECHAT, OPEN_WEBUI, chatgpt, chatgpt_node

MOST = 10_000_000


def read(tmp_path: Path, data: bytes, most: int = MOST) -> tuple[list[Found], Tally]:
    path = tmp_path / "upload"
    path.write_bytes(data)
    tally = Tally()
    return list(conversations(path, tmp_path / "unpacked", most, tally)), tally


def one(tmp_path: Path, export: object) -> tuple[ArchivedConversation, Tally]:
    found, tally = read(tmp_path, json.dumps(export).encode())
    assert [problem.reason for problem in tally.problems] == []
    assert len(found) == 1
    return found[0].conversation, tally


def told(message: ArchivedMessage) -> str | list[tuple[str, str]]:
    """Return a question's text, or an answer's steps in short."""
    if message.answer is None:
        return message.text
    return [_short(msgspec.json.decode(raw, type=Step)) for raw in message.answer.steps]


def _short(step: Step) -> tuple[str, str]:
    match step:
        case Thinking(content=content):
            return "thinking", content
        case Text(content=content):
            return "text", content
        case ToolCall(name=name, arguments=arguments):
            return f"call {name}", arguments
        case ToolResult(name=name, content=content):
            return f"result {name}", content
        case Source(url=url):
            return "source", url
        case _:
            raise AssertionError(step)


def shape(conversation: ArchivedConversation) -> list[tuple[str | None, str, object]]:
    """Return the tree: each message's parent by its place, its role, and what is in it."""
    places = {message.id: str(place) for place, message in enumerate(conversation.messages)}
    return [
        (None if message.parent_id is None else places[message.parent_id], message.role, told(message))
        for message in conversation.messages
    ]


def test_a_chatgpt_tree_keeps_its_branches_and_joins_the_pieces_of_answers(tmp_path: Path) -> None:
    conversation, tally = one(tmp_path, [CHATGPT])
    assert shape(conversation) == [
        (None, "user", "[image: file-abc]\nWhat is it?"),
        (
            "0",
            "assistant",
            [
                ("thinking", "Looking\nI look."),
                ("call python", '{"code":"print(1)"}'),
                ("result python", "1"),
                ("text", "It is a one."),
            ],
        ),
        ("0", "assistant", [("text", "It is a cat.")]),
        ("1", "user", "Sure?"),
        ("3", "assistant", [("text", "Yes.")]),
    ]
    assert (conversation.id, conversation.title, conversation.leaf_id) == ("gpt-1", "A talk", "a2")
    assert conversation.created_at == "2025-08-24T01:46:40.100000Z"
    answers = [message.answer for message in conversation.messages if message.answer]
    assert [(answer.provider, answer.model) for answer in answers][:2] == [("ChatGPT", "o3"), ("ChatGPT", "gpt-4o")]
    assert [[call.n for call in answer.calls] for answer in answers] == [[1, 2], [1], [1]]
    assert (dict(tally.left_out), dict(tally.mended)) == ({"hidden_message": 1, "image": 1}, {})


def test_an_answer_that_branches_in_the_middle_becomes_two(tmp_path: Path) -> None:
    conversation, _ = one(
        tmp_path,
        [
            chatgpt(
                chatgpt_node("q", None, "user", "Hi"),
                chatgpt_node("x", "q", "assistant", "Well,"),
                chatgpt_node("y", "x", "assistant", "yes."),
                chatgpt_node("z", "x", "assistant", "no."),
            )
        ],
    )
    assert shape(conversation)[1:] == [
        ("0", "assistant", [("text", "Well,"), ("text", "yes.")]),
        ("0", "assistant", [("text", "Well,"), ("text", "no.")]),
    ]


def test_questions_and_answers_alternate_whatever_the_export_has(tmp_path: Path) -> None:
    conversation, tally = one(
        tmp_path,
        [
            chatgpt(
                chatgpt_node("a", None, "assistant", "Welcome."),
                chatgpt_node("q", "a", "user", "Hi"),
                chatgpt_node("r", "q", "user", "Hello?"),
                chatgpt_node("s", "q", "user", "Anyone?"),
            )
        ],
    )
    assert shape(conversation) == [
        (None, "user", "(The export has no question here.)"),
        ("0", "assistant", [("text", "Welcome.")]),
        ("1", "user", "Hi"),
        ("2", "assistant", []),
        ("3", "user", "Hello?"),
        ("3", "user", "Anyone?"),
    ]
    assert dict(tally.mended) == {"answer_without_question": 1, "question_without_answer": 1}


def test_claude_has_blocks_and_texts_of_attachments(tmp_path: Path) -> None:
    conversation, tally = one(tmp_path, [CLAUDE])
    assert shape(conversation) == [
        (None, "user", "Look this up\n\na.txt:\n````\n```\nbee\n````\n\n[attachment: photo.png]"),
        (
            "0",
            "assistant",
            [
                ("thinking", "Hm."),
                ("call web_search", '{"query":"bees"}'),
                ("result web_search", "Bees live in hives."),
                ("text", "Found."),
            ],
        ),
    ]
    assert conversation.updated_at == "2025-05-01T08:05:00.000000Z"
    assert dict(tally.left_out) == {"attachment": 1, "block_flag": 1}


def test_open_webui_has_items_or_details_in_its_texts(tmp_path: Path) -> None:
    for export in ([OPEN_WEBUI], OPEN_WEBUI):
        conversation, tally = one(tmp_path, export)
        assert shape(conversation) == [
            (None, "user", "Rain?"),
            (
                "0",
                "assistant",
                [
                    ("thinking", "Think."),
                    ("call get_weather", '{"city": "Ulm"}'),
                    ("result get_weather", "rain"),
                    ("text", "Rain."),
                ],
            ),
            (
                "0",
                "assistant",
                [("thinking", "Is it <wet>?"), ("call look", '{"a": 1}'), ("result look", "dry"), ("text", "No rain.")],
            ),
        ]
        assert (conversation.leaf_id, dict(tally.left_out)) == ("w2", {})


def test_librechat_has_lists_and_trees(tmp_path: Path) -> None:
    first, second, third = LIBRECHAT["messages"]
    nested = {**LIBRECHAT, "recursive": True, "messages": [{**first, "children": [second, third]}]}
    for export in (LIBRECHAT, nested, {**nested, "messages": None, "messagesTree": nested["messages"]}):
        conversation, _ = one(tmp_path, export)
        assert shape(conversation) == [
            (None, "user", "A story"),
            (
                "0",
                "assistant",
                [("thinking", "Once?"), ("call dice", '{"n": 6}'), ("result dice", "4"), ("text", "Once upon a time.")],
            ),
            ("0", "assistant", [("text", "There was")]),
        ]
        assert conversation.settings.system_prompt == "Tell stories."
        answers = [message.answer for message in conversation.messages if message.answer]
        assert [(answer.status, answer.provider) for answer in answers] == [("done", "openAI"), ("cancelled", "openAI")]


def test_several_of_several_kinds_can_be_in_one_file(tmp_path: Path) -> None:
    lines = b"\n".join(json.dumps(export).encode() for export in (CHATGPT, CLAUDE, OPEN_WEBUI, LIBRECHAT))
    found, _ = read(tmp_path, b"\xef\xbb\xbf" + lines)
    assert [each.source for each in found] == ["chatgpt", "claude", "open_webui", "librechat"]


def test_an_archive_is_searched_for_conversations(tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.html", "<html>")
        archive.writestr("user.json", '{"id": "u", "email": "x"}')
        archive.writestr("conversations-000.json", json.dumps([CHATGPT]))
        archive.writestr("../../conversations-001.json", json.dumps([CLAUDE]))
    found, tally = read(tmp_path, path.read_bytes())
    assert [each.source for each in found] == ["chatgpt", "claude"]
    assert dict(tally.left_out)["object_that_is_no_conversation"] == 1
    assert sorted(child.name for child in tmp_path.iterdir()) == ["upload", "upload.zip"]


def test_a_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", json.dumps([CHATGPT]))
        archive.writestr("more.json", b"[" + b" " * 50_000_000)
    found, tally = read(tmp_path, path.read_bytes())
    assert (len(found), tally.refused) == (1, 1)
    assert "larger than this server takes" in tally.problems[0].reason


@pytest.mark.parametrize("cut", [3, 30, 200])
def test_a_damaged_archive_is_told(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conversations.json", json.dumps([CHATGPT]))
    found, tally = read(tmp_path, path.read_bytes()[:-cut])
    assert (found, tally.refused) == ([], 1)


def test_what_stands_before_a_cut_is_taken(tmp_path: Path) -> None:
    found, tally = read(tmp_path, json.dumps([CHATGPT, CLAUDE]).encode()[:-100])
    assert [each.source for each in found] == ["chatgpt"]
    assert "ends in the middle" in tally.problems[0].reason


def test_the_same_conversation_without_an_id_is_known_again(tmp_path: Path) -> None:
    export = {key: value for key, value in CHATGPT.items() if key != "conversation_id"}
    assert len({one(tmp_path, export)[0].id for _ in range(2)}) == 1


def linked(count: int, parent: Callable[[int], str | None]) -> list[Any]:
    return [chatgpt_node(f"n{n}", parent(n), "user" if n % 2 == 0 else "assistant", f"t{n}") for n in range(count)]


def test_circles_are_cut_and_lost_parents_are_told(tmp_path: Path) -> None:
    conversation, tally = one(
        tmp_path, chatgpt(*linked(4, lambda n: f"n{(n + 1) % 4}"), chatgpt_node("o", "gone", "user", "x"))
    )
    assert [text for _, _, text in shape(conversation) if isinstance(text, str) and text.startswith("t")] == [
        "t0",
        "t2",
    ]
    assert dict(tally.mended)["circle_cut"] == 1
    assert dict(tally.mended)["parent_missing"] == 1
    assert len(one(tmp_path, chatgpt(*linked(2, lambda n: f"n{n}")))[0].messages) >= 2


def test_a_branch_of_many_thousand_messages_is_read(tmp_path: Path) -> None:
    conversation, _ = one(tmp_path, chatgpt(*linked(20_000, lambda n: f"n{n - 1}" if n else None)))
    assert len(conversation.messages) == 20_000
    too_many, tally = read(tmp_path, json.dumps(chatgpt(*linked(100_001, lambda n: None))).encode())
    assert (too_many, tally.problems[0].reason) == ([], "It has more than 100,000 messages.")


@pytest.mark.timeout(120)
def test_a_tree_nested_deeper_than_any_stack_is_read(tmp_path: Path) -> None:
    depth = 20_000
    opening = "".join(
        f'{{"messageId": "m{n}", "isCreatedByUser": {"true" if n % 2 == 0 else "false"}, "text": "t\\"{n}", "children": ['
        for n in range(depth)
    )
    source = '{"conversationId": "deep", "title": "T", "messages": [' + opening + "]}" * depth + "]}"
    found, _ = read(tmp_path, source.encode())
    assert len(found[0].conversation.messages) == depth
    assert told(found[0].conversation.messages[-1]) == [("text", f't"{depth - 1}')]


def test_half_surrogate_pairs_and_nul_become_what_can_be_stored(tmp_path: Path) -> None:
    export = json.dumps([chatgpt(chatgpt_node("q", None, "user", "a\ud83dz\0"), title="T\ud800\0")]).encode()
    found, _ = read(tmp_path, export)
    assert (found[0].conversation.title, found[0].conversation.messages[0].text) == ("T\ufffd\ufffd", "a\ufffdz\ufffd")


@pytest.mark.parametrize(
    "when", [-1e30, 1e30, 10**400, "soon", "0000-00-00", "9999-12-31T23:59:59-23:59", None, [], True]
)
def test_times_that_cannot_be_are_replaced(tmp_path: Path, when: object) -> None:
    conversation, _ = one(tmp_path, [chatgpt(chatgpt_node("q", None, "user", "x", create_time=when), create_time=when)])
    assert conversation.created_at == conversation.messages[0].created_at == "1980-01-01T00:00:00.000000Z"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"3",
        b'"x"',
        b"[[[]]]",
        b"not json",
        b"{" * 100_000,
        b"]" * 100,
        b"PK\x03\x04",
        b"\x00" * 1000,
    ],
)
def test_what_is_no_export_gives_nothing(tmp_path: Path, data: bytes) -> None:
    found, _ = read(tmp_path, data)
    assert found == []
