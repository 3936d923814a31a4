"""The settings: where they come from, what is refused, and that their page lists them all."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from luxx.settings import Settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def test_options_win_over_the_environment_and_that_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "luxx.toml").write_text("port = 1111\nmax_iterations = 3\nheartbeat = 7\n")
    monkeypatch.setenv("LUXX_PORT", "2222")
    monkeypatch.setenv("LUXX_MAX_ITERATIONS", "4")
    settings = Settings(port=3333)
    assert (settings.port, settings.max_iterations, settings.heartbeat) == (3333, 4, 7)


def test_a_name_that_is_no_setting_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "luxx.toml").write_text("prot = 8543\n")
    with pytest.raises(ValidationError, match="prot"):
        Settings()


def test_the_page_of_the_settings_lists_them_all_with_their_meaning() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `LUXX_{name.upper()}` |"))
        assert field.description
        assert row.endswith(f"| {field.description} |")
