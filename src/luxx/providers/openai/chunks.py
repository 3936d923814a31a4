"""Chunks: the JSON of a chat-completions stream, in the shapes that providers really send."""

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from luxx.core.usage import Usage
from luxx.providers.prices import told_cost
from luxx.providers.values import MOST_TOKENS, as_object, fields_of, objects, text_of, tokens_of

# Fields typed Any differ from provider to provider in their type; whoever uses one looks at what it is. Their names are
# those of the wire. Unknown fields are skipped by the decoder.


class FunctionPiece(msgspec.Struct):
    """More of a call's name and arguments; the arguments may come as an object in place of its text."""

    name: Any = None
    arguments: Any = None


class CallPiece(msgspec.Struct):
    """More of a tool call; each field may be missing or null."""

    index: Any = None
    id: Any = None
    function: FunctionPiece | None = None
    extra_content: Any = None


class Piece(msgspec.Struct):
    """More of an answer, or the whole of it."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    thinking_blocks: Any = None
    images: Any = None
    annotations: Any = None
    executed_tools: Any = None
    refusal: Any = None
    tool_calls: list[CallPiece] | None = None
    function_call: FunctionPiece | None = None


class Choice(msgspec.Struct):
    """One of the answers asked for; Luxx asks for one."""

    index: Any = 0
    delta: Piece | None = None
    message: Piece | None = None
    finish_reason: Any = None
    usage: Any = None


class Chunk(msgspec.Struct):
    """One event of the stream, or the body of an answer that is not streamed."""

    choices: list[Choice] | None = None
    usage: Any = None
    error: Any = None
    object: Any = None
    citations: Any = None
    search_results: Any = None
    x_groq: Any = None


class NotAChunk(ValueError):
    """The data is no JSON object."""


_decoder = msgspec.json.Decoder(Chunk)
_LONGEST_NUMBER = 20
_WRITTEN = ("cache_write_tokens", "cache_creation_tokens")


def decode_chunk(data: bytes) -> Chunk:
    """Return the chunk; where a part has an unexpected type, without that part. Raises NotAChunk.

    The strict decoder takes all but odd chunks: those with half a surrogate pair, NaN, broken UTF-8 or odd types.
    """
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        value: object = json.loads(data.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise NotAChunk("not JSON") from error
    if not isinstance(value, dict):
        raise NotAChunk("not a JSON object")
    return msgspec.convert(_fitting(cast("dict[str, object]", value)), Chunk)


def _fitting(chunk: dict[str, object]) -> dict[str, object]:
    choices = [_fitting_choice(choice) for choice in objects(chunk.get("choices"))]
    return {**chunk, "choices": choices}


def _fitting_choice(choice: dict[str, object]) -> dict[str, object]:
    pieces = {name: _fitting_piece(as_object(choice.get(name))) for name in ("delta", "message")}
    return {**choice, **pieces}


def _fitting_piece(piece: dict[str, object] | None) -> dict[str, object] | None:
    if piece is None:
        return None
    calls = [{**call, "function": as_object(call.get("function"))} for call in objects(piece.get("tool_calls"))]
    return {**piece, "tool_calls": calls, "function_call": as_object(piece.get("function_call"))}


def parts_of(value: object) -> list[tuple[str, str]]:
    """Return a content field as (``text`` or ``thinking``, text), in order.

    It is a string, or a list of parts; Mistral's thinking parts hold a list of text parts themselves.
    """
    if isinstance(value, str):
        return [("text", value)]
    found: list[tuple[str, str]] = []
    for part in cast("list[object]", value) if isinstance(value, list) else [value]:
        if isinstance(part, str):
            found.append(("text", part))
        elif (fields := as_object(part)) is not None:
            if fields.get("type") in ("thinking", "reasoning"):
                found.append(("thinking", _plain(fields.get("thinking") or fields.get("text"))))
            else:
                found.append(("text", _plain(fields.get("text"))))
    return found


def _plain(value: object) -> str:
    """Return a string, or the strings in a list of text parts."""
    if isinstance(value, str):
        return value
    return "".join(text for part in objects(value) if isinstance(text := part.get("text"), str))


def reasoning_of(piece: Piece) -> str:
    """Return the reasoning of a piece; providers that send it in more than one field send the same in each."""
    for value in (piece.reasoning_content, piece.reasoning):
        if isinstance(value, str) and value:
            return value
    if not piece.reasoning_details:
        return ""
    details = objects(piece.reasoning_details)
    return "".join(_plain(detail.get("text") or detail.get("summary")) for detail in details)


def thought_chunks(content: object) -> list[tuple[str, str]]:
    """Return the thoughts of a content field as (text, signature), in the form in which Mistral sends them and wants them back."""
    return [
        (_plain(part["thinking"]), text_of(part.get("signature")))
        for part in objects(content)
        if part.get("type") == "thinking" and isinstance(part.get("thinking"), list)
    ]


def usage_of(value: object) -> Usage | None:
    """Return the usage that an object tells, or None where it tells none.

    The cached tokens have three places (OpenAI's, DeepSeek's, Moonshot's), those written to a cache as many (OpenRouter's, LiteLLM's,
    Anthropic's). xAI and Gemini leave the reasoning out of the
    completion tokens; the total shows it.
    """
    fields = as_object(value)
    if not fields:
        return None
    prompt = _count(fields, "prompt_tokens", "input_tokens")
    output = _count(fields, "completion_tokens", "output_tokens")
    total = _count(fields, "total_tokens")
    details = fields_of(fields.get("prompt_tokens_details"))
    cached = _count(details, "cached_tokens") or _count(fields, "prompt_cache_hit_tokens", "cached_tokens")
    written = _count(details, *_WRITTEN) or _count(fields, "cache_creation_input_tokens")
    reasoning = _count(as_object(fields.get("completion_tokens_details")) or fields, "reasoning_tokens")
    if reasoning and total >= prompt + output + reasoning:
        output = min(output + reasoning, MOST_TOKENS)
    if not (prompt or output or total):
        return None
    return Usage(
        input_tokens=prompt,
        output_tokens=output,
        total_tokens=total or min(prompt + output, MOST_TOKENS),
        cached_tokens=min(cached, prompt),
        cache_write_tokens=min(written, prompt),
        reasoning_tokens=min(reasoning, output),
        cost=told_cost(fields),
    )


def _count(fields: Mapping[str, object], *names: str) -> int:
    for name in names:
        if found := _tokens(fields.get(name)):
            return found
    return 0


def _tokens(value: object) -> int:
    """Return a number of tokens from 0 to MOST_TOKENS; 0 for what is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value) if len(value) <= _LONGEST_NUMBER else 0
    return tokens_of(value) or 0
