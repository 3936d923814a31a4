"""Sandbox files: the files of the conversation as code in the sandbox sees them, in memory and bounded.

Imported only when code runs: the interpreter's package is heavy.
"""

from collections.abc import Mapping
from pathlib import PurePosixPath

from pydantic_monty import MemoryFile, MontyFileHandle, OSAccess

from luxx.tools.results import ToolFile

_MAX_WRITTEN_BYTES = 32 * 1024 * 1024
_MAX_WORK_BYTES = 512 * 1024 * 1024


class SandboxFiles(OSAccess):
    """A folder that starts with some files. What is written stays here until `written` tells of it.

    This runs in the server's process: the bytes written and the bytes moved are bounded here, the number of calls by the
    interpreter (1,000 suspensions a run).
    """

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        self._folder = folder
        self._given = dict(files)
        self._written = 0
        self._work = 0
        super().__init__([MemoryFile(f"{folder}/{name}", data) for name, data in files.items()] or None)
        if not files:
            super().path_mkdir(PurePosixPath(folder), parents=True, exist_ok=True)

    def path_read_text(self, path: PurePosixPath | MontyFileHandle) -> str:
        """Read a file as UTF-8."""
        return self.path_read_bytes(path).decode("utf-8")

    def path_read_bytes(self, path: PurePosixPath | MontyFileHandle) -> bytes:
        """Read a file."""
        data = super().path_read_bytes(path)
        self._move(len(data))
        return data

    def path_write_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        """Write a file as UTF-8."""
        self._write(len(data))
        return super().path_write_text(path, data)

    def path_write_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        """Write a file."""
        self._write(len(data))
        return super().path_write_bytes(path, data)

    def path_append_text(self, path: PurePosixPath | MontyFileHandle, data: str) -> int:
        """Append to a file as UTF-8."""
        return self.path_append_bytes(path, data.encode("utf-8", "replace"))

    def path_append_bytes(self, path: PurePosixPath | MontyFileHandle, data: bytes) -> int:
        """Append to a file."""
        self._write(len(data))
        there = (
            super().path_read_bytes(path)
            if super().path_exists(PurePosixPath(path.path) if isinstance(path, MontyFileHandle) else path)
            else b""
        )
        self._move(len(there))
        super().path_write_bytes(path, there + data)
        return len(data)

    def written(self) -> tuple[ToolFile, ...]:
        """Return the files that are new or have changed; one in a folder is named by its path."""
        changed: list[ToolFile] = []
        folders = [PurePosixPath("/")]
        while folders:
            for path in super().path_iterdir(folders.pop()):
                if super().path_is_dir(path):
                    folders.append(path)
                    continue
                name = str(path).removeprefix(self._folder).strip("/").replace("/", "-")
                data = super().path_read_bytes(path)
                if self._given.get(name) != data:
                    changed.append(ToolFile(name, data))
        return tuple(changed)

    def _write(self, size: int) -> None:
        self._written += size
        if self._written > _MAX_WRITTEN_BYTES:
            raise OSError(f"more than {_MAX_WRITTEN_BYTES // 2**20} MB were written")

    def _move(self, size: int) -> None:
        self._work += size
        if self._work > _MAX_WORK_BYTES:
            raise OSError("too much was read")
