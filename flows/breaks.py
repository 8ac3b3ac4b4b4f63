"""Breaks while a long text is read: what runs beside in the same interpreter gets its turn, as a tap by somebody else.

Only a thread that said so takes breaks. Two threads that compute get half of the time each, however urgent one is.
"""

from __future__ import annotations

import threading
import time

#: So many seconds are worked before the first break; a short text is read before that.
LEAST = 0.001


class _Own(threading.local):
    rest = 0.0
    since = 0.0


_own = _Own()


def take_breaks(rest: float) -> None:
    """Let this thread rest `rest` seconds for each second that it worked."""
    _own.rest = rest


def begin() -> None:
    """Begin to read a text."""
    _own.since = time.perf_counter()


def pause() -> None:
    """Take a break if one is due. Called often, between two pieces of work."""
    if not _own.rest:
        return
    worked = time.perf_counter() - _own.since
    if worked >= LEAST:
        time.sleep(min(worked * _own.rest, 0.05))
        _own.since = time.perf_counter()
