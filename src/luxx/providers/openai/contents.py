"""Contents: text and files as the content of a chat message. What an endpoint cannot take is said in words, never dropped."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Literal

from luxx.core.files import FileRef
from luxx.providers.attachments import as_text, data_of, name_of
from luxx.providers.failures import Report

Unseen = Literal["no_images", "no_files"]
"""What an endpoint, or a model of it, cannot be shown."""

Part = dict[str, Any]

_IMAGE = re.compile(r"image|vision|multi-?modal|mmproj", re.IGNORECASE)
_FILE = re.compile(r"\bfiles?\b|\bpdfs?\b|\bdocuments?\b|file_data|input_file", re.IGNORECASE)
_CANNOT = re.compile(
    r"unsupported|unknown (?:variant|part|type)|not (?:\w+ ){0,2}(?:support|enabled|allow|permit|accept|available)|"
    r"n't (?:support|accept|allow|have)|not a (?:vision|multi-?modal)|(?:can|does|do) ?not (?:\w+ ){1,2}(?:image|file|pdf)|"
    r"no endpoints|certain models|at most 0|missing data|text-only|only (?:supports? )?text|supported values|must have|"
    r"invalid (?:content|part) type",
    re.IGNORECASE,
)
_THIS_ONE = re.compile(
    r"(?:could|can|did) ?n[o']t (?:be )?(?:process|decod|download|read)|corrupt|too (?:large|big|small|many)|exceed|pixel|"
    r"dimension|uploaded an unsupported image|(?:image|media|mime) ?(?:format|type)s?\b.{0,60}(?:png|jpe?g)|"
    r"not (?:represent )?a valid (?:image|pdf|document)|invalid (?:image(?: data| file)?|pdf|base64)(?![\w ]*(?:type|url))|"
    r"supported image formats|expected a file with|supported formats?\b.{0,80}\bbut got|"
    r"fail(?:ed|s|ure)? to (?:load|decode|process|parse|read|download) (?:\w+ ){0,2}(?:image|pdf|file|document)|"
    r"password|(?:no|zero) pages",
    re.IGNORECASE,
)
"""The model can see, but not this."""

_PLAIN_ONLY = re.compile(
    r"content\W{0,4} (?:must|should|has to) be a(?: valid)? str|expected a(?: valid)? string|str(?:ing)? type expected|"
    r"should be (?:a valid string|'text')|cannot unmarshal array|untagged enum \w*content",
    re.IGNORECASE,
)


class Shown:
    """How files are shown to one endpoint: `contents` by id, and what it cannot see."""

    def __init__(self, contents: Mapping[str, bytes], unseen: Container[str] = ()) -> None:
        self._contents = contents
        self._images = "no_images" not in unseen
        self._files = "no_files" not in unseen

    def content(self, text: str, files: Sequence[FileRef]) -> str | list[Part]:
        """Return a message's content: its files, then its text; plain text if nothing in it has to be more."""
        parts = [self._part(file) if self._sees(file) else _text(as_text(file, self._contents)) for file in files]
        if text:
            parts.append(_text(text))
        if all(part["type"] == "text" for part in parts):
            return "\n\n".join(part["text"] for part in parts)
        return parts

    def in_words(self, text: str, files: Iterable[FileRef]) -> str:
        """Return a text followed by those of its files that cannot be seen."""
        words = (as_text(file, self._contents) for file in files if not self._sees(file))
        return "\n\n".join((text, *words) if text else words)

    def aside(self, whence: str, files: Iterable[FileRef]) -> list[Part]:
        """Return those of the files that can be seen, each with where it is from; only a user's message can carry them."""
        parts: list[Part] = []
        for file in files:
            if self._sees(file):
                parts += (_text(f'[{whence}: "{name_of(file)}"]'), self._part(file))
        return parts

    def _sees(self, file: FileRef) -> bool:
        return file.id in self._contents and ((file.is_image and self._images) or (file.is_pdf and self._files))

    def _part(self, file: FileRef) -> Part:
        url = f"data:{file.media_type};base64,{data_of(file, self._contents)}"
        if file.is_image:
            return {"type": "image_url", "image_url": {"url": url}}
        return {"type": "file", "file": {"filename": name_of(file), "file_data": url}}


def unseen_in(report: Report, shown: Sequence[FileRef], known: Container[str]) -> Unseen | None:
    """Return what a refusal says that the model cannot be shown, of the files it was shown; None if the fault lies elsewhere.

    A picture that is broken or too large is no such fault: another could be seen. Where both are named, the first is meant.
    """
    images = "no_images" not in known and any(file.is_image for file in shown)
    files = "no_files" not in known and any(file.is_pdf for file in shown)
    said = f"{report.text} {' '.join(report.words)}"
    if _PLAIN_ONLY.search(said):
        return "no_images" if images else "no_files" if files else None
    if not _CANNOT.search(said) or _THIS_ONE.search(said):
        return None
    image, file = _IMAGE.search(said), _FILE.search(said)
    if image and images and not (file and files and file.start() < image.start()):
        return "no_images"
    return "no_files" if file and files else None


def blames_one_file(report: Report) -> bool:
    """Whether a refusal is about a file that is broken, too large or of the wrong kind; another could be seen."""
    said = f"{report.param} {report.text} {' '.join(report.words)}"
    return bool(_THIS_ONE.search(said) and (_IMAGE.search(said) or _FILE.search(said)))


def _text(text: str) -> Part:
    return {"type": "text", "text": text}
