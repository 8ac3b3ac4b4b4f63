"""What every use case needs besides its transaction: the guidance, the clock, who is asking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.views import Message
from flows.advice import Index, index_of
from flows.catalogue import Book, UnknownEdition, open_book
from storage import mailbox
from storage.database import Unit
from storage.members import MemberRow


def utc_now() -> str:
    """Return the time as it is stored: UTC, ISO 8601, microseconds, Z."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Desk:
    """The guidance in use and the surroundings of every act."""

    edition_id: str
    bot_id: int
    version: str
    case_pattern: re.Pattern[str]
    #: The form of case references where the organisation configured one: screening lets it pass.
    own_reference: re.Pattern[str] | None = None
    now: Callable[[], str] = utc_now
    book_of: Callable[[str], Book] = open_book
    #: Strangers who were answered lately, in memory only: nothing of theirs is kept.
    strangers: dict[int, float] = field(default_factory=dict)

    @property
    def index(self) -> Index:
        """The search index over the edition for new conversations."""
        return index_of(self.edition_id)

    @property
    def book(self) -> Book:
        """The edition for new conversations."""
        return self.book_of(self.edition_id)

    def pinned(self, edition_id: str, sha256: str) -> Book | None:
        """Return the edition a conversation was begun on, or None when its content is another now."""
        try:
            book = self.book_of(edition_id)
        except UnknownEdition:
            return None
        return book if book.edition.sha256 == sha256 else None


@dataclass(frozen=True)
class Who:
    """The person behind an update, and where they wrote."""

    chat_id: int
    user_id: int
    update_id: int
    member: MemberRow

    @property
    def actor(self) -> str:
        """How the ledger names this person."""
        return f"member:{self.member.id}"


def say(unit: Unit, chat_id: int, message: Message) -> None:
    """Send one message of ours."""
    mailbox.put(unit, chat_id, "message", message.payload())
