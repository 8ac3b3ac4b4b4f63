"""Questions that got no help, or that the bot was not sure of, for a team's supervisors: like ones together, three or more."""

from __future__ import annotations

from bot.messages import unanswered_cards
from bot.messages.message import plain
from bot.messages.texts import text_of
from bot.messages.unanswered_cards import Group
from bot.usecases.context import Actor, Context, say, whole
from flows import like_questions
from flows.screening import Screened
from storage import questions
from storage.core.clock import later
from storage.core.unit import Unit
from storage.questions import Counted, QuestionKind, Where

__all__ = ["Counted", "Group"]

#: A group is shown from this count on, so that no single person's question is.
LEAST = 3
#: The maximum number of groups shown, and of counted questions that are grouped.
MOST_GROUPS, MOST_COUNTED = 8, 500
TO_SORT = (QuestionKind.UNANSWERED, QuestionKind.DID_NOT_HELP, QuestionKind.MEANT)


def count(unit: Unit, context: Context, actor: Actor, question: Screened, topic: str) -> None:
    """Count a question that got no answer."""
    questions.count_unanswered(unit, _where(context, actor), topic, question, context.now())


def count_meant(unit: Unit, context: Context, actor: Actor, question: Screened, card: str) -> None:
    """Count which answer card somebody chose for a question."""
    questions.count_meant(unit, _where(context, actor), card, question, context.now())


def count_no_help(unit: Unit, context: Context, actor: Actor, passage: str) -> None:
    """Count that a passage did not help somebody."""
    questions.count_no_help(unit, _where(context, actor), passage, context.now())


def _where(context: Context, actor: Actor) -> Where:
    return Where(context.edition_id, actor.member.team)


def groups(unit: Unit, context: Context, team: str) -> list[Group]:
    """Return a team's groups of like questions that were counted often enough, most frequent first."""
    counted = questions.listed(unit, MOST_COUNTED, team=team, kinds=TO_SORT)
    found = [Group((one,)) for one in counted if one.question is None]
    for kind in TO_SORT:
        # Those that were meant as the same card belong together only if they are alike too.
        asked = [one for one in counted if one.kind == kind and one.question is not None]
        by_subject: dict[str, list[Counted]] = {}
        for one in asked:
            by_subject.setdefault(one.subject if kind == QuestionKind.MEANT else "", []).append(one)
        for same in by_subject.values():
            like = like_questions.groups(context.index.search, [one.question or "" for one in same])
            found += [Group(tuple(same[at] for at in positions)) for positions in like]
    often = [group for group in found if group.times >= LEAST]
    return sorted(often, key=lambda group: (-group.times, group.first.id))[:MOST_GROUPS]


def show(unit: Unit, context: Context, actor: Actor) -> None:
    """Show a supervisor the groups of their team."""
    found = groups(unit, context, actor.member.team)
    say(unit, actor.chat_id, unanswered_cards.groups(context.book, found, context.index.topics))


def _group_of(unit: Unit, context: Context, actor: Actor, number: str) -> Group | None:
    return next((group for group in groups(unit, context, actor.member.team) if group.first.id == whole(number)), None)


def sort_out(unit: Unit, context: Context, actor: Actor, act: str) -> str:
    """Carry out a tap on a group: delete it, or accept it as ways to ask for an answer card.

    `act`: "delete.ID", "way.ID" to choose the card, or "as.ID.CARD".
    """
    verb, _, rest = act.partition(".")
    number, _, card = rest.partition(".")
    group = _group_of(unit, context, actor, number)
    if group is None or verb not in ("delete", "way", "as") or (group.first.question is None and verb != "delete"):
        return text_of("unanswered.gone")
    if verb == "way" and group.first.kind != QuestionKind.MEANT:
        offered = context.index.closest_cards(group.first.question or "")
        say(unit, actor.chat_id, unanswered_cards.choose(context.book, group, offered))
        return ""
    if verb == "delete":
        questions.remove(unit, [one.id for one in group.questions])
        say(unit, actor.chat_id, plain(text_of("unanswered.deleted")))
        return ""
    chosen = group.first.subject if verb == "way" else card
    if chosen not in context.book.edition.cards:
        return text_of("unanswered.gone")
    questions.accept(unit, group.questions, chosen)
    asked = context.book.edition.cards[chosen].asked
    say(unit, actor.chat_id, plain(text_of("unanswered.accepted", asked=asked)))
    return ""


def listed(unit: Unit, team: str | None = None) -> list[Counted]:
    """Return all that was counted, of all teams or one, for an operator."""
    return questions.listed(unit, team=team)


def accepted(unit: Unit, team: str | None = None) -> list[Counted]:
    """Return the ways to ask that supervisors accepted, for an edition's author."""
    return questions.listed(unit, team=team, kinds=(QuestionKind.ACCEPTED,))


def prune(unit: Unit, context: Context) -> None:
    """Delete what nobody has asked again for as long as the organisation keeps it."""
    questions.prune(unit, later(context.now(), -context.keep_questions_days * 24 * 60))
