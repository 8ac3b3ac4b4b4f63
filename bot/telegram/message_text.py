"""What a Telegram message says: its words, words that come with them, and identifiers that are not words.

Only this module reads people's words from Telegram's objects. All of them go to the gate (usecases/typed_text).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telegram import Message, MessageEntity, MessageOriginHiddenUser, MessageOriginUser


@dataclass(frozen=True)
class Words:
    """`text`: what the person typed. `beside`: other words in the message. `marks`: kinds of identifiers it carries."""

    text: str
    beside: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    forwarded: bool = False


def words_of(message: Message) -> Words:
    """Return everything that a message says."""
    return Words(
        message.text or message.caption or "",
        tuple(words for words in _beside(message) if words),
        tuple(_marks(message)),
        message.forward_origin is not None,
    )


def _beside(message: Message) -> Iterator[str]:
    for file in (message.document, message.audio, message.video, message.animation):
        if file is not None:
            # A file name without its extension, with spaces in place of separators.
            yield (file.file_name or "").rsplit(".", 1)[0].replace("_", " ")
    if message.audio is not None:
        yield f"{message.audio.performer or ''} {message.audio.title or ''}".strip()
    if message.venue is not None:
        yield message.venue.title
    if message.poll is not None:
        yield message.poll.question
        yield from (option.text for option in message.poll.options)
        yield message.poll.explanation or ""
    if message.quote is not None:
        yield message.quote.text
    for entity in (*message.entities, *message.caption_entities):
        if entity.type == MessageEntity.TEXT_LINK and entity.url:
            yield entity.url


def _marks(message: Message) -> Iterator[str]:
    if message.contact is not None:
        yield from ("person", "phone")
    if message.venue is not None or message.location is not None:
        yield "address"
    for entity in (*message.entities, *message.caption_entities):
        if entity.type == MessageEntity.TEXT_MENTION:
            yield "person"
    origin = message.forward_origin
    if isinstance(origin, MessageOriginUser | MessageOriginHiddenUser):
        yield "person"
