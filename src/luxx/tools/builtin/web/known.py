"""Known: the URLs that stand in a conversation, word for word. They alone are fetched without asking.

A page must not be able to make a model send data out in a URL. So a URL is known only if it is the same as one in the person's own
messages or in results of search and fetch: never because it begins like one.
"""

import itertools
import re
from collections.abc import Iterable, Iterator

from yarl import URL

from luxx.core.prompts import Prompt, ResultPrompt, UserPrompt

_START = re.compile(r"https?://(?=[^\s<>\"'`|\\\x00-\x20])", re.I)
_ENDS = frozenset("<>\"'`|\\") | {chr(code) for code in range(33)}
_MAX_CHARS = 4_000
_BARE = re.compile(r"(?<![\w@./:-])(?:[a-z0-9-]+\.)+[a-z]{2,24}(?::\d{1,5})?(?:/[^\s<>\"'`|\\]*)?(?![\w@])", re.I)
_AFTER = ".,;:!?*_~…"
_PAIRS = {")": "(", "]": "[", "}": "{"}


def is_known(url: str, prompts: Iterable[Prompt], tools: frozenset[str]) -> bool:
    """Whether a URL stands in the person's messages, or in what the `tools` of these names gave.

    In a person's message a host without a scheme counts as well, as people write it: ``example.com/docs``.
    """
    wanted = canonical(url)
    if not wanted:
        return False
    for prompt in prompts:
        match prompt:
            case UserPrompt(text=text, by_person=True):
                if wanted in urls_in(text, bare=True):
                    return True
            case ResultPrompt(name=name, content=content, failed=False) if name in tools:
                if wanted in urls_in(content):
                    return True
            case _:
                pass
    return False


def urls_in(text: str, *, bare: bool = False) -> frozenset[str]:
    """Return the URLs of a text in one spelling each; with `bare` also hosts and paths without a scheme, as http and https."""
    found: set[str] = set()
    rest: list[str] = []
    at = 0
    while match := _START.search(text, at):
        url = match[0] + _trimmed(_inside(text[match.end() : match.end() + _MAX_CHARS]))
        found.add(url)
        rest.append(text[at : match.start()])
        at = match.start() + len(url)
    if bare:
        for match in _BARE.finditer(" ".join([*rest, text[at:]])):
            found |= {f"{scheme}://{_trimmed(match[0])}" for scheme in ("http", "https")}
    return frozenset(map(canonical, found)) - {""}


def canonical(url: str) -> str:
    """Return a URL in the spelling in which two are compared, or nothing for what is none.

    Scheme and host in lower case, no default port, no fragment (it is never sent), ``/`` for an empty path. Nothing else is
    changed: not the case of the path, not the order of the query.
    """
    try:
        parsed = URL(url.strip()).with_fragment(None)
        if parsed.scheme not in ("http", "https") or not parsed.host or parsed.raw_user or parsed.raw_password:
            return ""
        return f"{parsed.origin()}{parsed.raw_path_qs}"
    except (ValueError, TypeError, IndexError):  # the last for what has a bracket where its host would be
        return ""


def _inside(text: str) -> Iterator[str]:
    """Return the characters that a URL can have, up to the first other one."""
    return itertools.takewhile(lambda char: char not in _ENDS and not char.isspace(), text)


def _trimmed(token: Iterable[str]) -> str:
    """Cut a token at a bracket that was opened before it, and leave out the punctuation that follows it in a sentence."""
    return "".join(_until_closed(token)).rstrip(_AFTER)


def _until_closed(token: Iterable[str]) -> Iterator[str]:
    opened: list[str] = []
    for char in token:
        if char in _PAIRS.values():
            opened.append(char)
        elif char in _PAIRS and (not opened or opened.pop() != _PAIRS[char]):
            return
        yield char
