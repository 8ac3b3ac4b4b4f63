"""Quick advice: answer a question in a person's own words with cited passages, or say that it is not covered and whom to ask."""

from __future__ import annotations

from bot.domain.typed_text import Typed
from bot.messages import advice_cards, membership_cards, refusals
from bot.messages.message import Message, plain, without_buttons
from bot.messages.texts import text_of
from bot.usecases import typed_text
from bot.usecases.context import Actor, Context, say
from flows import screening
from flows.advice import Answer
from flows.screening import IdentifierFound, NotScreened, TextTooLong
from storage import local_contacts, questions
from storage.core.unit import Unit
from storage.questions import Counted

UNKNOWN_TOPIC = "unknown"


def ask(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer a question. It is not stored, unless it got no answer and screening found no identifier in it."""
    if not typed.text:
        say(unit, actor.chat_id, plain(text_of("advice.how_to_ask")))
        return
    answer = typed_text.answer_to(typed)
    try:
        screened = typed.screened()
    except NotScreened as error:
        if isinstance(error, IdentifierFound) and typed.message_id:
            typed_text.take_out(unit, actor.chat_id, typed.message_id)
        say(unit, actor.chat_id, plain(refusals.refusal(error, text_of("advice.not_kept"))))
    else:
        if answer and answer.band == "none" and not typed_text.is_worry(typed):
            topic = answer.topic.id if answer.topic else UNKNOWN_TOPIC
            questions.count_unanswered(unit, context.edition_id, topic, screened, context.now())
    if answer:
        say(unit, actor.chat_id, _answer(unit, context, typed, answer))


def _answer(unit: Unit, context: Context, typed: Typed, found: Answer) -> Message:
    book = context.book
    if found.band == "none" and typed_text.is_worry(typed):
        found = context.index.on_worry(found)
    if found.band == "answer":
        return advice_cards.advice(book, found, context.index.on_law)
    if found.band == "closest":
        return advice_cards.closest(book, found)
    return advice_cards.not_covered(book, found, local_contacts.get(unit))


def ask_in_channel(unit: Unit, context: Context, actor: Actor, typed: Typed) -> None:
    """Answer a question in a team's channel, for everybody."""
    if not typed.text:
        say(unit, actor.chat_id, plain(text_of("advice.how_to_ask_in_group")), actor.thread_id)
        return
    answer = typed_text.answer_to(typed)
    if answer is None:
        too_long = TextTooLong(typed.looked.length, screening.LONGEST)
        say(
            unit,
            actor.chat_id,
            plain(refusals.refusal(too_long, text_of("advice.not_kept"))),
            actor.thread_id,
        )
        return
    say(unit, actor.chat_id, without_buttons(_answer(unit, context, typed, answer)), actor.thread_id)


def overheard(unit: Unit, context: Context, chat_id: int, thread_id: int | None, typed: Typed) -> None:
    """Check a message in a team's channel for two things only: a child in danger, and identifiers."""
    if typed.is_danger:
        say(unit, chat_id, without_buttons(advice_cards.danger_first(context.book.edition)), thread_id)
    kinds = tuple(dict.fromkeys((*typed.looked.kinds, *typed.marks)))
    if kinds:
        typed_text.take_out(unit, chat_id, typed.message_id, tell=False)
        say(unit, chat_id, membership_cards.please_delete(refusals.kinds_seen(IdentifierFound(kinds))), thread_id)


def private_only(unit: Unit, context: Context, actor: Actor) -> None:
    """Point from a channel to the private chat."""
    say(unit, actor.chat_id, membership_cards.private_only(context.username), actor.thread_id)


def inline(context: Context, typed: Typed) -> list[advice_cards.Article]:
    """Return what inline mode offers for a question: the emergency line first, then passages to post."""
    found = typed_text.answer_to(typed) if typed.text else None
    if found is None:
        return []
    articles = [advice_cards.article(context.book, hit.passage, context.index.on_law) for hit in found.passages]
    return [advice_cards.danger_article(context.book.edition), *articles] if found.emergency else articles


def passage(unit: Unit, context: Context, actor: Actor, passage_id: str) -> None:
    """Show one of the closest passages that were offered."""
    if passage_id in context.book.edition.passages:
        say(unit, actor.chat_id, advice_cards.one_passage(context.book, passage_id, context.index.on_law))
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
        questions.count_no_help(unit, context.edition_id, passage_id, context.now())
    say(unit, actor.chat_id, advice_cards.who_to_ask(local_contacts.get(unit)))


def unanswered(unit: Unit) -> list[Counted]:
    """Return the questions that got no answer or one that did not help, most frequent first."""
    return questions.listed(unit)


def show_unanswered(unit: Unit, context: Context, actor: Actor) -> None:
    """Show which questions got no answer, most frequent first."""
    say(unit, actor.chat_id, advice_cards.unanswered(questions.listed(unit, 20), context.index.topics))
