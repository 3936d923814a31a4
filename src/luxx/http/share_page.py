"""The page of a share: made here, whole, of a frozen branch; without script, and with nothing in it but text that was escaped.

Markdown becomes HTML by markdown-it with raw HTML, images and all addresses but those of web and mail switched off.
"""

import base64
import hashlib
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from html import escape
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from luxx.archive.sharing import SharedBranch, SharedFile, SharedMessage, SharedPart
from luxx.core.media import IMAGES

MOST_MARKDOWN = 300_000
"""Characters of one page; texts beyond it are shown as they were written. At the worst they take about 3 s."""

_LIGHT = (
    "--bg:#fefdfb;--bubble:#f3efe8;--code:#f8f5f0;--line:#e5dfd5;--strong:#cfc7ba;--ink:#23201b;--ink-2:#5d574d;"
    "--ink-3:#6c655a;--accent:#a84a08;"
)
_DARK = (
    "--bg:#1b1a17;--bubble:#2b2924;--code:#151411;--line:#35322c;--strong:#4d4840;--ink:#ece7de;--ink-2:#b5ada0;"
    "--ink-3:#a0978a;--accent:#f0a45c;"
)
_STYLE = f"""
:root{{color-scheme:light dark;{_LIGHT}--mono:ui-monospace,'SF Mono','Cascadia Code','JetBrains Mono',Menlo,Consolas,
'DejaVu Sans Mono',monospace}}
@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
@media (prefers-contrast:more){{body{{--ink-2:var(--ink);--ink-3:var(--ink);--line:var(--ink);--strong:var(--ink)}}}}
html{{background:var(--bg);color:var(--ink)}}
body{{font:1rem/1.65 -apple-system,'Segoe UI',Roboto,'Noto Sans',Ubuntu,Cantarell,'Helvetica Neue','Liberation Sans',Arial,
system-ui,sans-serif;max-width:46rem;margin:2.5rem auto 2rem;padding:0 1rem;overflow-wrap:anywhere;text-size-adjust:100%}}
h1,h2,h3,h4,h5,h6{{margin:1.6rem 0 .6rem;font-size:1rem;font-weight:650;line-height:1.3;break-after:avoid}}
main>h1{{margin:0 0 .25rem;font-size:1.8rem}}main>.about{{margin:0 0 2rem;color:var(--ink-3);font-size:.8125rem}}h1{{font-size:1.4rem}}h2{{font-size:1.22rem}}h3{{font-size:1.08rem}}
article{{margin:1.5rem 0}}
article>h2{{margin:0 0 .25rem;color:var(--ink-3);font-size:.8125rem;font-weight:400}}
.user{{width:fit-content;max-width:min(85%,36rem);margin-inline-start:auto;padding:.6rem 1rem;border:1px solid transparent;
border-radius:1.25rem;border-end-end-radius:.35rem;background:var(--bubble);box-sizing:border-box}}
@media screen{{article>.known{{position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%)}}}}
p,ul,ol,blockquote,table,pre{{margin:.85rem 0}}article>div>:first-child{{margin-top:0}}article>div>:last-child{{margin-bottom:0}}
ul,ol{{padding-inline-start:1.6rem}}li>p{{margin:.2rem 0}}li>ul,li>ol{{margin:.2rem 0}}li::marker{{color:var(--ink-3)}}
blockquote{{margin-inline:0;padding-inline-start:1rem;border-inline-start:3px solid var(--strong);color:var(--ink-2)}}
hr{{height:1px;margin:1.6rem 0;border:0;background:var(--line)}}
a{{color:var(--accent);text-underline-offset:.15em;text-decoration-thickness:1px}}
:focus-visible{{outline:2px solid var(--accent);outline-offset:2px}}
code{{padding:.12em .35em;border-radius:.35em;background:var(--bubble);font:.875em/1.5 var(--mono)}}
pre{{padding:.75rem .9rem;border:1px solid var(--line);border-radius:.625rem;background:var(--code);overflow-x:auto;
overflow-wrap:normal;font:.84375rem/1.55 var(--mono);tab-size:4}}
pre code{{padding:0;background:none;font:inherit}}
.plain{{white-space:pre-wrap;overflow-wrap:anywhere}}
pre:not(.plain),code{{direction:ltr;unicode-bidi:isolate}}
table{{display:block;overflow-x:auto;border-collapse:collapse;font-size:.9375rem;line-height:1.5;overflow-wrap:normal}}
td,th{{padding:.45rem .9rem;border-bottom:1px solid var(--line);text-align:start;vertical-align:top}}
th{{border-bottom-color:var(--strong);font-weight:600}}
.align-center{{text-align:center}}.align-right{{text-align:end;font-variant-numeric:tabular-nums}}
img{{max-width:100%;border-radius:.625rem}}
details,.tools{{color:var(--ink-2);font-size:.875rem}}details{{margin:.5rem 0}}summary{{cursor:pointer}}
footer{{margin-top:3rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--ink-3);font-size:.8125rem}}
@media print{{:root{{color-scheme:light;--bg:#fff;--ink:#000}}body{{max-width:none;margin:0;padding:0}}.user{{border-color:var(--strong)}}
pre,pre code{{white-space:pre-wrap;overflow-wrap:anywhere}}tr,img{{break-inside:avoid}}}}
"""
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
    messages = "".join(_message(message, known, markdown) for message, known in _with_known(branch.messages))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width"><meta name="robots" content="noindex, nofollow">'
        f'<meta name="referrer" content="no-referrer"><style>{_STYLE}</style></head><body><main><h1 {_OF_ANY_LANGUAGE}>{title}</h1>'
        f'<p class="about">A conversation with a language model, shared from Luxx on {escape(branch.shared_at[:10])}</p>'
        f"{system}{messages}</main><footer>A copy, as the conversation was when it was shared. Models make mistakes.</footer>"
        "</body></html>"
    )


