"""Checks the store against its ledger: nothing has been changed, removed or added since it was written."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.engine import RowMapping

from storage import opinions, records, reviews
from storage.core import ledger
from storage.core.sealing import SealBroken
from storage.core.unit import Unit

#: The ledger actions whose entries cover a row.
WRITTEN = ("record.saved", "record.amended", "opinion.given")


@dataclass(frozen=True)
class Checked:
    """How much a check covered, and the first broken place, if any."""

    entries: int
    records: int
    broken: ledger.Broken | None


def verify(unit: Unit) -> Checked:
    """Check the ledger, the seal of every record and amendment, and that no row is missing or added."""
    entries, broken = ledger.check_chain(unit)
    if broken:
        return Checked(entries, 0, broken)
    told: dict[str, str] = {}
    erased: set[str] = set()
    for entry in ledger.entries(unit):
        if entry["action"] in WRITTEN or entry["action"].startswith("review."):
            told[entry["subject"]] = entry["digest"]
        elif entry["action"] == "record.erased":
            erased.add(entry["subject"])
    seen: set[str] = set()
    for row in unit.connection.execute(
        select(records.RECORD).order_by(records.RECORD.c.finished_at, records.RECORD.c.id)
    ).mappings():
        subject = f"record:{row['id']}"
        seen.add(subject)
        broken = _check(
            told,
            subject,
            records.digest({name: row[name] for name in records.DIGESTED}, row["content"]),
            row["reference"],
        )
        if broken is None and not row["wrapped_key"]:
            if subject not in erased:
                broken = ledger.Broken(row["reference"], "has no key, but the ledger does not say that it was erased")
        elif broken is None:
            try:
                broken = _check_case(unit, row)
            except (SealBroken, ValueError) as error:
                broken = ledger.Broken(f"record {row['reference']}", str(error))
        if broken:
            return Checked(entries, len(seen) - 1, broken)
    count = len(seen)
    for row in unit.connection.execute(select(records.AMENDMENT)).mappings():
        subject = f"amendment:{row['record_id']}:{row['seq']}"
        seen.add(subject)
        clear = {name: row[name] for name in ("record_id", "seq", "at", "member_id")}
        broken = _check(told, subject, records.digest(clear, row["content"]), subject)
        if broken:
            return Checked(entries, count, broken)
    for row in unit.connection.execute(select(opinions.OPINION)).mappings():
        subject = f"opinion:{row['request_id']}:{row['member_id']}:{row['seq']}"
        seen.add(subject)
        clear = {name: row[name] for name in ("request_id", "member_id", "seq", "role", "at")}
        broken = _check(told, subject, opinions.digest(clear, row["content"]), subject)
        if broken:
            return Checked(entries, count, broken)
    for row in unit.connection.execute(select(reviews.EVENT)).mappings():
        subject = f"review:{row['record_id']}:{row['seq']}"
        seen.add(subject)
        broken = _check(told, subject, reviews.digest(row, row["content"]), subject)
        if broken:
            return Checked(entries, count, broken)
    for subject in told:
        if subject not in seen:
            return Checked(entries, count, ledger.Broken(subject, "is in the ledger but is missing from the store"))
    return Checked(entries, count, None)


def _check(told: dict[str, str], subject: str, digest: str, name: str) -> ledger.Broken | None:
    if subject not in told:
        return ledger.Broken(name, "is in the store but not in the ledger")
    if told[subject] != digest:
        return ledger.Broken(name, "is not what the ledger says was saved")
    return None


def _check_case(unit: Unit, row: RowMapping) -> ledger.Broken | None:
    case = records.case_of(records.opened(unit, row))
    if row["case_hash"] not in (unit.keys.lookups(case.casefold()) if case else [None]):
        return ledger.Broken(row["reference"], "is filed under another case reference than it holds")
    return None
