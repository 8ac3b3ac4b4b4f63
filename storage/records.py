"""Decision records and their amendments: written once, never changed, each covered by the ledger."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, bindparam, func, insert, select, tuple_, update
from sqlalchemy.engine import RowMapping

from storage import opinions
from storage.core import ledger
from storage.core.models import Amendment, DecisionRecord, clear_columns, table_of
from storage.core.screened import ScreenedText
from storage.core.sealing import DESTROYED
from storage.core.statements import Prepared
from storage.core.unit import Unit

RECORD = table_of(DecisionRecord)
AMENDMENT = table_of(Amendment)

#: Excludes erased records: erasing a record destroys its key.
KEPT = RECORD.c.wrapped_key != DESTROYED
#: Without 0 O 1 I L and U, so that a reference can be read out over the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CLEAR = clear_columns(RECORD)
#: The columns that the ledger's digest of a record covers. Frozen: with another column, no earlier record would verify.
DIGESTED = (
    "id", "reference", "conversation_id", "member_id", "role", "team", "edition_id", "edition_sha256", "bot_version", "flow",
    "outcome", "decision", "otherwise", "harm", "ground", "consent", "started_at", "finished_at",
)  # fmt: skip
_NEW = Prepared(insert(RECORD), RECORD.c.keys())
_REFERENCE = Prepared(select(RECORD.c.id).where(RECORD.c.reference == bindparam("wanted")))
_OF_CONVERSATION = select(RECORD).where(RECORD.c.conversation_id == bindparam("of"), KEPT)
_AMENDMENTS = Prepared(select(AMENDMENT).where(AMENDMENT.c.record_id == bindparam("of")).order_by(AMENDMENT.c.seq))


@dataclass(frozen=True)
class Stored:
    """A record as stored, decrypted with its key: clear columns, content, amendments."""

    clear: dict[str, Any]
    content: dict[str, Any]
    amendments: tuple[dict[str, Any], ...]


def new_reference(choose: Callable[[str], str] = secrets.choice) -> str:
    """Return a new reference that can be read out over the phone: SW-XXXX-XXXX."""
    letters = "".join(choose(ALPHABET) for _ in range(8))
    return f"SW-{letters[:4]}-{letters[4:]}"


def save(
    unit: Unit, clear: dict[str, Any], content: dict[str, Any], case_reference: str | None, actor: str
) -> tuple[str, str]:
    """Write a record and its ledger entry; return its id and reference. A conversation can have only one record."""
    record_id, reference = uuid.uuid4().hex, new_reference()
    while _REFERENCE.scalar(unit, {"wanted": reference}):
        reference = new_reference()
    wrapped, sealer = unit.keys.new_key(f"record:{record_id}")
    row = {"id": record_id, "reference": reference, **clear}
    sealed = sealer.seal_value(content, f"record:{record_id}:content")
    case_hash = unit.keys.lookup(case_reference.casefold()) if case_reference else None
    _NEW.change(unit, {**row, "case_hash": case_hash, "wrapped_key": wrapped, "content": sealed})
    ledger.append(unit, clear["finished_at"], actor, "record.saved", f"record:{record_id}", digest(row, sealed))
    return record_id, reference


def amend(unit: Unit, record_id: str, member_id: int, words: ScreenedText, at: str, actor: str) -> int:
    """Add a note to a record; return the amendment's number. The record itself does not change."""
    content = {"kind": "note", "text": words.text, "said_not_a_person": words.said_not_a_person}
    return _amend(unit, record_id, member_id, content, at, actor)


def add_reasons(unit: Unit, stored: Stored, words: ScreenedText, told: str, at: str, actor: str) -> int:
    """Add the reasons of a record that was saved without any, such as an emergency's; return the amendment's number.

    `told`: the words that a reader sees among the notes.
    """
    content = {"kind": "reasons", "said": words.text, "text": told, "said_not_a_person": words.said_not_a_person}
    return _amend(unit, stored.clear["id"], stored.clear["member_id"], content, at, actor)


def add_advice(unit: Unit, record_id: str, request: opinions.Request, at: str, actor: str) -> int:
    """Add how an opinion request ended, or what the practitioner made of it; return the amendment's number."""
    content = {"kind": "advice", "advice": opinions.as_advice(unit, request)}
    return _amend(unit, record_id, request.member_id, content, at, actor)


def recase(unit: Unit, stored: Stored, case: ScreenedText, told: str, at: str, actor: str) -> int:
    """Add another case reference to a record and file it under that; return the amendment's number. The old one stays in it.

    `told`: the words that a reader sees among the notes.
    """
    content = {"kind": "case_reference", "was": case_of(stored), "now": case.text, "text": told}
    record_id = stored.clear["id"]
    seq = _amend(unit, record_id, stored.clear["member_id"], content, at, actor)
    hashed = unit.keys.lookup(case.text.casefold())
    unit.connection.execute(update(RECORD).where(RECORD.c.id == record_id).values(case_hash=hashed))
    return seq


