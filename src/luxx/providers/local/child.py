"""The program that runs the embedded model: one line of JSON in, one address out, and an end when its input closes.

It is started as ``python -m luxx.providers.local.child`` by engine and imports nothing of Luxx. The order comes on
standard input because a command line can be read by every user of the machine, and the order holds the API key.
"""

import importlib
import json
import os
import signal
import sys
import threading
from typing import Any, BinaryIO, Protocol

_PREFILL_THREADS = 2
_CONTEXT_TOKENS = 8192
_BATCH_TOKENS = 256
_PARALLEL_ANSWERS = 4
_CACHE_MIB = 128
_IDLE_SECONDS = 600
_LONGEST_ANSWER_TOKENS = 512  # unless a request says otherwise: now and then it goes round in circles


class _Server(Protocol):
    """The running server; it ends when it is collected."""

    listening_address: str


def main() -> None:
    """Serve the model until standard input closes; the process ends with status 0 then, whatever it is doing."""
    _ignore_signals()
    answer = _private_stdout()
    order = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    # The default makes idle threads spin, which costs most of the speed as soon as anything else wants the processor.
    os.putenv("OMP_WAIT_POLICY", "passive")
    try:
        server = _serve(order["model"], order["alias"], order["api_key"])
    except (ImportError, RuntimeError) as error:
        sys.exit(f"cannot serve {order['model']}: {error}")
    answer.write(f"{server.listening_address}\n".encode())
    answer.flush()
    threading.Event().wait()


def _ignore_signals() -> None:
    """Leave the end to the parent: Ctrl-C and service managers signal the whole group, while answers are still made."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _private_stdout() -> BinaryIO:
    """Return the parent's end, and send whatever a library prints to the log instead."""
    private = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return private


def _end_with_input() -> None:
    """Wait for the end of the input, which a parent killed by any means also brings.

    A normal exit would wait for the answer under way, for ten seconds and more.
    """
    while os.read(0, 4096):  # not sys.stdin: a thread that holds its lock breaks the exit after a failed start
        pass
    os._exit(0)


def _serve(model: str, alias: str, api_key: str) -> _Server:
    """Load the model and listen on a free port. The figures are measured: see docs/local-model.md."""
    xllamacpp: Any = importlib.import_module("xllamacpp")  # not sooner: it reads OMP_WAIT_POLICY when it is loaded
    params: Any = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {alias}
    params.api_keys = [api_key]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.ui = False
    params.endpoint_slots = False
    params.warmup = False
    params.fit_params = False
    params.verbosity = 1
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = min(_PREFILL_THREADS, os.cpu_count() or 1)
    params.n_ctx = _CONTEXT_TOKENS
    params.n_batch = params.n_ubatch = _BATCH_TOKENS
    params.n_parallel = _PARALLEL_ANSWERS
    params.kv_unified = True
    params.cache_ram_mib = _CACHE_MIB
    params.sleep_idle_seconds = _IDLE_SECONDS
    params.n_predict = _LONGEST_ANSWER_TOKENS
    params.sampling.temp = 0.2
    params.sampling.top_p = 0.9
    params.sampling.dry_multiplier = 0.8
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
