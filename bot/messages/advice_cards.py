"""Answers to questions in own words: passages with their source, the closest passages, or that the edition does not say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.messages.callback_data import Button
from bot.messages.citations import passage_line
from bot.messages.message import (
    Message,
    Rows,
    bold,
    cut,
    emergency_row,
    escape,
    italic,
    pages,
    plain,
    rows,
)
from bot.messages.texts import text_of
from flows.advice import Answer, Topic
from flows.catalogue import Book
from flows.definition import ON_THE_CHART, Edition, Question
from storage.questions import Counted


@dataclass(frozen=True)
class Article:
    """One entry that inline mode offers to post: its title, what it is about, and the message."""

    id: str
    title: str
    about: str
    message: Message


def danger_first(edition: Edition) -> Message:
    """Return the card that comes before every other answer when a text speaks of danger, abuse told or a crime."""
    lines = [
        bold(text_of("emergency.first")),
        escape(text_of("danger")),
        passage_line(edition, edition.roles.passage("emergency")),
    ]
    return Message("\n\n".join(lines), emergency_row())


def danger_article(edition: Edition) -> Article:
    """Return the emergency line as inline mode offers it."""
    return Article("danger", text_of("emergency.article"), text_of("danger"), Message(danger_first(edition).text))


def _shortcuts(found: Answer) -> list[str]:
    meanings = [text_of("advice.means", written=short.written, means=short.means) for short in found.shortcuts]
    return [italic(" ".join(meanings))] if meanings else []


def _law(book: Book, passage_ids: Iterable[str], on_law: frozenset[str]) -> list[str]:
    return [escape(book.edition.law_note)] if on_law & set(passage_ids) else []


def _not_a_decision(book: Book) -> str:
    return f"{escape(text_of('advice.not_a_decision'))}\n{italic(book.edition.banner)}"


def _start() -> tuple[str, str]:
    return text_of("advice.start"), Button("start.sharing").encode()


def _related(book: Book, passage_ids: Iterable[str]) -> list[tuple[str, str]]:
    """Return a button to the first question of a flow that cites one of these passages."""
    for passage_id in passage_ids:
        for flow_id in sorted(book.machines, reverse=True):
            for question in book.machines[flow_id].flow.questions.values():
                if passage_id in question.cites and question.kind in ON_THE_CHART:
                    return [(text_of("advice.related"), Button(f"about.{flow_id}.{question.id}").encode())]
    return []


def _after_answer(book: Book, passage_ids: list[str]) -> Rows:
    did_not_help = text_of("advice.did_not_help"), Button(f"nohelp.{passage_ids[0]}").encode()
    return (*rows([*_related(book, passage_ids), _start(), did_not_help]), *emergency_row())


def _passages(book: Book, passage_ids: Iterable[str]) -> Rows:
    titles = book.edition.passages
    return tuple(((cut(titles[key].title, 60), Button(f"passage.{key}").encode()),) for key in passage_ids)


def advice(book: Book, found: Answer, on_law: frozenset[str]) -> Message:
    """Return an answer: up to three passages, strongest first, each with its source."""
    ids = [hit.passage for hit in found.passages]
    lines = [italic(text_of("advice.title")), *_shortcuts(found)]
    lines += [passage_line(book.edition, passage_id) for passage_id in ids]
    lines += [*_law(book, ids, on_law), _not_a_decision(book)]
    return Message("\n\n".join(lines), _after_answer(book, ids))


def closest(book: Book, found: Answer) -> Message:
    """Return the closest passages as buttons, when no passage answers a question for certain."""
    ids = [hit.passage for hit in found.passages]
    lines = [bold(text_of("advice.not_sure")), *_shortcuts(found), escape(text_of("advice.closest"))]
    none_of_these = text_of("advice.none_of_these"), Button(f"nohelp.{ids[0]}").encode()
    return Message("\n\n".join(lines), (*_passages(book, ids), *rows([_start(), none_of_these]), *emergency_row()))


def one_passage(book: Book, passage_id: str, on_law: frozenset[str]) -> Message:
    """Return one passage with its source."""
    lines = [passage_line(book.edition, passage_id), *_law(book, [passage_id], on_law), _not_a_decision(book)]
    return Message("\n\n".join(lines), _after_answer(book, [passage_id]))


def not_covered(book: Book, found: Answer, contacts: dict[str, str]) -> Message:
    """Say that the edition does not cover a question, which passages are near, and whom to ask."""
    topic = found.topic
    about = text_of("advice.no_topic", topic=topic.title) if topic and topic.title else ""
    lines = [bold(text_of("advice.not_covered", year=book.edition.published[:4])), *_shortcuts(found)]
    lines.append(escape(" ".join(part for part in (text_of("advice.no_guess"), about, _ask_whom(contacts)) if part)))
    near = [key for key in (topic.near if topic else ()) if key in book.edition.passages]
    if near:
        lines.append(escape(text_of("advice.near")))
    last = [(text_of("local.title"), Button("local").encode()), _start()]
    return Message("\n\n".join(lines), (*_passages(book, near), *rows(last), *emergency_row()))


def _ask_whom(contacts: dict[str, str]) -> str:
    number = text_of("advice.day_number", number=contacts["day_number"]) if "day_number" in contacts else ""
    return f"{text_of('advice.ask_your_lead')} {number}".rstrip()


def about(book: Book, flow: str, question: Question) -> Message:
    """Return a question of a flow, why it is asked and the passages behind it."""
    title = text_of("advice.question_of", flow=book.machine(flow).flow.title)
    lines = [italic(title), bold(question.label), escape(question.why)]
    lines += [passage_line(book.edition, passage_id) for passage_id in question.cites]
    lines.append(italic(book.edition.banner))
    start = text_of("advice.start_these"), Button(f"start.{flow}").encode()
    return Message("\n\n".join(lines), (*rows([start]), *emergency_row()))


def who_to_ask(contacts: dict[str, str]) -> Message:
    """Answer a person whom an answer did not help."""
    text = text_of("advice.counted", ask=_ask_whom(contacts))
    return plain(text, (text_of("local.title"), "local"), (text_of("advice.start"), "start.sharing"))


def article(book: Book, passage_id: str, on_law: frozenset[str]) -> Article:
    """Return a passage as inline mode offers it: the post contains the passage and its source, nothing else."""
    passage = book.edition.passages[passage_id]
    lines = [passage_line(book.edition, passage_id), *_law(book, [passage_id], on_law), italic(book.edition.banner)]
    return Article(passage_id, passage.title, cut(passage.text, 120), Message("\n\n".join(lines)))


def unanswered(found: list[Counted], topics: Mapping[str, Topic]) -> Message:
    """Return the questions that got no help, most frequent first, without who asked."""
    if not found:
        return plain(text_of("unanswered.none"))
    lines = [bold(text_of("unanswered.title"))]
    for counted in found:
        topic = topics[counted.subject].title if counted.subject in topics else counted.subject
        kind = "did_not_help" if counted.kind == "did_not_help" else "further"
        words = counted.question or text_of(f"unanswered.{kind}")
        lines.append(f"• {counted.times} × {escape(cut(words, 120))} {italic(topic)}")
    return Message(pages(["\n".join(lines[:1]), *lines[1:]])[0])
