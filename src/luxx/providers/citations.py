"""Citations: what an answer cites, as OpenAI's formats annotate it."""

from luxx.core.deltas import Delta, SourceDelta
from luxx.core.text import storable
from luxx.providers.values import fields_of, objects, text_of, texts

_MOST = 1000
_LONGEST_QUOTE = 2000


class Citations:
    """The sources of one answer, each told once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def cite(self, annotation: object) -> list[Delta]:
        """Return the source that an annotation names; files of the provider have no address that opens."""
        fields = fields_of(annotation)
        fields = {**fields, **fields_of(fields.get("url_citation"))}
        title = _text(fields.get("title")) or _text(fields.get("filename"))
        url = _text(fields.get("url")).strip()
        if not url and (file := _text(fields.get("file_id")) or _text(fields.get("filename"))):
            url = f"openai-file:{file}"
        if not url or url in self._told or len(self._told) >= _MOST:
            return []
        self._told.add(url)
        return [SourceDelta(url=url, title=title, quote=_text(fields.get("snippet"))[:_LONGEST_QUOTE])]

    def found(self, pages: object, addresses: object = None) -> list[Delta]:
        """Return the sources among the pages, and bare addresses, that a search found (Perplexity's, Groq's, xAI's)."""
        notes = [{**page, "snippet": page.get("snippet") or page.get("content")} for page in objects(pages)]
        notes += [{"url": address} for address in texts(addresses)]
        notes = [note for note in notes if text_of(note.get("url")).startswith(("https://", "http://"))]
        return [source for note in notes for source in self.cite(note)]


def _text(value: object) -> str:
    return storable(text_of(value))
