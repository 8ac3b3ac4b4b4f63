"""Pauses the bot, with a reason that people are shown. An emergency still gets its card."""

from __future__ import annotations

from sqlalchemy import delete, insert, select

from storage.core import ledger
from storage.core.models import Pause, table_of
from storage.core.screened import ScreenedText
from storage.core.statements import Prepared
from storage.core.unit import Unit

PAUSE = table_of(Pause)
_REASON = Prepared(select(PAUSE.c.reason))


def put(unit: Unit, reason: ScreenedText, at: str, actor: str) -> None:
    """Pause the bot, or change the reason."""
    unit.connection.execute(delete(PAUSE))
    unit.connection.execute(insert(PAUSE).values(id=1, reason=reason.text, at=at))
    ledger.append(unit, at, actor, "service.paused", "service", ledger.digest_of(reason.text))


def end(unit: Unit, at: str, actor: str) -> bool:
    """Resume the bot; return whether it was paused."""
    ended = unit.connection.execute(delete(PAUSE)).rowcount == 1
    if ended:
        ledger.append(unit, at, actor, "service.resumed", "service")
    return ended


def reason(unit: Unit) -> str | None:
    """Return why the bot is paused, or None if it is not."""
    found = _REASON.scalar(unit)
    return None if found is None else str(found)
