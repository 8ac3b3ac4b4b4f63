"""Questions the bot could not help with or was not sure of, counted by team and wording or passage, never by person."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select, update

from storage.core.models import AskedQuestion, table_of
from storage.core.screened import ScreenedText
from storage.core.statements import upsert
from storage.core.unit import Unit

QUESTION = table_of(AskedQuestion)
KNOWN_BY = ("edition_id", "team", "kind", "subject", "question_hash")
#: How many different questions are kept in words. Beyond that, only their subjects are counted.
MOST = 5000


class QuestionKind(StrEnum):
    """Why a question was counted. The values are stored."""

    UNANSWERED = "unanswered"
    DID_NOT_HELP = "did_not_help"
    MEANT = "meant"
    ACCEPTED = "accepted"


@dataclass(frozen=True)
class Counted:
    """A question or passage, and its count. `subject`: the topic, passage or answer card."""

    id: int
    edition_id: str
    team: str
    kind: str
    subject: str
    question: str | None
    times: int
    first_at: str
    last_at: str


@dataclass(frozen=True)
class Where:
    """Whose question is counted: the edition that was asked, and the team of the person."""

    edition_id: str
    team: str


def count_unanswered(unit: Unit, where: Where, topic: str, question: ScreenedText, at: str) -> None:
    """Count a question that got no answer, ignoring differences in case and spacing."""
    _count_words(unit, where, QuestionKind.UNANSWERED, topic, question, at)


def count_meant(unit: Unit, where: Where, card: str, question: ScreenedText, at: str) -> None:
    """Count which answer card a person chose for a question that the bot was not sure of."""
    _count_words(unit, where, QuestionKind.MEANT, card, question, at)


def count_no_help(unit: Unit, where: Where, passage: str, at: str) -> None:
    """Count that a passage did not help somebody."""
    _count(unit, where, QuestionKind.DID_NOT_HELP, passage, b"", None, at)


def _count_words(unit: Unit, where: Where, kind: str, subject: str, question: ScreenedText, at: str) -> None:
    same = " ".join(question.text.casefold().split())
    mark = unit.keys.lookup(f"question:{where.edition_id}:{same}")
    sealed = unit.keys.questions.seal(question.text.encode(), f"question:{mark.hex()}")
    _count(unit, where, kind, subject, mark, sealed, at)


def _count(unit: Unit, where: Where, kind: str, subject: str, mark: bytes, sealed: bytes | None, at: str) -> None:
    known = {
        "edition_id": where.edition_id, "team": where.team, "kind": kind, "subject": subject, "question_hash": mark,
    }  # fmt: skip
    here = (QUESTION.c[name] == value for name, value in known.items())
    counted = unit.connection.execute(update(QUESTION).where(*here).values(times=QUESTION.c.times + 1, last_at=at))
    if counted.rowcount:
        return
    if sealed is not None and _is_full(unit):
        _count(unit, where, kind, subject, b"", None, at)
        return
    row = {**known, "question": sealed, "times": 1, "first_at": at, "last_at": at}
    upsert(unit, QUESTION, KNOWN_BY, [row], times=QUESTION.c.times + 1, last_at=at)


def _is_full(unit: Unit) -> bool:
    beyond = select(QUESTION.c.id).where(QUESTION.c.question.is_not(None)).offset(MOST - 1).limit(1)
    return unit.connection.execute(beyond).first() is not None


def listed(
    unit: Unit, limit: int | None = None, *, team: str | None = None, kinds: Collection[str] = tuple(QuestionKind)
) -> list[Counted]:
    """Return the counts, highest first, with the questions decrypted; raise SealBroken."""
    query = select(QUESTION).where(QUESTION.c.kind.in_(kinds))
    if team is not None:
        query = query.where(QUESTION.c.team == team)
    query = query.order_by(QUESTION.c.times.desc(), QUESTION.c.last_at.desc(), QUESTION.c.id).limit(limit)
    found = []
    for row in unit.connection.execute(query).mappings():
        values = dict(row)
        associated_data = f"question:{values.pop('question_hash').hex()}"
        sealed = values.pop("question")
        words = None if sealed is None else unit.keys.questions.open(sealed, associated_data).decode()
        found.append(Counted(**values, question=words))
    return found


def accept(unit: Unit, counted: Collection[Counted], card: str) -> None:
    """Turn questions into reviewed ways to ask for an answer card. One that was accepted for it before stays as it was."""
    for one in counted:
        row = unit.connection.execute(select(QUESTION.c.question_hash).where(QUESTION.c.id == one.id)).first()
        if row is None or one.question is None:
            continue
        known = {"edition_id": one.edition_id, "team": one.team, "kind": QuestionKind.ACCEPTED, "subject": card}
        twin = (
            *(QUESTION.c[name] == value for name, value in known.items()),
            QUESTION.c.question_hash == row.question_hash,
        )
        if unit.connection.execute(select(QUESTION.c.id).where(*twin)).first():
            remove(unit, [one.id])
        else:
            change = update(QUESTION).where(QUESTION.c.id == one.id)
            unit.connection.execute(change.values(kind=QuestionKind.ACCEPTED, subject=card))


def remove(unit: Unit, ids: Collection[int]) -> None:
    """Delete questions."""
    unit.connection.execute(delete(QUESTION).where(QUESTION.c.id.in_(ids)))


def prune(unit: Unit, before: str) -> None:
    """Delete what was last counted before a time, except ways to ask that a supervisor accepted."""
    old = (QUESTION.c.last_at < before, QUESTION.c.kind != QuestionKind.ACCEPTED)
    unit.connection.execute(delete(QUESTION).where(*old))
