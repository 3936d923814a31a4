"""History: prompts as the messages of the API, in turns of the user and of the assistant."""

from collections.abc import Iterable, Mapping

from luxx.core.files import FileRef
from luxx.core.prompts import AnswerPrompt, CallPrompt, ModelRequest, Prompt, ResultPrompt, UserPrompt
from luxx.core.text import storable
from luxx.providers.anthropic.returned import returned, unfinished, without_last_thoughts
from luxx.providers.anthropic.traits import Traits
from luxx.providers.anthropic.wire import Block, fit_id, fit_name, object_of
from luxx.providers.attachments import as_text, data_of, name_of
from luxx.providers.values import text_of

Message = dict[str, str | list[Block]]

_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")
_LARGEST_IMAGE = 5 * 1024 * 1024
"""In characters of base64, as the API counts."""
_LARGEST_TOTAL = 28 * 1024 * 1024
"""Of all files in base64; the API takes requests of 32 MB."""
_BEGINNING = "(The conversation begins with an answer.)"
_EMPTY = "(An empty message.)"
_NO_RESULT = "There is no result of this call."
_FAILED = "It failed and said nothing about it."


class History:
    """The messages of one request; made once, from the first prompt to the last.

    `plain` leaves out what earlier answers want back verbatim, `no_files` tells of all files in words. `container` is where the
    calls that wait for their results were made, if a server tool made them.
    """

    def __init__(
        self,
        request: ModelRequest,
        traits: Traits,
        names: Mapping[str, str],
        *,
        plain: bool = False,
        no_files: bool = False,
    ) -> None:
        self.messages: list[Message] = []
        self.container = ""
        self._model = request.model
        self._files = request.files
        self._signed = traits.claude
        self._names = names
        self._plain = plain
        self._visible: set[str] = set() if no_files else _visible(request)
        self._ids: dict[str, str] = {}
        self._results: dict[str, Block] = {}
        self._strays: list[Block] = []
        self._made: list[Block] = []
        for prompt in request.prompts:
            self._add(prompt)
        self._settle()
        self._trim_end()

    @property
    def last_answer_thinks(self) -> bool:
        """Whether any of the answers whose calls led to the results at the end, if there are some, begins with its thoughts.

        A model that does not think between calls does so once, before the first of them.
        """
        place = len(self.messages) - 1
        called = False
        while place > 0 and self.messages[place]["role"] == "user" and self._begins(place, "tool_result"):
            if self._begins(place - 1, "thinking", "redacted_thinking"):
                return True
            called = True
            place -= 2
            if self._blocks(place)[-1].get("type") != "tool_result":
                break
        return not called

    def _begins(self, place: int, *kinds: str) -> bool:
        return self._blocks(place)[0].get("type") in kinds

    def _add(self, prompt: Prompt) -> None:
        match prompt:
            case UserPrompt():
                self._settle()
                blocks = [*self._shown(prompt.files), *_text(prompt.text)]
                self._say("user", [*self._take_made(), *(blocks or _text(_EMPTY))])
            case ResultPrompt():
                id = self._ids.get(prompt.id)
                if id is not None and id not in self._results:
                    self._results[id] = self._result(id, prompt)
                else:
                    self._strays += _text(f"Result of {prompt.name}: {prompt.content}")
            case AnswerPrompt():
                self._settle()
                if blocks := self._answer(prompt):
                    self._say("assistant", blocks)
                self._made += self._shown(prompt.files)

    def _settle(self) -> None:
        """The results of an answer go into one message, in the order of its calls, before anything else."""
        missing = {"is_error": True, "content": _text(_NO_RESULT)}
        results = [
            self._results.get(id) or {"type": "tool_result", "tool_use_id": id, **missing} for id in self._ids.values()
        ]
        if blocks := [*results, *self._strays]:
            self._say("user", blocks)
        self._ids, self._results, self._strays = {}, {}, []

    def _take_made(self) -> list[Block]:
        made, self._made = self._made, []
        return [*_text("(The files of the last answer:)"), *made] if made else []

    def _say(self, role: str, blocks: list[Block]) -> None:
        if not self.messages and role == "assistant":
            self.messages.append({"role": "user", "content": _text(_BEGINNING)})
        if self.messages and self.messages[-1]["role"] == role:
            self._blocks(-1).extend(blocks)
        else:
            self.messages.append({"role": role, "content": blocks})

    def _blocks(self, place: int) -> list[Block]:
        content = self.messages[place]["content"]
        assert isinstance(content, list)
        return content

    def _answer(self, prompt: AnswerPrompt) -> list[Block]:
        back = None if self._plain else returned(prompt, self._model, self._names, signed=self._signed)
        self.container = back.container if back and prompt.calls else ""
        text, calls = (back.text, back.calls) if back else (prompt.text, prompt.calls)
        anew = [*_text(text), *map(self._call, calls)]
        blocks = without_last_thoughts([*back.blocks, *anew]) if back else anew
        uses = (block for block in blocks if block.get("type") == "tool_use")
        self._ids = {call.id: text_of(use.get("id")) for call, use in zip(prompt.calls, uses, strict=True)}
        return blocks

    def _call(self, call: CallPrompt) -> Block:
        name = self._names.get(call.name) or fit_name(call.name)
        return {"type": "tool_use", "id": fit_id(call.id), "name": name, "input": object_of(call.arguments) or {}}

    def _result(self, id: str, prompt: ResultPrompt) -> Block:
        content = [*_text(prompt.content), *self._shown(prompt.files)]
        if not content and prompt.failed:
            content = _text(_FAILED)
        block: Block = {"type": "tool_result", "tool_use_id": id}
        if content:
            block["content"] = content
        return {**block, "is_error": True} if prompt.failed else block

    def _shown(self, files: Iterable[FileRef]) -> list[Block]:
        return [block for file in files for block in self._file(file)]

    def _file(self, file: FileRef) -> list[Block]:
        data = data_of(file, self._files) if file.id in self._visible else None
        if data is None:
            return _text(as_text(file, self._files))
        source = {"type": "base64", "media_type": file.media_type, "data": data}
        if file.is_image:
            return [{"type": "image", "source": source}]
        title = {"title": name_of(file)[-200:]} if file.name.strip() else {}
        return [{"type": "document", "source": source, **title}]

    def _trim_end(self) -> None:
        """A text that the model is to go on from must not end in white space."""
        if not self.messages or self.messages[-1]["role"] != "assistant":
            return
        self.messages[-1]["content"] = unfinished(self._blocks(-1))


def _text(text: str) -> list[Block]:
    """Return a block of text; none for white space, which the API refuses."""
    return [{"type": "text", "text": storable(text)}] if text.strip() else []


def _visible(request: ModelRequest) -> set[str]:
    """Return the ids of the files that can be shown as they are, the newest first as far as there is room for them."""
    room = _LARGEST_TOTAL
    visible: set[str] = set()
    for prompt in reversed(request.prompts):
        for file in prompt.files:
            size = -(-len(request.files.get(file.id, b"")) // 3) * 4
            if not size or file.id in visible or size > room:
                continue
            if (file.media_type in _IMAGES and size <= _LARGEST_IMAGE) or file.is_pdf:
                visible.add(file.id)
                room -= size
    return visible
