"""What every model behind HTTP must do, whatever its wire format: one list for all of them."""

import asyncio
import json
import tracemalloc
from collections.abc import AsyncIterator

import msgspec
import pytest

from luxx.core.deltas import Finish, TextDelta
from luxx.core.errors import (
    AnswerIncomplete,
    ProviderAuth,
    ProviderError,
    ProviderOverloaded,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnreachable,
    RateLimited,
)
from luxx.core.prompts import ModelRequest, ToolSpec, UserPrompt
from luxx.core.usage import Usage
from luxx.providers.transport import Patience, Transport
from tests.providers.conformance.formats import FORMATS, Format
from tests.providers.conformance.parts import call, text, thinking
from tests.providers.endpoint import Answer, Endpoint
from tests.providers.told import Told

KEY = "sk-conformance-key"
REQUEST = ModelRequest(model="m", prompts=(UserPrompt("hello"),))
A = {"properties": {"a": {"type": "string"}}, "required": ["a"]}
ALTERNATIVES = (
    {"allOf": [A]},
    {"anyOf": [A, {"properties": {"a": {"type": "integer"}}}]},
    {"oneOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": A}},
    {"if": {"properties": {"b": {"const": 1}}}, "then": A, "else": {}},
    {"properties": {"a": {}}, "not": {"required": ["b"]}},
    {"properties": {"a": {}}, "enum": [{"a": 1}, {"a": 2}]},
    {"properties": {"a": {}}, "const": {"a": 1}},
)
"""Roots that OpenAI and Anthropic refuse, and a whole request for one of them."""

pytestmark = pytest.mark.parametrize("wire", FORMATS, ids=lambda wire: wire.name)


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport()
    yield transport
    await transport.aclose()


async def _ask(wire: Format, transport: Transport, *answers: Answer) -> Told:
    """Ask once; an error is kept beside what came before it."""
    told = Told()
    async with Endpoint(*answers) as endpoint:
        try:
            async for deltas in wire.provider(endpoint.url, KEY, transport).stream(REQUEST):
                assert deltas, "an empty batch"
                for delta in deltas:
                    told.take(delta)
        except ProviderError as error:
            told.error = error
    assert (told.finish is None) == (told.error is not None)
    return told


async def test_text_comes_whole_and_ends(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.whole(text("Hel", "lo"))))
    assert (told.text, told.reason) == ("Hello", "stop")


async def test_an_empty_answer_is_an_answer(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.whole()))
    assert (told.text, told.tools, told.reason) == ("", [], "stop")


async def test_thinking_is_apart_from_text(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.whole(thinking("hm"), text("a"))))
    assert (told.reasoning, told.text) == ("hm", "a")


async def test_parallel_calls_keep_their_ids_names_and_arguments(wire: Format, transport: Transport) -> None:
    pieces = wire.whole(call("a", "f", '{"x"', ":1}"), call("b", "g", '{"y":2}'))
    told = await _ask(wire, transport, Answer(pieces=pieces))
    assert [(id, name, json.loads(arguments)) for id, name, arguments in told.tools] == [
        ("a", "f", {"x": 1}),
        ("b", "g", {"y": 2}),
    ]
    assert told.done == {0, 1}
    assert told.reason == "tool_calls"


async def test_a_call_without_arguments_is_done_at_the_end(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.whole(call("a", "f"))))
    assert told.tools in ([("a", "f", "")], [("a", "f", "{}")])
    assert told.done == {0}


async def test_usage_is_told(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.whole(text("a"), usage=(7, 3))))
    assert told.finish
    assert told.finish.usage == Usage(input_tokens=7, output_tokens=3, total_tokens=10)


async def test_usage_that_is_told_early_outlives_an_answer_that_breaks_off(wire: Format, transport: Transport) -> None:
    early = Usage(input_tokens=7, output_tokens=1, total_tokens=8) if wire.tells_early else None
    told = await _ask(wire, transport, Answer(pieces=wire.begin(text("a"), usage=(7, 1)), end="cut"))
    assert (told.text, told.spent) == ("a", early)
    assert isinstance(told.error, AnswerIncomplete)


