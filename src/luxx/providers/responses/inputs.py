"""Inputs: prompts as the input items of a request."""

import hashlib
import re
from collections.abc import Iterable, Mapping

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, ResultPrompt, UserPrompt
from luxx.providers.arguments import object_text
from luxx.providers.attachments import as_text, data_of, name_of
from luxx.providers.responses import quirks as q
from luxx.providers.responses.events import Json
from luxx.providers.responses.items import kind_of
from luxx.providers.responses.returned import Back, back
from luxx.providers.values import fields_of

_IMAGES = ("image/png", "image/jpeg", "image/webp", "image/gif")
_PDF = "application/pdf"
_LONGEST_ID = 64
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_LONGEST_NAME = 64


def input_items(request: ModelRequest, quirks: frozenset[q.Quirk] = frozenset()) -> list[Json]:
    """Return the input of a request; the same prompts always give the same items."""
    return _Writer(request, quirks).written()


class _Writer:
    """Writes the prompts of one request. `waiting` are images that no item before could hold: they follow the results."""

    def __init__(self, request: ModelRequest, quirks: frozenset[q.Quirk]) -> None:
        self._request = request
        self._quirks = quirks
        self._files: Mapping[str, bytes] = request.files
        self._items: list[Json] = []
        self._waiting: list[Json] = []
        self._own_ids: set[str] = set()
        self._callers: dict[str, Json] = {}

    def written(self) -> list[Json]:
        for prompt in self._request.prompts:
            match prompt:
                case UserPrompt():
                    self._flush()
                    self._items.append({"type": "message", "role": "user", "content": self._said(prompt)})
                case AnswerPrompt():
                    self._flush()
                    self._answer(prompt)
                case ResultPrompt():
                    self._result(prompt)
        self._flush()
        return self._items

    def _said(self, prompt: UserPrompt) -> str | list[Json]:
        if not prompt.files:
            return prompt.text
        text = [_text(prompt.text)] if prompt.text else []
        return [*(self._part(file) for file in prompt.files), *text]

    def _answer(self, prompt: AnswerPrompt) -> None:
        images = [file for file in prompt.files if file.is_image]
        if found := self._back(prompt):
            self._own_ids |= {call.id for call in prompt.calls}
            called = [item for item in found.items if kind_of(item) == "function_call"]
            self._callers |= {item["call_id"]: caller for item in called if (caller := _program(item.get("caller")))}
            images = images[found.images :]
            items = [*map(self._mended, found.items), *self._anew(found.text, found.calls)]
            while items and kind_of(items[-1]) == "reasoning":  # which wants something to follow it
                items.pop()
            self._items += items
        else:
            self._items += self._anew(prompt.text, prompt.calls)
        self._show("A file that you made:", [*images, *(file for file in prompt.files if not file.is_image)])

    def _anew(self, text: str, calls: Iterable[CallPrompt]) -> list[Json]:
        said: list[Json] = [{"type": "message", "role": "assistant", "content": text}] if text.strip() else []
        return [*said, *map(self._call, calls)]

    def _back(self, prompt: AnswerPrompt) -> Back | None:
        """Return the answer's own items, if the endpoint takes them; reasoning goes to the model that made it only."""
        if not prompt.raw or q.NO_ITEMS in self._quirks:
            return None
        same = prompt.model in ("", self._request.model)
        reasoning = same and q.NO_REASONING not in self._quirks
        return back(prompt, self._files, reasoning=reasoning, ids=q.WITH_IDS in self._quirks)

    def _mended(self, item: Json) -> Json:
        if item.get("type") == "function_call":
            return {**item, "name": _name(item["name"]), "arguments": object_text(item["arguments"])}
        if q.NO_PHASE in self._quirks:
            return {name: value for name, value in item.items() if name != "phase"}
        return item

    def _call(self, call: CallPrompt) -> Json:
        return {
            "type": "function_call",
            "call_id": self._id(call.id),
            "name": _name(call.name),
            "arguments": object_text(call.arguments),
        }

    def _result(self, prompt: ResultPrompt) -> None:
        output: str | list[Json] = prompt.content
        if prompt.files and q.TEXT_RESULTS not in self._quirks:
            text = [_text(prompt.content)] if prompt.content else []
            output = [*text, *(self._part(file) for file in prompt.files)]
        elif prompt.files:
            self._show(f"A file of the result of {prompt.name}:", prompt.files)
        caller = {"caller": self._callers[prompt.id]} if prompt.id in self._callers else {}
        self._items.append({"type": "function_call_output", "call_id": self._id(prompt.id), "output": output, **caller})

    def _show(self, what: str, files: Iterable[FileRef]) -> None:
        for file in files:
            self._waiting += [_text(what), self._part(file)]

    def _flush(self) -> None:
        if self._waiting:
            self._items.append({"type": "message", "role": "user", "content": self._waiting})
            self._waiting = []

    def _part(self, file: FileRef) -> Json:
        """Return a file as the model sees it; one that it cannot see is told of in words."""
        data = data_of(file, self._files)
        if data and file.media_type in _IMAGES and q.NO_IMAGES not in self._quirks:
            return {"type": "input_image", "detail": "auto", "image_url": f"data:{file.media_type};base64,{data}"}
        if data and file.media_type == _PDF and q.NO_FILES not in self._quirks:
            return {"type": "input_file", "filename": name_of(file), "file_data": f"data:{_PDF};base64,{data}"}
        return _text(as_text(file, self._files))

    def _id(self, call_id: str) -> str:
        """Return an id that the format takes: at most 64 characters, unless it came from the provider itself."""
        if len(call_id) <= _LONGEST_ID or call_id in self._own_ids:
            return call_id
        return "call_" + hashlib.sha256(call_id.encode("utf-8", "replace")).hexdigest()[:32]


def _text(text: str) -> Json:
    return {"type": "input_text", "text": text}


def _program(caller: object) -> Json:
    """Return who made a call, if that was a program of the provider, which waits for the result; nothing for the model itself."""
    return {} if fields_of(caller).get("type") == "direct" else fields_of(caller)


def _name(name: str) -> str:
    """Return a name within the format's alphabet: that of a tool is, but models have called tools that there are not."""
    return _NO_NAME.sub("_", name)[:_LONGEST_NAME] or "_"
