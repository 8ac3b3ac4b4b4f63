"""Logging: our own words only. What a library would log may hold what people wrote, so it is named and withheld."""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from datetime import UTC, datetime
from typing import TextIO

from storage.core.clock import FORM

OURS = "sharewise"
#: A line is not said again for so many seconds; the next time it says how often it was left out.
QUIET = 10.0
REMEMBERED = 1000


def where_of(error: BaseException) -> str:
    """Say what failed and where, without the error's own words: they may hold what a person wrote, or the token."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} at {frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}"


class _OnlyOurs(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        ours = record.name.split(".")[0] == OURS
        if not ours and record.levelno < logging.WARNING:
            return False
        words = record.getMessage() if ours else "a message of this library is withheld"
        record.msg, record.args = re.sub(r"bot\d+:[\w-]+", "bot<token>", words), None
        # An error's own words may hold what was being handled.
        record.exc_info = record.exc_text = record.stack_info = None
        return True


class _NotAgain(logging.Filter):
    """Trouble is met many times a second, by everything that meets it: one line tells, hundreds hide the others."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        key, now = (record.name, record.getMessage()), time.monotonic()
        said, left_out = self._said.get(key, (now - QUIET, 0))
        if now - said < QUIET:
            self._said[key] = said, left_out + 1
            return False
        if len(self._said) >= REMEMBERED:
            self._said.clear()
        self._said[key] = now, 0
        if left_out:
            record.msg = f"{record.msg} ({left_out} times more since it was last said)"
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime(FORM)
        where = {"level": record.levelname, "process": record.process, "logger": record.name}
        return json.dumps({"at": at, **where, "message": record.getMessage()})


def set_up(level: int = logging.WARNING, stream: TextIO | None = None, form: str = "text") -> logging.Handler:
    """Log to standard error (or a stream), at any level without what people write and without the token.

    The same line is said every ten seconds at most. `form`: text, or json with a line each: at, level, process, logger, message.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(_OnlyOurs())
    handler.addFilter(_NotAgain())
    plain = logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s %(message)s")
    handler.setFormatter(_Json() if form == "json" else plain)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    return handler
