"""Pages as text: what is kept, what is left out, and what hostile markup does."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from luxx.tools.builtin.web.readable import readable

FILLER = "<p>" + "words of the page " * 20 + "</p>"


def text_of(page: str) -> str:
    return readable(page, "https://site.example/dir/page").text


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("<h1>One</h1><h3>Three</h3><p>text", "# One\n\n### Three\n\ntext"),
        ("a<br>b<p>c<div>d</div>e", "a\nb\n\nc\n\nd\n\ne"),
        ("<ul><li>a<li>b<ul><li>c</ul></ul><ol><li>x</li><li>y</ol>z", "- a\n- b\n  - c\n\n1. x\n2. y\n\nz"),
        ("<a href='/x'>abs</a> <a href='y?z=1#f'>rel</a> <a href='#n'>in</a>", "[abs](https://site.example/x) [rel](https://site.example/dir/y?z=1#f) in"),
        ("<a href='javascript:x()'>js</a> <a href='mailto:a@b'>mail</a> <a href='http://[bad'>bad</a>", "js mail bad"),
        ("<base href='https://other.example/a/'><a href=b>c</a>", "[c](https://other.example/a/b)"),
        ("<a href=/x><div>block</div> link</a>", "[block](https://site.example/x)\n\n[link](https://site.example/x)"),
        ("<pre>a  &lt;b&gt;\n  c</pre>d", "```\na  <b>\n  c\n```\n\nd"),
        ("use <code>x = 1</code>", "use `x = 1`"),
        ("<table><tr><th>a<th>b|c</tr><tr><td>1<td><p>2<p>3</table>z", "| a | b\\|c |\n| --- | --- |\n| 1 | 2 3 |\n\nz"),
        ("<blockquote>said<blockquote>inner</blockquote></blockquote>", "> said\n\n> > inner"),
        ("<dl><dt>term<dd>meaning</dl>", "term\n\n: meaning"),
        ("<img src=a.png alt='A cat'><img src=b.png>", "![A cat](https://site.example/dir/a.png)"),
        ("a &amp; b &#x41; &eacute; &bogus; 1 < 2 <3", "a & b A é &bogus; 1 < 2 <3"),
        ("a<script>if (1 < 2) '<p>no'</script><style>p{}</style><!-- <p>no --><template>no</template>b", "ab"),
        ("<p>open <b>bold <i>both</p></i></b><p>next", "open bold both\n\nnext"),
        ("", ""),
    ],
)  # fmt: skip
def test_markup_becomes_text(page: str, text: str) -> None:
    squeezed = "\n".join(line for line in text_of(page).split("\n") if line)
    assert squeezed == "\n".join(line for line in text.split("\n") if line)


def test_the_title_is_the_first_one() -> None:
    assert (
        readable("<title> A\n page &amp; more </title><svg><title>icon</title></svg>", "https://x.org").title
        == "A page & more"
    )


def test_the_main_part_is_taken_where_a_page_marks_one() -> None:
    page = f"<header>top</header><div>beside</div><main>{FILLER}</main><article>more</article><div>below</div>"
    text = text_of(page)
    assert text.startswith("words of the page")
    assert "more" in text
    assert not {"top", "beside", "below"} & set(text.split())


def test_menus_and_margins_are_left_out() -> None:
    page = f"<nav>menu <nav>inner</nav> still</nav><aside>ad</aside>{FILLER}<footer>imprint</footer><button>go</button>"
    assert set(text_of(page).split()) == set(["words", "of", "the", "page"])


@pytest.mark.parametrize("skipped", ["nav", "aside", "noscript", "footer"])
def test_where_there_is_nothing_else_they_are_kept(skipped: str) -> None:
    page = readable(f"<p>hi</p><{skipped}>the only text</{skipped}>", "https://x.org")
    assert ("the only text" in page.text, page.whole) == (True, True)


def test_hidden_parts_that_scripts_would_show_are_kept() -> None:
    assert "words of the page" in text_of(f"<p>Loading</p><div hidden style='visibility:hidden'>{FILLER}</div>")


def test_a_menu_that_is_never_closed_does_not_swallow_the_page() -> None:
    assert "words of the page" in text_of(f"<nav><a href=/>home<main>{FILLER}</main>")


UNITS = """< <a <!-- <a" <a_b=' </ <script> <title> <div> & &# <ul><li>x <td>x <pre>x <a_href=/x>t <blockquote> <table> <nav> <main> <p><i>x
<svg><title> <base_href=a/> <base_href=../> <img_alt=x_src=y> <br> <ol><li> <h1><ol> <dd> <code> <a_href=/x> <tr>"""


def steps(work: Callable[[], object]) -> int:
    """Return how many functions, built-in ones too, some work calls."""
    count = 0

    def note(frame: FrameType, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("unit", [unit.replace("_", " ") for unit in UNITS.split()])
def test_a_page_twice_as_long_takes_twice_the_work_and_no_more(unit: str) -> None:
    page = unit * (10_000 // len(unit))
    assert steps(lambda: text_of(page * 2)) <= 2 * steps(lambda: text_of(page)) + 100
    assert len(text_of(page * 2)) <= 2 * len(text_of(page)) + 100
    text_of(page * 20)


def test_only_the_first_base_counts() -> None:
    page = "<base target=x><base href=a/><base href=/b/><base href=c/><a href=d>e</a>"
    assert text_of(page) == "[e](https://site.example/dir/a/d)"


def test_a_long_base_does_not_swell_a_page_beyond_measure() -> None:
    page = f"<base href='/{'a/' * 900}'>" + "<a href=b>c</a> " * 20_000
    text = text_of(page)
    assert text.startswith("[c](https://site.example/a/a/")
    assert text.endswith("c c c")
    assert len(text) < 10 * len(page)


def test_a_character_by_an_endless_number_is_none() -> None:
    assert text_of(f"a&#{'1' * 5000};b&#x{'1' * 5000};c<p title='&#{'9' * 5000}'>d") == "a\ufffdb\ufffdc\n\nd"


@given(st.text(st.sampled_from(list("<>/!-\"'= \n&;#pauliherfscdtb1x")), max_size=200))
@settings(deadline=None)
def test_no_markup_is_an_error(page: str) -> None:
    readable(page, "https://x.org/")
