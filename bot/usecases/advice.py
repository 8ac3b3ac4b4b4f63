"""Quick advice: answer a question in a person's own words with cited passages, or say that it is not covered and whom to ask."""

from __future__ import annotations

from bot.domain.typed_text import Typed
from bot.messages import advice_cards, membership_cards, refusals
from bot.messages.advice_cards import Around
from bot.messages.message import Message, plain, without_buttons
from bot.messages.texts import text_of
from bot.usecases import typed_text, unanswered
from bot.usecases.context import Actor, Context, say
from flows import replies, screening
from flows.advice import Answer
from flows.screening import IdentifierFound, NotScreened, TextTooLong
from flows.search import Hit
from storage import local_contacts
from storage.core.unit import Unit

UNKNOWN_TOPIC = "unknown"


def ask(unit: Unit, context: Context, actor: Actor, typed: Typed, *, walk_open: bool = False) -> None:
    """Answer a question. It is not stored, unless it got no answer and screening found no identifier in it."""
    if not typed.text:
        say(unit, actor.chat_id, plain(text_of("advice.how_to_ask")))
        return
    if (kind := replies.small_talk(typed.text)) and not typed.is_danger:
        say(unit, actor.chat_id, advice_cards.small_talk(kind, walk_open))
        return
    answer = typed_text.answer_to(typed)
    try:
        screened = typed.screened()
    except NotScreened as error:
        if isinstance(error, IdentifierFound) and typed.message_id:
            typed_text.delete_from_chat(unit, actor.chat_id, typed.message_id)
        say(unit, actor.chat_id, plain(refusals.refusal(error, text_of("advice.not_kept"))))
    else:
        context.recent.remember(actor.user_id, screened, answer.card if answer else None)
        if answer and answer.band == "none" and not typed_text.is_worry(typed):
            unanswered.count(unit, context, actor, screened, answer.topic.id if answer.topic else UNKNOWN_TOPIC)
    if answer:
        say(unit, actor.chat_id, _answer(unit, context, typed, answer, walk_open=walk_open))
    else:
        typed_text.danger_first(unit, context, actor, typed)


def _answer(
    unit: Unit, context: Context, typed: Typed, found: Answer, *, walk_open: bool = False, short: bool = False
) -> Message:
    worry = typed_text.is_worry(typed)
    # Whoever tells of danger and asks nothing needs to know whom to tell, and no other rule of the advice first.
    tells = typed.is_danger and not replies.reads_like_a_question(typed.text)
    if tells or (worry and found.band == "none"):
        found = context.index.on_worry(found)
    around = _around(unit, context, danger=typed.is_danger, worry=worry, walk_open=walk_open, short=short)
    if found.card is not None:
        return advice_cards.answer(context.book, found, context.book.edition.cards[found.card], around)
    if found.band == "closest":
        return advice_cards.did_you_mean(context.book, found, around)
    return advice_cards.not_covered(context.book, found, around)


def _around(unit: Unit, context: Context, **how: bool) -> Around:
    return Around(context.index.on_law, local_contacts.get(unit), **how)


