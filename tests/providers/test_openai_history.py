"""Endpoints that want more of earlier messages than others: that roles take turns, or that each answer has its reasoning."""

import pytest

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, UserPrompt
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport
from tests.providers.chat import text
from tests.providers.endpoint import Answer, Endpoint, json_answer

PNG = FileRef(id="i", name="a.png", media_type="image/png", size=3)
PROMPTS = (
    UserPrompt("one"),
    UserPrompt("two", (PNG,)),
    AnswerPrompt(text="cut"),
    AnswerPrompt(text="goes on", calls=(CallPrompt(id="c", name="f", arguments="{}"),)),
    ResultPrompt(id="c", name="f", content="ok"),
    UserPrompt("three"),
    UserPrompt("four"),
)
REQUEST = ModelRequest(model="m", prompts=PROMPTS, system="Be brief.", files={"i": b"png"})
ANSWER = Answer(pieces=[text("a")])


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (500, "Conversation roles must alternate user/assistant/user/assistant/..."),
        (400, "After the (optional) system message(s), user and assistant roles should be alternating."),
        (400, "After the optional system message, conversation roles must alternate user and assistant roles"),
        (400, "user or tool message(s) should alternate with assistant message(s)"),
        (400, "Unexpected role 'user' after role 'tool'"),
    ],
)
async def test_an_endpoint_that_wants_turns_gets_them_from_then_on(status: int, said: str) -> None:
    transport = Transport()
    refusal = json_answer({"error": {"message": said}}, status)
    async with Endpoint(refusal, ANSWER) as endpoint:
        model = OpenAIModel(endpoint.url, "key", transport)
        for _ in range(2):
            assert [deltas async for deltas in model.stream(REQUEST)]
        sent = [asked.json["messages"] for asked in endpoint.asked]
    await transport.aclose()
    assert len(sent[0]) == 8
    assert sent[1] == sent[2]
    assert [message["role"] for message in sent[1]] == ["system", "user", "assistant", "tool", "assistant", "user"]
    first, answer, last = sent[1][1]["content"], sent[1][2], sent[1][-1]["content"]
    assert [part["type"] for part in first] == ["text", "image_url", "text"]
    assert (answer["content"], answer["tool_calls"][0]["id"]) == ("cut\n\ngoes on", "c")
    assert last == "three\n\nfour"


@pytest.mark.parametrize(
    "said",
    [
        "The `reasoning_content` in the thinking mode must be passed back to the API.",
        "Missing `reasoning_content` field in the assistant message at message index 2. For more information, see",
        "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
    ],
)
async def test_an_endpoint_that_wants_all_reasoning_gets_what_there_is(said: str) -> None:
    transport = Transport()
    call = CallPrompt(id="c", name="f", arguments="{}")
    raw = b'{"origin":"ORIGIN","fields":{"reasoning_content":"its own"}}'
    async with Endpoint(json_answer({"error": {"message": said}}, 400), ANSWER) as endpoint:
        origin = endpoint.url.split("/")[2]
        prompts = (
            UserPrompt("one"),
            AnswerPrompt(text="two", thinking="of another", calls=(call,)),
            ResultPrompt(id="c", name="f", content="ok"),
            AnswerPrompt(text="", calls=(call,), raw=raw.replace(b"ORIGIN", origin.encode())),
            ResultPrompt(id="c", name="f", content="ok"),
            AnswerPrompt(text="three"),
            UserPrompt("four"),
        )
        model = OpenAIModel(endpoint.url, "key", transport)
        assert [deltas async for deltas in model.stream(ModelRequest(model="m", prompts=prompts))]
        sent = [asked.json["messages"] for asked in endpoint.asked]
    await transport.aclose()
    told = [
        [message.get("reasoning_content") for message in messages if message["role"] == "assistant"]
        for messages in sent
    ]
    assert told == [[None, "its own", None], ["of another", "its own", " "]]
