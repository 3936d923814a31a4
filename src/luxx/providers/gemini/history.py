"""History: prompts as the contents of a request, in turns of user and model."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, Prompt, ResultPrompt, UserPrompt
from luxx.providers.attachments import as_text, data_of
from luxx.providers.gemini.returned import FILE, call_in, returned_parts
from luxx.providers.gemini.tools import wire_name
from luxx.providers.gemini.values import get, object_at
from luxx.providers.values import fields_of

# Google's documented word for calls of which the model's own signature is not to be had.
NO_SIGNATURE = "skip_thought_signature_validator"
_SIGNATURE = "thoughtSignature"
_SIGNATURE_NAMES = ("thoughtSignature", "thought_signature")
_SEEN = frozenset(("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif", "application/pdf"))
_BEGINNING = "[The beginning of this conversation is left out.]"
_GO_ON = "Continue."
_NOTHING = "[An empty message.]"

Part = dict[str, Any]


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How an endpoint takes the history.

    `ids`: calls and results may have ids at all; `new_ids`: those of other providers too. `signatures`: the model's own are sent
    back; `stand_in`: a call without one gets the documented word. `images_within`: a result may hold images. `files`: images
    and documents can be sent at all.
    """

    ids: bool = True
    new_ids: bool = True
    signatures: bool = True
    stand_in: bool = False
    images_within: bool = True
    files: bool = True


class _Files(msgspec.Struct, frozen=True):
    """The contents of the files, and whether images and documents can be sent."""

    contents: Mapping[str, bytes]
    seen: bool

    def part(self, file: FileRef) -> Part:
        """Return a file as a part, in words where it cannot be sent."""
        data = data_of(file, self.contents) if self.seen and file.media_type in _SEEN else None
        if data is None:
            return {"text": as_text(file, self.contents)}
        return {"inlineData": {"mimeType": file.media_type, "data": data}}


class _Turns:
    """Contents in the making: what comes for the role of the last one is added to it, except to results.

    With anything beside them, results are refused at times, for they are to be as many as the calls.
    """

    def __init__(self) -> None:
        self.contents: list[dict[str, Any]] = []

    def add(self, role: str, parts: Sequence[Part]) -> None:
        if not parts:
            return
        if not self.contents and role == "model":
            self.add("user", [{"text": _BEGINNING}])
        if (
            self.contents
            and self.contents[-1]["role"] == role
            and not any("functionResponse" in part for part in (self.contents[-1]["parts"][0], parts[0]))
        ):
            self.contents[-1]["parts"] += parts
        else:
            self.contents.append({"role": role, "parts": list(parts)})


def contents(prompts: Sequence[Prompt], known: Mapping[str, bytes], manner: Manner) -> list[dict[str, Any]]:
    """Return the prompts as contents that begin and end with the user's; the results of an answer follow it in one of them."""
    turns = _Turns()
    files = _Files(known, manner.files)
    place = 0
    while place < len(prompts):
        prompt = prompts[place]
        place += 1
        match prompt:
            case UserPrompt():
                turns.add("user", _user(prompt, files))
            case ResultPrompt():
                turns.add("user", [{"text": f"Result of {prompt.name}:\n{prompt.content}"}])
            case AnswerPrompt():
                end = place
                while end < len(prompts) and isinstance(prompts[end], ResultPrompt):
                    end += 1
                _answer(turns, prompt, cast("Sequence[ResultPrompt]", prompts[place:end]), files, manner)
                place = end
    if not turns.contents or turns.contents[-1]["role"] == "model":
        turns.add("user", [{"text": _GO_ON if turns.contents else _NOTHING}])
    return turns.contents


def _user(prompt: UserPrompt, files: _Files) -> list[Part]:
    parts = [files.part(file) for file in prompt.files]
    if prompt.text:
        parts.append({"text": prompt.text})
    return parts or [{"text": _NOTHING}]


def _answer(
    turns: _Turns, prompt: AnswerPrompt, results: Sequence[ResultPrompt], files: _Files, manner: Manner
) -> None:
    """Add an answer with the results of its calls; images that it made and that it cannot have made itself are shown to it."""
    own = returned_parts(prompt, [wire_name(call.name) for call in prompt.calls])
    if own is None:
        parts, ids = _written(prompt, manner)
        made = [files.part(file) for file in prompt.files]
    else:
        parts, ids = _sent_back(own, prompt, files, manner)
        made = []
    if manner.stand_in:
        _stand_in(parts)
    turns.add("model", parts)
    by_id = {result.id: result for result in results}
    answers = [by_id.pop(call.id, None) or _missing(call) for call in prompt.calls]
    responses, beside = _responses(answers, ids, files, manner)
    turns.add("user", responses)
    turns.add("user", beside)
    turns.add("user", [{"text": f"Result of {result.name}:\n{result.content}"} for result in by_id.values()])
    if made:
        turns.add("user", [{"text": "[Files that the assistant made:]"}, *made])


