"""Decision records and their amendments: written once, never changed, each covered by the ledger."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select
from sqlalchemy.engine import RowMapping

from storage import opinions, reviews
from storage.core import ledger
from storage.core.models import Amendment, DecisionRecord
from storage.core.screened import ScreenedText
from storage.core.sealing import DESTROYED, SealBroken
from storage.core.statements import Prepared
from storage.core.store import Unit

RECORD = DecisionRecord.__table__  # type: ignore[attr-defined]
AMENDMENT = Amendment.__table__  # type: ignore[attr-defined]

#: The ledger's actions that write something the ledger then covers.
WRITTEN = ("record.saved", "record.amended", "opinion.given")
#: A record whose key was destroyed is erased.
KEPT = RECORD.c.wrapped_key != DESTROYED
#: Without 0 O 1 I L and U: what is left can be read out on the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CLEAR = (
    "id", "reference", "conversation_id", "member_id", "role", "team", "edition_id", "edition_sha256", "bot_version",
    "flow", "outcome", "decision", "otherwise", "harm", "ground", "consent", "started_at", "finished_at",
)  # fmt: skip
_NEW = Prepared(insert(RECORD), RECORD.c.keys())
_REFERENCE = Prepared(select(RECORD.c.id).where(RECORD.c.reference == bindparam("wanted")))
_OF_CONVERSATION = select(RECORD).where(RECORD.c.conversation_id == bindparam("of"), KEPT)
_AMENDMENTS = Prepared(select(AMENDMENT).where(AMENDMENT.c.record_id == bindparam("of")).order_by(AMENDMENT.c.seq))


@dataclass(frozen=True)
class Stored:
    """A record as stored, opened with its key: clear columns, content, amendments."""

    clear: dict[str, Any]
    content: dict[str, Any]
    amendments: tuple[dict[str, Any], ...]


def new_reference(choose: Callable[[str], str] = secrets.choice) -> str:
    """Make a reference that can be read out on the phone: SW-XXXX-XXXX."""
    letters = "".join(choose(ALPHABET) for _ in range(8))
    return f"SW-{letters[:4]}-{letters[4:]}"


def save(
    unit: Unit, clear: dict[str, Any], content: dict[str, Any], case_reference: str | None, actor: str
) -> tuple[str, str]:
    """Write a record and its ledger entry; return its id and reference. The conversation may have only one."""
    record_id, reference = uuid.uuid4().hex, new_reference()
    while _REFERENCE.scalar(unit, {"wanted": reference}):
        reference = new_reference()
    wrapped, sealer = unit.keys.new_key(f"record:{record_id}")
    row = {"id": record_id, "reference": reference, **clear}
    sealed = sealer.seal_value(content, f"record:{record_id}:content")
    case_hash = unit.keys.lookup(case_reference.casefold()) if case_reference else None
    _NEW.change(unit, {**row, "case_hash": case_hash, "wrapped_key": wrapped, "content": sealed})
    ledger.append(unit, clear["finished_at"], actor, "record.saved", f"record:{record_id}", _digest(row, sealed))
    return record_id, reference


def amend(unit: Unit, record_id: str, member_id: int, words: ScreenedText, at: str, actor: str) -> int:
    """Add later words to a record; return the number of the amendment. The record itself stays as it is."""
    content = {"kind": "note", "text": words.text, "said_not_a_person": words.said_not_a_person}
    return _amend(unit, record_id, member_id, content, at, actor)


def add_advice(unit: Unit, record_id: str, request: opinions.Request, at: str, actor: str) -> int:
    """Add to a record how a request for opinions ended, or what was made of it; return the amendment's number."""
    content = {"kind": "advice", "advice": opinions.as_advice(unit, request)}
    return _amend(unit, record_id, request.member_id, content, at, actor)


def _amend(unit: Unit, record_id: str, member_id: int, content: dict[str, Any], at: str, actor: str) -> int:
    row = unit.connection.execute(select(RECORD.c.wrapped_key).where(RECORD.c.id == record_id)).one()
    sealer = unit.keys.unwrap(row.wrapped_key, f"record:{record_id}")
    last = unit.connection.execute(select(func.max(AMENDMENT.c.seq)).where(AMENDMENT.c.record_id == record_id)).scalar()
    seq = (last or 0) + 1
    sealed = sealer.seal_value(content, f"record:{record_id}:amendment:{seq}")
    clear = {"record_id": record_id, "seq": seq, "at": at, "member_id": member_id}
    unit.connection.execute(insert(AMENDMENT).values(**clear, content=sealed))
    ledger.append(unit, at, actor, "record.amended", f"amendment:{record_id}:{seq}", _digest(clear, sealed))
    return seq


def get(unit: Unit, record_id: str) -> Stored | None:
    """Return a record by its id, opened; raise SealBroken."""
    return _one(unit, RECORD.c.id == record_id)


def find(unit: Unit, reference: str) -> Stored | None:
    """Return a record by its reference, opened; raise SealBroken."""
    return _one(unit, RECORD.c.reference == reference)


