"""The page of a share: made here, whole, of a frozen branch; without script, and with nothing in it but text that was escaped.

Markdown becomes HTML by markdown-it with raw HTML, images and all addresses but those of web and mail switched off.
"""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from luxx.archive.sharing import SharedBranch, SharedFile, SharedMessage, SharedPart
from luxx.core.media import IMAGES

MOST_MARKDOWN = 300_000
"""Characters of one page; texts beyond it are shown as they were written. At the worst they take about 3 s."""

_STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;"
    "overflow-wrap:anywhere}h1{font-size:1.5rem}article{margin:1.5rem 0}article>h2{font-size:.9rem;margin:0 0 .25rem;"
    "opacity:.75}.user{border-inline-start:.25rem solid #6b7fd7;padding-inline-start:1rem}pre{overflow-x:auto;"
    "padding:.75rem;border:1px solid #8885;border-radius:.4rem}.plain{white-space:pre-wrap}table{border-collapse:collapse;"
    "display:block;overflow-x:auto}td,th{border:1px solid #8885;padding:.25rem .5rem}img{max-width:100%}"
    "html{background:Canvas;color:CanvasText}a{color:LinkText}details{margin:.5rem 0}pre:not(.plain),code{direction:ltr;unicode-bidi:isolate}footer{margin-top:3rem;font-size:.85rem;opacity:.75}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; img-src data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
"""What every answer about a share has."""

_OF_ANY_LANGUAGE = 'lang="" dir="auto"'
"""What has not been written by us: each text is in a language, and runs in a direction, of its own."""
_CODE = 'dir="ltr"'

_SCHEMES = ("https://", "http://", "mailto:")


def share_page(branch: SharedBranch) -> str:
    """Return the page."""
    title = escape(branch.title or "Untitled")
    system = "" if branch.system_prompt is None else _folded("System prompt", _plain(branch.system_prompt))
    markdown = _Markdown()
    messages = "".join(_message(message, markdown) for message in branch.messages)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex, nofollow">'
        f'<meta name="referrer" content="no-referrer"><style>{_STYLE}</style></head><body><main><h1 {_OF_ANY_LANGUAGE}>{title}</h1>'
        f"{system}{messages}</main><footer>A copy of a conversation with a language model, made on "
        f"{escape(branch.shared_at[:10])} with Luxx. Models make mistakes.</footer></body></html>"
    )


def _message(message: SharedMessage, markdown: "_Markdown") -> str:
    if message.role == "user":
        heading, body = "Question", f'<div class="plain" {_OF_ANY_LANGUAGE}>{escape(message.text)}</div>'
    else:
        heading, body = escape(message.model or "Answer"), "".join(_part(part, markdown) for part in message.parts)
    return f'<article class="{message.role}"><h2>{heading}</h2>{body}{"".join(map(_file, message.files))}</article>'


def _part(part: SharedPart, markdown: "_Markdown") -> str:
    name = escape(part.name)
    match part.type:
        case "text":
            return f"<div {_OF_ANY_LANGUAGE}>{markdown.html(part.content)}</div>"
        case "thinking":
            return _folded("Thinking", _plain(part.content))
        case "tool_call":
            return (
                _folded(f"Tool: {name}", _plain(part.content, _CODE))
                if part.content
                else f"<p><em>Tool: {name}</em></p>"
            )
        case "tool_result":
            return _folded(f"Result: {name}", _plain(part.content))
        case "source":
            safe = part.url.lower().startswith(_SCHEMES[:2])
            shown = name or escape(part.url)
            return f'<p><a href="{escape(part.url)}" rel="{_REL}">{shown}</a></p>' if safe else f"<p>{shown}</p>"


def _file(file: SharedFile) -> str:
    name = escape(file.name)
    if file.data is None or file.media_type not in IMAGES:
        return f"<p><em>{name}</em> ({file.size:,} bytes)</p>"
    data = base64.b64encode(file.data).decode()
    return f'<p><img src="data:{file.media_type};base64,{data}" alt="{name}"></p>'


def _folded(summary: str, html: str) -> str:
    return f"<details><summary>{summary}</summary>{html}</details>"


def _plain(text: str, attributes: str = _OF_ANY_LANGUAGE) -> str:
    return f'<pre class="plain" {attributes}>{escape(text)}</pre>'


class _Markdown:
    """Makes HTML of texts, as long as there are not too many of them."""

    def __init__(self) -> None:
        self._left = MOST_MARKDOWN
        self._parser = _parser()

    def html(self, text: str) -> str:
        """Return safe HTML."""
        self._left -= len(text)
        if self._left < 0:
            return f'<div class="plain">{escape(text)}</div>'
        # What scrolls is reached by keys; no text of others can hold such a tag, since all of it was escaped.
        return self._parser.render(text).replace("<pre>", '<pre tabindex="0">')


_REL = "noopener noreferrer nofollow"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image"])
    parser.validateLink = _is_safe  # pyright: ignore[reportAttributeAccessIssue] - the documented way to set it
    parser.add_render_rule("link_open", _open_link)
    return parser


def _is_safe(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


def _open_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> Any:  # noqa: ANN401 - the library's signature
    tokens[index].attrSet("rel", _REL)
    return self.renderToken(tokens, index, options, env)