def _written(prompt: AnswerPrompt, manner: Manner) -> tuple[list[Part], list[str]]:
    """Return an answer of another provider, or one that was changed, in new parts, with the ids of its calls."""
    with_ids = manner.ids and manner.new_ids
    parts: list[Part] = [{"text": prompt.text}] if prompt.text else []
    for call in prompt.calls:
        made: Part = {"name": wire_name(call.name), "args": _arguments(call)}
        parts.append({"functionCall": {"id": call.id, **made} if with_ids else made})
    return parts, [call.id if with_ids else "" for call in prompt.calls]


def _sent_back(
    own: Iterable[Part], prompt: AnswerPrompt, files: _Files, manner: Manner
) -> tuple[list[Part], list[str]]:
    """Return the parts in which an answer came, with the ids of its calls as this request has them."""
    parts: list[Part] = []
    ids: list[str] = []
    calls = iter(prompt.calls)
    for part in own:
        if not manner.signatures and get(part, "thought") is True:
            continue
        if not manner.signatures:
            part = {key: value for key, value in part.items() if key not in _SIGNATURE_NAMES}
        if (made := call_in(part)) is not None:
            call = next(calls)
            ids.append(call.id if manner.ids and made.get("id") else "")
            part = _with_call(part, made, call, ids[-1])
        elif isinstance(number := object_at(part, "inlineData").get(FILE), int) and number < len(prompt.files):
            part = _with_file(part, prompt.files[number], files)
        if part.get("text") != "" or any(name in part for name in _SIGNATURE_NAMES):
            parts.append(part)
    return parts, ids


def _with_call(part: Part, made: Part, call: CallPrompt, id: str) -> Part:
    """Return a part with its call as the prompt has it: a person may have changed the arguments, and the model the name."""
    arguments = _arguments(call)
    args = made.get("args")
    args = args if fields_of(args) == arguments else arguments
    changed = {**made, "name": wire_name(call.name), **({} if args is None else {"args": args})}
    changed.pop("id", None)
    rest = {key: value for key, value in part.items() if key not in ("functionCall", "function_call")}
    return {"functionCall": {"id": id, **changed} if id else changed, **rest}


def _with_file(part: Part, file: FileRef, files: _Files) -> Part:
    """Return a part with the file that it lacks, or words where that cannot be sent."""
    shown = files.part(file)
    if "inlineData" not in shown:
        return shown
    blob = {key: value for key, value in object_at(part, "inlineData").items() if key != FILE}
    return {**part, "inlineData": {**blob, **shown["inlineData"]}}


def _stand_in(parts: list[Part]) -> None:
    """Give the first call its signature, if it has none; those that were made beside it need none."""
    for place, part in enumerate(parts):
        if call_in(part) is not None:
            if not get(part, _SIGNATURE):
                parts[place] = {**part, _SIGNATURE: NO_SIGNATURE}
            return


def _responses(
    results: Sequence[ResultPrompt], ids: Sequence[str], files: _Files, manner: Manner
) -> tuple[list[Part], list[Part]]:
    """Return the results, and the images that are shown beside them; a file that cannot be sent is told of in its result."""
    parts: list[Part] = []
    beside: list[Part] = []
    for result, id in zip(results, ids, strict=True):
        shown = [files.part(file) for file in result.files]
        images = [part for part in shown if "inlineData" in part]
        said = "\n".join((result.content, *(part["text"] for part in shown if "text" in part)))
        response: Part = {"name": wire_name(result.name), "response": {"error" if result.failed else "output": said}}
        if manner.images_within and images:
            response["parts"] = images
        elif images:
            beside += [{"text": f"[Images in the result of {result.name}:]"}, *images]
        parts.append({"functionResponse": {"id": id, **response} if id else response})
    return parts, beside


def _missing(call: CallPrompt) -> ResultPrompt:
    return ResultPrompt(id=call.id, name=call.name, content="There is no result of this call.", failed=True)


def _arguments(call: CallPrompt) -> dict[str, Any]:
    try:
        return fields_of(json.loads(call.arguments, parse_constant=_nothing))
    except (ValueError, RecursionError):
        return {}


def _nothing(_: str) -> None:
    return None
