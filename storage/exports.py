"""Exports of many records: one person requests, another agrees, and only coded columns are included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, delete, select, update

from storage import reviews
from storage.core import ledger
from storage.core.models import ListExport, table_of
from storage.core.statements import insert_one
from storage.core.unit import Unit
from storage.reviews import ReviewRow, Wanted

EXPORT = table_of(ListExport)
PAGE = 500


@dataclass(frozen=True)
class ExportRow:
    """A requested export, with its filter decrypted."""

    id: int
    team: str
    member_id: int
    wanted: Wanted
    made_at: str
    agreed_by: int | None
    agreed_at: str | None


def ask(unit: Unit, team: str, member_id: int, wanted: Wanted, at: str) -> int:
    """Request an export; return its number."""
    sealed = unit.keys.members.seal_value(asdict(wanted), f"list_export:{team}:{at}")
    number = insert_one(unit, EXPORT, {"team": team, "member_id": member_id, "wanted": sealed, "made_at": at})
    ledger.append(unit, at, f"member:{member_id}", "list_export.asked", f"list_export:{number}")
    return number


def agree(unit: Unit, number: int, member_id: int, at: str) -> bool:
    """Agree to somebody else's export; return False if it is the member's own or has been agreed to already."""
    where = (EXPORT.c.id == number, EXPORT.c.member_id != member_id, EXPORT.c.agreed_by.is_(None))
    done = unit.connection.execute(update(EXPORT).where(*where).values(agreed_by=member_id, agreed_at=at))
    if done.rowcount == 1:
        ledger.append(unit, at, f"member:{member_id}", "list_export.agreed", f"list_export:{number}")
    return done.rowcount == 1


def prune(unit: Unit, before: str) -> None:
    """Delete requests made before this time: they can no longer be exported, and their filters may name a case."""
    unit.connection.execute(delete(EXPORT).where(EXPORT.c.made_at < before))


def get(unit: Unit, number: int) -> ExportRow | None:
    """Return a requested export by its number."""
    found = _many(unit, EXPORT.c.id == number)
    return found[0] if found else None


def of_team(unit: Unit, team: str, since: str) -> list[ExportRow]:
    """Return the exports requested in a team since a time, newest first."""
    return _many(unit, EXPORT.c.team == team, EXPORT.c.made_at >= since)


def rows(unit: Unit, export: ExportRow, at: str) -> Iterator[ReviewRow]:
    """Record the export in the ledger, then yield its records."""
    ledger.append(unit, at, f"member:{export.member_id}", "list_export.taken", f"list_export:{export.id}")
    after: ReviewRow | None = None
    while True:
        page = reviews.queue(unit, export.team, export.member_id, export.wanted, PAGE, after)
        yield from page
        if len(page) < PAGE or export.wanted.case:
            return
        after = page[-1]


def _many(unit: Unit, *where: ColumnElement[bool]) -> list[ExportRow]:
    query = select(EXPORT).where(*where).order_by(EXPORT.c.id.desc())
    found = []
    for row in unit.connection.execute(query):
        plain = unit.keys.members.open_value(row.wanted, f"list_export:{row.team}:{row.made_at}")
        wanted = Wanted(**{**plain, "states": tuple(plain["states"])})
        found.append(ExportRow(row.id, row.team, row.member_id, wanted, row.made_at, row.agreed_by, row.agreed_at))
    return found
