"""Logging: our own messages only. A library's line may quote what people wrote, so we log only who logged it."""

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
#: Seconds in which a repeated line is suppressed. After that, the line says how often it was suppressed.
QUIET = 10.0
REMEMBERED = 1000


def where_of(error: BaseException) -> str:
    """Return the type and place of an error but not its text, which may quote what a person wrote, or the token."""
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
        # Tracebacks and error texts may quote the data being handled.
        record.exc_info = record.exc_text = record.stack_info = None
        return True


class _NotAgain(logging.Filter):
    """Suppresses repeats: an outage makes every task log the same line many times a second and buries all others."""

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
    """Log to standard error, or to `stream`. At any level, leave out what people write, and the token.

    The same line appears at most once in ten seconds. `form`: "text", or "json" for one object per line, with at,
    level, process, logger and message.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(_OnlyOurs())
    handler.addFilter(_NotAgain())
    plain = logging.Formatter("%(asctime)s %(levelname)s %(process)d %(name)s %(message)s")
    handler.setFormatter(_Json() if form == "json" else plain)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    return handler
