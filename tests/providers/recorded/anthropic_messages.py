"""Recordings of the Messages API."""

import json
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from luxx.core.ports import Endpoint as Provider
from luxx.core.prompts import AnswerPrompt, ModelRequest, Prompt, ResultPrompt, ToolSpec, UserPrompt
from luxx.providers.anthropic.answer import AnswerDecoder
from luxx.providers.anthropic.model import AnthropicModel
from luxx.providers.transport import Transport
from tests.providers import cassettes

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "tool_use": "tool_calls", "max_tokens": "length"}


class AnthropicMessages:
    """The Messages API as recorded."""

    kind = "anthropic-messages"
    otherwise: MappingProxyType[str, cassettes.Expected] = MappingProxyType({})

    def end_of(self, stream: cassettes.Stream) -> int | None:
        return stream.body.find(b'"message_delta"')

    def decoder(self) -> AnswerDecoder:
        return AnswerDecoder()

    def provider(self, base_url: str, transport: Transport) -> Provider:
        return AnthropicModel(base_url, "key", transport)

    def reason(self, word: str) -> str:
        return _REASONS.get(word, word)

    def loops(self) -> list[cassettes.Loop]:
        return cassettes.loops(self.kind)

    def request(self, recorded: dict[str, Any], answers: Sequence[AnswerPrompt]) -> ModelRequest:
        told = iter(answers)
        prompts: list[Prompt] = []
        for message in recorded["messages"]:
            if message["role"] == "assistant":
                prompts.append(next(told))
                continue
            for block in message["content"]:
                if block["type"] == "tool_result":
                    prompts.append(ResultPrompt(id=block["tool_use_id"], name="", content=_text(block["content"])))
                else:
                    prompts.append(UserPrompt(block["text"]))
        return ModelRequest(
            model=recorded["model"],
            prompts=tuple(prompts),
            system=_text(recorded["system"]) if recorded.get("system") else None,
            temperature=recorded.get("temperature"),
            max_tokens=recorded["max_tokens"],
            tools=tuple(
                ToolSpec(name=tool["name"], description=tool["description"], parameters=tool["input_schema"])
                for tool in recorded["tools"]
            ),
        )

    def compare(self, ours: dict[str, Any], theirs: dict[str, Any], loop: str) -> None:
        assert json.dumps(ours).count('"cache_control"') <= 4
        ours = _without_marks(ours)
        assert ours["messages"] == [_whole(message) for message in theirs["messages"]]
        assert ours["tools"] == theirs["tools"]
        for name in ("model", "max_tokens", "stream", "system", "temperature"):
            assert ours.get(name) == theirs.get(name)


def _text(content: str | list[dict[str, Any]]) -> str:
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


def _without_marks(body: dict[str, Any]) -> dict[str, Any]:
    return json.loads(
        json.dumps(body), object_hook=lambda found: {k: v for k, v in found.items() if k != "cache_control"}
    )


def _whole(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message with the texts of its results as blocks."""
    blocks = [
        {**block, "content": [{"type": "text", "text": block["content"]}]}
        if block["type"] == "tool_result" and isinstance(block["content"], str)
        else block
        for block in message["content"]
    ]
    return {**message, "content": blocks}
