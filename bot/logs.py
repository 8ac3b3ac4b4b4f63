"""Logging: our own words only. What a library would log may hold what people wrote, so it is named and withheld."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import TextIO

from storage.clock import FORM

OURS = "sharewise"


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


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime(FORM)
        return json.dumps({"at": at, "level": record.levelname, "logger": record.name, "message": record.getMessage()})


def set_up(level: int = logging.WARNING, stream: TextIO | None = None, form: str = "text") -> logging.Handler:
    """Log to standard error (or a stream), at any level without what people write and without the token.

    `form`: text, or json with a line each: at, level, logger, message.
    """
    handler = logging.StreamHandler(stream)
    handler.addFilter(_OnlyOurs())
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json() if form == "json" else plain)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    return handler
