"""Recordings of chat completions."""

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.openai.answer import AnswerDecoder
from luxx.providers.openai.model import OpenAIModel
from luxx.providers.transport import Transport
from tests.providers import cassettes

# Groq refused an answer because the client had demanded a call of a tool, which Luxx never does; what follows is that
# client's own complaint about the answer.
_NO_LOOP = "groq-openai-gpt-oss-120b-952e"
# Here Groq refused a call, and the client made up an id for it.
_INVENTED_IDS = "groq-openai-gpt-oss-120b-25e9"


class OpenAIChat:
    """Chat completions as recorded."""

    kind = "chat-completions"
    # The clients that the expectations were taken from overlook this.
    otherwise = MappingProxyType(
        {
            "syn__two-choices": cassettes.Expected(text="right"),  # choices other than 0 are ignored
            "mistral__magistral-medium-latest__b1d276": cassettes.Expected(
                reasoning=None
            ),  # thinking parts are reasoning
            "snowflake__claude-sonnet-4-6__684fea": cassettes.Expected(reasoning="15 * 27 = 405"),  # and so are details
        }
    )

    def end_of(self, stream: cassettes.Stream) -> int | None:
        return stream.body.rindex(b"finish_reason") if stream.has_reason else None

    def decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def provider(self, base_url: str, transport: Transport) -> Provider:
        return OpenAIModel(base_url, "key", transport)

    def reason(self, word: str) -> str:
        return word

    def loops(self) -> list[cassettes.Loop]:
        return [loop for loop in cassettes.loops(self.kind) if loop.id != _NO_LOOP]

    def request(self, recorded: dict[str, Any], answers: Sequence[AnswerPrompt]) -> ModelRequest:
        messages: list[dict[str, Any]] = recorded["messages"]
        prompts: list[Prompt] = []
        told = iter(answers)
        calls: list[CallPrompt] = []
        for message in messages:
            match message["role"]:
                case "user":
                    prompts.append(UserPrompt(_text(message)))
                case "tool":
                    called = calls.pop(0)
                    prompts.append(ResultPrompt(id=called.id, name=called.name, content=_text(message)))
                case "assistant" if message.get("content") or message.get(
                    "tool_calls"
                ):  # else the client's own artefact
                    answer = next(told)
                    prompts.append(answer)
                    calls = list(answer.calls)
                case _:
                    pass
        return ModelRequest(
            model=recorded["model"],
            prompts=tuple(prompts),
            system=next((_text(m) for m in messages if m["role"] == "system"), None),
            tools=tuple(map(_tool, recorded.get("tools", ()))),
        )

    def compare(self, ours: dict[str, Any], theirs: dict[str, Any], loop: str) -> None:
        exact_ids = loop != _INVENTED_IDS
        assert ours["model"] == theirs["model"]
        assert ours["stream"] is True
        assert [t["function"]["name"] for t in ours.get("tools", [])] == [
            t["function"]["name"] for t in theirs.get("tools", [])
        ]
        assert _calls(ours, exact_ids) == _calls(theirs, exact_ids)
        assert _results(ours, exact_ids) == _results(theirs, exact_ids)
        asked = [_text(m) for m in ours["messages"] if m["role"] in ("system", "user")]
        assert asked == [_text(m) for m in theirs["messages"] if m["role"] in ("system", "user")]


def _calls(request: dict[str, Any], exact_ids: bool) -> list[list[tuple[str, str, object]]]:
    made = [message["tool_calls"] for message in request["messages"] if message.get("tool_calls")]
    return [
        [
            (c["id"] if exact_ids else "", c["function"]["name"], json.loads(c["function"]["arguments"] or "{}"))
            for c in calls
        ]
        for calls in made
    ]


def _results(request: dict[str, Any], exact_ids: bool) -> list[tuple[str, str]]:
    messages = [message for message in request["messages"] if message["role"] == "tool"]
    return [(message["tool_call_id"] if exact_ids else "", _text(message)) for message in messages]


def _text(message: dict[str, Any]) -> str:
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _tool(tool: dict[str, Any]) -> ToolSpec:
    function = tool["function"]
    return ToolSpec(
        name=function["name"], description=function.get("description", ""), parameters=function.get("parameters", {})
    )
