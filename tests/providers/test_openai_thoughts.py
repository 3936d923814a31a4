"""Thoughts that come as blocks: Mistral wants them back with every answer, LiteLLM with calls and their signatures."""

import json
from typing import Any

import pytest

from luxx.core.errors import ProviderRejected
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.failures import Report
from luxx.providers.openai.answer import AnswerDecoder
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.openai.request import encode_request, quirk_in
from luxx.providers.transport import Transport
from tests.providers import chat
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.told import Told, decode_with

_HOST = "host:443"


def _thought(text: str, **more: object) -> dict[str, Any]:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}], **more}


def _piece(text: str, **more: object) -> bytes:
    return chat.delta(content=[_thought(text, **more)])


def _decoded(*pieces: bytes, origin: str = _HOST) -> Told:
    return decode_with(AnswerDecoder(origin=origin), pieces)


def _answer(told: Told, model: str = "m") -> AnswerPrompt:
    calls = tuple(CallPrompt(id=id, name=name, arguments=arguments) for id, name, arguments in told.whole_tools)
    return AnswerPrompt(text=told.text, thinking=told.reasoning, calls=calls, model=model, raw=told.raw)


def _sent(*prompts: Prompt, origin: str = _HOST) -> list[dict[str, Any]]:
    request = ModelRequest(model="m", prompts=(UserPrompt("q"), *prompts))
    return json.loads(encode_request(request, origin=origin))["messages"]


def test_thoughts_within_the_content_go_back_with_an_answer_that_called_nothing() -> None:
    told = _decoded(_piece("One. "), _piece("Two."), chat.text("Here", " it is."))
    assert (told.reasoning, told.text) == ("One. Two.", "Here it is.")
    message = _sent(_answer(told), UserPrompt("more"))[1]
    assert message == {
        "role": "assistant",
        "content": [_thought("One. Two."), {"type": "text", "text": "Here it is."}],
    }


def test_they_are_kept_as_soon_as_the_text_begins() -> None:
    told = _decoded(_piece("One.", signature="s", closed=True), chat.delta(content="Cut"))
    assert told.error
    assert _sent(_answer(told))[1]["content"] == [_thought("One.", signature="s"), {"type": "text", "text": "Cut"}]


def test_they_go_back_with_calls_too() -> None:
    told = _decoded(_piece("One."), chat.delta(content="Let me see."), chat.calls(chat.call(0, "abcdefghi", "f", "{}")))
    message = _sent(_answer(told), ResultPrompt(id="abcdefghi", name="f", content="r"))[1]
    assert message["content"] == [_thought("One."), {"type": "text", "text": "Let me see."}]
    assert [call["id"] for call in message["tool_calls"]] == ["abcdefghi"]


def test_signed_thoughts_stay_apart() -> None:
    told = _decoded(_piece("One.", signature="s"), _piece("Two.", signature="t"), chat.text("a"))
    assert _sent(_answer(told))[1]["content"][:2] == [_thought("One.", signature="s"), _thought("Two.", signature="t")]


@pytest.mark.parametrize(("model", "origin"), [("other", _HOST), ("m", "elsewhere:443")])
def test_another_model_and_another_host_get_the_text_only(model: str, origin: str) -> None:
    told = _decoded(_piece("One."), chat.text("a"))
    assert _sent(_answer(told, model), origin=origin)[1] == {"role": "assistant", "content": "a"}


def _block(text: str, signature: str = "") -> bytes:
    said = {"reasoning_content": text} if text and not signature else {}
    return chat.delta(**said, thinking_blocks=[{"type": "thinking", "thinking": text, "signature": signature}])


_CALL = chat.calls(chat.call(0, "a", "f", "{}"))


@pytest.mark.parametrize("last", ["", "One. Two."])
def test_signed_blocks_go_back_whole_with_calls(last: str) -> None:
    hidden = {"type": "redacted_thinking", "data": "xyz"}
    pieces = (_block("One. "), _block("Two."), _block(last, "sig"), chat.delta(thinking_blocks=[hidden]), _CALL)
    told = _decoded(*pieces)
    assert told.reasoning == "One. Two."
    message = _sent(_answer(told), ResultPrompt(id="a", name="f", content="r"))[1]
    assert message["thinking_blocks"] == [{"type": "thinking", "thinking": "One. Two.", "signature": "sig"}, hidden]
    assert message["reasoning_content"] == "One. Two."


def test_a_block_without_its_signature_is_left_out() -> None:
    told = _decoded(_block("One."), _CALL)
    assert "thinking_blocks" not in _sent(_answer(told), ResultPrompt(id="a", name="f", content="r"))[1]


