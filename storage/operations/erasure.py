"""Erasure destroys keys, so that the content can never be read again; the ledger still verifies.

A backup made before an erasure still contains the keys. A list next to the database names every erased record, by id
alone, so that a restore can erase them again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import and_, select, update

from storage import retention
from storage.conversations import CONVERSATION, Status
from storage.core import ledger
from storage.core.clock import DAY, later
from storage.core.sealing import DESTROYED
from storage.core.unit import Unit
from storage.opinions import REQUEST
from storage.records import RECORD
from storage.reviews import REVIEW

#: The name of the list, which is next to the database.
LIST = "erased.jsonl"


class Held(Exception):
    """The record is on hold and must not be erased."""


class BadList(Exception):
    """The file is missing, or is not a list of erasures."""


def erase(unit: Unit, record_id: str, at: str, actor: str) -> None:
    """Destroy the keys of a record, its conversation and its requests; raise Held. Clear columns and ledger stay."""
    if unit.connection.execute(
        select(retention.HOLD.c.record_id).where(retention.HOLD.c.record_id == record_id)
    ).first():
        raise Held("This record is on hold.")
    row = unit.connection.execute(select(RECORD.c.conversation_id).where(RECORD.c.id == record_id)).one()
    unit.connection.execute(
        update(RECORD).where(RECORD.c.id == record_id).values(wrapped_key=DESTROYED, case_hash=None)
    )
    unit.connection.execute(
        update(REQUEST).where(REQUEST.c.conversation_id == row.conversation_id).values(wrapped_key=DESTROYED)
    )
    _close_conversation(unit, CONVERSATION.c.id == row.conversation_id)
    unit.connection.execute(update(REVIEW).where(REVIEW.c.record_id == record_id).values(state="closed", changed_at=at))
    ledger.append(unit, at, actor, "record.erased", f"record:{record_id}")


def expire_unfinished(unit: Unit, now: str) -> list[int]:
    """Destroy the keys of conversations left unfinished for longer than the retention rule allows.

    Return the chats of those that were still open: the people there should be told.
    """
    rule = retention.rules(unit).get("unfinished")
    if rule is None or rule.days is None:
        return []
    before = later(now, -DAY * rule.days)
    stale = (
        CONVERSATION.c.status != Status.FINISHED,
        CONVERSATION.c.updated_at < before,
        CONVERSATION.c.wrapped_key != DESTROYED,
    )
    found = unit.connection.execute(
        select(CONVERSATION.c.id, CONVERSATION.c.chat_id, CONVERSATION.c.status).where(*stale)
    )
    expired = []
    for conversation_id, chat_id, status in found.all():
        if not _close_conversation(unit, and_(CONVERSATION.c.id == conversation_id, *stale), status=Status.CANCELLED):
            continue  # another worker expired it, or the person has just continued it
        unit.connection.execute(
            update(REQUEST)
            .where(REQUEST.c.conversation_id == conversation_id)
            .values(wrapped_key=DESTROYED, state="withdrawn")
        )
        ledger.append(unit, now, "sharewise", "conversation.expired", f"conversation:{conversation_id}")
        if status == Status.OPEN:
            expired.append(int(chat_id))
    return expired


def _close_conversation(unit: Unit, where: Any, **values: Any) -> int:
    closed = update(CONVERSATION).where(where).values(wrapped_key=DESTROYED, walk=DESTROYED, **values)
    return unit.connection.execute(closed).rowcount


# ---- the list for restores ----------------------------------------------------------------------
def note(folder: Path, record_ids: Iterable[str]) -> None:
    """Add records to the list. Call this last in the transaction that erases them, so that every erasure is listed.

    If the process is killed before the commit, the list names records that were not erased; `reconcile` removes them.
    """
    with (folder / LIST).open("a", encoding="ascii") as file:
        file.writelines(_line(record_id) for record_id in record_ids)
        file.flush()
        os.fsync(file.fileno())


def reconcile(unit: Unit, folder: Path) -> None:
    """Make the list agree with the database. Records that are not in the database stay on the list."""
    listed = read(folder / LIST) if (folder / LIST).exists() else []
    kept = set(
        unit.connection.scalars(select(RECORD.c.id).where(RECORD.c.wrapped_key != DESTROYED, RECORD.c.id.in_(listed)))
    )
    erased = unit.connection.scalars(select(RECORD.c.id).where(RECORD.c.wrapped_key == DESTROYED))
    wanted = list(dict.fromkeys([one for one in listed if one not in kept] + list(erased)))
    if wanted != listed:
        _rewrite(folder, wanted)


def _rewrite(folder: Path, record_ids: Collection[str]) -> None:
    draft = folder / f".{LIST}"
    with draft.open("w", encoding="ascii") as file:
        file.writelines(_line(record_id) for record_id in record_ids)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, folder / LIST)


def _line(record_id: str) -> str:
    return json.dumps({"record": record_id}) + "\n"


def read(path: Path) -> list[str]:
    """Return the ids on a list of erasures; raise BadList."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return [str(json.loads(line)["record"]) for line in lines if line.strip()]
    except FileNotFoundError:
        raise BadList(f"{path} does not exist. If nothing was ever erased, leave out --erased.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise BadList(f"{path} is not a list of erasures.") from None


def repeat(unit: Unit, record_ids: Iterable[str], at: str) -> int:
    """Erase those of the records that a restored store still contains, even if on hold; return how many."""
    count = 0
    for record_id in record_ids:
        row = unit.connection.execute(RECORD.select().where(RECORD.c.id == record_id)).mappings().first()
        if row and row["wrapped_key"]:
            retention.release(unit, record_id, at, "restore")
            erase(unit, record_id, at, "restore")
            count += 1
    return count
