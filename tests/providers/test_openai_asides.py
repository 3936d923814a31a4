"""Images, citations and what the provider did by itself in chat completions."""

import base64
import json

import pytest

from luxx.core.deltas import FileDelta, NoticeDelta, SourceDelta
from tests.providers import chat
from tests.providers.told import decode

_PNG = b"\x89PNG pixels"
_DATA = f"data:image/png;base64,{base64.b64encode(_PNG).decode()}"
_IMAGE = {"type": "image_url", "image_url": {"url": _DATA}, "index": 0}
_CITED = {"type": "url_citation", "url_citation": {"url": "https://a.example/", "title": "A", "start_index": 0}}


def test_images_are_files_each_once() -> None:
    jpeg = {"image_url": _DATA.replace("image/png", "image/jpeg")}
    told = decode([chat.delta(content="Look", images=[_IMAGE]) + chat.delta(images=[_IMAGE, jpeg]) + chat.text("!")])
    assert told.text == "Look!"
    assert told.files == [FileDelta(data=_PNG, name="image.png"), FileDelta(data=_PNG, name="image.jpeg")]


def test_citations_are_sources_each_once() -> None:
    flat = {"type": "url_citation", "url": "https://b.example/"}
    told = decode([chat.delta(annotations=[_CITED]) + chat.delta(annotations=[_CITED, flat]) + chat.text("a")])
    assert told.sources == [SourceDelta(url="https://a.example/", title="A"), SourceDelta(url="https://b.example/")]


def test_an_answer_that_is_not_streamed_has_them_too() -> None:
    message = {"role": "assistant", "content": "a", "images": [_IMAGE], "annotations": [_CITED]}
    told = decode([json.dumps({"choices": [{"message": message, "finish_reason": "stop"}]}).encode()])
    assert (told.text, told.files) == ("a", [FileDelta(data=_PNG, name="image.png")])
    assert [source.url for source in told.sources] == ["https://a.example/"]


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ({"image_url": {"url": "data:image/png;base64,?"}}, "cannot be read"),
        ({"image_url": "https://x/y.png"}, "https://x/y.png"),
    ],
)
def test_an_image_that_is_not_there_is_told_of(image: object, words: str) -> None:
    told = decode([chat.delta(images=[image]) + chat.text("a")])
    assert told.files == []
    assert [words in notice.text for notice in told.notices] == [True]


@pytest.mark.parametrize("odd", [7, "x", {}, [None, 7, {}], [{"image_url": 7}], [{"url_citation": 7}]])
def test_odd_ones_are_passed_over(odd: object) -> None:
    told = decode([chat.delta(images=odd, annotations=odd) + chat.text("a")])
    assert (told.text, told.files, told.sources, told.notices) == ("a", [], [], [])


def test_tokens_written_to_the_cache_are_told() -> None:
    for usage in (
        {"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 4}},
        {"prompt_tokens": 9, "prompt_tokens_details": {"cache_creation_tokens": 4}},
        {"prompt_tokens": 9, "cache_creation_input_tokens": 4},
    ):
        told = decode(
            [chat.text("a").replace(chat.DONE, b"") + chat.event({"choices": [], "usage": usage}) + chat.DONE]
        )
        assert told.finish
        assert told.finish.usage
        assert told.finish.usage.cache_write_tokens == 4


def test_pages_that_a_search_found_are_sources_each_once() -> None:
    page = {"title": "A", "url": "https://a.example/", "snippet": "Of a.", "date": "2026-01-02"}
    found = {
        "search_results": [page, {"title": "no address"}],
        "citations": ["https://a.example/", "https://b.example/", "1"],
    }
    choice = {"index": 0, "delta": {"content": "a [1][2]"}, "finish_reason": None}
    told = decode([2 * chat.event({"choices": [choice], **found}) + chat.text(".")])
    assert told.sources == [
        SourceDelta(url="https://a.example/", title="A", quote="Of a."),
        SourceDelta(url="https://b.example/"),
    ]
    assert told.text == "a [1][2]a [1][2]."


def test_bare_addresses_may_come_with_the_usage() -> None:
    last = {
        "choices": [],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        "citations": ["https://a.example/", 1, {}],
    }
    told = decode([chat.delta("stop", content="a") + chat.event(last) + chat.DONE])
    assert [source.url for source in told.sources] == ["https://a.example/"]


def test_tools_that_a_provider_ran_are_told_once_with_what_they_found() -> None:
    search = {"index": 0, "type": "search", "arguments": '{"query": "cats"}', "search_results": {"results": []}}
    page = {"title": "A", "url": "https://a.example/", "content": "Of a.", "score": 0.9}
    found = {**search, "output": "Title: A", "search_results": {"results": [page]}}
    code = {
        "index": 1,
        "type": "python",
        "arguments": '{"code": "1+1"}',
        "code_results": [{"png": _DATA.partition(",")[2]}],
    }
    odd = {"index": 2, "type": "new_tool", "arguments": "{", "browser_results": 7}
    told = decode([b"".join(chat.delta(executed_tools=[tool]) for tool in (search, found, code, odd)) + chat.text("a")])
    assert told.notices == [
        NoticeDelta(kind="search", text="Searched the web: cats"),
        NoticeDelta(kind="python", text="Ran code: 1+1"),
        NoticeDelta(kind="new_tool", text="Used new_tool."),
    ]
    assert told.sources == [SourceDelta(url="https://a.example/", title="A", quote="Of a.")]
    assert told.files == [FileDelta(data=_PNG, name="image.png")]


def test_why_groq_stopped_a_stream_is_told() -> None:
    told = decode([chat.delta(content="a") + chat.event({"choices": [], "x_groq": {"error": "over capacity"}})])
    assert told.error
    assert "over capacity" in str(told.error)
