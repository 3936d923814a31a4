"""The house rules that no linter knows: how long a file and a function may be, and that each module says what it is for."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for folder in ("src", "tests", "dev", "benchmarks") for path in (ROOT / folder).rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 400, 50
EXCEPTIONS: dict[str, str] = {}  # "path" or "path:function" -> reason; entries are only ever removed


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_is_short_and_says_what_it_is_for(path: Path) -> None:
    name, source = path.relative_to(ROOT).as_posix(), path.read_text()
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {f"{name}:{node.name}" for node in functions if node.end_lineno - node.lineno >= FUNCTION_LINES}
    long |= {name} if source.count("\n") > FILE_LINES else set()
    assert not long - EXCEPTIONS.keys(), f"longer than {FILE_LINES} lines a file, {FUNCTION_LINES} a function"
    assert not source.strip() or ast.get_docstring(tree), f"{name} does not say what it is for"


def test_an_exception_that_is_no_longer_needed_is_removed() -> None:
    assert {name.split(":")[0] for name in EXCEPTIONS} <= {path.relative_to(ROOT).as_posix() for path in FILES}


def test_the_locked_requirements_know_every_dependency() -> None:
    """If this fails: make lock."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {"run": project["project"]["dependencies"], "dev": project["dependency-groups"]["dev"]}
    for name, dependencies in wanted.items():
        locked = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").lower()
        names = {re.split(r"[^A-Za-z0-9_.-]", dependency)[0].lower() for dependency in dependencies}
        assert {name for name in names if not re.search(rf"^{re.escape(name)}==", locked, re.MULTILINE)} == set()
