"""What the embedded model needs of the machine: a processor, a package and a file."""

import importlib.util
import platform
from collections.abc import Callable
from pathlib import Path

from luxx.core.errors import ProviderError
from luxx.providers.local import model_file

_CPU_FEATURES = ("avx2", "fma", "f16c", "bmi2")


def read_cpuinfo() -> str:
    """Return what Linux tells of the processor, or an empty text where nothing needs to be checked.

    Only the x86-64 build takes instructions for granted that some processors lack; the kernel tells them on Linux alone.
    """
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        return ""
    try:
        return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def missing_cpu_features(cpuinfo: str) -> tuple[str, ...]:
    """Return the instructions that the processor lacks; none if `cpuinfo` does not tell."""
    for line in cpuinfo.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip() == "flags":
            present = set(value.split())
            return tuple(feature for feature in _CPU_FEATURES if feature not in present)
    return ()


def find_model(
    data_dir: Path,
    *,
    cpuinfo: Callable[[], str] = read_cpuinfo,
    engine: str = "xllamacpp",
    find: Callable[[Path], Path | None] = model_file.find,
) -> Path:
    """Return the file of the model to run. It reads files: not for the event loop.

    Raises ProviderError, saying what to do, if the processor, the engine's package or the file does not suit.
    """
    if missing := missing_cpu_features(cpuinfo()):
        raise ProviderError(
            f"The embedded model cannot run here: this processor lacks {', '.join(f.upper() for f in missing)}. "
            "Connect another provider: `luxx providers add`."
        )
    if importlib.util.find_spec(engine) is None:
        raise ProviderError('The embedded model needs the package xllamacpp: pip install "luxx[local]"')
    if path := find(data_dir):
        return path
    raise ProviderError(
        f"The embedded model's file is missing: run `luxx model pull`. It is looked for in {model_file.models_dir(data_dir)}."
    )
