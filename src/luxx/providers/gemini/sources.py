"""Sources: what an answer rests on, and what the provider did by itself to find it."""

from collections.abc import Iterator, Mapping

from luxx.core.deltas import Delta, NoticeDelta, SourceDelta
from luxx.core.text import storable
from luxx.providers.gemini.values import object_at, objects_at, text_at, texts_at

_LONGEST_NOTICE = 4000
_LONGEST_QUOTE = 4000
_MOST_SOURCES = 500


class Sources:
    """The sources and searches of one answer, each told once: their lists grow, and come again with later events."""

    def __init__(self) -> None:
        self._urls: set[str] = set()
        self._searches: set[str] = set()

    def take(self, candidate: Mapping[str, object]) -> list[Delta]:
        """Return what is new in the metadata of a candidate."""
        grounding = object_at(candidate, "groundingMetadata")
        searches = self._new_searches(grounding) if grounding else []
        return [*searches, *(self._new(_sources(candidate, grounding)))]

    def _new(self, sources: Iterator[SourceDelta]) -> Iterator[SourceDelta]:
        for source in sources:
            if source.url and source.url not in self._urls and len(self._urls) < _MOST_SOURCES:
                self._urls.add(source.url)
                yield source

    def _new_searches(self, grounding: Mapping[str, object]) -> list[Delta]:
        queries = (*texts_at(grounding, "webSearchQueries"), *texts_at(grounding, "imageSearchQueries"))
        texts = [storable(query) for query in queries if query]
        new = [text for text in dict.fromkeys(texts) if text not in self._searches]
        self._searches.update(new)
        return (
            [NoticeDelta(kind="web_search", text="Searched the web: " + "; ".join(new)[:_LONGEST_NOTICE])]
            if new
            else []
        )


def work_of(part: Mapping[str, object]) -> NoticeDelta | None:
    """Return what a part tells of the provider's own work: code that it ran, and tools of its own."""
    if code := object_at(part, "executableCode"):
        return _notice("code_execution", "Ran code", text_at(code, "code"))
    if result := object_at(part, "codeExecutionResult"):
        failed = text_at(result, "outcome") not in ("", "OUTCOME_OK")
        return _notice("code_execution", "The code failed" if failed else "The code gave", text_at(result, "output"))
    if call := object_at(part, "toolCall"):
        kind = storable(text_at(call, "toolType").lower()) or "tool"
        return _notice(kind, f"Used {kind.replace('_', ' ')}", "")
    return None


def _notice(kind: str, said: str, text: str) -> NoticeDelta:
    text = storable(text.strip())[:_LONGEST_NOTICE]
    return NoticeDelta(kind=kind[:40], text=f"{said}:\n{text}" if text else f"{said}.")


def _sources(candidate: Mapping[str, object], grounding: Mapping[str, object]) -> Iterator[SourceDelta]:
    for chunk in objects_at(grounding, "groundingChunks"):
        for kind in ("web", "retrievedContext", "maps", "image"):
            if found := object_at(chunk, kind):
                yield _source(found, text_at(found, "sourceUri") or text_at(found, "uri") or _file(kind, found))
    citations = object_at(candidate, "citationMetadata")
    for found in (*objects_at(citations, "citationSources"), *objects_at(citations, "citations")):
        yield _source(found, text_at(found, "uri"))
    for found in objects_at(object_at(candidate, "urlContextMetadata"), "urlMetadata"):
        if text_at(found, "urlRetrievalStatus") in ("", "URL_RETRIEVAL_STATUS_SUCCESS"):
            yield _source(found, text_at(found, "retrievedUrl"))


def _file(kind: str, found: Mapping[str, object]) -> str:
    """Return a word for a file of the provider, which has no address that opens."""
    name = text_at(found, "documentName") or text_at(found, "title") if kind == "retrievedContext" else ""
    return f"gemini-file:{name}" if name else ""


def _source(found: Mapping[str, object], url: str) -> SourceDelta:
    quote = storable(text_at(found, "text"))[:_LONGEST_QUOTE]
    return SourceDelta(url=storable(url), title=storable(text_at(found, "title")), quote=quote)
