"""What every use case needs besides its transaction: the guidance, the clock and the person asking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.typed_text import Typed
from bot.messages.message import Message
from bot.usecases.recent_questions import RecentQuestions
from flows.advice import Index
from flows.catalogue import Book, UnknownEdition, open_book
from storage import outbox
from storage.core.clock import utc_now
from storage.core.unit import Unit
from storage.members import MemberRow

__all__ = ["MemberRow"]


def whole(text: str) -> int | None:
    """Read a whole number of at most nine digits, else return None: button data may be forged."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


@dataclass
class Context:
    """The guidance in use, the organisation's settings and the clock."""

    edition_id: str
    bot_id: int
    version: str
    case_pattern: re.Pattern[str]
    #: The pattern of case references, if the organisation configured one. Screening lets it pass.
    own_reference: re.Pattern[str] | None = None
    #: The bot's username, once Telegram has told it.
    username: str = ""
    #: Where the web console is, if there is one.
    console_url: str = ""
    #: After how many hours messages are deleted from private chats; 0: never.
    clear_chats_hours: int = 0
    #: After how many days a question that got no help is deleted, unless it was asked again.
    keep_questions_days: int = 90
    #: The maximum number of messages sent per second; 0: the bot sets no rate limit.
    sends_per_second: int = 0
    #: The maximum number of updates of one person handled per minute; 0: no limit.
    updates_per_minute: int = 0
    now: Callable[[], str] = utc_now
    book_of: Callable[[str], Book] = open_book
    #: What people asked in the last minutes, in memory only.
    recent: RecentQuestions = field(default_factory=RecentQuestions)
    #: Strangers who were answered recently, in memory only: nothing about them is stored.
    strangers: dict[int, float] = field(default_factory=dict)

    @property
    def index(self) -> Index:
        """The search index over the edition for new conversations."""
        return self.book.index

    @property
    def book(self) -> Book:
        """The edition for new conversations."""
        return self.book_of(self.edition_id)

    def pinned(self, edition_id: str, sha256: str) -> Book | None:
        """Return the edition that a conversation began with, or None if its content has changed since."""
        try:
            book = self.book_of(edition_id)
        except UnknownEdition:
            return None
        return book if book.edition.sha256 == sha256 else None


@dataclass(frozen=True)
class Incoming:
    """The source of an update. `chat_id` is None in inline mode, where there is no chat to answer in."""

    update_id: int
    user_id: int
    chat_id: int | None
    private: bool = True
    thread_id: int | None = None
    #: The typed words of a message or after a command; None for a tap.
    typed: Typed | None = None
    #: Whether the use case checks for danger itself, because it knows which words name a button.
    sees_danger: bool = False


@dataclass(frozen=True)
class Actor:
    """The member behind an update, and where they wrote: `chat_id` is their private chat, or their team's channel."""

    chat_id: int
    user_id: int
    update_id: int
    member: MemberRow
    thread_id: int | None = None

    @property
    def is_private(self) -> bool:
        """Whether this is the person's private chat."""
        return self.chat_id == self.user_id

    @property
    def ledger_name(self) -> str:
        """How the ledger names this person."""
        return f"member:{self.member.id}"


@dataclass(frozen=True)
class OpenPrivately:
    """The answer to a tap in a channel that opens the person's private chat with this start parameter."""

    start: str


def say(unit: Unit, chat_id: int, message: Message, thread_id: int | None = None) -> None:
    """Enqueue a message."""
    outbox.enqueue(unit, chat_id, "message", message.payload(**({"thread": thread_id} if thread_id else {})))