def of_conversation(unit: Unit, conversation_id: str) -> Stored | None:
    """Return the record of a conversation, opened; raise SealBroken."""
    return _opened(unit, _OF_CONVERSATION, {"of": conversation_id})


def _one(unit: Unit, where: Any) -> Stored | None:
    return _opened(unit, select(RECORD).where(where, KEPT))


def _opened(unit: Unit, query: Select[Any], given: dict[str, Any] | None = None) -> Stored | None:
    """An erased record is answered as if it were absent."""
    row = unit.connection.execute(query, given).mappings().first()
    return _open(unit, row) if row else None


def listed(unit: Unit, member_id: int | None = None, limit: int | None = None) -> Iterator[Stored]:
    """Give records, opened, newest first when limited, else in the order they were finished; raise SealBroken."""
    query = select(RECORD).where(KEPT)
    if member_id is not None:
        query = query.where(RECORD.c.member_id == member_id)
    order = (RECORD.c.finished_at, RECORD.c.id)
    query = query.order_by(*order) if limit is None else query.order_by(*(c.desc() for c in order)).limit(limit)
    for row in unit.connection.execute(query).mappings():
        yield _open(unit, row)


def newest_of_team(unit: Unit, team: str, limit: int) -> Iterator[Stored]:
    """Give a team's newest records, opened, newest first; raise SealBroken."""
    query = select(RECORD).where(KEPT, RECORD.c.team == team).order_by(RECORD.c.finished_at.desc()).limit(limit)
    for row in unit.connection.execute(query).mappings():
        yield _open(unit, row)


def _open(unit: Unit, row: RowMapping) -> Stored:
    place = f"record:{row['id']}"
    sealer = unit.keys.unwrap(row["wrapped_key"], place)
    content = sealer.open_value(row["content"], f"{place}:content")
    amendments = [
        {"seq": a.seq, "at": a.at, **sealer.open_value(a.content, f"{place}:amendment:{a.seq}")}
        for a in _AMENDMENTS.all(unit, {"of": row["id"]})
    ]
    return Stored({name: row[name] for name in CLEAR}, content, tuple(amendments))


def _digest(clear: dict[str, Any], sealed: bytes) -> str:
    """What the ledger keeps of a row: a hash over its clear columns and over its ciphertext."""
    return ledger.digest_of({**clear, "sealed": sha256(sealed).hexdigest()})


# ---- proving -----------------------------------------------------------------------------------
@dataclass(frozen=True)
class Checked:
    """What a check went through and the first broken place, if any."""

    entries: int
    records: int
    broken: ledger.Broken | None


def verify(unit: Unit) -> Checked:
    """Check the ledger, every record's and amendment's seal, and that none is missing or added."""
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
    for row in unit.connection.execute(select(RECORD).order_by(RECORD.c.finished_at, RECORD.c.id)).mappings():
        subject = f"record:{row['id']}"
        seen.add(subject)
        broken = _check(told, subject, _digest({name: row[name] for name in CLEAR}, row["content"]), row["reference"])
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
    records = len(seen)
    for row in unit.connection.execute(select(AMENDMENT)).mappings():
        subject = f"amendment:{row['record_id']}:{row['seq']}"
        seen.add(subject)
        clear = {name: row[name] for name in ("record_id", "seq", "at", "member_id")}
        broken = _check(told, subject, _digest(clear, row["content"]), subject)
        if broken:
            return Checked(entries, records, broken)
    for row in unit.connection.execute(select(opinions.OPINION)).mappings():
        subject = f"opinion:{row['request_id']}:{row['member_id']}:{row['seq']}"
        seen.add(subject)
        clear = {name: row[name] for name in ("request_id", "member_id", "seq", "role", "at")}
        broken = _check(told, subject, opinions.digest(clear, row["content"]), subject)
        if broken:
            return Checked(entries, records, broken)
    for row in unit.connection.execute(select(reviews.EVENT)).mappings():
        subject = f"review:{row['record_id']}:{row['seq']}"
        seen.add(subject)
        broken = _check(told, subject, reviews.digest(row, row["content"]), subject)
        if broken:
            return Checked(entries, records, broken)
    for subject in told:
        if subject not in seen:
            return Checked(entries, records, ledger.Broken(subject, "is in the ledger but is missing from the store"))
    return Checked(entries, records, None)


def _check(told: dict[str, str], subject: str, digest: str, name: str) -> ledger.Broken | None:
    if subject not in told:
        return ledger.Broken(name, "is in the store but not in the ledger")
    if told[subject] != digest:
        return ledger.Broken(name, "is not what the ledger says was saved")
    return None


def _check_case(unit: Unit, row: RowMapping) -> ledger.Broken | None:
    case = _open(unit, row).content.get("case_reference")
    if row["case_hash"] not in (unit.keys.lookups(case.casefold()) if case else [None]):
        return ledger.Broken(row["reference"], "is filed under another case reference than it holds")
    return None
