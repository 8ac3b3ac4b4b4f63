"""The tables. In clear: ids, times, coded choices, team, states. Sealed (bytes): free text and whatever could identify.

Times are text, UTC, ISO 8601 with microseconds and a Z, so that they sort and read the same in every database.
Hot paths insert into `table_of(Model)` with Core statements; the models define and document the tables.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

#: The longest cause of a failure that is stored, in characters.
LONGEST_CAUSE = 120

#: SQLite generates ids only for INTEGER primary keys.
Counter = BigInteger().with_variant(Integer, "sqlite")


def table_of(model: type[SQLModel]) -> Table:
    """Return the table that a model defines."""
    return model.__table__  # type: ignore[attr-defined,no-any-return]


def clear_columns(table: Table) -> tuple[str, ...]:
    """Return the names of a table's columns that are readable without a key: all that do not hold bytes."""
    return tuple(column.name for column in table.columns if not isinstance(column.type, LargeBinary))


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} in ({listed})", name=column)


class Member(SQLModel, table=True):
    """A person who may use the bot."""

    __tablename__ = "member"
    __table_args__ = (_one_of("role", "practitioner", "supervisor", "administrator"),)
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    telegram_id: int = Field(sa_column=Column(BigInteger, unique=True, nullable=False))
    role: str
    team: str
    added_at: str
    ended_at: str | None = None
    #: What colleagues call the person, as written by whoever invited them. Sealed.
    known_as: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    #: Since when the bot may not write to this person, according to Telegram: they stopped the bot.
    unreachable_since: str | None = None


class Team(SQLModel, table=True):
    """A team: its channel, and its rules for second opinions."""

    __tablename__ = "team"
    name: str = Field(primary_key=True, max_length=40)
    channel_chat_id: int | None = Field(default=None, sa_column=Column(BigInteger, unique=True))
    channel_thread_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    quorum: int
    deadline_minutes: int
    deputy_id: int | None = Field(default=None, sa_column=Column(BigInteger))


class Invite(SQLModel, table=True):
    """An invite for one person, valid once and for a limited time. Only a keyed hash of its code is kept."""

    __tablename__ = "invite"
    __table_args__ = (
        _one_of("role", "practitioner", "supervisor", "administrator"),
        _one_of("state", "asked", "open", "used", "withdrawn"),
    )
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    code_hash: bytes = Field(sa_column=Column(LargeBinary, unique=True, nullable=False))
    role: str
    team: str
    state: str
    made_by: str
    approved_by: str | None = None
    made_at: str
    expires_at: str
    used_by: int | None = Field(default=None, sa_column=Column(BigInteger))
    known_as: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class WrongCode(SQLModel, table=True):
    """How often a person tried a wrong code. The person is stored as a keyed hash."""

    __tablename__ = "wrong_code"
    who: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    tries: int
    since: str


class Timer(SQLModel, table=True):
    """An action due at a time. The worker that deletes the row carries it out, so it fires once."""

    __tablename__ = "timer"
    __table_args__ = (UniqueConstraint("kind", "subject"),)
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    kind: str
    subject: str
    due_at: str = Field(index=True)


class Conversation(SQLModel, table=True):
    """An unfinished walk: one person, one flow, one pinned edition. `revision` rises with every change."""

    __tablename__ = "conversation"
    __table_args__ = (
        _one_of("status", "open", "finished", "cancelled"),
        Index(
            "uq_conversation_open_chat",
            "chat_id",
            unique=True,
            sqlite_where=text("status = 'open'"),
            postgresql_where=text("status = 'open'"),
        ),
    )
    id: str = Field(primary_key=True, max_length=32)
    chat_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    edition_id: str
    edition_sha256: str
    flow: str
    revision: int
    status: str
    wrapped_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    walk: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    started_at: str
    updated_at: str


