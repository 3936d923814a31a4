"""What goes back verbatim is handed over as soon as it is complete, so that an answer that is cut can go back as far as it came."""

import json
from typing import Any

import pytest

from luxx.core.deltas import Delta, TextDelta, ToolCallDelta, ToolCallDone, VerbatimDelta
from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.anthropic.answer import AnswerDecoder as AnthropicDecoder
from luxx.providers.anthropic.request import encode_request as encode_anthropic
from luxx.providers.gemini.answer import AnswerDecoder as GeminiDecoder
from luxx.providers.gemini.request import encode_request as encode_gemini
from luxx.providers.openai.answer import AnswerDecoder as OpenAIDecoder
from luxx.providers.openai.request import encode_request as encode_openai
from luxx.providers.responses.answer import AnswerDecoder as ResponsesDecoder
from luxx.providers.responses.request import encode_request as encode_responses
from tests.providers import chat, generate_content, messages, responses
from tests.providers.told import Decoder, Told

_DECODERS: dict[str, type[Decoder]] = {
    "openai": OpenAIDecoder,
    "anthropic": AnthropicDecoder,
    "responses": ResponsesDecoder,
    "gemini": GeminiDecoder,
}
_THOUGHT = {
    "openai": chat.delta(reasoning_content="hm")
    + chat.delta(reasoning_details=[{"type": "reasoning.encrypted", "data": "SIGNED", "index": 0}]),
    "anthropic": messages.begin() + messages.thinking(0, "hm", signature="SIGNED"),
    "responses": responses.done(0, responses.reasoning("hm", id="rs_0", encrypted_content="SIGNED")),
    "gemini": generate_content.said({"text": "hm", "thought": True, "thoughtSignature": "SIGNED"}),
}
_CALL = {
    "openai": chat.delta(tool_calls=[chat.call(0, "a", "f", '{"x": 1}')])
    + chat.delta(tool_calls=[chat.call(1, "b", "g", "{")]),
    "anthropic": messages.call(1, "a", "f", '{"x": 1}')
    + messages.start(2, type="tool_use", id="b", name="g", input={}),
    "responses": responses.done(1, responses.call("a", "f", '{"x": 1}', id="fc_1")),
    "gemini": generate_content.said(generate_content.call("f", {"x": 1}, id="a")),
}
_HALF = {
    "openai": chat.delta(content="half an"),
    "anthropic": messages.start(1, type="text", text="") + messages.piece(1, "text_delta", text="half an"),
    "responses": responses.event("response.output_text.delta", output_index=1, content_index=0, delta="half an"),
    "gemini": generate_content.said({"text": "half an"}),
}
_TOOLS = tuple(ToolSpec(name=name, description="", parameters={"type": "object"}) for name in "fg")


def _cut(name: str, body: bytes) -> tuple[list[Delta], Told]:
    """Return the deltas of an answer that breaks off, and what they told."""
    decoder = _DECODERS[name]()
    deltas = [*decoder.feed(body)]
    return deltas, Told([*deltas, *decoder.end()])


def _sent(name: str, *prompts: Prompt) -> Any:  # noqa: ANN401 - the JSON of any format
    request = ModelRequest(model="claude-sonnet-4-5" if name == "anthropic" else "m", prompts=prompts, tools=_TOOLS)
    match name:
        case "openai":
            return json.loads(encode_openai(request))["messages"]
        case "anthropic":
            return json.loads(encode_anthropic(request).body)["messages"]
        case "responses":
            return json.loads(encode_responses(request))["input"]
        case _:
            return json.loads(encode_gemini(request))["contents"]


@pytest.mark.parametrize("name", _DECODERS)
def test_thoughts_before_a_complete_call_are_handed_over_before_it(name: str) -> None:
    deltas, told = _cut(name, _THOUGHT[name] + _CALL[name])
    done = next(place for place, delta in enumerate(deltas) if isinstance(delta, ToolCallDone))
    assert any(isinstance(delta, VerbatimDelta) and b"SIGNED" in delta.raw for delta in deltas[:done])
    ((id, _, arguments),) = told.whole_tools
    answer = AnswerPrompt(thinking="hm", calls=(CallPrompt(id=id, name="f", arguments=arguments),), raw=told.raw)
    sent = json.dumps(_sent(name, UserPrompt("q"), answer, ResultPrompt(id=id, name="f", content="r")))
    assert sent.count("SIGNED") == 1
    assert '"g"' not in sent


