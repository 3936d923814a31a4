"""The provider: a model behind HTTP, in the process of the tests, which speaks the OpenAI format and plays the script that it is asked."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

from aiohttp import web

_HEADERS = {"Content-Type": "text/event-stream"}
FIRST_PIECE_AFTER = 0.15
"""Seconds that every answer is waited for: time to be cut before it has begun."""
PAST_THE_LAST = [{"type": "text", "text": "."}]
"""What is said after the script's last round, as when an answer that says all is continued."""


class Answer:
    """What became of one request: when it came, how many pieces were sent, and whether all were."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.pieces = 0
        self.whole = False


class Provider:
    """Plays the script in the last user message, and keeps the answers to each such message in `answers`, in order."""

    def __init__(self) -> None:
        self.port = 0
        self.answers: dict[str, list[Answer]] = {}
        self.running = 0
        self.last_cut = 0.0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request for a completion."""
        messages = (await request.json())["messages"]
        if any("extra_content" not in call for message in messages for call in message.get("tool_calls", ())):
            return web.json_response({"error": {"message": "A call came back without its signature."}}, status=400)
        question, number = _place(messages)
        answer = Answer()
        self.answers.setdefault(question, []).append(answer)
        response = web.StreamResponse(headers=_HEADERS)
        self.running += 1
        try:
            with contextlib.suppress(ConnectionError):
                await asyncio.sleep(FIRST_PIECE_AFTER)
                await response.prepare(request)
                await _play(
                    response, answer, dict(enumerate(json.loads(question)["script"])).get(number, PAST_THE_LAST)
                )
        finally:
            self.running -= 1
        return response

    def broke_off(self, question: str) -> bool:
        """Whether the wire was cut after the last answer to a message had begun."""
        last = self.answers[question][-1] if question in self.answers else None
        return last is not None and last.pieces > 0 and self.last_cut >= last.began

    def counts(self) -> str:
        """Say how many answers were asked for, and how many not given to their end: cut, or no longer wanted."""
        answers = [answer for given in self.answers.values() for answer in given]
        cut = [answer for answer in answers if not answer.whole]
        early = sum(answer.pieces == 0 for answer in cut)
        return f"{len(answers)} answers asked of the provider, {len(cut)} broken off, {early} of them before their first piece"


async def _play(response: web.StreamResponse, answer: Answer, actions: list[dict[str, Any]]) -> None:
    calls = sum(action["type"] == "call" for action in actions)
    slot = 0
    for action in actions:
        if action["type"] == "pause":
            await asyncio.sleep(action["ms"] / 1000)
            continue
        for delta in _deltas(action, slot):
            await response.write(_event({"index": 0, "delta": delta, "finish_reason": None}))
            answer.pieces += 1
            await asyncio.sleep(action.get("delay_ms", 0) / 1000)
        slot += action["type"] == "call"
    reason = "tool_calls" if calls else "stop"
    await response.write(_event({"index": 0, "delta": {}, "finish_reason": reason}) + b"data: [DONE]\n\n")
    await response.write_eof()
    answer.whole = True


def _deltas(action: dict[str, Any], slot: int) -> Iterator[dict[str, Any]]:
    if action["type"] == "call":
        arguments = json.dumps(action["arguments"])
        half = len(arguments) // 2
        call = {"index": slot, "id": f"call-{slot}", "type": "function"}
        signed = {"extra_content": {"signed": arguments}}
        yield {"tool_calls": [{**call, **signed, "function": {"name": action["name"], "arguments": arguments[:half]}}]}
        yield {"tool_calls": [{"index": slot, "function": {"arguments": arguments[half:]}}]}
        return
    field = "reasoning_content" if action["type"] == "thinking" else "content"
    text, size = action["text"], action.get("chunk") or len(action["text"])
    yield from ({field: text[at : at + size]} for at in range(0, len(text), size))


def _event(choice: dict[str, Any]) -> bytes:
    chunk = {"id": "chaos", "object": "chat.completion.chunk", "model": "chaos", "choices": [choice]}
    return b"data: %b\n\n" % json.dumps(chunk).encode()


def _place(messages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return the last user message that is a script, and how many answers follow it; one that is none asks to go on."""
    scripts = {place: text for place, it in enumerate(messages) if (text := _said(it)).startswith('{"script"')}
    last = max(scripts)
    return scripts[last], sum(message["role"] == "assistant" for message in messages[last:])


def _said(message: dict[str, Any]) -> str:
    content = message["content"] if message["role"] == "user" else ""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@contextlib.asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """Serve on a free port of this machine."""
    made = Provider()
    application = web.Application(client_max_size=2**24)
    application.router.add_post("/v1/chat/completions", made.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    try:
        yield made
    finally:
        await runner.cleanup()
