"""The machine: its cores, free ports, and what a process tree has used, read from the kernel. Linux only."""

import os
import resource
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import msgspec

SAMPLE_EVERY_S = 0.1
_CPU_CLOCK = 2  # CPUCLOCK_SCHED of <linux/posix-timers.h>: the low bits of a clock id that counts a process's CPU time
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")


class Cores(msgspec.Struct, frozen=True):
    """Which core the server under test runs on, and which one everything else does."""

    server: int
    load: int

    @property
    def apart(self) -> bool:
        """Whether there are two: with one core the figures say little."""
        return self.server != self.load

    @property
    def both(self) -> tuple[int, ...]:
        """The two, for servers that are several processes."""
        return (self.server, self.load)


def cores() -> Cores:
    """Return the first two cores that this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[1] if len(allowed) > 1 else allowed[0])


@contextmanager
def on_cores(cores: int | Iterable[int]) -> Iterator[None]:
    """Let the processes that are started meanwhile inherit a core, or several."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores} if isinstance(cores, int) else set(cores))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_many_files() -> None:
    """Raise the number of files that this process and those it starts may have open to what the system allows."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def cpu_s(pid: int) -> float:
    """Return the CPU time of a process and its living descendants in seconds; 0 for one that has gone."""
    return sum(_own_cpu_s(each) for each in _tree(pid))


def rss(pid: int) -> int:
    """Return the resident memory of a process and its descendants in bytes."""
    return sum(_own_rss(each) for each in _tree(pid))


def foreign_cpu_s() -> float:
    """Return the CPU time that all processes but ours have used, in seconds since some start: what disturbs a run."""
    fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
    busy = sum(int(field) for at, field in enumerate(fields) if at not in (3, 4)) / _TICKS
    times = os.times()
    return busy - cpu_s(os.getpid()) - times.children_user - times.children_system


class Watch:
    """Reads a server's CPU time, its highest memory and the noise of others while its `with` block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._stop = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self.rss_before = self.rss_peak = 0
        self.cpu_s = self.wall_s = self.noise = 0.0

    def __enter__(self) -> "Watch":
        self.rss_before = self.rss_peak = rss(self._pid)
        self._cpu, self._wall, self._foreign = cpu_s(self._pid), time.monotonic(), foreign_cpu_s()
        self._sampler.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._sampler.join()
        self.cpu_s = cpu_s(self._pid) - self._cpu
        self.wall_s = time.monotonic() - self._wall
        self.noise = max(0.0, foreign_cpu_s() - self._foreign) / self.wall_s
        self.rss_peak = max(self.rss_peak, rss(self._pid))

    def _sample(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            self.rss_peak = max(self.rss_peak, rss(self._pid))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for task in _listed(Path(f"/proc/{pid}/task")):
        for child in _read(task / "children").split():
            yield from _tree(int(child))


def _own_cpu_s(pid: int) -> float:
    try:
        return time.clock_gettime((~pid << 3) | _CPU_CLOCK)
    except OSError:
        return 0.0


def _own_rss(pid: int) -> int:
    fields = _read(Path(f"/proc/{pid}/statm")).split()
    return int(fields[1]) * _PAGE if fields else 0


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
