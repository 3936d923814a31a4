"""Recordings of generateContent."""

import re
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.gemini.answer import AnswerDecoder
from luxx.providers.gemini.model import GeminiModel
from luxx.providers.transport import Transport
from tests.providers import cassettes

_REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}
_END = re.compile(rb'"finishReason"')


class GenerateContent:
    """Google's native format as recorded."""

    kind = "gemini"
    otherwise = MappingProxyType[str, cassettes.Expected]({})

    def end_of(self, stream: cassettes.Stream) -> int | None:
        found = _END.search(stream.body)
        return found.start() if found else None

    def decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def provider(self, base_url: str, transport: Transport) -> Provider:
        return GeminiModel(base_url, "key", transport)

    def reason(self, word: str) -> str:
        return _REASONS.get(word, word)

    def loops(self) -> list[cassettes.Loop]:
        return cassettes.loops(self.kind)

    def request(self, recorded: dict[str, Any], answers: Sequence[AnswerPrompt]) -> ModelRequest:
        told = iter(answers)
        prompts: list[Prompt] = []
        for content in recorded["contents"]:
            if content.get("role") == "model":
                prompts.append(next(told))
            else:
                prompts += _prompts(content["parts"], prompts[-1] if prompts else None)
        system = recorded.get("systemInstruction") or {"parts": []}
        return ModelRequest(
            model=recorded.get("model", "gemini-2.5-flash"),
            prompts=tuple(prompts),
            system="".join(part.get("text", "") for part in system["parts"]) or None,
            tools=tuple(_tool(tool) for tool in _declared(recorded)),
        )

    def compare(self, ours: dict[str, Any], theirs: dict[str, Any], loop: str) -> None:
        assert [tool["name"] for tool in _declared(ours)] == [tool["name"] for tool in _declared(theirs)]
        assert [_meaning(part) for part in _parts(ours)] == [_meaning(part) for part in _parts(theirs)]


def _prompts(parts: list[dict[str, Any]], before: Prompt | None) -> Iterator[Prompt]:
    calls = list(before.calls) if isinstance(before, AnswerPrompt) else []
    for part in parts:
        if response := part.get("functionResponse"):
            called = calls.pop(0)
            yield ResultPrompt(id=called.id, name=called.name, content=str(response["response"]))
        elif text := part.get("text"):
            yield UserPrompt(text)


def _declared(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [declared for tool in request.get("tools") or () for declared in tool.get("functionDeclarations", ())]


def _tool(declared: dict[str, Any]) -> ToolSpec:
    parameters = declared.get("parametersJsonSchema") or declared.get("parameters") or {}
    return ToolSpec(name=declared["name"], description=declared.get("description", ""), parameters=parameters)


def _parts(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all parts but summaries of thoughts, which some clients send back and Luxx does not."""
    parts = [part for content in request["contents"] for part in content["parts"]]
    return [part for part in parts if not (part.get("thought") and not part.get("thoughtSignature"))]


def _meaning(part: dict[str, Any]) -> tuple[object, ...]:
    """Return what a part says and its signature; clients word results, and make ids up, as they like."""
    call, response = part.get("functionCall") or {}, part.get("functionResponse") or {}
    text = "" if response else part.get("text", "")
    return text, call.get("name"), call.get("args") or {}, response.get("name"), part.get("thoughtSignature")
