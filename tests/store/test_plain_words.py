"""What is left of hostile markdown, in time that grows with its length."""

import pytest

from luxx.store.sql.plain_words import plain_words

LONG = 100_000
HOSTILE = {
    "rules of tables": "-|",
    "rules": "- ",
    "rules of stars": "* ",
    "dashes": "-",
    "quotes": "> ",
    "spaces": " ",
    "brackets": "[",
    "open links": "[a](",
    "links in links": "[](a(",
    "open references": "[a][",
    "references": "[a]",
    "open addresses": "<http://a",
    "open strong words": "**a ",
    "open underlined words": " __a",
    "open emphases": " *a",
    "open underscores": " _a",
    "open words of all kinds": "*_a ",
    "open struck words": "~~a ",
    "stars": "*",
    "underscores": "_",
    "backticks": "so`",
    "open code": "`` ",
    "escapes": "\\*",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE.keys())
def test_the_words_of_a_hostile_line_are_found_in_time(piece: str) -> None:
    line = piece * (LONG // len(piece)) + "x"
    assert plain_words(line).endswith("x")
    assert plain_words(f"{line}\n`{line}").endswith("x")


@pytest.mark.timeout(20)
def test_runs_of_ever_more_backticks_are_read_in_time() -> None:
    runs = "".join("`" * length + "a" for length in range(1, 450))
    assert plain_words(runs).endswith("a")
    assert plain_words("so " + "`" * (LONG // 2) + "a" * (LONG // 2)).endswith("a")


@pytest.mark.parametrize("line", ["|---|---|", "--- | :-:", "|:-- |\r", "---", "* * *", "__ _", "|---"])
def test_rules_have_no_words(line: str) -> None:
    assert plain_words(f"a\n{line}\nb") == "a b"


@pytest.mark.parametrize("text", ["\0001\0", "\0" + "9" * 5000 + "\0", "`\0000\0`", "\0\u0661\0"])
def test_what_no_text_should_hold_harms_nothing(text: str) -> None:
    assert "\0" not in plain_words(f"{text} `x`")