async def test_usage_alone_is_nothing_of_an_answer(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=wire.begin(usage=(7, 1)), end="cut"))
    assert isinstance(told.error, ProviderUnreachable)
    assert told.error.retryable


@pytest.mark.parametrize("said", ["日本語 é", "👩‍👩‍👧‍👦 🇫🇷", "a\u2028b\u2029c\u0085d\x0be", '\\n " </script>'])
async def test_any_text_comes_as_it_is_however_it_is_cut(wire: Format, transport: Transport, said: str) -> None:
    body = b"".join(wire.whole(text(said)))
    for size in (1, 7):
        pieces = [body[i : i + size] for i in range(0, len(body), size)]
        assert (await _ask(wire, transport, Answer(pieces=pieces))).text == said


async def test_a_split_surrogate_pair_is_joined_and_a_lone_one_replaced(wire: Format, transport: Transport) -> None:
    pieces = wire.whole(text("a\ud83d", "\ude00b\ud83d", "c"))
    assert (await _ask(wire, transport, Answer(pieces=pieces))).text == "a😀b\ufffdc"


@pytest.mark.parametrize("end", ["whole", "cut"])
async def test_a_stream_that_ends_without_its_end_is_incomplete(wire: Format, transport: Transport, end: str) -> None:
    answer = Answer(pieces=wire.begin(text("a")), end="whole" if end == "whole" else "cut")
    told = await _ask(wire, transport, answer)
    assert told.text == "a"
    assert isinstance(told.error, AnswerIncomplete)


async def test_a_connection_that_breaks_before_the_first_delta_is_unreachable(
    wire: Format, transport: Transport
) -> None:
    told = await _ask(wire, transport, Answer(end="cut"))
    assert isinstance(told.error, ProviderUnreachable)
    assert told.error.retryable


async def test_an_error_in_mid_stream_comes_after_what_was_told(wire: Format, transport: Transport) -> None:
    told = await _ask(wire, transport, Answer(pieces=[*wire.begin(text("a")), wire.failure(f"broken {KEY}")]))
    assert told.text == "a"
    assert isinstance(told.error, ProviderOverloaded)
    assert "broken" in told.error.message
    assert KEY not in told.error.message


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ProviderRejected),
        (400, ProviderRejected),
        (401, ProviderAuth),
        (403, ProviderAuth),
        (404, ProviderRejected),
        (429, RateLimited),
        (500, ProviderOverloaded),
        (503, ProviderOverloaded),
        (529, ProviderOverloaded),
    ],
)
async def test_a_refusal_is_the_right_error_and_hides_the_key(
    wire: Format, transport: Transport, status: int, kind: type[ProviderError]
) -> None:
    told = await _ask(wire, transport, Answer(pieces=[wire.refusal(f"no, {KEY}")], status=status))
    assert type(told.error) is kind
    assert told.error
    assert told.error.status == status
    assert KEY not in told.error.message


async def test_a_rate_limit_says_when_to_come_back(wire: Format, transport: Transport) -> None:
    answer = Answer(pieces=[wire.refusal("slow down")], status=429, headers={"Retry-After": "3"})
    told = await _ask(wire, transport, answer)
    assert isinstance(told.error, RateLimited)
    assert told.error.retry_after == 3.0


async def test_a_redirect_is_not_followed(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer(pieces=wire.whole())) as other:
        told = await _ask(wire, transport, Answer(status=307, headers={"Location": other.url}))
        assert isinstance(told.error, ProviderRejected)
        assert not other.asked


async def test_closing_the_iterator_closes_the_connection(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer(pieces=wire.begin(text("a")), end="hold")) as endpoint:
        stream = wire.provider(endpoint.url, KEY, transport).stream(REQUEST)
        assert await anext(stream) == [TextDelta("a")]
        await stream.aclose()
        await asyncio.wait_for(endpoint.gone.wait(), 5)


