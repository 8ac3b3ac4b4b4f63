"""Opinion requests and opinions. Opinions stay sealed until a request closes: nothing here reveals a tally earlier."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from storage.core import ledger
from storage.core.models import Opinion, OpinionRequest, clear_columns, table_of
from storage.core.screened import ScreenedText
from storage.core.sealing import DESTROYED, Sealer
from storage.core.statements import Prepared
from storage.core.unit import Unit


class State(StrEnum):
    """The state of a request. The values are stored."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class EndedBy(StrEnum):
    """Why a request ended. The values are stored."""

    QUORUM = "quorum"
    DEADLINE = "deadline"
    AUTHOR = "author"
    EMERGENCY = "emergency"
    CANCELLED = "cancelled"
    LEFT = "left"


REQUEST = table_of(OpinionRequest)
OPINION = table_of(Opinion)

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CLEAR = clear_columns(REQUEST)
_ATTACH = Prepared(
    update(REQUEST)
    .where(REQUEST.c.conversation_id == bindparam("of"), REQUEST.c.record_id.is_(None))
    .values(record_id=bindparam("record"))
)
_ASKED_IN = Prepared(
    select(REQUEST)
    .where(
        REQUEST.c.conversation_id == bindparam("of"), REQUEST.c.state != State.DRAFT, REQUEST.c.wrapped_key != DESTROYED
    )
    .order_by(REQUEST.c.asked_at, REQUEST.c.id)
    .with_for_update()
)


@dataclass(frozen=True)
class Request:
    """A request as loaded, decrypted with its own key.

    `content`: what is asked (title, choices, answers, flags), and `sentence` and `name` if the practitioner added any.
    `view`: what the practitioner made of the result, if they have said.
    """

    id: str
    number: str
    state: str
    conversation_id: str
    record_id: str | None
    member_id: int
    team: str
    kind: str
    about: str
    quorum: int
    made_at: str
    asked_at: str | None
    closes_at: str | None
    deputy_asked_at: str | None
    ended_at: str | None
    ended_by: str | None
    content: dict[str, Any]
    view: dict[str, Any] | None
    sealer: Sealer


@dataclass(frozen=True)
class Given:
    """One opinion, decrypted."""

    member_id: int
    seq: int
    counts: bool
    role: str
    at: str
    choice: str
    reason: str
    words: str | None
    said_not_a_person: int


@dataclass(frozen=True)
class Author:
    """Who asks for opinions, for which team, and about which conversation or record."""

    member_id: int
    team: str
    conversation_id: str
    record_id: str | None


@dataclass(frozen=True)
class NewOpinion:
    """An opinion as a member gives it."""

    member_id: int
    role: str
    choice: str
    reason: str
    words: ScreenedText | None = None


# ---- requests ------------------------------------------------------------------------------------
def draft(unit: Unit, author: Author, asked: dict[str, Any], quorum: int, at: str) -> Request:
    """Start a draft request, replacing this member's earlier draft. Nobody has been asked yet."""
    unit.connection.execute(
        delete(REQUEST).where(REQUEST.c.member_id == author.member_id, REQUEST.c.state == State.DRAFT)
    )
    request_id = uuid.uuid4().hex
    wrapped, sealer = unit.keys.new_key(f"request:{request_id}")
    row: dict[str, Any] = {
        **dict.fromkeys(CLEAR),
        **asdict(author),
        "id": request_id, "number": _new_number(unit), "state": State.DRAFT, "kind": asked["kind"], "about": asked["about"],
        "quorum": quorum, "made_at": at,
    }  # fmt: skip
    unit.connection.execute(
        insert(REQUEST).values(**row, wrapped_key=wrapped, content=_sealed(sealer, request_id, "content", asked))
    )
    return Request(**row, content=asked, view=None, sealer=sealer)


def _new_number(unit: Unit, choose: Callable[[str], str] = secrets.choice) -> str:
    while True:
        number = "Q-" + "".join(choose(ALPHABET) for _ in range(6))
        if unit.connection.execute(select(REQUEST.c.id).where(REQUEST.c.number == number)).first() is None:
            return number


def find(unit: Unit, number: str) -> Request | None:
    """Return a request by its number, locked until the transaction ends."""
    return _load(unit, REQUEST.c.number == number)


def get(unit: Unit, request_id: str) -> Request | None:
    """Return a request by its id, locked until the transaction ends."""
    return _load(unit, REQUEST.c.id == request_id)


def draft_of(unit: Unit, member_id: int) -> Request | None:
    """Return the request that a member is drafting, if any."""
    return _load(unit, REQUEST.c.member_id == member_id, REQUEST.c.state == State.DRAFT)


def open_of_member(unit: Unit, member_id: int) -> list[Request]:
    """Return a member's requests that are open for opinions."""
    return _many(unit, REQUEST.c.member_id == member_id, REQUEST.c.state == State.OPEN)


def open_of_team(unit: Unit, team: str) -> list[Request]:
    """Return a team's requests that are open for opinions."""
    return _many(unit, REQUEST.c.team == team, REQUEST.c.state == State.OPEN)


