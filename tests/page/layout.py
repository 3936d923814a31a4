"""What does not fit on the page as it is now, or is too small to be hit."""

from playwright.sync_api import Page

_HELPERS = """
const seen = (one) => one.checkVisibility({ opacityProperty: false, visibilityProperty: true })
    && !one.closest('[inert], .hidden-visually, .skip, .katex') && one.getBoundingClientRect().width > 1;
const scrolls = (one) => {
    for (let at = one; at && at !== document.body; at = at.parentElement)
        if (/auto|scroll/.test(getComputedStyle(at).overflowX) && at.scrollWidth > at.clientWidth + 1) return true;
    return false;
};
const told = (one) => {
    const { left, top, width, height } = one.getBoundingClientRect();
    const at = [left, top, width, height].map(Math.round).join(' ');
    return `${one.tagName.toLowerCase()}.${[...one.classList].join('.')} "${(one.ariaLabel ?? one.textContent).trim().slice(0, 40)}" at ${at}`;
};
const modal = document.querySelector('dialog[open]') ?? document.body;
"""

_OUTSIDE = f"""() => {{
    {_HELPERS}
    const found = [];
    const wide = document.documentElement.scrollWidth;
    if (wide > innerWidth) found.push(`the page is ${{wide}} wide`);
    for (const one of modal.querySelectorAll('button, a, input, select, textarea, summary, p, h1, h2, h3, dt, dd, label, strong')) {{
        if (!seen(one) || scrolls(one)) continue;
        const {{ left, right, width }} = one.getBoundingClientRect();
        if (left < -1 || right > innerWidth + 1) found.push(`outside: ${{told(one)}}`);
        const style = getComputedStyle(one);
        const cut = style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis' && !one.matches('input, textarea, select');
        if (cut && one.scrollWidth > one.clientWidth + 1) found.push(`cut off: ${{told(one)}}`);
    }}
    for (const one of modal.querySelectorAll('.body, .content, .results, .list, .menu'))
        if (seen(one) && one.scrollWidth > one.clientWidth + 1) found.push(`sideways: ${{told(one)}} ${{one.scrollWidth}}`);
    return found;
}}"""

_SMALL = f"""(least) => {{
    {_HELPERS}
    const found = [];
    const all = 'button, a[href], input:not([type=file]), select, textarea, summary, [role=switch], [role=option], [role=menuitem]';
    for (const one of modal.querySelectorAll(all)) {{
        if (!seen(one) || one.matches(':disabled')) continue;
        const inText = one.matches('a, .link-button') && getComputedStyle(one).display.startsWith('inline')
            && !/flex|grid/.test(getComputedStyle(one).display);
        if (inText) continue;
        const target = one.matches('[type=checkbox], [type=radio]') ? one.closest('label') ?? one : one;
        let {{ width, height }} = target.getBoundingClientRect();
        const area = getComputedStyle(one, '::before');
        if (area.position === 'absolute') [width, height] = [parseFloat(area.width), parseFloat(area.height)];
        if (width < least || height < least) found.push(`${{Math.round(width)}} x ${{Math.round(height)}}: ${{told(one)}}`);
    }}
    return found;
}}"""


def misfits(page: Page) -> list[str]:
    """Return what leaves the page sideways or is cut off."""
    found: list[str] = page.evaluate(_OUTSIDE)
    return found


def small_targets(page: Page, least: int) -> list[str]:
    """Return what can be pressed but is smaller than so many CSS pixels one way; links in running text may be."""
    found: list[str] = page.evaluate(_SMALL, least)
    return found


def overlapped(page: Page, selector: str) -> str | None:
    """Return what lies over the middle of an element, None if it is free."""
    found: str | None = page.eval_on_selector(
        selector,
        """one => {
            const { x, y, width, height } = one.getBoundingClientRect();
            const top = document.elementFromPoint(x + width / 2, y + height / 2);
            return top === one || one.contains(top) ? null : top?.outerHTML.slice(0, 200) ?? 'outside';
        }""",
    )
    return found
