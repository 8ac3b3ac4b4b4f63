"""Pauses while a long text is examined, so that other work in the same interpreter gets its turn, such as somebody else's tap.

Only a thread that opted in takes breaks. Two computing threads share the interpreter equally, however urgent one is.
"""

from __future__ import annotations

import threading
import time

#: Seconds of work before the first break. A short text takes less than that.
LEAST = 0.001


class _Own(threading.local):
    rest = 0.0
    since = 0.0


_own = _Own()


def take_breaks(rest: float) -> None:
    """Have this thread rest `rest` seconds for each second that it has worked."""
    _own.rest = rest


def begin() -> None:
    """Start examining a text."""
    _own.since = time.perf_counter()


def pause() -> None:
    """Take a break if one is due. Call it often, between pieces of work."""
    if not _own.rest:
        return
    worked = time.perf_counter() - _own.since
    if worked >= LEAST:
        time.sleep(min(worked * _own.rest, 0.05))
        _own.since = time.perf_counter()
