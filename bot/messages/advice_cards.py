"""Answers to questions in own words: an answer card with its sources, "did you mean", or that the edition does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.messages.callback_data import START, Button
from bot.messages.citations import passage_line, source_line
from bot.messages.message import (
    Message,
    Rows,
    bold,
    bullets,
    cut,
    emergency_row,
    escape,
    folded,
    italic,
    plain,
    rows,
)
from bot.messages.notices import numbers
from bot.messages.texts import text_of
from flows.advice import Answer
from flows.catalogue import Book
from flows.definition import AnswerCard, Edition, Question

#: A passage beside an answer may have so many characters; a longer one is only folded.
LONGEST_BESIDE = 240
#: Two buttons whose labels are no longer than this share a row on a phone.
HALF_ROW = 19


@dataclass(frozen=True)
class Article:
    """One entry that inline mode offers to post: its title, what it is about, and the message."""

    id: str
    title: str
    about: str
    message: Message


@dataclass(frozen=True)
class Around:
    """What an answer is shown with.

    `contacts`: the local contacts that are set. `danger`: the text speaks of danger, so the police come first.
    `worry`: it describes a worry about a child, so whom to tell is always said. `walk_open`: offer to go on with it.
    `short`: in a channel or inline mode, where nothing is folded and there are no buttons.
    """

    on_law: frozenset[str]
    contacts: Mapping[str, str]
    danger: bool = False
    worry: bool = False
    walk_open: bool = False
    short: bool = False


def danger_first(edition: Edition) -> Message:
    """Return the card that comes before every other answer when a text speaks of danger, abuse told or a crime."""
    lines = [*_police(), passage_line(edition, edition.roles.passage("emergency"))]
    return Message("\n\n".join(lines), emergency_row())


def _police() -> list[str]:
    return [bold(text_of("emergency.first")), escape(text_of("danger"))]


def danger_article(edition: Edition) -> Article:
    """Return the emergency line as inline mode offers it."""
    return Article("danger", text_of("emergency.article"), text_of("danger"), Message(danger_first(edition).text))


# ---- an answer ------------------------------------------------------------------------------------
def answer(book: Book, found: Answer, card: AnswerCard, around: Around) -> Message:
    """Return an answer card: the answer, its sources, whom to tell about a worry, and more from the advice folded."""
    edition = book.edition
    lines = [*_police(), source_line(edition, edition.roles.passage("emergency"))] if around.danger else []
    if around.danger:
        lines.append(italic(text_of("advice.on_your_question")))
    lines += _shortcuts(found)
    lines.append("\n".join(part for part in (bold(card.answer), bullets(card.conditions)) if part))
    best = found.passages[0].passage if found.passages else card.cites[0]
    if best in card.more and len(edition.passages[best].text) <= LONGEST_BESIDE:
        # The answer rests on other passages of the card, so the one that was asked for is shown itself.
        lines.append(passage_line(edition, best))
    else:
        lines.append("\n".join(source_line(edition, key) for key in card.cites))
    if around.worry:
        lines.append(_whom_to_tell(book, card, around.contacts))
    lines += _law(book, (*card.cites, *(hit.passage for hit in found.passages)), around.on_law)
    if found.also and not around.short:
        lines.append(escape(text_of("advice.also", asked=edition.cards[found.also].asked)))
    more = dict.fromkeys((*(hit.passage for hit in found.passages), *card.cites))
    if not around.short:
        lines.append(folded(text_of("advice.more"), [passage_line(edition, key) for key in more]))
    lines.append(_status(book))
    return Message("\n\n".join(lines), () if around.short else _after(book, found, card, around))


def _shortcuts(found: Answer) -> list[str]:
    meanings = [text_of("advice.means", written=short.written, means=short.means) for short in found.shortcuts]
    return [italic(" ".join(meanings))] if meanings else []


def _law(book: Book, passage_ids: Iterable[str], on_law: frozenset[str]) -> list[str]:
    return [escape(book.edition.law_note)] if on_law & set(passage_ids) else []


def _status(book: Book) -> str:
    return italic(f"{text_of('advice.status')} {book.edition.banner}")


def _whom_to_tell(book: Book, card: AnswerCard, contacts: Mapping[str, str]) -> str:
    """Return who to tell about a worry, unless the card says it, with the local numbers."""
    said = [] if card.id == book.index.worry.id else [book.index.worry.answer]
    return escape(" ".join([*said, numbers(contacts, "day_number", "night_number", "referral_form")]))


def _after(book: Book, found: Answer, card: AnswerCard, around: Around) -> Rows:
    """Return the buttons under an answer: what next, the question of the flow, the way on, and that it did not help."""
    cards = book.edition.cards
    also = [((cut(cards[found.also].asked, 60), Button(f"card.{found.also}").encode()),)] if found.also else []
    then = [(cards[key].label, Button(f"card.{key}").encode()) for key in card.then if key != found.also]
    passage = found.passages[0].passage if found.passages else card.cites[0]
    did_not_help = text_of("advice.did_not_help"), Button(f"nohelp.{passage}").encode()
    last = rows([*_related(book, card), _go_on(around.walk_open), did_not_help])
    return (*also, *rows(then, most=2, short=HALF_ROW), *last, *emergency_row())


def _related(book: Book, card: AnswerCard) -> list[tuple[str, str]]:
    """Return a button to the question of a flow that a card is about."""
    for flow_id in sorted(book.machines, reverse=True):
        if card.question in book.machines[flow_id].flow.questions:
            return [(text_of("advice.related"), Button(f"about.{flow_id}.{card.question}").encode())]
    return []


def _go_on(walk_open: bool) -> tuple[str, str]:
    if walk_open:
        return text_of("advice.go_on"), Button("go_on").encode()
    return text_of("advice.start"), Button(START).encode()


# ---- not sure, not covered -------------------------------------------------------------------------
def did_you_mean(book: Book, found: Answer, around: Around) -> Message:
    """Return the questions that were perhaps meant, as buttons; in a channel as a list."""
    cards = [book.edition.cards[key] for key in found.offered]
    lines = [bold(text_of("advice.did_you_mean")), *_shortcuts(found)]
    if around.short:
        return Message(
            "\n\n".join([*lines, bullets(card.asked for card in cards), escape(text_of("advice.other_words"))])
        )
    lines.append(escape(text_of("advice.tap_one")))
    if around.worry:
        lines.append(_whom_to_tell(book, cards[0], around.contacts))
    offered = tuple(((card.asked, Button(f"mean.{card.id}").encode()),) for card in cards)
    none = text_of("advice.none_of_these"), Button("none_of_these").encode()
    return Message("\n\n".join(lines), (*offered, *rows([none, _go_on(around.walk_open)]), *emergency_row()))


def not_covered(book: Book, found: Answer, around: Around) -> Message:
    """Say that the edition does not cover a question, which passages are near, and whom to ask."""
    topic = found.topic
    about = text_of("advice.no_topic", topic=topic.title) if topic and topic.title else ""
    lines = [bold(text_of("advice.not_covered", year=book.edition.published[:4])), *_shortcuts(found)]
    lines.append(
        escape(" ".join(part for part in (text_of("advice.no_guess"), about, _ask_whom(around.contacts)) if part))
    )
    if topic and topic.on_law:
        lines.append(escape(book.edition.law_note))
    near = [key for key in (topic.near if topic else ()) if key in book.edition.passages]
    if around.short:
        return Message("\n\n".join(lines))
    if near:
        lines.append(escape(text_of("advice.near")))
    passages = tuple(((cut(book.edition.passages[key].title, 60), Button(f"passage.{key}").encode()),) for key in near)
    last = [(text_of("local.title"), Button("local").encode()), _go_on(around.walk_open)]
    return Message("\n\n".join(lines), (*passages, *rows(last), *emergency_row()))


def _ask_whom(contacts: Mapping[str, str]) -> str:
    number = text_of("advice.day_number", number=contacts["day_number"]) if "day_number" in contacts else ""
    return f"{text_of('advice.ask_your_lead')} {number}".rstrip()


def small_talk(kind: str, walk_open: bool = False) -> Message:
    """Return the short reply to a greeting, thanks and the like."""
    return Message(escape(text_of(f"small_talk.{kind}")), rows([_go_on(walk_open)]))


# ---- one passage, one question ---------------------------------------------------------------------
def one_passage(book: Book, passage_id: str, around: Around) -> Message:
    """Return one passage with its source."""
    lines = [passage_line(book.edition, passage_id), *_law(book, [passage_id], around.on_law), _status(book)]
    card = book.edition.card_of(passage_id)
    did_not_help = text_of("advice.did_not_help"), Button(f"nohelp.{passage_id}").encode()
    last = rows([*_related(book, card), _go_on(around.walk_open), did_not_help])
    return Message("\n\n".join(lines), (*last, *emergency_row()))


def about(book: Book, flow: str, question: Question) -> Message:
    """Return a question of a flow, why it is asked and the passages behind it."""
    title = text_of("advice.question_of", flow=book.machine(flow).flow.title)
    lines = [italic(title), bold(question.label), escape(question.why)]
    lines += [passage_line(book.edition, passage_id) for passage_id in question.cites]
    lines.append(italic(book.edition.banner))
    start = text_of("advice.start_these"), Button(f"start.{flow}").encode()
    return Message("\n\n".join(lines), (*rows([start]), *emergency_row()))


def who_to_ask(contacts: Mapping[str, str], *, meant_nothing: bool = False) -> Message:
    """Answer a person whom an answer did not help, or who meant none of the questions offered."""
    text = text_of("advice.meant_nothing" if meant_nothing else "advice.counted", ask=_ask_whom(contacts))
    return plain(text, (text_of("local.title"), "local"), (text_of("advice.start"), START))


def article(book: Book, card: AnswerCard, around: Around) -> Article:
    """Return an answer card as inline mode offers it."""
    nothing_more = Answer("answer", (), emergency=False, shortcuts=(), card=card.id)
    return Article(card.id, card.asked, cut(card.answer, 120), answer(book, nothing_more, card, around))
