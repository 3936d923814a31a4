"""Files in chat completions: shown where the endpoint can see them, told in words where it cannot."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from luxx.core.errors import ProviderError, ProviderRejected
from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.local.model import adapt
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.openai.request import Quirk, encode_request
from luxx.providers.transport import Transport
from tests.providers.chat import text
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.told import Told

IMAGE = FileRef(id="i", name="cat.png", media_type="image/png", size=3)
PDF = FileRef(id="p", name="plan.pdf", media_type="application/pdf", size=3)
TEXT = FileRef(id="t", name="a.md", media_type="text/markdown", size=5)
OTHER = FileRef(id="o", name="a.zip", media_type="application/octet-stream", size=1234)
CONTENTS = {"i": b"\x89PN", "p": b"%PD", "t": b"# Hi!"}

IMAGE_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBO"}}
PDF_PART = {"type": "file", "file": {"filename": "plan.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
TEXT_WORDS = '<file name="a.md">\n# Hi!\n</file>'
OTHER_WORDS = '[The file "a.zip" (application/octet-stream, 1,234 bytes) cannot be shown to this model.]'
IMAGE_WORDS = '[The file "cat.png" (image/png, 3 bytes) cannot be shown to this model.]'
PDF_WORDS = '[The file "plan.pdf" (application/pdf, 3 bytes) cannot be shown to this model.]'
CALL = AnswerPrompt(
    calls=(CallPrompt(id="1", name="draw", arguments="{}"), CallPrompt(id="2", name="f", arguments="{}"))
)


def _request(*prompts: Prompt) -> ModelRequest:
    return ModelRequest(model="m", prompts=prompts, files=CONTENTS)


def _messages(*prompts: Prompt, quirks: frozenset[Quirk] = frozenset()) -> list[dict[str, Any]]:
    return json.loads(encode_request(_request(*prompts), quirks=quirks))["messages"]


def _words(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def test_images_and_pdfs_are_parts_before_the_text() -> None:
    (message,) = _messages(UserPrompt("look", (IMAGE, PDF, TEXT)))
    assert message["content"] == [IMAGE_PART, PDF_PART, _words(TEXT_WORDS), _words("look")]


def test_an_image_alone_has_no_empty_text_beside_it() -> None:
    (message,) = _messages(UserPrompt("", (IMAGE,)))
    assert message["content"] == [IMAGE_PART]


def test_texts_and_what_no_model_sees_stay_plain_text() -> None:
    (message,) = _messages(UserPrompt("read", (TEXT, OTHER)))
    assert message["content"] == f"{TEXT_WORDS}\n\n{OTHER_WORDS}\n\nread"


def test_a_file_whose_content_is_gone_is_told_of() -> None:
    gone = FileRef(id="gone", name="b.txt", media_type="text/plain", size=1)
    (message,) = _messages(UserPrompt("read", (gone,)))
    assert message["content"] == '[The file "b.txt" is no longer there.]\n\nread'


def test_images_of_results_follow_when_all_results_are_there() -> None:
    messages = _messages(
        CALL,
        ResultPrompt(id="1", name="draw", content="done", files=(IMAGE,)),
        ResultPrompt(id="2", name="f", content="two"),
        AnswerPrompt(text="nice"),
    )
    assert [message["role"] for message in messages] == ["assistant", "tool", "tool", "user", "assistant"]
    assert [messages[1]["content"], messages[2]["content"]] == ["done", "two"]
    assert messages[3]["content"] == [_words('[From the tool draw: "cat.png"]'), IMAGE_PART]


def test_images_of_the_last_results_come_at_the_end() -> None:
    messages = _messages(CALL, ResultPrompt(id="1", name="draw", content="", files=(IMAGE,)))
    assert messages[-1]["content"][1] == IMAGE_PART


def test_images_that_a_model_made_follow_its_answer() -> None:
    messages = _messages(AnswerPrompt(text="here", files=(IMAGE,)), UserPrompt("again"))
    assert [message["role"] for message in messages] == ["assistant", "user", "user"]
    assert messages[1]["content"] == [_words('[Made in the answer above: "cat.png"]'), IMAGE_PART]


def test_what_an_endpoint_cannot_see_is_told_in_words() -> None:
    everything = frozenset[Quirk]({"no_images", "no_files"})
    user, _, result, answer = _messages(
        UserPrompt("look", (IMAGE, PDF)),
        CALL,
        ResultPrompt(id="1", name="draw", content="done", files=(IMAGE,)),
        AnswerPrompt(text="here", files=(IMAGE,)),
        quirks=everything,
    )
    assert user["content"] == f"{IMAGE_WORDS}\n\n{PDF_WORDS}\n\nlook"
    assert result["content"] == f"done\n\n{IMAGE_WORDS}"
    assert answer["content"] == f"here\n\n{IMAGE_WORDS}"


def test_a_longer_history_begins_with_the_same_bytes() -> None:
    first = (UserPrompt("look", (IMAGE,)), CALL, ResultPrompt(id="1", name="draw", content="done", files=(IMAGE,)))
    short = encode_request(_request(*first))
    longer = encode_request(_request(*first, AnswerPrompt(text="nice"), UserPrompt("more")))
    assert longer.startswith(short.removesuffix(b"]}"))


def test_the_embedded_model_gets_words_only() -> None:
    adapted = adapt(_request(UserPrompt("look", (IMAGE, TEXT)), UserPrompt("", (OTHER,))))
    assert adapted.prompts == (UserPrompt(f"{IMAGE_WORDS}\n\n{TEXT_WORDS}\n\nlook"), UserPrompt(OTHER_WORDS))
    assert adapted.files == {}


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: OpenAIModel, request: ModelRequest) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


def _refusal(message: str, status: int) -> Answer:
    return json_answer({"error": {"message": message, "type": "invalid_request_error"}}, status)


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Invalid content type. image_url is only supported by certain models."),
        (400, "this model does not support image input"),
        (400, "This model doesn't support images"),
        (400, "llava is not a multimodal model"),
        (400, "At most 0 image(s) may be provided in one prompt."),
        (400, "Image input is not enabled for this model"),
        (400, "messages[0].content must be a string"),
        (404, "No endpoints found that support image input"),
        (422, "messages[0]: unknown variant `image_url`, expected `text` at line 1 column 90"),
        (422, "messages[3]: invalid type: sequence, expected a string at line 1 column 27074"),
        (422, "messages(5): data did not match any variant of untagged enum ChatCompletionRequestContent"),
        (500, "image input is not supported - hint: you may need to provide the mmproj"),
        (500, "this model is missing data required for image input"),
    ],
)
async def test_a_model_that_sees_no_images_is_told_of_them_and_that_is_remembered(
    transport: Transport, status: int, message: str
) -> None:
    async with Endpoint(_refusal(message, status), Answer(pieces=[text("a")])) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for _ in range(2):
            assert (await _ask(model, _request(UserPrompt("look", (IMAGE,))))).text == "a"
        contents = [asked.json["messages"][0]["content"] for asked in endpoint.asked]
    assert contents == [[IMAGE_PART, _words("look")], *[f"{IMAGE_WORDS}\n\nlook"] * 2]


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unsupported chat content part type: 'file'. Supported types: text, image_url"),
        (400, "Invalid Value: 'file'. Supported values are: 'text', 'image_url', 'input_audio', and 'refusal'."),
        (400, ".messages[1]: file must have a file_id or file_data"),
        (422, "unknown variant `file`, expected `text` or `image_url`"),
        (500, "Unknown part type: file"),
    ],
)
async def test_a_model_that_reads_no_pdf_still_sees_the_images(transport: Transport, status: int, message: str) -> None:
    async with Endpoint(_refusal(message, status), Answer(pieces=[text("a")])) as endpoint:
        await _ask(OpenAIModel(endpoint.url, "key", transport), _request(UserPrompt("look", (PDF, IMAGE))))
        assert endpoint.asked[-1].json["messages"][0]["content"] == [_words(PDF_WORDS), IMAGE_PART, _words("look")]


async def test_an_endpoint_that_takes_neither_is_told_of_both(transport: Transport) -> None:
    refusals = [_refusal("messages[0].content must be a string", 400)] * 2
    async with Endpoint(*refusals, Answer(pieces=[text("a")])) as endpoint:
        await _ask(OpenAIModel(endpoint.url, "key", transport), _request(UserPrompt("look", (PDF, IMAGE))))
        assert endpoint.asked[-1].json["messages"][0]["content"] == f"{PDF_WORDS}\n\n{IMAGE_WORDS}\n\nlook"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Unsupported value: 'temperature'"),
        (404, "The model `m` does not exist"),
        (500, "The server had an error"),
    ],
)
async def test_a_fault_that_no_image_has_is_reported(transport: Transport, status: int, message: str) -> None:
    async with Endpoint(_refusal(message, status)) as endpoint:
        with pytest.raises(ProviderError):
            await _ask(OpenAIModel(endpoint.url, "key", transport), _request(UserPrompt("look", (IMAGE,))))
        assert len(endpoint.asked) == 1


async def test_a_refusal_of_images_that_were_not_sent_is_reported(transport: Transport) -> None:
    async with Endpoint(_refusal("this model does not support image input", 400)) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(OpenAIModel(endpoint.url, "key", transport), _request(UserPrompt("look", (TEXT,))))
        assert len(endpoint.asked) == 1


async def test_a_large_file_arrives_whole(transport: Transport) -> None:
    data = bytes(range(256)) * 12_000
    request = ModelRequest(model="m", prompts=(UserPrompt("look", (IMAGE,)),), files={"i": data})
    async with Endpoint(Answer(pieces=[text("a")])) as endpoint:
        await _ask(OpenAIModel(endpoint.url, "key", transport), request)
        url = endpoint.asked[0].json["messages"][0]["content"][0]["image_url"]["url"]
    assert base64.b64decode(url.partition(",")[2]) == data
