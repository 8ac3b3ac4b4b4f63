"""Multiple workers, forked from one process so that they share the memory of what it loaded."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from typing import Any

from bot.cli.faults import exit_code_of

#: The signals that stop the bot.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
#: Seconds that workers have to finish their current work.
STOP_SECONDS = 9


def run_workers(count: int, serve_one: Callable[[], int]) -> int:
    """Run workers until a signal stops us; return the exit code. If one worker ends by itself, stop them all."""
    gc.collect()
    # Exempt what is loaded now from garbage collection, which would write to the shared pages and so copy them.
    gc.freeze()
    told: list[int] = []
    # Block the signals while forking: until a worker resets them, the inherited handler would swallow them.
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    for number in STOP_SIGNALS:
        signal.signal(number, lambda number, _frame: told.append(number))
    fork = get_context("fork")
    # Daemons, so that no worker outlives this process.
    workers = [fork.Process(target=_work, args=(serve_one,), daemon=True) for _ in range(count)]
    for worker in workers:
        worker.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    ends: list[Any] = []
    while not told and not ends:
        ends = connection.wait([worker.sentinel for worker in workers], 0.2)
    ended = [worker for worker in workers if worker.sentinel in ends]
    for worker in workers:
        worker.terminate()
    until = time.monotonic() + STOP_SECONDS
    for worker in workers:
        worker.join(max(0.0, until - time.monotonic()))
        if worker.is_alive():
            worker.kill()
            worker.join()
    if ended and not told:
        for worker in ended:
            code = worker.exitcode or 0
            how = f"by signal {-code}" if code < 0 else f"with exit code {code}"
            sys.stderr.write(f"sharewise: worker {worker.pid} ended {how}; all were ended.\n")
        return 1
    # A worker killed by SIGTERM had not yet installed its handler, so it had no work in hand: that is not a failure.
    return int(any(worker.exitcode not in (0, -signal.SIGTERM) for worker in workers))


def _work(serve_one: Callable[[], int]) -> None:
    """Run one worker, in its own process, with signal handling reset to the defaults."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
    sys.exit(exit_code_of(serve_one))
