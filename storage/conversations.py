"""Conversations: unfinished walks. The walk is sealed; each change adds an event and raises the revision."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from sqlalchemy import bindparam, insert, literal_column, select, update

from storage.core.models import Conversation, ConversationEvent, Member, table_of
from storage.core.sealing import DESTROYED, Sealer
from storage.core.statements import Prepared
from storage.core.unit import Unit


class Status(StrEnum):
    """The status of a conversation. The values are stored."""

    OPEN = "open"
    FINISHED = "finished"
    CANCELLED = "cancelled"


CONVERSATION = table_of(Conversation)
EVENT = table_of(ConversationEvent)
MEMBER = table_of(Member)


_OPEN = Prepared(
    select(CONVERSATION)
    .where(
        CONVERSATION.c.chat_id == bindparam("chat"),
        # A literal, not a parameter: a prepared plan can then use the partial index over open conversations.
        CONVERSATION.c.status == literal_column("'open'"),
        CONVERSATION.c.wrapped_key != DESTROYED,
    )
    .with_for_update()
)
_SAVE = Prepared(
    update(CONVERSATION)
    .where(CONVERSATION.c.id == bindparam("of"), CONVERSATION.c.revision == bindparam("was"))
    .values({name: bindparam(name) for name in ("revision", "status", "updated_at", "walk")})
)
_EVENT = Prepared(insert(EVENT).inline(), ("conversation_id", "seq", "at", "sealed"))
_EVENTS = Prepared(
    select(EVENT.c.seq, EVENT.c.at, EVENT.c.sealed)
    .where(EVENT.c.conversation_id == bindparam("of"))
    .order_by(EVENT.c.seq)
)
_NEW = Prepared(insert(CONVERSATION), CONVERSATION.c.keys())


class RevisionMoved(Exception):
    """The conversation was changed after it was loaded; nothing was written."""


@dataclass(frozen=True)
class Open:
    """A conversation as loaded, decrypted with its own key."""

    id: str
    chat_id: int
    member_id: int
    edition_id: str
    edition_sha256: str
    flow: str
    revision: int
    status: str
    started_at: str
    updated_at: str
    walk: Any
    sealer: Sealer


@dataclass(frozen=True)
class Begun:
    """A conversation about to begin: its person, chat, flow and edition."""

    chat_id: int
    member_id: int
    edition_id: str
    edition_sha256: str
    flow: str


def start(unit: Unit, begun: Begun, walk: Any, at: str) -> Open:
    """Start a conversation in a chat that has none open."""
    key = uuid.uuid4().hex
    wrapped, sealer = unit.keys.new_key(f"conversation:{key}")
    row: dict[str, Any] = {
        **asdict(begun),
        "id": key,
        "revision": 1,
        "status": Status.OPEN,
        "started_at": at,
        "updated_at": at,
    }
    _NEW.change(unit, {**row, "wrapped_key": wrapped, "walk": _sealed(sealer, key, walk)})
    return Open(**row, walk=walk, sealer=sealer)


def get_open(unit: Unit, chat_id: int) -> Open | None:
    """Return a chat's open conversation, locked until the transaction ends."""
    row = _OPEN.first(unit, {"chat": chat_id})
    return _opened(unit, row._asdict()) if row else None


def get(unit: Unit, conversation_id: str) -> Open | None:
    """Return a conversation by id, whatever its status."""
    return _load(unit, CONVERSATION.c.id == conversation_id)


def by_handle(unit: Unit, chat_id: int, handle: str) -> Open | None:
    """Return the conversation whose id starts with this handle, if it is in this chat, whatever its status."""
    return _load(unit, CONVERSATION.c.chat_id == chat_id, CONVERSATION.c.id.startswith(handle, autoescape=True))


def repin(unit: Unit, loaded: Open, edition_id: str, edition_sha256: str) -> Open:
    """Pin an open conversation to another edition, or to new content of the same one."""
    query = update(CONVERSATION).where(CONVERSATION.c.id == loaded.id)
    unit.connection.execute(query.values(edition_id=edition_id, edition_sha256=edition_sha256))
    return replace(loaded, edition_id=edition_id, edition_sha256=edition_sha256)


def _load(unit: Unit, *where: Any) -> Open | None:
    # A conversation whose key was destroyed counts as absent.
    query = select(CONVERSATION).where(*where, CONVERSATION.c.wrapped_key != DESTROYED).with_for_update()
    row = unit.connection.execute(query).mappings().first()
    return _opened(unit, row) if row else None


def _opened(unit: Unit, row: Mapping[Any, Any]) -> Open:
    values = dict(row)
    sealer = unit.keys.unwrap(values.pop("wrapped_key"), f"conversation:{row['id']}")
    walk = sealer.open_value(values.pop("walk"), f"conversation:{row['id']}:walk")
    return Open(**values, walk=walk, sealer=sealer)


def save(unit: Unit, loaded: Open, walk: Any, event: dict[str, Any], at: str, status: Status = Status.OPEN) -> Open:
    """Write the changed walk and the event that changed it; raise RevisionMoved if another change came first."""
    revision = loaded.revision + 1
    changed = _SAVE.change(
        unit,
        {
            "of": loaded.id, "was": loaded.revision, "revision": revision, "status": status, "updated_at": at,
            "walk": _sealed(loaded.sealer, loaded.id, walk),
        },
    )  # fmt: skip
    if changed != 1:
        raise RevisionMoved(loaded.id)
    sealed = loaded.sealer.seal_value(event, f"conversation:{loaded.id}:event:{revision}")
    _EVENT.change(unit, {"conversation_id": loaded.id, "seq": revision, "at": at, "sealed": sealed})
    return replace(loaded, revision=revision, status=status, updated_at=at, walk=walk)


def left_by_team(unit: Unit, team: str, limit: int) -> list[Open]:
    """Return a team's newest conversations without a record (open or cancelled), decrypted, newest first."""
    of_team = select(MEMBER.c.id).where(MEMBER.c.team == team)
    where = (
        CONVERSATION.c.status != Status.FINISHED,
        CONVERSATION.c.member_id.in_(of_team),
        CONVERSATION.c.wrapped_key != DESTROYED,
    )
    ids = select(CONVERSATION.c.id).where(*where).order_by(CONVERSATION.c.updated_at.desc()).limit(limit)
    found = [get(unit, conversation_id) for conversation_id in unit.connection.scalars(ids).all()]
    return [one for one in found if one is not None]


def events(unit: Unit, loaded: Open) -> list[dict[str, Any]]:
    """Return the events of a conversation in order, each with its time as `at`."""
    rows = _EVENTS.all(unit, {"of": loaded.id})
    return [
        {"at": row.at, **loaded.sealer.open_value(row.sealed, f"conversation:{loaded.id}:event:{row.seq}")}
        for row in rows
    ]


def _sealed(sealer: Sealer, key: str, walk: Any) -> bytes:
    return sealer.seal_value(walk, f"conversation:{key}:walk")