def _with_known(messages: Sequence[SharedMessage]) -> list[tuple[SharedMessage, bool]]:
    """Return each message with whether it goes without saying by whom it is: a person's bubble, the model that answered before."""
    found: list[tuple[SharedMessage, bool]] = []
    model = ""
    for message in messages:
        found.append((message, message.role == "user" or message.model == model))
        model = message.model or model
    return found


def _message(message: SharedMessage, known: bool, markdown: "_Markdown") -> str:
    if message.role == "user":
        heading, body = "Question", f'<div class="plain" {_OF_ANY_LANGUAGE}>{escape(message.text)}</div>'
    else:
        heading, body = escape(message.model or "Answer"), _parts(message.parts, markdown)
    seen = '<h2 class="known">' if known else "<h2>"
    return f'<article class="{message.role}">{seen}{heading}</h2>{body}{"".join(map(_file, message.files))}</article>'


def _parts(parts: Sequence[SharedPart], markdown: "_Markdown") -> str:
    """Write the parts of an answer; tools of which no more than the name may be seen stand in one line."""
    return "".join(
        _used(run) if bare else "".join(_part(part, markdown) for part in run)
        for bare, run in ((bare, list(run)) for bare, run in groupby(parts, _is_bare_call))
    )


def _is_bare_call(part: SharedPart) -> bool:
    return part.type == "tool_call" and not part.content


def _used(calls: Sequence[SharedPart]) -> str:
    counts = Counter((part.name, part.ending) for part in calls)
    names = ", ".join(escape(name) + _remark(ending, count) for (name, ending), count in counts.items())
    return f'<p class="tools">Used {names}</p>'


def _remark(ending: str, count: int) -> str:
    said = [*([f"{count} times"] if count > 1 else []), *([escape(ending.lower())] if ending else [])]
    return f" ({', '.join(said)})" if said else ""


