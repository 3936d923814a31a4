"""The model behind an OpenAI-compatible endpoint, over a real connection."""

import gzip
import json
from collections.abc import AsyncIterator

import pytest

from luxx.core.deltas import Finish
from luxx.core.errors import (
    AnswerIncomplete,
    ProviderAuth,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
)
from luxx.core.ports import ModelInfo
from luxx.core.prompts import ModelRequest, UserPrompt
from luxx.core.usage import Usage
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Patience, Transport
from tests.providers.chat import DONE, delta, event, text
from tests.providers.endpoint import Answer, Endpoint, json_answer
from tests.providers.told import Told

REQUEST = ModelRequest(model="m", prompts=(UserPrompt("hi"),), temperature=0.5, max_tokens=7)
ANSWER = Answer(pieces=[text("a")])


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(model: OpenAIModel, request: ModelRequest = REQUEST) -> Told:
    return Told([delta async for deltas in model.stream(request) for delta in deltas])


def _refusal(message: str, param: str | None = None, status: int = 400, code: str | None = None) -> Answer:
    return json_answer({"error": {"message": message, "param": param, "code": code}}, status)


@pytest.mark.parametrize(
    ("suffix", "path"),
    [
        ("", "/v1/chat/completions"),
        ("/", "/v1/chat/completions"),
        ("/x?api-version=2", "/v1/x/chat/completions?api-version=2"),
    ],
)
async def test_the_base_url_is_used_as_given(transport: Transport, suffix: str, path: str) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(OpenAIModel(endpoint.url + suffix, "key", transport))
        assert endpoint.asked[0].path == path


async def test_the_key_and_further_headers_are_sent(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(OpenAIModel(endpoint.url, " key\n", transport, headers={"X-Title": "t"}))
        await _ask(OpenAIModel(endpoint.url, None, transport))
    first, second = (asked.headers for asked in endpoint.asked)
    assert (first["authorization"], first["x-title"]) == ("Bearer key", "t")
    assert "authorization" not in second


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://h/v1", "http://", "http://h:99999/v1", "http://[::1/v1"])
async def test_a_base_url_that_is_none_is_said_to_be_none(transport: Transport, url: str) -> None:
    with pytest.raises(ProviderRejected, match="base URL"):
        await _ask(OpenAIModel(url, "key", transport))


@pytest.mark.parametrize("key", ["sk-\u201cquoted\u201d", "a\nb", "a\0b"])
async def test_a_key_with_impossible_characters_is_not_sent(transport: Transport, key: str) -> None:
    async with Endpoint(ANSWER) as endpoint:
        with pytest.raises(ProviderAuth):
            await _ask(OpenAIModel(endpoint.url, key, transport))
        assert not endpoint.asked


async def test_a_field_that_is_refused_is_left_out_from_then_on(transport: Transport) -> None:
    async with Endpoint(
        _refusal("Unrecognized request argument supplied: stream_options", "stream_options"),
        _refusal("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", "max_tokens"),
        _refusal("Unsupported value: 'temperature' does not support 0.5 with this model.", "temperature"),
        ANSWER,
    ) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        assert (await _ask(model)).text == "a"
        assert (await _ask(model)).text == "a"
    *_, fourth, fifth = (asked.json for asked in endpoint.asked)
    assert len(endpoint.asked) == 5
    assert fourth == fifth
    assert fourth["max_completion_tokens"] == 7
    assert not {"stream_options", "temperature", "max_tokens"} & fourth.keys()


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("Unrecognized request argument supplied: reasoning_effort"),
        json_answer({"detail": [{"type": "extra_forbidden", "loc": ["body", "reasoning_effort"]}]}, 422),
    ],
)
async def test_how_much_to_think_is_said_where_it_is_taken(transport: Transport, refusal: Answer) -> None:
    async with Endpoint(refusal, ANSWER) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for thinking in ("off", "high"):
            assert (await _ask(model, ModelRequest(model="m", prompts=REQUEST.prompts, thinking=thinking))).text == "a"
        await _ask(model, ModelRequest(model="other", prompts=REQUEST.prompts, thinking="high"))
        await _ask(model, ModelRequest(model="other", prompts=REQUEST.prompts))
    efforts = [asked.json.get("reasoning_effort") for asked in endpoint.asked]
    assert efforts == ["none", None, None, "high", None]


async def test_what_one_model_refuses_is_still_sent_to_another(transport: Transport) -> None:
    async with Endpoint(_refusal("temperature is deprecated for this model"), ANSWER) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        await _ask(model)
        await _ask(model, ModelRequest(model="other", prompts=REQUEST.prompts, temperature=0.5))
    assert ["temperature" in asked.json for asked in endpoint.asked] == [True, False, True]


@pytest.mark.parametrize(
    "refusal",
    [
        _refusal("temperature: must be less than or equal to 2, unsupported value", "temperature"),
        _refusal("stream_options is not supported", status=403),
        _refusal("messages: unsupported"),
    ],
)
async def test_a_mistake_of_the_person_is_reported_and_not_repaired(transport: Transport, refusal: Answer) -> None:
    async with Endpoint(refusal) as endpoint:
        with pytest.raises(ProviderError):
            await _ask(OpenAIModel(endpoint.url, "key", transport))
        assert len(endpoint.asked) == 1


async def test_a_field_that_is_refused_twice_is_reported(transport: Transport) -> None:
    async with Endpoint(_refusal("stream_options is not supported")) as endpoint:
        with pytest.raises(ProviderRejected):
            await _ask(OpenAIModel(endpoint.url, "key", transport))
        assert len(endpoint.asked) == 2


