"""Work: what a provider did by itself on the way to an answer, as Groq's compound models tell it."""

import msgspec

from luxx.core.deltas import Delta, NoticeDelta
from luxx.core.text import storable
from luxx.providers.arguments import object_text
from luxx.providers.citations import Citations
from luxx.providers.openai.images import Images
from luxx.providers.values import fields_of, objects, text_of

_LONGEST = 2000
_SAID = {"search": "Searched the web", "python": "Ran code", "visit": "Read a web page"}
_TELLING = ("query", "url", "code")


class Work:
    """The tools of one answer, each told once: they come again with what they found."""

    def __init__(self, citations: Citations, images: Images) -> None:
        self._citations = citations
        self._images = images
        self._told: set[str] = set()

    def take(self, tools: object) -> list[Delta]:
        """Return what is new of the tools that ran."""
        return [delta for tool in objects(tools) for delta in self._tool(tool)]

    def _tool(self, tool: dict[str, object]) -> list[Delta]:
        kind, arguments = storable(text_of(tool.get("type")))[:40] or "tool", text_of(tool.get("arguments"))
        place = f"{tool.get('index')} {kind} {arguments}"
        deltas: list[Delta] = []
        if place not in self._told:
            self._told.add(place)
            deltas.append(NoticeDelta(kind=kind, text=_words(kind, arguments)))
        pages = [*objects(fields_of(tool.get("search_results")).get("results")), *objects(tool.get("browser_results"))]
        drawn = [text_of(result.get("png")) for result in objects(tool.get("code_results"))]
        deltas += self._images.take([{"image_url": f"data:image/png;base64,{png}"} for png in drawn if png])
        return [*deltas, *self._citations.found(pages)]


def _words(kind: str, arguments: str) -> str:
    given = fields_of(msgspec.json.decode(object_text(arguments)))
    said = next((text for name in _TELLING if (text := text_of(given.get(name)).strip())), "")
    verb = _SAID.get(kind, f"Used {kind}")
    return f"{verb}: {storable(said)}"[:_LONGEST] if said else f"{verb}."