@pytest.mark.parametrize("name", ["anthropic", "responses", "gemini"])
def test_an_answer_that_was_cut_in_its_text_goes_back_with_the_thoughts_before_it(name: str) -> None:
    _, told = _cut(name, _THOUGHT[name] + _HALF[name])
    answer = AnswerPrompt(text=told.text, thinking="hm", raw=told.raw)
    sent = json.dumps(_sent(name, UserPrompt("q"), answer, UserPrompt("go on")))
    assert sent.count("SIGNED") == 1
    assert sent.count("half an") == 1
    assert sent.index("SIGNED") < sent.index("half an")


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("openai", {"origin": "", "fields": {"reasoning_content": "hm SIGNED"}, "calls": []}),
        (
            "anthropic",
            {
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "SIGNED"},
                    {"type": "text", "text": "said"},
                    {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                ]
            },
        ),
        (
            "responses",
            {
                "items": [
                    {"type": "reasoning", "id": "rs_0", "summary": [], "encrypted_content": "SIGNED"},
                    {
                        "type": "message",
                        "id": "m",
                        "role": "assistant",
                        "content": [{"type": "output_text", "text": "said"}],
                    },
                    {"type": "function_call", "id": "fc", "call_id": "a", "name": "f", "arguments": "{}"},
                ]
            },
        ),
        (
            "gemini",
            {"parts": [{"text": "said"}, {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "SIGNED"}]},
        ),
    ],
)
def test_an_answer_that_was_kept_as_a_whole_by_an_older_version_goes_back(name: str, raw: dict[str, Any]) -> None:
    calls = (CallPrompt(id="a", name="f", arguments="{}"),)
    answer = AnswerPrompt(text="said", calls=calls, raw=json.dumps(raw).encode())
    sent = _sent(name, UserPrompt("q"), answer, ResultPrompt(id="a", name="f", content="r"))
    told = json.dumps(sent)
    assert [told.count(word) for word in ("SIGNED", '"said"', '"f"')] == [1, 1, 2 if name == "gemini" else 1]


@pytest.mark.parametrize("name", _DECODERS)
def test_a_text_without_thoughts_is_not_kept_twice(name: str) -> None:
    assert _cut(name, _HALF[name])[1].raw == b""


@pytest.mark.parametrize("name", _DECODERS)
def test_half_a_surrogate_pair_in_arguments_is_replaced(name: str) -> None:
    text = r'{"x": "a\ud83d b\ud83d\ude00 \\ud83d \n \ude00"}'
    body = {
        "openai": b"".join(chat.delta(tool_calls=[chat.call(0, arguments=c)]) for c in text),
        "anthropic": b"".join(messages.piece(0, "input_json_delta", partial_json=c) for c in text),
        "responses": b"".join(
            responses.event("response.function_call_arguments.delta", output_index=0, delta=c) for c in text
        ),
    }
    whole = {
        "openai": chat.delta(tool_calls=[chat.call(0, "a", "f", "")]) + body["openai"] + chat.delta("tool_calls"),
        "anthropic": messages.begin()
        + messages.start(0, type="tool_use", id="a", name="f", input={})
        + body["anthropic"]
        + messages.stop(0)
        + messages.end("tool_use"),
        "responses": responses.added(0, responses.call("a", "f", ""))
        + body["responses"]
        + responses.done(0, responses.call("a", "f", text))
        + responses.completed(responses.call("a", "f", text)),
        "gemini": b'data: {"candidates": [{"content": {"parts": [{"functionCall": {"id": "a", "name": "f", "args": '
        + text.encode()
        + b'}}]}, "finishReason": "STOP"}]}\n\n',
    }
    decoder = _DECODERS[name]()
    told = Told([*decoder.feed(whole[name]), *decoder.end(), decoder.finish()])
    ((_, _, arguments),) = told.whole_tools
    assert json.loads(arguments) == {"x": "a\ufffd b😀 \\ud83d \n \ufffd"}
    assert arguments.encode()


@pytest.mark.parametrize("name", _DECODERS)
def test_a_file_with_a_lying_name_is_sent_under_one_that_fits(name: str) -> None:
    files = (
        FileRef(id="p", name="x.txt", media_type="application/pdf", size=5),
        FileRef(id="t", name="y.pdf", media_type="text/plain", size=1),
        FileRef(id="o", name="Z.PDF", media_type="application/pdf", size=5),
    )
    prompts = (UserPrompt("q", files=files),)
    contents = {"p": b"%PDF-", "t": b"t", "o": b"%PDF-"}
    request = ModelRequest(model="m", prompts=prompts, files=contents)
    body = {
        "openai": lambda: encode_openai(request),
        "anthropic": lambda: encode_anthropic(request).body,
        "responses": lambda: encode_responses(request),
        "gemini": lambda: encode_gemini(request),
    }[name]().decode()
    assert "y.pdf.txt" in body
    assert "y.pdf\\" not in body
    if name != "gemini":  # which is told no names of what it sees
        assert "x.txt.pdf" in body
        assert "Z.PDF.pdf" not in body


def test_what_is_kept_of_an_answer_that_came_whole_is_no_more_than_its_thoughts() -> None:
    decoder = AnthropicDecoder()
    deltas = decoder.feed(
        _THOUGHT["anthropic"] + messages.text(1, "a") + messages.call(2, "a", "f", "{}") + messages.end("tool_use")
    )
    kept = [json.loads(delta.raw) for delta in deltas if isinstance(delta, VerbatimDelta)]
    assert kept == [{"content": [{"type": "thinking", "thinking": "hm", "signature": "SIGNED"}]}]
    assert [type(delta) for delta in deltas if isinstance(delta, TextDelta | ToolCallDelta)] == [
        TextDelta,
        *[ToolCallDelta] * 2,
    ]
