"""What an endpoint of the Messages API refuses is put otherwise where it can be, and remembered."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from luxx.core.errors import (
    ContextOverflow,
    CreditExhausted,
    ProviderAuth,
    ProviderError,
    ProviderRejected,
)
from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, UserPrompt
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.transport import Transport
from tests.providers import messages_rules
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.messages import (
    call,
    decode,
    message,
    refusal,
    text,
    thinking,
)
from tests.providers.told import Told

MODEL = "claude-opus-5"
REQUEST = ModelRequest(model=MODEL, prompts=(UserPrompt("hi"),), conversation_id="c")
ANSWER = Answer(pieces=[message(text(0, "a"))])


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: AnthropicModel, request: ModelRequest = REQUEST) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


_ENABLED = (
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort" '
    "to control thinking behavior."
)
_DISABLED = _ENABLED.replace("enabled", "disabled")
_BETWEEN = f'{_DISABLED} To turn thinking off on this model, send "thinking": {{"type": "between_tools"}}.'


@pytest.mark.parametrize(
    ("model", "level", "refusals", "fields"),
    [
        (
            "claude-sonnet-4-5",
            "low",
            [_ENABLED],
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            "claude-opus-5",
            "off",
            [_DISABLED],
            {"thinking": {"type": "adaptive", "display": "summarized"}, "output_config": {"effort": "low"}},
        ),
        ("claude-opus-5", "off", [_BETWEEN], {"thinking": {"type": "between_tools"}}),
        (
            "claude-opus-5",
            "low",
            ["adaptive thinking is not supported on this model"],
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
        ),
        (
            "claude-opus-5",
            "low",
            ["thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled'"],
            {"thinking": {"type": "enabled", "budget_tokens": 4096}},
        ),
        (
            "claude-opus-5",
            "low",
            ["thinking.adaptive.display: Extra inputs are not permitted"],
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        ),
        (
            "claude-opus-4-6",
            "low",
            ["This model does not support the effort parameter."],
            {"thinking": {"type": "adaptive"}},
        ),
        ("glm-5", "low", ["thinking is not supported", "x"], {}),
        (
            "claude-opus-4-6",
            "low",
            ["adaptive thinking is not supported on this model", "thinking: Extra inputs are not permitted"],
            {},
        ),
    ],
)
async def test_a_way_to_think_that_is_refused_is_put_otherwise_from_then_on(
    transport: Transport, model: str, level: str, refusals: list[str], fields: dict[str, object]
) -> None:
    request = ModelRequest(model=model, prompts=REQUEST.prompts, thinking=level)  # pyright: ignore[reportArgumentType]
    answers = [refusal(said) for said in refusals if said != "x"]
    async with Endpoint(*answers, ANSWER) as endpoint:
        asked = AnthropicModel(endpoint.url, "key", transport)
        await _ask(asked, request)
        await _ask(asked, request)
    *_, last, again = (a.json for a in endpoint.asked)
    assert len(endpoint.asked) == len(answers) + 2
    assert last == again
    messages_rules.check(last)
    assert {key: last[key] for key in ("thinking", "output_config") if key in last} == fields


@pytest.mark.parametrize(
    ("said", "limit"),
    [
        ("max_tokens: 64000 > 8192, which is the maximum allowed number of output tokens for claude-x", 8192),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", 8192),
        ("max_tokens must be less than or equal to 8192", 8192),
        ("The maximum tokens you requested exceeds the model limit of 8192. Try again with a lower value.", 8192),
    ],
)
async def test_a_limit_that_is_refused_is_learnt(transport: Transport, said: str, limit: int) -> None:
    async with Endpoint(refusal(said), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        await _ask(model)
        await _ask(model)
    assert [asked.json["max_tokens"] for asked in endpoint.asked] == [128_000, limit, limit]


async def test_the_room_that_is_left_for_an_answer_is_taken_for_this_answer(transport: Transport) -> None:
    said = "input length and `max_tokens` exceed context limit: 190000 + 32000 > 200000, decrease input length"
    async with Endpoint(refusal(said), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        request = ModelRequest(model="claude-opus-4-1", prompts=REQUEST.prompts)
        await _ask(model, request)
        await _ask(model, request)
    assert [asked.json["max_tokens"] for asked in endpoint.asked] == [32_000, 9936, 32_000]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refusal("input length and `max_tokens` exceed context limit: 199990 + 32 > 200000"), ContextOverflow),
        (refusal("prompt is too long: 210000 tokens > 200000 maximum"), ContextOverflow),
        (refusal("Your credit balance is too low to access the Anthropic API."), CreditExhausted),
        (refusal("invalid x-api-key", 401, "authentication_error"), ProviderAuth),
        (refusal("temperature: range: 0..1"), ProviderRejected),
        (refusal("messages: roles must alternate"), ProviderRejected),
        (refusal("thinking is not supported", 403), ProviderAuth),
    ],
)
async def test_what_cannot_be_helped_is_reported(
    transport: Transport, answer: Answer, kind: type[ProviderError]
) -> None:
    request = ModelRequest(model="claude-opus-4-6", prompts=REQUEST.prompts, temperature=0.5)
    async with Endpoint(answer) as endpoint:
        with pytest.raises(ProviderError) as caught:
            await _ask(AnthropicModel(endpoint.url, "key", transport), request)
    assert type(caught.value) is kind
    assert len(endpoint.asked) <= 2


async def test_an_endpoint_that_refuses_everything_is_given_up(transport: Transport) -> None:
    async with Endpoint(*(refusal(f"max_tokens: 1 > {n}, maximum") for n in range(9000, 8000, -1))) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(AnthropicModel(endpoint.url, "key", transport))
        assert len(endpoint.asked) < 10


async def test_fields_that_are_refused_are_left_out_for_this_model_only(transport: Transport) -> None:
    refusals = (
        refusal("`temperature` is deprecated for this model."),
        refusal("system.0.cache_control: Extra inputs are not permitted"),
    )
    async with Endpoint(*refusals, ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        for name in ("claude-opus-4-6", "claude-sonnet-4-6"):
            await _ask(model, ModelRequest(model=name, prompts=REQUEST.prompts, temperature=0.5, system="be"))
    kept = [("temperature" in asked.json, b"cache_control" in asked.body) for asked in endpoint.asked]
    assert kept == [(True, True), (False, True), (False, False), (True, True)]


def _history(conversation: str) -> ModelRequest:
    body = message(thinking(0, "h", signature="s"), call(1, "1", "f", "{}"), reason="tool_use")
    told = decode(body)
    assert told.finish
    answer = AnswerPrompt(calls=(CallPrompt(id="1", name="f", arguments="{}"),), model=MODEL, raw=told.raw)
    prompts = (UserPrompt("a"), answer, ResultPrompt(id="1", name="f", content="r"))
    return ModelRequest(model=MODEL, prompts=prompts, conversation_id=conversation)


@pytest.mark.parametrize(
    "said",
    [
        "messages.1.content.0: Invalid `signature` in `thinking` block",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation. "
        "Remove the block, or set `thinking.block_binding.prefix_mismatch_behavior` to drop_block.",
        "messages.1.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
        "messages.1.content.0: Input tag 'fallback' found using 'type' does not match any of the expected tags: 'text'",
        "messages.1.content.0.type: Expected `thinking` or `redacted_thinking`, but found `text`.",
    ],
)
async def test_a_history_that_is_refused_is_sent_plainly_in_this_conversation(transport: Transport, said: str) -> None:
    async with Endpoint(refusal(said), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        for conversation in ("one", "one", "other"):
            await _ask(model, _history(conversation))
    assert [b"signature" in asked.body for asked in endpoint.asked] == [True, False, False, True]
    for asked in endpoint.asked:
        messages_rules.check(asked.json)


async def test_a_plain_history_that_is_refused_is_reported_at_once(transport: Transport) -> None:
    async with Endpoint(refusal("messages.1.content.0: Invalid `signature` in `thinking` block")) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(AnthropicModel(endpoint.url, "key", transport))
        assert len(endpoint.asked) == 1


async def test_a_file_that_is_refused_is_told_of_in_the_rest_of_its_conversation(transport: Transport) -> None:
    file = FileRef(id="p", name="a.png", media_type="image/png", size=3)
    other = FileRef(id="q", name="b.png", media_type="image/png", size=3)
    prompts = (UserPrompt("a", files=(file,)),)
    contents = {"p": b"png", "q": b"gnp"}
    request = ModelRequest(model=MODEL, prompts=prompts, files=contents, conversation_id="c")
    more = (*prompts, AnswerPrompt(text="t"), UserPrompt("b", files=(other,)))
    async with Endpoint(
        refusal("messages.0.content.0.image.source.base64: Could not process image"), ANSWER
    ) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        await _ask(model, request)
        await _ask(model, msgspec.structs.replace(request, prompts=more))
        await _ask(model, msgspec.structs.replace(request, conversation_id="d"))
    kinds = [asked.json["messages"][0]["content"][0]["type"] for asked in endpoint.asked]
    assert kinds == ["image", "text", "text", "image"]
    assert endpoint.asked[2].json["messages"][2]["content"][0]["type"] == "image"


async def test_all_files_are_told_of_if_the_newest_were_not_those_that_are_refused(transport: Transport) -> None:
    one, two = (FileRef(id=id, name=f"{id}.png", media_type="image/png", size=3) for id in "pq")
    prompts = (UserPrompt("a", files=(one,)), AnswerPrompt(text="t"), UserPrompt("b", files=(two,)))
    request = ModelRequest(model=MODEL, prompts=prompts, files={"p": b"png", "q": b"gnp"})
    no = refusal("Could not process image")
    async with Endpoint(no, no, ANSWER) as endpoint:
        await _ask(AnthropicModel(endpoint.url, "key", transport), request)
    assert [asked.body.count(b'"type":"image"') for asked in endpoint.asked] == [2, 1, 0]
    async with Endpoint(no) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(AnthropicModel(endpoint.url, "key", transport), request)
        assert len(endpoint.asked) == 3


async def test_a_model_that_takes_no_documents_is_told_of_them_from_then_on(transport: Transport) -> None:
    file = FileRef(id="d", name="a.pdf", media_type="application/pdf", size=3)
    request = ModelRequest(model=MODEL, prompts=(UserPrompt("a", files=(file,)),), files={"d": b"pdf"})
    said = (
        "messages.0.content.0: Input tag 'document' found using 'type' does not match any of the expected tags: 'text'"
    )
    async with Endpoint(refusal(said), ANSWER) as endpoint:
        model = AnthropicModel(endpoint.url, "key", transport)
        await _ask(model, request)
        await _ask(model, request)
    kinds = [asked.json["messages"][0]["content"][0]["type"] for asked in endpoint.asked]
    assert kinds == ["document", "text", "text"]
