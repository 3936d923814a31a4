"""What failures are called, as the page knows it, which leaves out what it says itself."""

from pathlib import Path

import msgspec
import pytest

from luxx.providers.failures import Report, failure


class Case(msgspec.Struct):
    """What a provider said with which status, and what the server makes of it."""

    code: str
    status: int
    text: str
    said: str
    wait: float | None = None


SHARED = Path(__file__).parents[2] / "webui/src/ui/failure-texts.json"
"""The cases which the page's tests read, too."""
CASES = msgspec.json.decode(SHARED.read_bytes(), type=list[Case])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.said[:50])
def test_a_failure_is_told_as_the_page_expects_it(case: Case) -> None:
    error = failure(Report(text=case.text), case.status, retry_after=case.wait)
    assert (error.code, error.message) == (case.code, case.said)
