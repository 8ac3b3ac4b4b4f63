"""Messages in the store: what to send next and how fast, and what to note afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from bot.messages import membership_cards, notices
from bot.usecases import opinions
from bot.usecases.context import Context
from storage import members, outbox, rate_limits, sent_messages
from storage import opinions as requests
from storage.core.unit import Unit
from storage.outbox import TRIES, Message
from storage.rate_limits import Rate

__all__ = ["TRIES", "Message", "Rate"]

#: The rate-limit key for all chats together.
ALL = "all"
#: Telegram's limits: about one message per second to a person, with short bursts; 20 per minute to a group, edits included.
PRIVATE, GROUP = Rate(1.0, 3), Rate(4.0, 5)


@dataclass(frozen=True)
class Fetched:
    """Messages to send, each with the card it replaces; seconds that single chats, and all of them, must wait."""

    messages: list[tuple[Message, int | None]]
    rests: dict[int, float]
    pause: float = 0.0


def fetch(unit: Unit, context: Context, done: list[int], not_chats: list[int], limit: int, now: float) -> Fetched:
    """Release the chats that were sent to; return what to send next within Telegram's limits."""
    outbox.release(unit, done)
    if limit <= 0:
        return Fetched([], {})
    found = [
        (m, outbox.card_of(unit, m.card, m.chat_id) if m.card else None) for m in outbox.claim(unit, not_chats, limit)
    ]
    if not found or not context.sends_per_second:
        return Fetched(found, {})
    rates = {ALL: all_together(context.sends_per_second)}
    rates |= {f"chat:{m.chat_id}": GROUP if m.chat_id < 0 else PRIVATE for m, _ in found}
    budget = rate_limits.Budget(unit, rates, now)
    go, rests, held, pause = [], dict[int, float](), list[int](), 0.0
    for message, card in found:
        keys = keys_of(message, card)
        if keys and (pause := budget.wait(ALL)) > 0:
            # The limit for all chats together was reached, not this chat's.
            held.append(message.chat_id)
            continue
        wait = budget.wait(*keys)
        if wait > 0:
            rests[message.chat_id] = wait
            continue
        budget.spend(*keys)
        go.append((message, card))
    budget.save()
    outbox.release(unit, [*rests, *held])
    return Fetched(go, rests, pause if held else 0.0)


def all_together(per_second: int) -> Rate:
    """Return the rate limit for all chats together, which holds in every second."""
    return Rate(1.25 / per_second, max(1, per_second // 5))


def keys_of(message: Message, card: int | None) -> tuple[str, ...]:
    """Return the rate limits that a message counts towards. Edits in a private chat are limited by the person's taps."""
    if message.kind not in ("card", "message"):
        return ()
    is_edit = message.kind == "card" and card is not None and not message.payload.get("below")
    return (ALL,) if is_edit and message.chat_id > 0 else (ALL, f"chat:{message.chat_id}")


def note_sent(unit: Unit, context: Context, message: Message, card: int | None, old_card: int | None) -> None:
    """Delete a sent message. A new card replaces the old one, which is deleted from the chat."""
    outbox.mark_sent(unit, message.id)
    if card is None or card == old_card:
        return
    if context.clear_chats_hours:
        sent_messages.note(unit, message.chat_id, card, context.now())
    if message.card:
        outbox.set_card(unit, message.card, message.chat_id, card)
        if message.card.startswith("post:"):
            requests.note_shown(unit, message.card.removeprefix("post:"))
        if old_card is not None:
            outbox.enqueue(unit, message.chat_id, "delete", {"message_id": old_card})


def park(unit: Unit, context: Context, message: Message, cause: str, stopped_by_person: bool) -> None:
    """Park a message that cannot be sent. Note if the person has stopped the bot, and if a request could not be posted."""
    outbox.park(unit, message.id, cause)
    if stopped_by_person and message.chat_id > 0:
        members.set_unreachable(unit, message.chat_id, context.now())
    if message.card and message.card.startswith("post:"):
        opinions.not_posted(unit, message.card)


def drop(unit: Unit, message_id: int) -> None:
    """Delete a message that is no longer needed."""
    outbox.mark_sent(unit, message_id)


def say_could_not_delete(unit: Unit, chat_id: int) -> None:
    """Ask a person to delete a message that the bot cannot delete."""
    outbox.enqueue(unit, chat_id, "message", notices.could_not_delete().payload())


def ask_to_remove(unit: Unit, chat_id: int) -> None:
    """Ask a channel to remove a former member whom the bot cannot remove."""
    outbox.enqueue(unit, chat_id, "message", membership_cards.please_remove().payload())


# ---- pictures -------------------------------------------------------------------------------------
def next_pictures(unit: Unit, done: list[int], busy: list[int], most: int) -> list[Message]:
    """Release the pictures that are done; return those to send next."""
    return outbox.claim_pictures(unit, done, busy, most)


def count_picture_failure(unit: Unit, message_id: int) -> bool:
    """Count that a picture was not sent; drop it after the last try. Return whether it was dropped."""
    return outbox.count_picture_failure(unit, message_id)


def note_picture_sent(unit: Unit, context: Context, message: Message, sent_as: int | None) -> None:
    """Delete a picture that was sent, or is not needed any more; remember it if chats are cleared."""
    outbox.mark_sent(unit, message.id)
    if context.clear_chats_hours and sent_as is not None:
        sent_messages.note(unit, message.chat_id, sent_as, context.now())
