"""Texts that try to be more than text: for every field that a model, a tool, a provider, a server or a person fills in."""

import json
import re
from typing import cast

from playwright.sync_api import Page, Route

CORPUS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>x</a>",
    "{@html '<b onclick=alert(1)>x</b>'}",
    "</textarea><iframe srcdoc='<script>parent.alert(1)</script>'>",
    "'-alert(1)-'",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=x onerror=alert(1)&gt;'>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<base href=https://evil.example/><meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "<form action=https://evil.example/><button>Log in</button></form><link rel=prefetch href=https://evil.example/>",
    "<input autofocus onfocus=alert(1)><details open ontoggle=alert(1)>",
    "<style>*{background:url(https://evil.example/)}</style>",
    "&lt;img src=x onerror=alert(1)&gt; &#60;script&#62;alert(1)&#60;/script&#62;",
    "safe\u202etxt.exe \u200b\u2066",
)
ALL = "\n".join(CORPUS)

MARKDOWN = """
[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](java&#10;script:alert(1)) [d](&#106;avascript:alert(1))
[e](javascript&colon;alert(1)) [f](data:text/html,<script>alert(1)</script>) [g](vbscript:x) [h](file:///etc/passwd)
[i](  javascript:alert(1)) [j](\\x01javascript:alert(1)) [k](//evil.example) [l](https:alert(1)) [m][ref] [n](blob:x)
<javascript:alert(1)> <data:text/html,x> <https://evil.example/"onmouseover="alert(1)> javascript:alert(1)
![x](https://evil.example/x.png) ![x](javascript:alert(1)) ![" onerror="alert(1)](https://evil.example/y)
[t](https://good.example "\\"><img src=x onerror=alert(1)>") [`<img src=x onerror=alert(1)>`](https://good.example)

[ref]: javascript:alert(1) "x"

| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |
|---|---|
| </td><script>alert(1)</script> | `</code><script>alert(1)</script>` |

```html" onclick="alert(1)
</code></pre><script>alert(1)</script><img src=x onerror=alert(1)>
```

```"><img/src=x/onerror=alert(1)>
x
```

$\\href{javascript:alert(1)}{x}$ $\\htmlData{x=y}{z}$ $\\includegraphics{https://evil.example/z}$ $</span><img src=x onerror=alert(1)>$

$$\\htmlStyle{background:url(https://evil.example/)}{x} \\url{javascript:alert(1)}$$

- [ ] <img src=x onerror=alert(1)> "onfocus="alert(1)
> <iframe src=javascript:alert(1)>

note[^1] &lt;script&gt;alert(1)&lt;/script&gt; &#x3C;img src=x onerror=alert(1)&#x3E;

[^1]: <svg onload=alert(1)> [x](javascript:alert(1))
"""

ACTIVE = """() => {
    const found = [...document.querySelectorAll('body script, body style, iframe, object, embed, base, meta, link, form, svg, a, img, *')]
        .filter((one) => {
            const inside = one.closest('body');
            const handler = [...one.attributes].some(({ name }) => name.startsWith('on'));
            const address = one.getAttribute('href') ?? one.getAttribute('src') ?? one.getAttribute('action') ?? '';
            const foreign = one.matches('img, form, link') && /^(?:https?:)?[/][/]/i.test(address) && !address.startsWith(location.origin);
            const runs = /^[^a-z]*(?:javascript|vbscript|data:text|file):/i.test(address);
            const never = inside && one.matches('script:not([src]), style, iframe, object, embed, base, meta, math mglyph');
            return handler || runs || foreign || never;
        });
    return found.map((one) => one.outerHTML.slice(0, 200));
}"""
"""What may be on no page: markup that runs, frames, handlers, addresses that run, foreign addresses that load by themselves."""

_FIELDS = frozenset(
    {"title", "name", "description", "error", "model", "default_model", "label", "snippet", "reason", "instructions"}
    | {"content", "message", "detail", "provider", "prompts", "summary", "text", "command", "base_url", "host"}
)
_ADDRESSES = frozenset(("login_url", "url"))


def active(page: Page) -> list[str]:
    """Return what on the page is more than text."""
    found: list[str] = page.evaluate(ACTIVE)
    return found


def poison(page: Page) -> None:
    """Let all that the page reads from the server say hostile things wherever it holds words of others."""

    def answer(route: Route) -> None:
        response = route.fetch(max_retries=3)
        if "json" not in response.headers.get("content-type", ""):
            route.fulfill(response=response)
            return
        route.fulfill(response=response, body=json.dumps(_poisoned(response.json(), "")))

    def choose(route: Route) -> None:
        plain = route.request.method == "GET" and "event-stream" not in route.request.headers.get("accept", "")
        if plain:
            answer(route)
        else:
            route.fallback()

    page.route(re.compile(r"/api/(?!events|turns)"), choose)


def _poisoned(value: object, key: str) -> object:
    if isinstance(value, dict):
        items = cast("dict[str, object]", value).items()
        return {name: _poisoned(inner, name) for name, inner in items}
    if isinstance(value, list):
        return [_poisoned(inner, key) for inner in cast("list[object]", value)]
    if isinstance(value, str) and key in _FIELDS:
        return f"{value} {ALL}"
    return "javascript:alert(1)" if isinstance(value, str) and key in _ADDRESSES else value