async def test_usage_after_the_finish_reason_is_waited_for(transport: Transport) -> None:
    usage = event({"choices": [], "usage": {"prompt_tokens": 2, "completion_tokens": 1}})
    async with Endpoint(Answer(pieces=[delta(content="a"), delta("stop"), usage, DONE], end="hold")) as endpoint:
        told = await _ask(OpenAIModel(endpoint.url, "key", transport))
    assert told.finish == Finish(reason="stop", usage=Usage(input_tokens=2, output_tokens=1, total_tokens=3))


@pytest.mark.parametrize("answer", [Answer(pieces=[text("a")[: -len(DONE)]], end="cut")])
async def test_a_connection_that_breaks_after_the_finish_reason_has_brought_all(
    transport: Transport, answer: Answer
) -> None:
    async with Endpoint(answer) as endpoint:
        assert (await _ask(OpenAIModel(endpoint.url, "key", transport))).reason == "stop"


async def test_a_compressed_stream_is_read(transport: Transport) -> None:
    headers = {"Content-Type": "text/event-stream", "Content-Encoding": "gzip"}
    async with Endpoint(Answer(pieces=[gzip.compress(text("a"))], headers=headers)) as endpoint:
        assert (await _ask(OpenAIModel(endpoint.url, "key", transport))).text == "a"


async def test_a_body_that_is_not_what_its_headers_say_is_an_error_of_the_provider(transport: Transport) -> None:
    headers = {"Content-Encoding": "gzip"}
    async with Endpoint(Answer(pieces=[text("a")], headers=headers)) as endpoint:
        with pytest.raises(ProviderUnreachable):
            await _ask(OpenAIModel(endpoint.url, "key", transport))


async def test_after_the_transport_was_closed_nothing_is_sent(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await transport.aclose()
        with pytest.raises(ProviderUnreachable):
            await _ask(OpenAIModel(endpoint.url, "key", transport))
        assert not endpoint.asked


@pytest.mark.parametrize(
    "body",
    [
        {"data": [{"id": "a", "context_length": 10}, {"id": "b"}]},
        {"data": [{"id": "a", "n_ctx": 10}, {"id": "b", "context_window": True, "n_ctx": 10**30}]},
        {"data": [{"id": "a", "meta": {"n_ctx": 10}}, {"id": "b", "context_window": None}, {"id": "a"}, 7, {}]},
        {"models": [{"name": "a", "max_model_len": 10}, "b"]},
        [{"id": "a", "context_window": 10}, {"id": "b"}],
    ],
)
async def test_models_are_listed_in_any_shape(transport: Transport, body: object) -> None:
    async with Endpoint(json_answer(body)) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        assert await model.list_models() == (ModelInfo(id="a", context_window=10), ModelInfo(id="b"))
        assert (await model.check()).models == 2
        assert endpoint.asked[0].path == "/v1/models"


async def test_a_model_with_half_a_character_in_its_name_does_not_hide_the_others(transport: Transport) -> None:
    async with Endpoint(json_answer({"data": [{"id": "a\ud83d"}, {"id": "b"}, "\0"]})) as endpoint:
        found = await OpenAIModel(endpoint.url, "key", transport).list_models()
    assert [model.id for model in found] == ["a\ufffd", "b", "\ufffd"]


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"7", b'{"data": 7}', b"\xff", b"[" * 5000])
async def test_what_is_no_list_of_models_is_said_to_be_none(transport: Transport, body: bytes) -> None:
    async with Endpoint(Answer(pieces=[body])) as endpoint:
        check = await OpenAIModel(endpoint.url, "key", transport).check()
    assert not check.ok
    assert "base URL" in check.detail


async def test_an_endpoint_without_a_list_of_models_is_told_from_a_wrong_key(transport: Transport) -> None:
    async with Endpoint(_refusal("no", status=404), _refusal("bad key", status=401)) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        assert "no list of models" in (await model.check()).detail
        assert "key" in (await model.check()).detail


async def test_the_limits_of_time_are_those_given(transport: Transport) -> None:
    patient = Transport(Patience(between_reads_s=0.05))
    body = event({"choices": [{"index": 0, "delta": {"content": "a"}}]})
    async with Endpoint(Answer(pieces=[body], end="hold")) as endpoint:
        with pytest.raises(ProviderError, match=r"silent for 0\.05 s"):
            await _ask(OpenAIModel(endpoint.url, "key", patient))
    await patient.aclose()


async def test_requests_are_utf_8_json(transport: Transport) -> None:
    async with Endpoint(ANSWER) as endpoint:
        await _ask(OpenAIModel(endpoint.url, "key", transport), ModelRequest(model="m", prompts=(UserPrompt("日本"),)))
        assert "日本".encode() in endpoint.asked[0].body
        assert json.loads(endpoint.asked[0].body)["stream"] is True
        assert endpoint.asked[0].headers["content-type"] == "application/json"


async def test_an_endpoint_that_sends_nothing_but_signs_of_life_is_given_up() -> None:
    impatient = Transport(Patience(between_deltas_s=0))
    async with Endpoint(Answer(pieces=[b": still here\n\n"] * 3, end="hold")) as endpoint:
        with pytest.raises(ProviderTimeout, match="signs of life"):
            await _ask(OpenAIModel(endpoint.url, "key", impatient))
        await impatient.aclose()


async def test_what_is_no_json_in_mid_answer_cuts_it(transport: Transport) -> None:
    async with Endpoint(Answer(pieces=[delta(content="half"), b'data: {"choices": [{"ind\n\n'])) as endpoint:
        with pytest.raises(AnswerIncomplete, match="not JSON"):
            await _ask(OpenAIModel(endpoint.url, "key", transport))