def of_conversation(unit: Unit, conversation_id: str) -> list[Request]:
    """Return the requests made in a conversation, except drafts, in the order in which they were made."""
    return [_open(unit, row._asdict()) for row in _ASKED_IN.all(unit, {"of": conversation_id})]


def set_sentence(unit: Unit, request: Request, words: ScreenedText | None) -> Request:
    """Add the practitioner's own sentence to the card of a draft, or remove it."""
    said = {"sentence": words.text, "said_not_a_person": words.said_not_a_person} if words else {}
    return _rewrite(unit, request, {"sentence": None, "said_not_a_person": 0, **said})


def set_name(unit: Unit, request: Request, name: str | None) -> Request:
    """Name the practitioner on the card of a draft, or stop naming them."""
    return _rewrite(unit, request, {"name": name})


def note_shown(unit: Unit, request_id: str) -> None:
    """Record that colleagues were shown an open request: its card has reached the channel or the deputy."""
    request = get(unit, request_id)
    if request and request.state == State.OPEN and not request.content.get("shown", True):
        _rewrite(unit, request, {"shown": True}, state=State.OPEN)


def _rewrite(unit: Unit, request: Request, changed: dict[str, Any], state: str = State.DRAFT) -> Request:
    content = {**request.content, **changed}
    sealed = _sealed(request.sealer, request.id, "content", content)
    where = (REQUEST.c.id == request.id, REQUEST.c.state == state)
    unit.connection.execute(update(REQUEST).where(*where).values(content=sealed))
    return replace(request, content=content)


def ask(unit: Unit, request: Request, closes_at: str, at: str, actor: str) -> Request | None:
    """Open a draft for opinions, not yet shown to anybody; return None if it is no longer a draft."""
    request = _rewrite(unit, request, {"shown": False})
    done = unit.connection.execute(
        update(REQUEST)
        .where(REQUEST.c.id == request.id, REQUEST.c.state == State.DRAFT)
        .values(state=State.OPEN, asked_at=at, closes_at=closes_at)
    )
    if done.rowcount != 1:
        return None
    ledger.append(unit, at, actor, "opinion.asked", f"request:{request.id}", ledger.digest_of([request.kind]))
    return replace(request, state=State.OPEN, asked_at=at, closes_at=closes_at)


def drop_draft(unit: Unit, member_id: int) -> None:
    """Delete the request that a member is drafting."""
    unit.connection.execute(delete(REQUEST).where(REQUEST.c.member_id == member_id, REQUEST.c.state == State.DRAFT))


def drop_drafts_of(unit: Unit, conversation_id: str) -> None:
    """Delete the drafts made in a conversation."""
    where = (REQUEST.c.conversation_id == conversation_id, REQUEST.c.state == State.DRAFT)
    unit.connection.execute(delete(REQUEST).where(*where))


def pass_to_deputy(unit: Unit, request: Request, closes_at: str, at: str) -> Request:
    """Record when the deputy was asked, and the new deadline."""
    values = {"deputy_asked_at": at, "closes_at": closes_at}
    unit.connection.execute(update(REQUEST).where(REQUEST.c.id == request.id).values(**values))
    return replace(request, deputy_asked_at=at, closes_at=closes_at)


def end(unit: Unit, request: Request, by: str, at: str, actor: str) -> Request | None:
    """End an open request: closed by quorum or deadline, otherwise withdrawn. Return None if it has already ended."""
    state = State.CLOSED if by in (EndedBy.QUORUM, EndedBy.DEADLINE) else State.WITHDRAWN
    done = unit.connection.execute(
        update(REQUEST)
        .where(REQUEST.c.id == request.id, REQUEST.c.state == State.OPEN)
        .values(state=state, ended_at=at, ended_by=by)
    )
    if done.rowcount != 1:
        return None
    ledger.append(unit, at, actor, f"opinion.{state}", f"request:{request.id}", ledger.digest_of([by]))
    return replace(request, state=state, ended_at=at, ended_by=by)


def attach(unit: Unit, conversation_id: str, record_id: str) -> None:
    """Link the requests made in a conversation to its record."""
    _ATTACH.change(unit, {"of": conversation_id, "record": record_id})


def set_view(unit: Unit, request: Request, made_of_it: str, words: ScreenedText | None, at: str) -> Request:
    """Store what the practitioner made of a result."""
    view = {**(request.view or {}), "made_of_it": made_of_it, "at": at}
    if words:
        view["words"] = words.text
    sealed = _sealed(request.sealer, request.id, "view", view)
    unit.connection.execute(update(REQUEST).where(REQUEST.c.id == request.id).values(view=sealed))
    return replace(request, view=view)


