"""Our logging as in production, temporarily."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from bot.composition import logs


@contextmanager
def logged(level: int, form: str = "text") -> Iterator[io.StringIO]:
    """Log as the product does into a stream, then restore logging."""
    root, stream = logging.getLogger(), io.StringIO()
    before = root.level, root.handlers[:]
    try:
        logs.set_up(level, stream, form)
        yield stream
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