def ask_in_channel(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer a question in a team's channel, for everybody."""
    if not typed.text:
        say(unit, actor.chat_id, plain(text_of("advice.how_to_ask_in_group")), actor.thread_id)
        return
    answer = typed_text.answer_to(typed)
    if answer is None:
        typed_text.danger_first(unit, context, actor, typed)
        too_long = TextTooLong(typed.looked.length, screening.LONGEST)
        refused = plain(refusals.refusal(too_long, text_of("advice.not_kept")))
        say(unit, actor.chat_id, refused, actor.thread_id)
        return
    say(unit, actor.chat_id, without_buttons(_answer(unit, context, typed, answer, short=True)), actor.thread_id)


def overheard(
    unit: Unit, context: Context, chat_id: int, thread_id: int | None, typed: Typed, *, sees_danger: bool
) -> None:
    """Check a message in a team's channel for two things only: a child in danger, and identifiers.

    `sees_danger`: the answer to this message puts the police first by itself.
    """
    if typed.is_danger and not sees_danger:
        say(unit, chat_id, without_buttons(advice_cards.danger_first(context.book.edition)), thread_id)
    kinds = tuple(dict.fromkeys((*typed.looked.kinds, *typed.marks)))
    if kinds:
        typed_text.delete_from_chat(unit, chat_id, typed.message_id, tell=False)
        say(unit, chat_id, membership_cards.please_delete(refusals.kinds_seen(IdentifierFound(kinds))), thread_id)


def private_only(unit: Unit, context: Context, actor: Actor) -> None:
    """Point from a channel to the private chat."""
    say(unit, actor.chat_id, membership_cards.private_only(context.username), actor.thread_id)


def inline(unit: Unit, context: Context, typed: Typed) -> list[advice_cards.Article]:
    """Return what inline mode offers for a question: the emergency line first, then answers to post."""
    found = typed_text.answer_to(typed) if typed.text else None
    if found is None:
        return []
    cards = found.offered or ((found.card,) if found.card else ())
    around = _around(unit, context, short=True)
    articles = [advice_cards.article(context.book, context.book.edition.cards[card], around) for card in cards]
    return [advice_cards.danger_article(context.book.edition), *articles] if found.emergency else articles


def card(unit: Unit, context: Context, actor: Actor, card_id: str, *, walk_open: bool = False) -> None:
    """Show one answer card: the next one offered under another, or what "did you mean" offered."""
    known = context.book.edition.cards.get(card_id)
    if known is None:
        say(unit, actor.chat_id, plain(text_of("advice.no_passage")))
        return
    found = Answer("answer", tuple(Hit(key, 0.0) for key in known.cites), False, (), card=card_id)
    worry = known.id == context.index.worry.id
    around = _around(unit, context, worry=worry, walk_open=walk_open)
    say(unit, actor.chat_id, advice_cards.answer(context.book, found, known, around))


def meant(unit: Unit, context: Context, actor: Actor, card_id: str, *, walk_open: bool = False) -> None:
    """Show the card that somebody meant, and count their words as a way to ask for it."""
    recent = context.recent.last(actor.user_id)
    if recent is not None and card_id in context.book.edition.cards:
        unanswered.count_meant(unit, context, actor, recent.question, card_id)
    card(unit, context, actor, card_id, walk_open=walk_open)


def none_of_these(unit: Unit, context: Context, actor: Actor) -> None:
    """Count a question for which "did you mean" offered nothing that was meant, and say whom to ask."""
    recent = context.recent.last(actor.user_id)
    if recent is not None:
        unanswered.count(unit, context, actor, recent.question, UNKNOWN_TOPIC)
    say(unit, actor.chat_id, advice_cards.who_to_ask(local_contacts.get(unit), meant_nothing=True))


def passage(unit: Unit, context: Context, actor: Actor, passage_id: str, *, walk_open: bool = False) -> None:
    """Show one passage that is near what was asked."""
    if passage_id in context.book.edition.passages:
        around = _around(unit, context, walk_open=walk_open)
        say(unit, actor.chat_id, advice_cards.one_passage(context.book, passage_id, around))
    else:
        say(unit, actor.chat_id, plain(text_of("advice.no_passage")))


def about(unit: Unit, context: Context, actor: Actor, where: str) -> None:
    """Show a question of a flow with its explanation, and offer to start that flow."""
    flow, _, question = where.partition(".")
    known = context.book.machines[flow].flow.questions.get(question) if flow in context.book.machines else None
    if known is None:
        say(unit, actor.chat_id, plain(text_of("advice.no_question")))
        return
    say(unit, actor.chat_id, advice_cards.about(context.book, flow, known))


def did_not_help(unit: Unit, context: Context, actor: Actor, passage_id: str) -> None:
    """Count that an answer did not help, and say whom to ask."""
    if passage_id in context.book.edition.passages:
        unanswered.count_no_help(unit, context, actor, passage_id)
    say(unit, actor.chat_id, advice_cards.who_to_ask(local_contacts.get(unit)))
