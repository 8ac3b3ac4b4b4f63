"""What a supervisor sees of questions that got no help: groups without who asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.messages.callback_data import Button
from bot.messages.message import Message, Rows, bold, cut, escape, italic, pages, plain
from bot.messages.texts import text_of
from flows.advice import Topic
from flows.catalogue import Book
from storage.questions import Counted, QuestionKind


@dataclass(frozen=True)
class Group:
    """Like questions, the most frequent first."""

    questions: tuple[Counted, ...]

    @property
    def times(self) -> int:
        """How often they were asked, together."""
        return sum(one.times for one in self.questions)

    @property
    def first(self) -> Counted:
        """The most frequent one."""
        return self.questions[0]


def groups(book: Book, found: Sequence[Group], topics: Mapping[str, Topic]) -> Message:
    """Return the groups, most frequent first, each with what can be done with it."""
    if not found:
        return plain(text_of("unanswered.none"))
    lines, buttons = [bold(text_of("unanswered.title"))], []
    for number, group in enumerate(found, start=1):
        words = group.first.question or text_of(f"unanswered.{_of(group.first)}")
        lines.append(f"{number}. {group.times} × {escape(cut(words, 120))} {italic(_about(book, group.first, topics))}")
        row = [(text_of("unanswered.delete", number=number), Button(f"asked.delete.{group.first.id}").encode())]
        if group.first.question is not None:
            row.insert(0, (text_of("unanswered.way", number=number), Button(f"asked.way.{group.first.id}").encode()))
        buttons.append(tuple(row))
    return Message(pages(["\n".join(lines[:1]), *lines[1:]])[0], tuple(buttons))


def _of(counted: Counted) -> str:
    return "did_not_help" if counted.kind == QuestionKind.DID_NOT_HELP else "further"


def _about(book: Book, counted: Counted, topics: Mapping[str, Topic]) -> str:
    if counted.kind == QuestionKind.MEANT and counted.subject in book.edition.cards:
        return text_of("unanswered.meant", asked=book.edition.cards[counted.subject].asked)
    if counted.kind == QuestionKind.DID_NOT_HELP and counted.subject in book.edition.passages:
        return book.edition.passages[counted.subject].title
    return topics[counted.subject].title if counted.subject in topics else ""


def choose(book: Book, group: Group, offered: Sequence[str]) -> Message:
    """Ask which answer card a group of questions should lead to."""
    lines = [escape(text_of("unanswered.which", question=cut(group.first.question or "", 200)))]
    rows: Rows = tuple(
        ((book.edition.cards[card].asked, Button(f"asked.as.{group.first.id}.{card}").encode()),) for card in offered
    )
    return Message("\n\n".join(lines), rows)
