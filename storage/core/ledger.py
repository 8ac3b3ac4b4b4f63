"""The ledger: who did what to which record, as an append-only chain of hashes. It never holds content."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy import insert, select
from sqlalchemy.engine import RowMapping

from storage.core import locks
from storage.core.models import LedgerEntry, table_of
from storage.core.statements import Prepared
from storage.core.unit import Unit

LEDGER = table_of(LedgerEntry)
START = "0" * 64
FIELDS = ("seq", "at", "actor", "action", "subject", "digest", "previous")
_LAST = Prepared(select(LEDGER.c.seq, LEDGER.c.hash).order_by(LEDGER.c.seq.desc()).limit(1))
_NEXT = Prepared(insert(LEDGER), LEDGER.c.keys())


@dataclass(frozen=True)
class Broken:
    """The first place where the ledger, or a row it covers, differs from what was written."""

    where: str
    what: str


def digest_of(value: object) -> str:
    """Return the SHA-256 of a value as canonical JSON."""
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()


def append(unit: Unit, at: str, actor: str, action: str, subject: str, digest: str = "") -> None:
    """Add an entry to the current transaction. It joins the chain only just before the commit."""
    unit.entries.append({"at": at, "actor": actor, "action": action, "subject": subject, "digest": digest})


def write(unit: Unit) -> None:
    """Append this transaction's entries to the chain. Other writers wait from here until the commit."""
    if not unit.entries:
        return
    locks.acquire_until_commit(unit, "ledger")
    last = _LAST.first(unit)
    seq, previous = (last.seq, last.hash) if last else (0, START)
    for given in unit.entries:
        seq += 1
        entry = {"seq": seq, **given, "previous": previous}
        previous = digest_of(entry)
        _NEXT.change(unit, {**entry, "hash": previous})
    unit.entries.clear()


def entries(unit: Unit) -> Iterator[RowMapping]:
    """Yield all entries in order."""
    write(unit)
    yield from unit.connection.execute(select(LEDGER).order_by(LEDGER.c.seq)).mappings()


def about(unit: Unit, subject: str, action: str) -> list[RowMapping]:
    """Return the entries with one action about one subject, in order."""
    write(unit)
    query = select(LEDGER).where(LEDGER.c.subject == subject, LEDGER.c.action == action)
    return list(unit.connection.execute(query.order_by(LEDGER.c.seq)).mappings())


def head(unit: Unit) -> tuple[int, str]:
    """Return the number and hash of the last entry. Stored elsewhere, they reveal a cut or rewritten ledger."""
    write(unit)
    last = _LAST.first(unit)
    return (last.seq, last.hash) if last else (0, START)


def holds(unit: Unit, seq: int, hashed: str) -> bool:
    """Return whether the entry with this number still has this hash."""
    if seq == 0:
        return hashed == START
    found = unit.connection.execute(select(LEDGER.c.hash).where(LEDGER.c.seq == seq)).scalar()
    return bool(found == hashed)


def check_head(unit: Unit, seq: int, hashed: str) -> Broken | None:
    """Compare the ledger with a head that was stored elsewhere; return None if they agree."""
    if holds(unit, seq, hashed):
        return None
    return Broken(f"ledger entry {seq}", "is not what was kept outside: the ledger was cut or rewritten")


def check_chain(unit: Unit) -> tuple[int, Broken | None]:
    """Check the chain; return the number of good entries and the first broken place, if any."""
    previous, count = START, 0
    for entry in entries(unit):
        where = f"ledger entry {entry['seq']}"
        if entry["seq"] != count + 1:
            return count, Broken(f"ledger entry {count + 1}", "is missing")
        if entry["previous"] != previous:
            return count, Broken(where, "does not follow the entry before it")
        if entry["hash"] != digest_of({field: entry[field] for field in FIELDS}):
            return count, Broken(where, "was changed")
        previous, count = entry["hash"], count + 1
    return count, None
