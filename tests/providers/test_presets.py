"""The presets: each is fit to be stored as it is, and known by one name."""

import re
from urllib.parse import urlsplit

import pytest

from luxx.core.presets import Preset
from luxx.providers.presets import PRESETS

_FORMATS = {"openai", "responses", "anthropic", "gemini"}


def test_ids_and_names_are_given_once() -> None:
    assert len({preset.id for preset in PRESETS}) == len({preset.name for preset in PRESETS}) == len(PRESETS) >= 24


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.id)
def test_a_preset_is_fit_to_be_stored(preset: Preset) -> None:
    assert re.fullmatch(r"[a-z][a-z-]*", preset.id)
    assert preset.format in _FORMATS
    assert 0 < len(preset.name) <= 100
    assert preset.base_url or preset.hint
    if preset.base_url:
        url = urlsplit(preset.base_url)
        assert url.hostname
        assert (url.scheme, preset.base_url[-1] != "/", url.query + url.fragment) == (
            "http" if url.hostname == "127.0.0.1" else "https",
            True,
            "",
        )
    assert bool(preset.key_url and preset.key_url.startswith("https://")) is (preset.key == "needed")
    assert all(re.compile(pattern) for pattern in preset.prefers)
    assert not (preset.own and preset.key == "needed")
