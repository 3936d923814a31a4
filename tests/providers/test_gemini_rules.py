"""What Google's API demands of every history, whatever was said in it."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.providers.gemini.request import encode_request
from tests.providers import generate_content_rules
from tests.providers.generate_content import call, decode, said

PNG = FileRef(id="i", name="a.png", media_type="image/png", size=3)
BIN = FileRef(id="b", name="a.bin", media_type="application/octet-stream", size=3)

texts = st.sampled_from(["", "a", "b\ud800", "\0"])
files = st.lists(st.sampled_from([PNG, BIN]), max_size=2).map(tuple)
calls = st.lists(st.sampled_from(["f", "g h"]), max_size=3)


def _answer(
    number: int, text: str, named: list[str], native: bool, missing: bool, made: tuple[FileRef, ...]
) -> list[Prompt]:
    """Return an answer with the results of its calls; a native one has the parts in which it came."""
    raw, ids = b"", [f"{number}-{place}" for place in range(len(named))]
    if native:
        told = decode(
            [
                said({"text": text}),
                said(*(call(name, {}, signature="" if n else "S") for n, name in enumerate(named)), finish="STOP"),
            ]
        )
        raw, text = told.raw, told.text
    made_calls = tuple(CallPrompt(id=id, name=name, arguments="{}") for id, name in zip(ids, named, strict=True))
    results = [ResultPrompt(id=one.id, name=one.name, content="ok", files=made) for one in made_calls]
    answer = AnswerPrompt(text=text, calls=made_calls, raw=raw, files=() if native else made)
    return [answer, *results[: -1 if missing else None]]


histories = st.lists(
    st.builds(lambda text, some: [UserPrompt(text, some)], texts, files)
    | st.builds(_answer, st.integers(0, 10**6), texts, calls, st.booleans(), st.booleans(), files),
    min_size=1,
    max_size=6,
).map(lambda some: [prompt for prompts in some for prompt in prompts])


@settings(max_examples=100, deadline=None)
@given(histories, st.sampled_from(["gemini-2.5-flash", "gemini-3-flash-preview"]))
def test_every_history_keeps_the_rules(history: list[Prompt], model: str) -> None:
    request = ModelRequest(model=model, prompts=tuple(history), files={"i": b"png"})
    generate_content_rules.check(json.loads(encode_request(request)), signed=model != "gemini-2.5-flash")
