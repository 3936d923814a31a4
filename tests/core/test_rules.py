"""Which rule counts for a tool, by the cases that the page's tests read, too."""

from pathlib import Path

import msgspec
import pytest

from luxx.core.rules import ToolRule, action_for

SHARED = Path(__file__).parents[2] / "webui/src/state/tool-rules.json"
CASES = msgspec.json.decode(SHARED.read_bytes(), type=list[tuple[str, str, bool]])


@pytest.mark.parametrize(("pattern", "tool", "fits"), CASES)
def test_a_pattern_fits_as_in_a_shell(pattern: str, tool: str, fits: bool) -> None:
    assert action_for([ToolRule(tool=pattern, action="deny")], tool) == ("deny" if fits else None)


def test_the_first_rule_that_fits_counts() -> None:
    rules = [
        ToolRule(tool="other", action="allow"),
        ToolRule(tool="wait*", action="ask"),
        ToolRule(tool="*", action="deny"),
    ]
    assert action_for(rules, "wait_unsafe") == "ask"
    assert action_for(rules, "calculator") == "deny"
