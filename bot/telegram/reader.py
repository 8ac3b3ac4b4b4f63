"""Examines typed texts in a thread of its own, one at a time, so that taps are not held up by somebody's long message."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flows.breaks import take_breaks

Found = TypeVar("Found")

#: Reading a long text pauses this many seconds per second of work, because taps share the interpreter with it.
REST = 3.0
#: While a text of more characters than this is read, the interpreter switches between threads after so many seconds instead of
#: its usual 0.005. Always switching that often would cost every update a few per cent.
LONG, SWITCH_SECONDS = 300, 0.0001


class Reader:
    """One thread that examines texts."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(
            max_workers=1, thread_name_prefix="reading", initializer=take_breaks, initargs=(REST,)
        )

    async def read(self, length: int, work: Callable[[], Found]) -> Found:
        """Run `work`, which examines a text of so many characters, and return its result."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, _switching, length > LONG, work)

    def close(self) -> None:
        """Stop the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _switching(often: bool, work: Callable[[], Found]) -> Found:
    if not often:
        return work()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        return work()
    finally:
        sys.setswitchinterval(usual)