async def test_an_endpoint_that_refuses_thoughts_is_asked_without_them() -> None:
    transport = Transport()
    refusal = json_answer(
        {"message": "Input tag 'thinking' found using 'type' does not match any of the expected"}, 422
    )
    async with Endpoint(refusal, Answer(pieces=[chat.text("b")])) as endpoint:
        told = _decoded(_piece("One."), chat.text("a"), origin=endpoint.url.split("/")[2])
        model = OpenAIModel(endpoint.url, "key", transport)
        request = ModelRequest(model="m", prompts=(UserPrompt("q"), _answer(told), UserPrompt("more")))
        assert [deltas async for deltas in model.stream(request)]
        contents = [asked.json["messages"][1]["content"] for asked in endpoint.asked]
    await transport.aclose()
    assert contents == [[_thought("One."), {"type": "text", "text": "a"}], "a"]


def _request(*prompts: Prompt) -> ModelRequest:
    return ModelRequest(model="m", prompts=(UserPrompt("q"), *prompts))


def _with_blocks() -> ModelRequest:
    return _request(_answer(_decoded(_block("One.", "sig"), _CALL)), ResultPrompt(id="a", name="f", content="r"))


_ABOUT_BLOCKS = Report(text="messages.1.content.0: Invalid `signature` in `thinking` block")


@pytest.mark.parametrize(
    "refusal",
    [
        _ABOUT_BLOCKS,
        Report(text="messages.1.content.0.thinking.signature: Field required"),
        Report(text="`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."),
        Report(text="Unrecognized request argument supplied: thinking_blocks"),
        Report(text="Extra inputs are not permitted", param="messages.1.thinking_blocks"),
        Report(text="Invalid value: 'thinking'. Supported values are: 'text'.", param="messages[1].content[0].type"),
        Report(text="messages[1]: unknown variant `thinking`, expected `text`"),
        Report(text="Unknown part type: thinking"),
        Report(text="Input should be a valid string, got [{'type': 'thinking', 'thinking': []}]"),
        Report(text="Thinking chunks are not supported by this model"),
        Report(text="This model doesn't support the reasoningContent.reasoningText.signature field."),
    ],
)
def test_a_refusal_of_their_form_ends_them(refusal: Report) -> None:
    assert quirk_in(refusal, _with_blocks(), origin=_HOST) == "no_thoughts"
    parts = _request(_answer(_decoded(_piece("One."), chat.text("a"))), UserPrompt("more"))
    assert quirk_in(refusal, parts, origin=_HOST) == "no_thoughts"
    assert quirk_in(refusal, parts, frozenset({"no_thoughts"}), _HOST) is None


@pytest.mark.parametrize(
    "words",
    [
        "max_tokens must be greater than thinking.budget_tokens",
        "This model does not support tool use while thinking",
        "Invalid signature in the request header",
        "Thinking may not be enabled when tool_choice forces tool use.",
        "thinking.type: Input should be 'enabled' or 'disabled'",
        "Unknown part type: audio. Known are 'text', 'thinking'",
        "Function call is missing a thought_signature in functionCall parts",
        "Expected `thinking` or `redacted_thinking`, but found `text`. When `thinking` is enabled, a final `assistant` "
        "message must start with a thinking block.",
    ],
)
def test_a_refusal_of_something_else_leaves_them(words: str) -> None:
    assert quirk_in(Report(text=words), _with_blocks(), origin=_HOST) is None


def test_a_request_that_sends_none_cannot_do_without_them() -> None:
    details = chat.delta(reasoning_details=[{"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"}])
    result = ResultPrompt(id="a", name="f", content="r")
    blocks = _decoded(_block("One.", "sig"), _CALL)
    told = _decoded(_block("One.", "sig"), chat.text("a"))
    for request, origin in (
        (_request(_answer(_decoded(details, _CALL)), result), _HOST),
        (_request(_answer(blocks, "other"), result), _HOST),
        (_request(_answer(blocks), result), "elsewhere:443"),
        (_request(_answer(told), UserPrompt("more")), _HOST),
    ):
        assert quirk_in(_ABOUT_BLOCKS, request, origin=origin) is None


async def test_they_go_back_again_after_a_request_that_was_refused_without_them_too() -> None:
    transport = Transport()
    refusal = json_answer({"error": {"message": _ABOUT_BLOCKS.text}}, 400)
    async with Endpoint(refusal, refusal, Answer(pieces=[chat.text("b")])) as endpoint:
        told = _decoded(_piece("One."), chat.text("a"), origin=endpoint.url.split("/")[2])
        model = OpenAIModel(endpoint.url, "key", transport)
        request = _request(_answer(told), UserPrompt("more"))
        with pytest.raises(ProviderRejected):
            assert [deltas async for deltas in model.stream(request)]
        assert [deltas async for deltas in model.stream(request)]
        contents = [asked.json["messages"][1]["content"] for asked in endpoint.asked]
    await transport.aclose()
    whole = [_thought("One."), {"type": "text", "text": "a"}]
    assert contents == [whole, "a", whole]