def case_of(stored: Stored) -> str | None:
    """Return the case reference that a record is filed under: the last one that was given."""
    corrected = [note["now"] for note in stored.amendments if note.get("kind") == "case_reference"]
    return corrected[-1] if corrected else stored.content.get("case_reference")


def _amend(unit: Unit, record_id: str, member_id: int, content: dict[str, Any], at: str, actor: str) -> int:
    row = unit.connection.execute(select(RECORD.c.wrapped_key).where(RECORD.c.id == record_id)).one()
    sealer = unit.keys.unwrap(row.wrapped_key, f"record:{record_id}")
    last = unit.connection.execute(select(func.max(AMENDMENT.c.seq)).where(AMENDMENT.c.record_id == record_id)).scalar()
    seq = (last or 0) + 1
    sealed = sealer.seal_value(content, f"record:{record_id}:amendment:{seq}")
    clear = {"record_id": record_id, "seq": seq, "at": at, "member_id": member_id}
    unit.connection.execute(insert(AMENDMENT).values(**clear, content=sealed))
    ledger.append(unit, at, actor, "record.amended", f"amendment:{record_id}:{seq}", digest(clear, sealed))
    return seq


def get(unit: Unit, record_id: str) -> Stored | None:
    """Return a record by its id, decrypted; raise SealBroken."""
    return _one(unit, RECORD.c.id == record_id)


def find(unit: Unit, reference: str) -> Stored | None:
    """Return a record by its reference, decrypted; raise SealBroken."""
    return _one(unit, RECORD.c.reference == reference)


def of_conversation(unit: Unit, conversation_id: str) -> Stored | None:
    """Return the record of a conversation, decrypted; raise SealBroken."""
    return _find(unit, _OF_CONVERSATION, {"of": conversation_id})


def _one(unit: Unit, where: Any) -> Stored | None:
    return _find(unit, select(RECORD).where(where, KEPT))


def _find(unit: Unit, query: Select[Any], given: dict[str, Any] | None = None) -> Stored | None:
    """Return the record that a query finds; an erased record counts as absent."""
    row = unit.connection.execute(query, given).mappings().first()
    return opened(unit, row) if row else None


def listed(unit: Unit, member_id: int | None = None) -> Iterator[Stored]:
    """Yield records, all or one member's, decrypted, in the order they were finished; raise SealBroken."""
    query = select(RECORD).where(KEPT).order_by(RECORD.c.finished_at, RECORD.c.id)
    if member_id is not None:
        query = query.where(RECORD.c.member_id == member_id)
    for row in unit.connection.execute(query).mappings():
        yield opened(unit, row)


def own(unit: Unit, member_id: int, limit: int, *, before: Stored | None = None, case: str = "") -> list[Stored]:
    """Return a member's records, decrypted, newest first; raise SealBroken.

    `before`: only those finished before this one. `case`: only those with this case reference, in any case of letters.
    """
    query = select(RECORD).where(KEPT, RECORD.c.member_id == member_id)
    if before is not None:
        at = before.clear["finished_at"], before.clear["id"]
        query = query.where(tuple_(RECORD.c.finished_at, RECORD.c.id) < tuple_(*at))
    if case:
        query = query.where(RECORD.c.case_hash.in_(unit.keys.lookups(case.casefold())))
    query = query.order_by(RECORD.c.finished_at.desc(), RECORD.c.id.desc()).limit(limit)
    return [opened(unit, row) for row in unit.connection.execute(query).mappings()]


def newest_of_team(unit: Unit, team: str, limit: int) -> Iterator[Stored]:
    """Yield a team's newest records, decrypted, newest first; raise SealBroken."""
    query = select(RECORD).where(KEPT, RECORD.c.team == team).order_by(RECORD.c.finished_at.desc()).limit(limit)
    for row in unit.connection.execute(query).mappings():
        yield opened(unit, row)


def opened(unit: Unit, row: RowMapping) -> Stored:
    """Decrypt a record's row and amendments with that record's key; raise SealBroken."""
    associated_data = f"record:{row['id']}"
    sealer = unit.keys.unwrap(row["wrapped_key"], associated_data)
    content = sealer.open_value(row["content"], f"{associated_data}:content")
    amendments = [
        {"seq": a.seq, "at": a.at, **sealer.open_value(a.content, f"{associated_data}:amendment:{a.seq}")}
        for a in _AMENDMENTS.all(unit, {"of": row["id"]})
    ]
    return Stored({name: row[name] for name in CLEAR}, content, tuple(amendments))


def digest(clear: dict[str, Any], sealed: bytes) -> str:
    """Return the digest of a row for the ledger: a hash of its clear columns and its ciphertext."""
    return ledger.digest_of({**clear, "sealed": sha256(sealed).hexdigest()})
