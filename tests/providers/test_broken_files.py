"""A file that a provider refuses: its model is told of it in words, the conversation goes on and other files are still seen."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
import pytest

from luxx.core.errors import ContextOverflow, ProviderRejected
from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, UserPrompt
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.responses.model import ResponsesModel
from luxx.providers.transport import Transport
from tests.providers import chat
from tests.providers.endpoint import Answer, Asked, Endpoint, json_answer
from tests.providers.responses import event, message, only_done
from tests.providers.told import Told

_FILES = [
    FileRef(id="one", name="one.png", media_type="image/png", size=3),
    FileRef(id="two", name="two.png", media_type="image/png", size=3),
    FileRef(id="pdf", name="a.pdf", media_type="application/pdf", size=3),
    FileRef(id="txt", name="a.txt", media_type="text/plain", size=3),
]
_ONE, _TWO, _PDF, _TXT = _FILES
_NO_IMAGE = (
    "The image data you provided does not represent a valid image. Please check your input and try again with one of the "
    "following image formats: ['image/jpeg', 'image/png', 'image/gif', 'image/webp']."
)
_ABOUT_ONE = [
    _NO_IMAGE,
    "Invalid image: not one of the supported image formats",
    "Invalid image data",
    "Could not process image",
    "You uploaded an unsupported image. Please make sure your image has one of the following formats: png",
    "The image is too large: at most 8000 pixels are supported",
    "Expected a file with an application/pdf MIME type, but got unsupported MIME type 'text/plain'.",
    "Invalid input: Expected context stuffing file type to be a supported format: .pdf but got .exe.",
    "The document is not a valid PDF: a password is not supported",
    "Failed to load image or audio file",
]

Family = Callable[[str, str, Transport], OpenAIModel | ResponsesModel]


class _Kind(msgspec.Struct, frozen=True):
    model: Family
    answer: Answer


_KINDS = [
    pytest.param(_Kind(OpenAIModel, Answer(pieces=[chat.text("a")])), id="chat"),
    pytest.param(_Kind(ResponsesModel, Answer(pieces=[only_done(message("a"))])), id="responses"),
]


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


def _request(*prompts: Prompt, conversation: str = "c") -> ModelRequest:
    contents = {file.id: file.id.encode() for file in _FILES}
    return ModelRequest(model="m", prompts=prompts, files=contents, conversation_id=conversation)


def _refusal(said: str, status: int = 400) -> Answer:
    return json_answer({"error": {"message": said, "type": "invalid_request_error", "param": None}}, status)


async def _ask(model: OpenAIModel | ResponsesModel, request: ModelRequest) -> str:
    return Told([delta async for deltas in model.stream(request) for delta in deltas]).text


def _seen(asked: Asked) -> int:
    """Return how many files a request showed."""
    messages: Sequence[dict[str, Any]] = asked.json.get("messages") or asked.json["input"]
    parts = [part for message in messages if isinstance(message["content"], list) for part in message["content"]]
    return sum(not part["type"].endswith("text") for part in parts)


@pytest.mark.parametrize("kind", _KINDS)
@pytest.mark.parametrize("said", _ABOUT_ONE)
async def test_a_file_that_is_refused_is_told_of_in_words_from_then_on(
    transport: Transport, kind: _Kind, said: str
) -> None:
    first = UserPrompt("look", (_ONE, _PDF, _TXT))
    async with Endpoint(_refusal(said), kind.answer) as endpoint:
        model = kind.model(endpoint.url, "key", transport)
        assert await _ask(model, _request(first)) == "a"
        assert await _ask(model, _request(first, AnswerPrompt(text="a"), UserPrompt("and?"))) == "a"
        bodies = [asked.body for asked in endpoint.asked]
        assert [_seen(asked) for asked in endpoint.asked] == [2, 0, 0]
    assert all(name in bodies[1] for name in (b"one.png", b"a.pdf", b"txt"))
    assert b"cannot be shown to this model" in bodies[1]
    assert bodies[2].startswith(bodies[1].removesuffix(b"]}"))


@pytest.mark.parametrize("kind", _KINDS)
async def test_the_model_still_sees_other_files_and_other_conversations(transport: Transport, kind: _Kind) -> None:
    broken = (UserPrompt("look", (_ONE,)), AnswerPrompt(text="a"))
    async with Endpoint(_refusal(_NO_IMAGE), kind.answer) as endpoint:
        model = kind.model(endpoint.url, "key", transport)
        await _ask(model, _request(broken[0]))
        await _ask(model, _request(*broken, UserPrompt("this?", (_TWO,))))
        await _ask(model, _request(broken[0], conversation="other"))
        assert [_seen(asked) for asked in endpoint.asked] == [1, 0, 1, 1]


@pytest.mark.parametrize("kind", _KINDS)
async def test_the_newest_files_are_left_out_first_and_all_if_that_did_not_help(
    transport: Transport, kind: _Kind
) -> None:
    prompts = (UserPrompt("1", (_ONE,)), AnswerPrompt(text="a"), UserPrompt("2", (_TWO,)))
    async with Endpoint(_refusal(_NO_IMAGE), kind.answer) as endpoint:
        await _ask(kind.model(endpoint.url, "key", transport), _request(*prompts))
        assert [_seen(asked) for asked in endpoint.asked] == [2, 1]
    async with Endpoint(_refusal(_NO_IMAGE), _refusal(_NO_IMAGE), kind.answer) as endpoint:
        await _ask(kind.model(endpoint.url, "key", transport), _request(*prompts))
        assert [_seen(asked) for asked in endpoint.asked] == [2, 1, 0]


@pytest.mark.parametrize("kind", _KINDS)
async def test_without_a_conversation_nothing_is_remembered(transport: Transport, kind: _Kind) -> None:
    request = _request(UserPrompt("look", (_ONE,)), conversation="")
    async with Endpoint(_refusal(_NO_IMAGE), kind.answer) as endpoint:
        model = kind.model(endpoint.url, "key", transport)
        await _ask(model, request)
        await _ask(model, request)
        assert [_seen(asked) for asked in endpoint.asked] == [1, 0, 1]


@pytest.mark.parametrize("kind", _KINDS)
async def test_a_refusal_that_goes_on_without_files_is_reported(transport: Transport, kind: _Kind) -> None:
    async with Endpoint(_refusal(_NO_IMAGE)) as endpoint:
        with pytest.raises(ProviderRejected, match="valid image"):
            await _ask(kind.model(endpoint.url, "key", transport), _request(UserPrompt("look", (_ONE, _TXT))))
        assert [_seen(asked) for asked in endpoint.asked] == [1, 0]


@pytest.mark.parametrize("kind", _KINDS)
async def test_a_refusal_of_a_conversation_that_is_too_long_is_not_about_a_file(
    transport: Transport, kind: _Kind
) -> None:
    said = "Your input with 2 images exceeds the context window of this model."
    async with Endpoint(_refusal(said)) as endpoint:
        with pytest.raises(ContextOverflow):
            await _ask(kind.model(endpoint.url, "key", transport), _request(UserPrompt("look", (_ONE,))))
        assert len(endpoint.asked) == 1


async def test_a_refusal_within_a_stream_is_one_too(transport: Transport) -> None:
    refused = Answer(pieces=[event("error", code="invalid_request_error", message=_NO_IMAGE)])
    async with Endpoint(refused, Answer(pieces=[only_done(message("a"))])) as endpoint:
        model = ResponsesModel(endpoint.url, "key", transport)
        assert await _ask(model, _request(UserPrompt("look", (_ONE,)))) == "a"
        assert await _ask(model, _request(UserPrompt("look", (_ONE,)))) == "a"
        assert [_seen(asked) for asked in endpoint.asked] == [1, 0, 0]