class ConversationEvent(SQLModel, table=True):
    """One event in a conversation, sealed. Append-only."""

    __tablename__ = "conversation_event"
    __table_args__ = (UniqueConstraint("conversation_id", "seq"),)
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    conversation_id: str = Field(foreign_key="conversation.id", max_length=32)
    seq: int
    at: str
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class DecisionRecord(SQLModel, table=True):
    """A finished conversation, immutable."""

    __tablename__ = "decision_record"
    __table_args__ = (
        Index("ix_decision_record_member", "member_id", "finished_at", "id"),
        Index("ix_decision_record_team", "team", "finished_at"),
    )
    id: str = Field(primary_key=True, max_length=32)
    reference: str = Field(unique=True, max_length=16)
    conversation_id: str = Field(foreign_key="conversation.id", unique=True, max_length=32)
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    role: str
    team: str
    edition_id: str
    edition_sha256: str
    bot_version: str
    flow: str
    outcome: str
    decision: str | None = None
    otherwise: bool
    harm: bool
    ground: str | None = None
    consent: str | None = None
    started_at: str
    finished_at: str
    case_hash: bytes | None = Field(default=None, sa_column=Column(LargeBinary, index=True))
    wrapped_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Amendment(SQLModel, table=True):
    """A later addition to a record. Append-only."""

    __tablename__ = "amendment"
    __table_args__ = (UniqueConstraint("record_id", "seq"),)
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    record_id: str = Field(foreign_key="decision_record.id", max_length=32)
    seq: int
    at: str
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class LedgerEntry(SQLModel, table=True):
    """Who did what to which record, hash-chained and without content. Rows are never updated or deleted."""

    __tablename__ = "ledger"
    __table_args__ = (Index("ix_ledger_subject", "subject", "action"),)
    seq: int = Field(sa_column=Column(Counter, primary_key=True, autoincrement=False))
    at: str
    actor: str
    action: str
    subject: str
    digest: str
    previous: str
    hash: str


class InboxRow(SQLModel, table=True):
    """An update received. The payload is sealed, and erased once the update has been handled."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("bot_id", "update_id"),
        _one_of("state", "waiting", "done", "parked"),
        Index(
            "ix_inbox_waiting",
            "bot_id",
            "lane",
            "id",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    bot_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    update_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    #: The ordering key: updates that share a key are handled in order, one at a time.
    lane: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    state: str
    tries: int
    received_at: str
    payload: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    #: Why it was parked or last failed: what failed and where, never the error's own text.
    cause: str | None = Field(default=None, max_length=LONGEST_CAUSE)


class OutboxRow(SQLModel, table=True):
    """A message to be sent; deleted once sent."""

    __tablename__ = "outbox"
    __table_args__ = (
        _one_of("state", "waiting", "parked"),
        Index("ix_outbox_chat", "state", "chat_id", "id"),
        {"sqlite_autoincrement": True},
    )
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    chat_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    kind: str = Field(sa_column=Column(String(16), nullable=False))
    #: The subject this is the card about: a conversation, or a request in a channel. A newer card replaces it.
    card: str | None = Field(default=None, max_length=80)
    state: str
    tries: int
    created_at: str
    payload: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    #: Why it was parked.
    cause: str | None = Field(default=None, max_length=LONGEST_CAUSE)


class RateLimit(SQLModel, table=True):
    """The rate limits for sending, shared by all workers: one for all chats together, and one for each chat.

    `due`: when the next message is due if messages go at exactly the permitted rate, in seconds since 1970.
    """

    __tablename__ = "pace"
    key: str = Field(primary_key=True, max_length=40)
    due: float


class Card(SQLModel, table=True):
    """Which message in a chat is the current card of a conversation or request: it is edited, not sent again."""

    __tablename__ = "card"
    subject: str = Field(primary_key=True, max_length=80)
    chat_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    message_id: int = Field(sa_column=Column(BigInteger, nullable=False))


class AskedQuestion(SQLModel, table=True):
    """A question the bot could not help with, or was not sure of, counted by team, without who asked.

    `unanswered`: the screened words, sealed, and the topic if known. `did_not_help`: the passage shown. `meant`: the words, and the
    answer card that the person chose. `accepted`: the words, and the card that a supervisor accepted them as a way to ask for.
    """

    __tablename__ = "asked_question"
    __table_args__ = (
        _one_of("kind", "unanswered", "did_not_help", "meant", "accepted"),
        UniqueConstraint("edition_id", "team", "kind", "subject", "question_hash"),
    )
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    edition_id: str
    team: str = Field(default="", sa_column_kwargs={"server_default": ""})
    kind: str
    subject: str
    question_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    question: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    times: int
    first_at: str
    last_at: str


class LocalContact(SQLModel, table=True):
    """One local contact that an administrator set: a number, a link or a name."""

    __tablename__ = "local_route"
    name: str = Field(primary_key=True, max_length=32)
    value: str
    set_at: str


class NameOverride(SQLModel, table=True):
    """A name override: a person said that a flagged word is not a name. It covers the next text in this chat."""

    __tablename__ = "name_pass"
    chat_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    given_at: str


class PendingInputRow(SQLModel, table=True):
    """Pending input: the next typed text in a chat is for something other than the walk, such as an opinion."""

    __tablename__ = "text_wanted"
    chat_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    kind: str
    subject: str
    asked_at: str


class OpinionRequest(SQLModel, table=True):
    """An anonymised question to a team. In clear: what we count and what timers need. Sealed: card and result."""

    __tablename__ = "opinion_request"
    __table_args__ = (
        _one_of("state", "draft", "open", "closed", "withdrawn"),
        Index("ix_opinion_request_conversation", "conversation_id"),
        Index("ix_opinion_request_record", "record_id"),
        Index("ix_opinion_request_member", "member_id", "state"),
    )
    id: str = Field(primary_key=True, max_length=32)
    number: str = Field(unique=True, max_length=16)
    state: str
    conversation_id: str = Field(foreign_key="conversation.id", max_length=32)
    record_id: str | None = Field(default=None, foreign_key="decision_record.id", max_length=32)
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    team: str
    kind: str
    about: str
    quorum: int
    made_at: str
    asked_at: str | None = None
    closes_at: str | None = None
    deputy_asked_at: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    wrapped_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    #: What the practitioner made of the result, if they have said.
    view: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class Opinion(SQLModel, table=True):
    """A colleague's answer with a reason. Each member's latest one counts; earlier ones are kept."""

    __tablename__ = "opinion"
    __table_args__ = (
        UniqueConstraint("request_id", "member_id", "seq"),
        Index(
            "uq_opinion_counts",
            "request_id",
            "member_id",
            unique=True,
            sqlite_where=text("counts"),
            postgresql_where=text("counts"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    request_id: str = Field(foreign_key="opinion_request.id", max_length=32)
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    seq: int
    counts: bool
    role: str
    at: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Review(SQLModel, table=True):
    """The state of a supervisor's review of a record, one per record; what was done is in review_event."""

    __tablename__ = "review"
    __table_args__ = (
        _one_of("state", "new", "requested", "signed_off", "returned", "closed"),
        Index("ix_review_queue", "team", "state", "rank", "finished_at", "record_id", "member_id"),
        Index("ix_review_all", "team", "rank", "finished_at", "record_id", "state", "member_id"),
    )
    record_id: str = Field(foreign_key="decision_record.id", primary_key=True, max_length=32)
    team: str
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    state: str
    rank: int
    finished_at: str
    changed_at: str
    grade: int | None = None
    follow_up_on: str | None = None