def _part(part: SharedPart, markdown: "_Markdown") -> str:
    name = escape(part.name)
    match part.type:
        case "text":
            return f"<div {_OF_ANY_LANGUAGE}>{markdown.html(part.content)}</div>"
        case "thinking":
            return _folded("Thinking", _plain(part.content))
        case "tool_call":
            return _folded(f"Tool: {name}", _plain(part.content, _CODE))
        case "tool_result":
            return _folded(f"{escape(part.ending) or 'Result'}: {name}", _plain(part.content))
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
    parser.add_render_rule("th_open", _open_cell)
    parser.add_render_rule("td_open", _open_cell)
    maths = _Maths()
    parser.block.ruler.after("fence", "maths", maths.block, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    parser.inline.ruler.before("escape", "maths", maths.inline)
    parser.add_render_rule("maths_block", _maths_block)
    parser.add_render_rule("maths_inline", _maths_inline)
    return parser


class _Ahead:
    """Finds what comes next in a text that is asked for from many of its places; in all, in time linear to its length."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self._text = ""
        self._from = 0
        self._found: re.Match[str] | None = None

    def find(self, text: str, place: int, sign: str) -> int:
        """Return where the sign begins; -1 if there is none, or something before it that a formula does not go beyond."""
        until = len(text) if self._found is None else self._found.start()
        if text is not self._text or not self._from <= place <= until:
            self._text, self._from, self._found = text, place, self._pattern.search(text, place)
        return self._found.start() if self._found is not None and self._found[0] == sign else -1


_BLANK_LINE = r"\n[ \t>]*+\n"
_LINE_ENDS = re.compile(r"[ \t]{0,99}(?:\n|\Z)")
_IN_DOLLARS = (
    re.compile(r"\$\$((?:\\[^`]|[^\\$`])+)\$\$"),
    # Pandoc's guard, so that "$5 and $6" stays text: no space inside the signs, no digit after the closing one.
    re.compile(r"\$(?![\s$])((?:\\[^\n`]|[^\\\n$`])*(?:\\[^\n`]|[^\\\n$`\s]))\$(?![\w$])", re.ASCII),
)


class _Maths:
    """Formulas, which markdown is not to touch: by the rules of the chat page, but shown as they were written."""

    def __init__(self) -> None:
        self._blocks = {
            "$$": ("$$", _Ahead(r"\$\$|" + _BLANK_LINE)),
            r"\[": (r"\]", _Ahead(r"\\\]|" + _BLANK_LINE)),
        }
        self._inlines = {r"\(": (r"\)", _Ahead(r"\\\)|`")), r"\[": (r"\]", _Ahead(r"\\\]|`"))}

    def block(self, state: StateBlock, start: int, end: int, silent: bool) -> bool:
        """Take a formula in lines of its own, none of them blank."""
        place = state.bMarks[start] + state.tShift[start]
        opening = state.src[place : place + 2]
        if opening not in self._blocks or state.is_code_block(start):
            return False
        closing, ahead = self._blocks[opening]
        to = ahead.find(state.src, place + 2, closing)
        if to < 0 or not _LINE_ENDS.match(state.src, to + 2):
            return False
        last = bisect_left(state.eMarks, to, start)
        if last >= end or state.sCount[last] < state.blkIndent:
            return False
        tex = state.getLines(start, last + 1, state.sCount[start], False).strip()[2:-2].strip()
        if silent or not tex:
            return bool(tex)
        state.line = last + 1
        token = state.push("maths_block", "pre", 0)
        token.content, token.map = tex, [start, last + 1]
        return True

    def inline(self, state: StateInline, silent: bool) -> bool:
        """Take a formula in a line. Code is none, and none goes into code."""
        place = state.pos
        if state.src[place] == "$":
            tex = _in_dollars(state.src, place, state.posMax)
            width = 2 if state.src.startswith("$$", place) else 1
        elif (opening := state.src[place : place + 2]) in self._inlines:
            closing, ahead = self._inlines[opening]
            to = ahead.find(state.src, place + 2, closing)
            tex, width = state.src[place + 2 : to] if 0 <= to <= state.posMax - 2 else "", 2
        else:
            return False
        if not tex.strip():
            return False
        if not silent:
            state.push("maths_inline", "code", 0).content = tex.strip()
        state.pos += len(tex) + 2 * width
        return True


def _in_dollars(text: str, place: int, end: int) -> str:
    before = text[place - 1] if place else ""
    if before in ("$", "\\", "_") or (before.isascii() and before.isalnum()):
        return ""
    found = next((match for pattern in _IN_DOLLARS if (match := pattern.match(text, place, end))), None)
    return found[1] if found else ""


def _maths_block(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<pre class="maths" tabindex="0"><code>{escape(tokens[index].content)}</code></pre>\n'


def _maths_inline(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    return f'<code class="maths">{escape(tokens[index].content)}</code>'


def _is_safe(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


def _open_link(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> Any:  # noqa: ANN401 - the library's signature
    tokens[index].attrSet("rel", _REL)
    return self.renderToken(tokens, index, options, env)


def _open_cell(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> Any:  # noqa: ANN401 - the library's signature
    """Write how a cell is aligned as a class: the page allows no style of an element's own."""
    side = str(tokens[index].attrs.pop("style", "")).removeprefix("text-align:")
    if side in ("center", "right"):
        tokens[index].attrSet("class", f"align-{side}")
    return self.renderToken(tokens, index, options, env)