async def test_an_answer_under_way_does_not_keep_its_request(wire: Format, transport: Transport) -> None:
    large = 8_000_000
    request = ModelRequest(model="m", prompts=(UserPrompt("x" * large),))
    async with Endpoint(Answer(pieces=wire.begin(text("a")), end="hold")) as endpoint:
        tracemalloc.start()
        try:
            stream = wire.provider(endpoint.url, KEY, transport).stream(request)
            assert await anext(stream) == [TextDelta("a")]
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await stream.aclose()
    assert kept < 1.5 * large, "the endpoint has kept it once"


@pytest.mark.parametrize("silent", [True, False], ids=["before the headers", "in mid-answer"])
async def test_cancelling_the_task_closes_the_connection(wire: Format, transport: Transport, silent: bool) -> None:
    async with Endpoint(Answer(pieces=wire.begin(text("a")), end="hold", silent=silent)) as endpoint:
        began = asyncio.Event()

        async def ask() -> None:
            async for _ in wire.provider(endpoint.url, KEY, transport).stream(REQUEST):
                began.set()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(ask())
            await asyncio.wait_for((endpoint.arrived if silent else began).wait(), 5)
            task.cancel()
            await asyncio.wait_for(endpoint.gone.wait(), 5)


async def test_silence_is_a_timeout(wire: Format) -> None:
    for patience, answer in (
        (Patience(first_byte_s=0.05), Answer(silent=True)),
        (Patience(first_byte_s=0.05), Answer(end="hold")),
        (Patience(between_reads_s=0.05), Answer(pieces=wire.begin(text("a")), end="hold")),
    ):
        transport = Transport(patience)
        told = await _ask(wire, transport, answer)
        assert isinstance(told.error, ProviderTimeout)
        await transport.aclose()


async def test_nobody_there_is_unreachable(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer()) as endpoint:
        url = endpoint.url
    with pytest.raises(ProviderUnreachable, match="Cannot reach"):
        await anext(wire.provider(url, KEY, transport).stream(REQUEST))


async def test_two_answers_use_one_connection(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer(pieces=wire.whole(text("a")))) as endpoint:
        for _ in range(2):
            told = [d async for deltas in wire.provider(endpoint.url, KEY, transport).stream(REQUEST) for d in deltas]
            assert isinstance(told[-1], Finish)
        assert endpoint.connections == 1


async def test_many_answers_run_side_by_side(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer(pieces=wire.begin(text("a")), end="hold")) as endpoint:
        provider = wire.provider(endpoint.url, KEY, transport)
        streams = [provider.stream(REQUEST) for _ in range(150)]
        firsts = await asyncio.gather(*(anext(stream) for stream in streams))
        assert firsts == [[TextDelta("a")]] * 150
        for stream in streams:
            await stream.aclose()


async def test_the_check_says_in_words_what_it_found(wire: Format, transport: Transport) -> None:
    async with Endpoint(Answer(pieces=[wire.refusal(f"no {KEY}")], status=401)) as endpoint:
        check = await wire.provider(endpoint.url, KEY, transport).check()
    assert not check.ok
    assert "key" in check.detail
    assert KEY not in check.detail


async def test_the_root_of_a_tools_schema_has_no_alternatives_in_a_request(wire: Format, transport: Transport) -> None:
    tools = tuple(
        ToolSpec(name=f"t{n}", description="d", parameters={"type": "object", **schema})
        for n, schema in enumerate(ALTERNATIVES)
    )
    request = msgspec.structs.replace(REQUEST, tools=tools)
    async with Endpoint(Answer(pieces=wire.whole(text("a")))) as endpoint:
        for _ in range(2):
            assert [deltas async for deltas in wire.provider(endpoint.url, KEY, transport).stream(request)]
        first, second = endpoint.asked
    assert first.body == second.body
    sent = wire.schemas(first.json)
    assert len(sent) == len(tools)
    for schema in sent:
        assert schema["type"] == "object"
        assert "a" in schema["properties"]
        assert not schema.keys() & {"allOf", "anyOf", "oneOf", "if", "then", "else", "not", "enum", "const"}