class ReviewEvent(SQLModel, table=True):
    """One event in a review. Append-only; comments are sealed with the record's key."""

    __tablename__ = "review_event"
    __table_args__ = (UniqueConstraint("record_id", "seq"),)
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    record_id: str = Field(foreign_key="decision_record.id", max_length=32)
    seq: int
    at: str
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    role: str
    act: str
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class SignIn(SQLModel, table=True):
    """A one-time sign-in to the web console, made by the bot for a member. Only a keyed hash of its code is kept."""

    __tablename__ = "sign_in"
    code_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    expires_at: str


class WebSession(SQLModel, table=True):
    """A session in the web console. Only a keyed hash of its token is kept."""

    __tablename__ = "web_session"
    token_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    member_id: int = Field(sa_column=Column(BigInteger, index=True, nullable=False))
    made_at: str
    seen_at: str


class UsedOpening(SQLModel, table=True):
    """A Mini App launch that has signed somebody in and cannot do so again. Only a keyed hash is kept."""

    __tablename__ = "used_opening"
    seal_hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    used_at: str


class SentMessage(SQLModel, table=True):
    """A message in a private chat, to be deleted after a time where the organisation asks for that."""

    __tablename__ = "shown"
    chat_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    message_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    at: str = Field(index=True)


class Retention(SQLModel, table=True):
    """How long the organisation keeps a class of records. No `days`: indefinitely, reviewed every `review_days`."""

    __tablename__ = "retention"
    record_class: str = Field(primary_key=True, max_length=20)
    days: int | None = None
    review_days: int | None = None
    set_at: str


class Hold(SQLModel, table=True):
    """A record that must not be erased, however old it is, and why."""

    __tablename__ = "hold"
    record_id: str = Field(foreign_key="decision_record.id", primary_key=True, max_length=32)
    at: str
    actor: str
    reason: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Pause(SQLModel, table=True):
    """That the organisation has paused the bot, and why. At most one row."""

    __tablename__ = "pause"
    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    reason: str
    at: str


class ListExport(SQLModel, table=True):
    """An export of many records that somebody has requested: a second person must agree first."""

    __tablename__ = "list_export"
    id: int | None = Field(default=None, sa_column=Column(Counter, primary_key=True))
    team: str = Field(index=True)
    member_id: int = Field(sa_column=Column(BigInteger, nullable=False))
    wanted: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    made_at: str
    agreed_by: int | None = Field(default=None, sa_column=Column(BigInteger))
    agreed_at: str | None = None
