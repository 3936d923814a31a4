"""Process: what a server with thousands of open streams needs of its process."""

import contextlib
import gc
import resource

YOUNG, MIDDLE, OLD = 50_000, 20, 50
"""Thresholds of the collector. Streams allocate much and leave few cycles: Python's own values stop a loaded server often."""


def prepare_process() -> None:
    """Allow as many open files as the system grants this process, and let the collector pass over what stays for ever.

    To be called when all parts are made, right before requests are answered. A stream takes two files: one to the reader, one to
    the provider; the usual limit of 1,024 would refuse the five hundredth.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # a system that grants less than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
