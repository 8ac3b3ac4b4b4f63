"""The only way in for text from a person, through whichever door it comes.

`read` examines it before any transaction: bounded length, canonical form, danger, identifiers, and what the guidance
says about it. Use cases take the `Typed` that it returns, never a plain string. Text that may be stored becomes `Screened`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from bot.domain.typed_text import Typed
from bot.messages import advice_cards, refusals
from bot.messages.message import plain, without_buttons
from bot.messages.texts import text_of
from bot.usecases import recent_questions
from bot.usecases.context import Actor, Context, say
from flows import danger, screening
from flows.advice import Answer
from flows.canonical import canonical
from flows.names import could_be_name
from flows.screening import PERSON, IdentifierFound, NotScreened, Screened, TextTooLong
from storage import name_overrides, outbox
from storage.core.clock import later
from storage.core.unit import Unit

#: Minutes that a person's word that something is not an identifier applies to what they type next.
OVERRIDE_MINUTES = 15
LONGEST_NAME, LONGEST_TEAM, LONGEST_REASON = 40, 60, 300
#: The kinds of identifiers that a local contact may contain, because they are an office's and not a person's.
OF_AN_OFFICE = (PERSON, "phone", "url", "email", "postcode", "address")


def read(
    context: Context,
    text: str,
    message_id: int = 0,
    *,
    beside: Iterable[str] = (),
    marks: Iterable[str] = (),
    **more: bool,
) -> Typed:
    """Examine a text, outside any transaction. The cost is bounded for any text; nothing is stored.

    `beside`: other words that came with it, such as a file name. `marks`: identifiers that are not words, such as a contact card.
    """
    text = text.replace("\0", "")
    looked = screening.look(text, own_reference=context.own_reference)
    around = tuple(
        kind for words in beside for kind in screening.look(words, own_reference=context.own_reference).kinds
    )
    every = " ".join((text, *beside))[: screening.LONGEST_READ]
    return Typed(looked, danger.is_spoken_of(every), None, message_id, marks=(*marks, *around), **more)


class NotLookedUp(Exception):
    """The words are a question that was not looked up yet. Look it up outside the transaction, then act again."""


def look_up(context: Context, typed: Typed, person: int | None = None) -> Typed:
    """Look up what the guidance says about a question. A follow-up is read with the person's question before it."""
    alone = context.index.ask(typed.text)
    before = context.recent.last(person) if person is not None else None
    is_clear = alone.band == "answer"
    if before is None or not recent_questions.is_follow_up(typed, is_clear=is_clear):
        return replace(typed, answer=alone)
    joined = context.index.ask(f"{before.question.text} {typed.text}")
    # The same card again would not answer what is new in a follow-up.
    same_again = joined.card is not None and joined.card == before.card
    return replace(typed, answer=alone if same_again and is_clear else joined)


def answer_to(typed: Typed) -> Answer | None:
    """Return what the guidance says about these words, or None if they are too long; raise NotLookedUp."""
    if typed.looked.length > screening.LONGEST:
        return None
    if typed.answer is None:
        raise NotLookedUp
    return typed.answer


def read_argument(context: Context, typed: Typed, text: str) -> Typed:
    """Examine a part of what was typed, such as the words after a command."""
    part = read(context, text, typed.message_id, edited=typed.edited, forwarded=typed.forwarded)
    return replace(part, is_danger=part.is_danger or typed.is_danger, marks=typed.marks)


