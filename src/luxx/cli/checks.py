"""Checks: what `luxx doctor` looks at, each a function that gives a finding."""

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
from pathlib import Path
from typing import Literal

import msgspec

import luxx.http
from luxx import __version__
from luxx.cli import server_file
from luxx.core.errors import LuxxError, StorageError
from luxx.providers.local import model_file, needs
from luxx.settings import Settings
from luxx.store.directory import file_system
from luxx.store.secrets import KEY_FILE, open_secrets
from luxx.store.sqlite import integrity
from luxx.store.sqlite.store import DATABASE

State = Literal["ok", "warning", "broken"]

LITTLE_SPACE = 50 * 1024 * 1024
SOME_SPACE = 1024 * 1024 * 1024


class Finding(msgspec.Struct, frozen=True):
    """What a check found; `remedy` says what to do about it."""

    name: str
    state: State
    detail: str
    remedy: str = ""


def machine() -> Finding:
    """Say what Luxx runs on."""
    return Finding(
        "Luxx", "ok", f"{__version__}, Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    )


def processor(cpuinfo: str, *, needed: bool) -> Finding:
    """Look whether the processor can run the embedded model."""
    missing = needs.missing_cpu_features(cpuinfo)
    if not missing:
        return Finding("processor", "ok", "has what the embedded model needs")
    lacks = f"lacks {', '.join(missing)}, which the embedded model needs"
    return Finding("processor", _embedded(needed), lacks, "connect another provider: luxx providers add")


def engine(name: str = "xllamacpp", *, needed: bool) -> Finding:
    """Look for the package that runs the embedded model."""
    if importlib.util.find_spec(name) is None:
        return Finding("engine", _embedded(needed), f"{name} is not installed", 'pip install "luxx[local]"')
    return Finding("engine", "ok", f"{name} {importlib.metadata.version(name)}")


def embedded_model(data_dir: Path, *, needed: bool) -> Finding:
    """Look for the embedded model's file and check its hash."""
    model = model_file.SMOLLM2
    found = model_file.find(data_dir)
    if found is None:
        return Finding("model", _embedded(needed), f"{model.name} is missing", "luxx model pull")
    try:
        with found.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return Finding("model", "broken", f"{found} cannot be read: {error.strerror}", f"chmod u+r {found}")
    if digest != model.sha256:
        return Finding("model", "broken", f"{found} is damaged: its hash differs", f"rm {found}; luxx model pull")
    return Finding("model", "ok", str(found))


def data_directory(path: Path, *, shared: bool = False) -> Finding:
    """Look whether the data directory is private, writable and, unless a shared database is elsewhere, on a local disk."""
    name = "data directory"
    if not path.exists():
        parent = next((each for each in path.parents if each.exists()), path.parent)
        if os.access(parent, os.W_OK):
            return Finding(name, "ok", f"{path} is made at the first start")
        return Finding(name, "broken", f"{path} cannot be made", "choose another one: LUXX_DATA_DIR or --data-dir")
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return Finding(name, "broken", f"{path} is no folder that you may write to", f"chown -R {_user()} {path}")
    kind = file_system(path)
    if not shared and kind.startswith(("nfs", "cifs", "smb", "9p", "fuse.sshfs")):
        return Finding(name, "broken", f"{path} is on a network file system ({kind})", "move it to a local disk")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(name, "warning", f"{path} is open to other users", f"chmod 700 {path}")
    return Finding(name, "ok", str(path))


def free_space(path: Path) -> Finding:
    """Look how much room the disk has."""
    place = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(place).free
    detail = f"{free / 1024**3:.1f} GiB free"
    if free < LITTLE_SPACE:
        return Finding("disk", "broken", detail, f"make room on the disk of {place}")
    if free < SOME_SPACE:
        return Finding("disk", "warning", detail, f"make room on the disk of {place}")
    return Finding("disk", "ok", detail)


def running(data_dir: Path) -> Finding:
    """Look who holds the data directory."""
    holder = server_file.holder(data_dir)
    if found := server_file.find(data_dir):
        return Finding("server", "ok", f"runs at {found.url} (process {found.pid})")
    if holder:
        remedy = f"if it stays like this: ps -p {holder}, then kill {holder}"
        return Finding("server", "warning", f"process {holder} holds the data directory but serves nothing yet", remedy)
    return Finding("server", "ok", "not running; start it with: luxx serve")


def database(data_dir: Path) -> Finding:
    """Check the database's integrity."""
    path = data_dir / DATABASE
    if not path.exists():
        return Finding("database", "ok", "is made at the first start")
    restore = f"stop Luxx and put a backup in place of {path}, or try: sqlite3 {path} .recover"
    try:
        damage = integrity.problems(path)
    except LuxxError as error:
        return Finding("database", "broken", error.message, restore)
    if damage:
        return Finding("database", "broken", f"is damaged: {damage[0]}", restore)
    return Finding("database", "ok", f"is sound ({path.stat().st_size / 1024**2:.1f} MiB)")


def secret_key(settings: Settings) -> Finding:
    """Check that the secret key is the one that provider keys were encrypted with."""
    path = settings.data_dir / DATABASE
    given = settings.secret_key.get_secret_value() if settings.secret_key else None
    if given is None and not (settings.data_dir / KEY_FILE).exists():
        state: State = "warning" if path.exists() else "ok"
        return Finding("secret key", state, "is made at the first start", "" if state == "ok" else _key_remedy())
    try:
        secrets = open_secrets(settings.data_dir, given)
    except LuxxError as error:
        return Finding("secret key", "broken", error.message, _key_remedy())
    try:
        fits = not path.exists() or integrity.key_fits(path, secrets)
    except StorageError:
        untold = "cannot be told to be the right one: the database cannot be read"
        return Finding("secret key", "warning", untold, "keep it; mend the database first")
    if fits:
        return Finding("secret key", "ok", "from LUXX_SECRET_KEY" if given else str(settings.data_dir / KEY_FILE))
    return Finding("secret key", "broken", "is not the one that the stored keys were encrypted with", _key_remedy())


def page() -> Finding:
    """Look whether the web page is there."""
    folder = Path(luxx.http.__file__).parent / "page"
    if (folder / "index.html").is_file():
        return Finding("page", "ok", "is built")
    return Finding("page", "warning", "has not been built; API and command line work", "in the source tree: make page")


def _embedded(needed: bool) -> State:
    return "broken" if needed else "warning"


def _key_remedy() -> str:
    return f"give the old key again (LUXX_SECRET_KEY, or the file {KEY_FILE}), or store the providers' keys anew"


def _user() -> str:
    return str(os.getuid())
