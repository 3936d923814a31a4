"""Ports for servers that tests start, kill and start again."""

import itertools
import os
import random
import socket

_FIRST, _SHARE, _WORKERS = 12_000, 1_000, 20


def _mine() -> range:
    """Below those that systems give away by chance, or a server that is down would find its port taken; a worker's share of them."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))  # noqa: TID251 - set by pytest-xdist
    first = _FIRST + worker % _WORKERS * _SHARE
    return range(first, first + _SHARE)


_ports = itertools.islice(itertools.cycle(_mine()), random.SystemRandom().randrange(_SHARE), None)


def free_port() -> int:
    """Return a port of this machine that nobody listens on now, and that no other test is given soon."""
    for port in _ports:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError("never reached: the ports come round")