# ---- danger ---------------------------------------------------------------------------------------
def danger_first(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """If the words speak of danger, show the 999 card before anything else. In a channel it has no buttons."""
    if not typed.is_danger:
        return
    card = advice_cards.danger_first(context.book.edition)
    say(unit, actor.chat_id, card if actor.is_private else without_buttons(card), actor.thread_id)


# ---- what may be kept -----------------------------------------------------------------------------
def words(unit: Unit, context: Context, actor: Actor, typed: Typed, *, longest: int = screening.LONGEST) -> Screened:
    """Return typed words as they may be stored, consuming a name override if one was given; raise NotScreened."""
    override = name_overrides.is_given(unit, actor.chat_id, later(context.now(), -OVERRIDE_MINUTES))
    kept = typed.screened(longest=longest, override=(PERSON,) if override else ())
    if override:
        name_overrides.take(unit, actor.chat_id)
    return kept


def reference(unit: Unit, context: Context, actor: Actor, typed: Typed) -> Screened | None:
    """Return a case reference as it may be stored, or None if it does not look like one; raise NotScreened.

    A reference whose digits happen to form a valid NHS number passes once the person has said that it is a reference.
    """
    plain = _AROUND_REFERENCE.sub("", canonical(typed.text).text.strip())
    if plain != typed.text and context.case_pattern.fullmatch(plain):
        typed = read_argument(context, typed, plain)
    if not context.case_pattern.fullmatch(plain):
        typed.screened()
        return None
    override = name_overrides.is_given(unit, actor.chat_id, later(context.now(), -OVERRIDE_MINUTES))
    if context.own_reference is None and not override and (kind := looks_personal(plain)):
        raise IdentifierFound((kind,))
    is_code = context.own_reference is None and _CODE.fullmatch(plain) is not None
    kept = typed.screened(override=("nhs_number", PERSON) if override else (PERSON,) if is_code else ())
    if override:
        name_overrides.take(unit, actor.chat_id)
    return kept


#: Words that people put before a case reference.
_AROUND_REFERENCE = re.compile(
    r"^(?:(?:its|it's|it is|it should be|should be|the|my|our|is|case|ref|reference|number|no|that's|thats)[\s:.]+)+(?=\S*\d)",
    re.IGNORECASE,
)
#: What people type instead of a case reference: a date, a house number with a street.
_DATE = re.compile(
    r"(?:\d{1,2}[./_-]\d{1,2}[./_-](?:19|20)?\d\d|(?:19|20)\d\d[./_-]\d{1,2}[./_-]\d{1,2}|"
    r"\d{1,2}[./_-]?[A-Za-z]{3,9}[./_-]?(?:19|20)?\d\d)"
)
_STREET = re.compile(r"\d{1,4}[A-Za-z]?[._/-]?[A-Za-z]{3,}(?:[._/-]?[A-Za-z]{2,})*")
#: A code in capitals with a running number, which is no year: NUR-114, although Nur is a name.
_CODE = re.compile(r"[A-Z]{2,4}[-/_.]?(?!(?:19|20)\d\d(?!\d))\d{3,8}(?:[-/]\d{1,6})?")
#: Short words that occur in references.
_OF_REFERENCES = frozenset(
    [
        "ref",
        "case",
        "cp",
        "cin",
        "cla",
        "eh",
        "eha",
        "mash",
        "sw",
        "ys",
        "yot",
        "cyp",
        "cs",
        "csc",
        "lac",
        "sg",
        "sgd",
        "ehcp",
        "id",
        "no",
        "num",
        "record",
        "file",
        "inc",
        "crime",
        "pupil",
        "child",
        "dsl",
        "alpha",
        "bravo",
        "test",
    ]
)


def looks_personal(plain: str) -> str | None:
    """Return which identifier a would-be case reference looks like (a name, a date or an address), or None."""
    if _DATE.fullmatch(plain):
        return "date_of_birth"
    letters = [word for word in re.split(r"[^A-Za-z]+", plain) if len(word) > 2 and word.lower() not in _OF_REFERENCES]
    if letters and not _CODE.fullmatch(plain) and any(could_be_name(word) for word in letters):
        return PERSON
    if _STREET.fullmatch(plain) and any(screening.is_street(word) for word in re.split(r"[._/\d-]+", plain) if word):
        return "address"
    return None


def office_words(typed: Typed, longest: int) -> Screened:
    """Return an organisation's own words, such as a contact or the reason for a pause; raise NotScreened."""
    return typed.screened(longest=longest, override=OF_AN_OFFICE)


def own_words(text: str) -> Screened:
    """Return a text of the bot's own as it may be stored."""
    return screening.screened(text)


def name_of_staff(typed: Typed, longest: int = LONGEST_NAME) -> Screened | None:
    """Return the name of a colleague or a team, or None if nothing was typed; raise NotScreened."""
    return typed.screened(longest=longest, override=(PERSON,)) if typed.text else None


def give_name_override(unit: Unit, context: Context, chat_id: int) -> None:
    """Let the next words in this chat contain what looks like a name or, in a case reference, like an NHS number."""
    name_overrides.give(unit, chat_id, context.now())


# ---- refusing -------------------------------------------------------------------------------------
def delete_from_chat(unit: Unit, chat_id: int, message_id: int, *, tell: bool = True) -> None:
    """Delete a person's message from the chat, and tell them if that is not possible."""
    outbox.enqueue(unit, chat_id, "delete", {"message_id": message_id, "tell": tell})


def refused(unit: Unit, actor: Actor, typed: Typed, error: NotScreened, then: str = "") -> None:
    """Say why words were not stored, delete an identifier from the chat, and offer to say that it is not a person."""
    if isinstance(error, IdentifierFound) and typed.message_id:
        delete_from_chat(unit, actor.chat_id, typed.message_id)
    again = ((refusals.override_label("!notaperson"), "notaperson"),) if refusals.is_name_only(error) else ()
    then = "" if isinstance(error, TextTooLong) else f" {then or text_of('prompts.again')}"
    say(unit, actor.chat_id, plain(f"{refusals.refusal(error)}{then}", *again), actor.thread_id)


def is_worry(typed: Typed) -> bool:
    """Return whether words describe a worry about a child: such a text is never answered as not covered."""
    return typed.is_danger or danger.is_worry(canonical(typed.text[: screening.LONGEST_READ]).text.lower())
