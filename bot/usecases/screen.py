"""The one way in for typed words that are to be kept: screened, or nothing of them is."""

from __future__ import annotations

from bot.usecases.desk import Desk, Who
from flows import screening
from flows.screening import Screened
from storage import mailbox, name_pass
from storage.clock import later
from storage.database import Unit

#: For how many minutes a person's word that a name is none holds for what they type next.
PASS_HOLDS = 15
TYPE_AGAIN = "Please type it again. What looks like a name will pass this once. Numbers and addresses never pass."


def words(unit: Unit, desk: Desk, who: Who, text: str) -> Screened:
    """Return typed words as screened, using up a pass for names if one was given; raise NotScreened."""
    names_pass = name_pass.is_given(unit, who.chat_id, later(desk.now(), -PASS_HOLDS))
    screened = screening.screened(text, own_reference=desk.own_reference, names_pass=names_pass)
    if names_pass:
        name_pass.take(unit, who.chat_id)
    return screened


def reference(desk: Desk, text: str) -> Screened | None:
    """Return a case reference as screened, or None when it has not the organisation's form; raise NotScreened."""
    return screening.case_reference(text, desk.case_pattern, own_reference=desk.own_reference)


def give_name_pass(unit: Unit, desk: Desk, chat_id: int) -> None:
    """Let the next words in this chat hold what looks like a name."""
    name_pass.give(unit, chat_id, desk.now())


def take_out(unit: Unit, chat_id: int, message_id: int, *, tell: bool = True) -> None:
    """Have a person's message taken out of the chat, and have them told if that cannot be done."""
    mailbox.put(unit, chat_id, "delete", {"message_id": message_id, "tell": tell})
