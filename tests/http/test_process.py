"""A server's process is made ready for thousands of streams."""

import subprocess
import sys

PROGRAM = """
import gc, resource
from luxx.http.process import YOUNG, prepare_process
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
prepare_process()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
assert gc.get_threshold()[0] == YOUNG and gc.get_freeze_count() > 0
"""


def test_the_limit_of_open_files_is_raised_and_the_collector_calmed() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, timeout=30)