# ---- opinions ------------------------------------------------------------------------------------
def give(unit: Unit, request: Request, given: NewOpinion, at: str, actor: str) -> int:
    """Store an opinion; return how many members have given one.

    It counts instead of the member's earlier opinions, which are kept.
    """
    member_id, words = given.member_id, given.words
    mine = (OPINION.c.request_id == request.id, OPINION.c.member_id == member_id)
    last = unit.connection.execute(select(func.max(OPINION.c.seq)).where(*mine)).scalar() or 0
    unit.connection.execute(update(OPINION).where(*mine, OPINION.c.counts).values(counts=False))
    content = {"choice": given.choice, "reason": given.reason, "words": words.text if words else None,
               "said_not_a_person": words.said_not_a_person if words else 0}  # fmt: skip
    clear = {"request_id": request.id, "member_id": member_id, "seq": last + 1, "role": given.role, "at": at}
    sealed = _sealed(request.sealer, request.id, f"opinion:{member_id}:{last + 1}", content)
    unit.connection.execute(insert(OPINION).values(**clear, counts=True, content=sealed))
    ledger.append(
        unit, at, actor, "opinion.given", f"opinion:{request.id}:{member_id}:{last + 1}", digest(clear, sealed)
    )
    return how_many(unit, request)


def how_many(unit: Unit, request: Request) -> int:
    """Return how many members have given an opinion."""
    query = select(func.count()).where(OPINION.c.request_id == request.id, OPINION.c.counts)
    return int(unit.connection.execute(query).scalar_one())


def has_given(unit: Unit, request: Request, member_id: int) -> bool:
    """Return whether a member has given an opinion."""
    mine = (OPINION.c.request_id == request.id, OPINION.c.member_id == member_id, OPINION.c.counts)
    return unit.connection.execute(select(OPINION.c.id).where(*mine)).first() is not None


def given(unit: Unit, request: Request) -> list[Given]:
    """Return the opinions on a request in the order given, including those a member has since replaced."""
    rows = unit.connection.execute(select(OPINION).where(OPINION.c.request_id == request.id).order_by(OPINION.c.id))
    found = []
    for row in rows:
        associated_data = f"request:{request.id}:opinion:{row.member_id}:{row.seq}"
        content = request.sealer.open_value(row.content, associated_data)
        found.append(Given(row.member_id, row.seq, row.counts, row.role, row.at, **content))
    return found


def as_advice(unit: Unit, request: Request) -> dict[str, Any]:
    """Return a request as records store it: who was asked what, when, and, once it has closed, what each person said.

    For an open or withdrawn request this includes how many opinions were given, never what they were.
    """
    content = request.content
    advice: dict[str, Any] = {
        "request": request.number, "team": request.team, "asked_at": request.asked_at, "state": request.state,
        "question": content["title"], "sentence": content.get("sentence"), "quorum": request.quorum,
        "in": how_many(unit, request), "ended_at": request.ended_at, "ended_by": request.ended_by,
        "made_of_it": request.view, "shown": bool(content.get("shown", True)) or how_many(unit, request) > 0,
    }  # fmt: skip
    if request.state != State.CLOSED:
        return advice
    opinions = given(unit, request)
    advice["opinions"] = [
        {
            "role": one.role, "at": one.at, "choice": one.choice, "label": content["choices"][one.choice],
            "reason": one.reason, "words": one.words, "counts": one.counts,
        }
        for one in opinions
    ]  # fmt: skip
    return advice


def records_with_advice(unit: Unit, team: str) -> int:
    """Return how many of a team's records had second opinions requested."""
    where = (REQUEST.c.team == team, REQUEST.c.record_id.is_not(None), REQUEST.c.state != State.DRAFT)
    return int(unit.connection.execute(select(func.count(REQUEST.c.record_id.distinct())).where(*where)).scalar_one())


# ---- helpers -------------------------------------------------------------------------------------
def _load(unit: Unit, *where: Any) -> Request | None:
    query = select(REQUEST).where(*where, REQUEST.c.wrapped_key != DESTROYED).with_for_update()
    row = unit.connection.execute(query).mappings().first()
    return _open(unit, row) if row else None


def _many(unit: Unit, *where: Any) -> list[Request]:
    query = select(REQUEST).where(*where, REQUEST.c.wrapped_key != DESTROYED).order_by(REQUEST.c.asked_at, REQUEST.c.id)
    rows = unit.connection.execute(query.with_for_update()).mappings().all()
    return [_open(unit, row) for row in rows]


def _open(unit: Unit, row: Mapping[Any, Any]) -> Request:
    sealer = unit.keys.unwrap(row["wrapped_key"], f"request:{row['id']}")
    content = sealer.open_value(row["content"], f"request:{row['id']}:content")
    view = sealer.open_value(row["view"], f"request:{row['id']}:view") if row["view"] else None
    return Request(**{name: row[name] for name in CLEAR}, content=content, view=view, sealer=sealer)


def _sealed(sealer: Sealer, request_id: str, what: str, value: Any) -> bytes:
    return sealer.seal_value(value, f"request:{request_id}:{what}")


def digest(clear: dict[str, Any], sealed: bytes) -> str:
    """Return the digest of an opinion for the ledger: a hash of its clear columns and its ciphertext."""
    return ledger.digest_of({**clear, "sealed": sha256(sealed).hexdigest()})
