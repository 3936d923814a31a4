"""What the embedded model needs, and what it says where that is missing."""

from pathlib import Path

import pytest

from luxx.core.errors import ProviderError
from luxx.providers.local.model_file import SMOLLM2
from luxx.providers.local.needs import find_model, missing_cpu_features

GOOD_CPU = "processor\t: 0\nmodel name\t: A fine one\nflags\t\t: fpu sse2 avx avx2 fma f16c bmi1 bmi2\n"
OLD_CPU = "processor\t: 0\nflags\t\t: fpu sse2 avx f16c bmi2_not\n"


def test_a_cpu_that_has_all_lacks_nothing() -> None:
    assert missing_cpu_features(GOOD_CPU) == ()


def test_what_an_old_cpu_lacks_is_named() -> None:
    assert missing_cpu_features(OLD_CPU) == ("avx2", "fma", "bmi2")


@pytest.mark.parametrize("text", ["", "processor : 0\nFeatures : fp asimd\n", "flags"])
def test_a_cpu_that_tells_nothing_is_not_refused(text: str) -> None:
    assert missing_cpu_features(text) == ()


def test_this_machine_suits(tmp_path: Path) -> None:
    assert find_model(tmp_path).name == SMOLLM2.name


def test_an_old_cpu_is_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"this processor lacks AVX2, FMA, BMI2.*luxx providers add"):
        find_model(tmp_path, cpuinfo=lambda: OLD_CPU)


def test_a_missing_engine_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r'pip install "luxx\[local\]"'):
        find_model(tmp_path, cpuinfo=lambda: GOOD_CPU, engine="no_such_engine")


def test_a_missing_file_is_told_with_the_command_that_fetches_it(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="luxx model pull"):
        find_model(tmp_path, cpuinfo=lambda: GOOD_CPU, find=lambda _: None)
