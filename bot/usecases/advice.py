"""Quick advice: a question in a person's own words -> cited passages, or a plain "not covered" and who to ask."""

from __future__ import annotations

from bot import opinion_views, views
from bot.usecases import screen
from bot.usecases.desk import Desk, Who, Written, say
from flows import screening
from flows.advice import Answer
from flows.screening import IdentifierFound, NotScreened
from storage import local_route, questions
from storage.database import Unit

UNKNOWN_TOPIC = "unknown"


def ask(unit: Unit, desk: Desk, who: Who, text: str, message_id: int) -> None:
    """Answer a question. Nothing of it is kept, but for one that got no answer and that screening let through."""
    if not text.strip():
        say(unit, who.chat_id, views.plain("Type your question after /ask, for example: /ask do I need consent?"))
        return
    found = desk.index.ask(text[: screening.LONGEST])
    if found.emergency:
        say(unit, who.chat_id, views.danger_first(desk.book.edition))
    try:
        screened = screening.screened(text, own_reference=desk.own_reference)
    except NotScreened as error:
        if isinstance(error, IdentifierFound):
            screen.take_out(unit, who.chat_id, message_id)
        say(unit, who.chat_id, views.plain(views.refusal(error, kept_out="Nothing of it was kept.")))
    else:
        if found.band == "none" and not found.emergency:
            topic = found.topic.id if found.topic else UNKNOWN_TOPIC
            questions.count_unanswered(unit, desk.edition_id, topic, screened, desk.now())
    say(unit, who.chat_id, _answer(unit, desk, found))


def _answer(unit: Unit, desk: Desk, found: Answer) -> views.Message:
    book = desk.book
    if found.band == "answer":
        return views.advice(book, found, desk.index.on_law)
    if found.band == "closest":
        return views.closest(book, found)
    return views.not_covered(book, found, local_route.get(unit))


def ask_in_channel(unit: Unit, desk: Desk, who: Who, text: str) -> None:
    """Answer a question in a team's channel, for everybody."""
    if not text.strip():
        say(unit, who.chat_id, opinion_views.notice("Type your question after /ask."), who.thread_id)
        return
    found = desk.index.ask(text[: screening.LONGEST])
    if found.emergency:
        say(unit, who.chat_id, views.without_buttons(views.danger_first(desk.book.edition)), who.thread_id)
    say(unit, who.chat_id, views.without_buttons(_answer(unit, desk, found)), who.thread_id)


def overheard(unit: Unit, desk: Desk, chat_id: int, thread_id: int | None, written: Written) -> None:
    """Read along in a team's channel for one thing only: that nothing which identifies a person stays there."""
    try:
        screening.screened(written.text, own_reference=desk.own_reference)
    except IdentifierFound as error:
        screen.take_out(unit, chat_id, written.message_id, tell=False)
        say(unit, chat_id, opinion_views.please_delete(views.kinds_seen(error)), thread_id)
    except NotScreened:
        return


def private_only(unit: Unit, desk: Desk, who: Who) -> None:
    """Point from a channel to the private chat."""
    say(unit, who.chat_id, opinion_views.private_only(desk.username), who.thread_id)


def inline(unit: Unit, desk: Desk, text: str) -> list[views.Article]:
    """Return what inline mode offers for a question: passages to post, and the emergency line before all."""
    found = desk.index.ask(text[: screening.LONGEST])
    articles = [views.article(desk.book, hit.passage, desk.index.on_law) for hit in found.passages]
    return [views.danger_article(desk.book.edition), *articles] if found.emergency else articles


def passage(unit: Unit, desk: Desk, who: Who, passage_id: str) -> None:
    """Show one passage that was offered as close."""
    if passage_id in desk.book.edition.passages:
        say(unit, who.chat_id, views.one_passage(desk.book, passage_id, desk.index.on_law))
    else:
        say(unit, who.chat_id, views.plain("That passage is not in this edition. Please ask again."))


def about(unit: Unit, desk: Desk, who: Who, where: str) -> None:
    """Show a question of a flow with its explanation, and the way into that flow."""
    flow, _, question = where.partition(".")
    known = desk.book.machines[flow].flow.questions.get(question) if flow in desk.book.machines else None
    if known is None:
        say(unit, who.chat_id, views.plain("That question is not in this edition. Please ask again."))
        return
    say(unit, who.chat_id, views.about(desk.book, flow, known))


def did_not_help(unit: Unit, desk: Desk, who: Who, passage_id: str) -> None:
    """Count that an answer did not help, and say who to ask."""
    if passage_id in desk.book.edition.passages:
        questions.count_no_help(unit, desk.edition_id, passage_id, desk.now())
    say(unit, who.chat_id, views.who_to_ask(local_route.get(unit)))


def show_local_route(unit: Unit, who: Who) -> None:
    """Show what the administrator set, and what is not set."""
    say(unit, who.chat_id, views.local_route(local_route.get(unit)))


def set_local_route(unit: Unit, desk: Desk, who: Who, arguments: str) -> None:
    """Set one thing of the local route: a name and a value."""
    name, _, value = arguments.strip().partition(" ")
    try:
        local_route.put(unit, name, value, desk.now(), who.actor)
    except local_route.CannotSet as error:
        say(unit, who.chat_id, views.plain(str(error)))
        return
    show_local_route(unit, who)


def show_unanswered(unit: Unit, desk: Desk, who: Who) -> None:
    """Show which questions got no answer, most often first."""
    say(unit, who.chat_id, views.unanswered(questions.listed(unit, 20), desk.index.topics))
