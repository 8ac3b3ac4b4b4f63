"""What every use case needs besides its transaction: the guidance, the clock, who is asking."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.typed_text import Typed
from bot.messages.message import Message
from flows.advice import Index
from flows.catalogue import Book, UnknownEdition, open_book
from storage import outbox
from storage.core.clock import utc_now
from storage.core.unit import Unit
from storage.members import MemberRow

__all__ = ["MemberRow"]


def whole(text: str) -> int | None:
    """Read a whole number of at most nine digits, or None: what stands on a button may be forged."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


@dataclass
class Context:
    """The guidance in use and the surroundings of every act."""

    edition_id: str
    bot_id: int
    version: str
    case_pattern: re.Pattern[str]
    #: The form of case references where the organisation configured one: screening lets it pass.
    own_reference: re.Pattern[str] | None = None
    #: How people find the bot; known once Telegram was asked.
    username: str = ""
    #: Where the web console is, if there is one.
    console_url: str = ""
    #: After how many hours messages are taken out of private chats; 0: never.
    clear_chats_hours: int = 0
    #: How many messages go out a second at most; 0: no limits of ours.
    sends_per_second: int = 0
    #: How many updates of one person are handled a minute; 0: no limit.
    updates_per_minute: int = 0
    now: Callable[[], str] = utc_now
    book_of: Callable[[str], Book] = open_book
    #: Strangers who were answered lately, in memory only: nothing of theirs is kept.
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
        """Return the edition a conversation was begun on, or None when its content is another now."""
        try:
            book = self.book_of(edition_id)
        except UnknownEdition:
            return None
        return book if book.edition.sha256 == sha256 else None


@dataclass(frozen=True)
class Incoming:
    """Where an update came from. `chat_id` is None where there is no chat to answer in: inline mode."""

    update_id: int
    user_id: int
    chat_id: int | None
    private: bool = True
    thread_id: int | None = None
    #: What was typed, in a message or behind a command; None for a tap.
    typed: Typed | None = None
    #: The act looks for danger itself, since it knows which words name a button.
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
        """Whether nobody else reads along."""
        return self.chat_id == self.user_id

    @property
    def ledger_name(self) -> str:
        """How the ledger names this person."""
        return f"member:{self.member.id}"


@dataclass(frozen=True)
class OpenPrivately:
    """Answer to a tap in a channel: the person's private chat opens, with this start word."""

    start: str


def say(unit: Unit, chat_id: int, message: Message, thread_id: int | None = None) -> None:
    """Send one message of ours."""
    outbox.enqueue(unit, chat_id, "message", message.payload(**({"thread": thread_id} if thread_id else {})))
