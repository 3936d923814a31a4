"""Recordings of the Responses format."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.responses.answer import AnswerDecoder
from luxx.providers.responses.model import ResponsesModel
from luxx.providers.transport import Transport
from tests.providers import cassettes, responses_rules

# Its call ids are unique within one response only, and its client made them so by the id of the response.
_RENAMED_IDS = "bedrock-mantle-openai-gpt-5-6-luna-63ea"
_OF_ANSWERS = ("function_call", "reasoning")
_INPUT_ONLY = ("status", "created_by", "logprobs")


class Responses:
    """Responses as recorded."""

    kind = "openai-responses"
    # The clients that the expectations were taken from overlook reasoning in words.
    otherwise: Mapping[str, cassettes.Expected] = MappingProxyType(
        {
            "deepseek__deepseek-v4-flash__668600": cassettes.Expected(
                reasoning="The user asks about temperature in Tokyo. I'll call the tool."
            ),
            "open-responses__zai-org-glm-4.7-flash__b858f4": cassettes.Expected(reasoning=None),
        }
    )

    def end_of(self, stream: cassettes.Stream) -> int | None:
        return stream.body.rfind(b"response.completed") if b"response.completed" in stream.body else None

    def decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def provider(self, base_url: str, transport: Transport) -> Provider:
        return ResponsesModel(base_url, "key", transport)

    def reason(self, word: str) -> str:
        return word

    def loops(self) -> list[cassettes.Loop]:
        return cassettes.loops(self.kind)

    def request(self, recorded: dict[str, Any], answers: Sequence[AnswerPrompt]) -> ModelRequest:
        prompts: list[Prompt] = []
        told = iter(answers)
        calls: list[CallPrompt] = []
        in_answer = False
        for item in recorded["input"]:
            if _is_of_answer(item):
                if not in_answer:
                    answer = next(told)
                    prompts.append(answer)
                    calls = list(answer.calls)
                in_answer = True
                continue
            in_answer = False
            if item.get("type") == "function_call_output":
                called = calls.pop(0)
                prompts.append(ResultPrompt(id=called.id, name=called.name, content=item["output"]))
            elif item["role"] == "user":
                prompts.append(UserPrompt(_text(item)))
        return ModelRequest(
            model=recorded["model"],
            prompts=tuple(prompts),
            system=_system(recorded),
            tools=tuple(map(_tool, recorded.get("tools", ()))),
        )

    def compare(self, ours: dict[str, Any], theirs: dict[str, Any], loop: str) -> None:
        exact_ids = loop != _RENAMED_IDS
        assert ours["model"] == theirs["model"]
        assert ours["stream"] is True
        assert ours["store"] is False
        assert _system(ours) == _system(theirs)
        assert [tool["name"] for tool in ours["tools"]] == [tool["name"] for tool in theirs["tools"]]
        assert _calls(ours, exact_ids) == _calls(theirs, exact_ids)
        asked = [_text(item) for item in ours["input"] if item.get("role") == "user"]
        assert asked == [_text(item) for item in theirs["input"] if item.get("role") == "user"]
        for item in theirs["input"]:
            if item.get("type") == "reasoning":
                kept = {name: value for name, value in item.items() if name not in ("id", *_INPUT_ONLY)}
                assert kept in ours["input"]
        responses_rules.check(ours)


def _is_of_answer(item: dict[str, Any]) -> bool:
    return item.get("type") in _OF_ANSWERS or item.get("role") == "assistant"


def _system(request: dict[str, Any]) -> str | None:
    said = [_text(item) for item in request["input"] if item.get("role") in ("system", "developer")]
    return request.get("instructions") or next(iter(said), None)


def _calls(request: dict[str, Any], exact_ids: bool) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for item in request["input"]:
        call_id = item["call_id"] if exact_ids and "call_id" in item else ""
        if item.get("type") == "function_call":
            found.append((call_id, item["name"], json.dumps(json.loads(item["arguments"]))))
        elif item.get("type") == "function_call_output":
            found.append((call_id, item["output"]))
    return found


def _text(item: dict[str, Any]) -> str:
    content = item["content"]
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _tool(tool: dict[str, Any]) -> ToolSpec:
    return ToolSpec(name=tool["name"], description=tool.get("description") or "", parameters=tool["parameters"])
