"""Questions the bot could not help with, counted by edition and wording or passage, never by person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, update

from storage.core.models import AskedQuestion, table_of
from storage.core.screened import ScreenedText
from storage.core.statements import upsert
from storage.core.unit import Unit

QUESTION = table_of(AskedQuestion)
KNOWN_BY = ("edition_id", "kind", "subject", "question_hash")
#: How many different unanswered questions are kept. Beyond that, only their topics are counted.
MOST = 5000


@dataclass(frozen=True)
class Counted:
    """A question or passage, and its count."""

    edition_id: str
    kind: str
    subject: str
    question: str | None
    times: int
    first_at: str
    last_at: str


def count_unanswered(unit: Unit, edition_id: str, topic: str, question: ScreenedText, at: str) -> None:
    """Count a question that got no answer, ignoring differences in case and spacing."""
    same = " ".join(question.text.casefold().split())
    mark = unit.keys.lookup(f"question:{edition_id}:{same}")
    sealed = unit.keys.questions.seal(question.text.encode(), f"question:{mark.hex()}")
    _count(unit, edition_id, "unanswered", topic, mark, sealed, at)


def count_no_help(unit: Unit, edition_id: str, passage: str, at: str) -> None:
    """Count that a passage did not help somebody."""
    _count(unit, edition_id, "did_not_help", passage, b"", None, at)


def _count(unit: Unit, edition_id: str, kind: str, subject: str, mark: bytes, sealed: bytes | None, at: str) -> None:
    here = (
        QUESTION.c.edition_id == edition_id,
        QUESTION.c.kind == kind,
        QUESTION.c.subject == subject,
        QUESTION.c.question_hash == mark,
    )
    counted = unit.connection.execute(update(QUESTION).where(*here).values(times=QUESTION.c.times + 1, last_at=at))
    if counted.rowcount:
        return
    if sealed is not None and _is_full(unit):
        _count(unit, edition_id, kind, subject, b"", None, at)
        return
    row = {
        "edition_id": edition_id, "kind": kind, "subject": subject, "question_hash": mark, "question": sealed,
        "times": 1, "first_at": at, "last_at": at,
    }  # fmt: skip
    upsert(unit, QUESTION, KNOWN_BY, [row], times=QUESTION.c.times + 1, last_at=at)


def _is_full(unit: Unit) -> bool:
    beyond = select(QUESTION.c.id).where(QUESTION.c.question.is_not(None)).offset(MOST - 1).limit(1)
    return unit.connection.execute(beyond).first() is not None


def listed(unit: Unit, limit: int | None = None) -> list[Counted]:
    """Return the counts, highest first, with the questions decrypted; raise SealBroken."""
    query = select(QUESTION).order_by(QUESTION.c.times.desc(), QUESTION.c.last_at.desc(), QUESTION.c.id).limit(limit)
    found = []
    for row in unit.connection.execute(query):
        associated_data = f"question:{row.question_hash.hex()}"
        words = None if row.question is None else unit.keys.questions.open(row.question, associated_data).decode()
        found.append(Counted(row.edition_id, row.kind, row.subject, words, row.times, row.first_at, row.last_at))
    return found
