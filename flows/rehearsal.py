"""Play a walk without a chat: from pairs of question and answer to outcome, duties and passages.

Details, how-to-share questions and safety checks may be left out; the walk then assumes the plain option and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows.catalogue import Book
from flows.definition import NOT_SURE, Kind
from flows.machine import CHECK, OUTCOME, PAUSED
from flows.navigation import (
    Position,
    UnexpectedAnswer,
    Walk,
    back,
    change,
    choose,
    confirm_change,
    interrupt,
    replay,
    start,
)
from flows.screening import IdentifierFound, NotScreened, Screened, screened

AT = ""


class WrongAnswer(Exception):
    """A pair names an unknown id or is out of turn."""


@dataclass(frozen=True)
class Played:
    """A played walk: its position, and the answers that were assumed because they were not given."""

    position: Position
    assumed: tuple[str, ...]

    @property
    def path(self) -> tuple[str, ...]:
        """The given answers that still apply, in order, without assumed answers and "next" taps."""
        return tuple(
            edge
            for edge in self.position.path
            if edge not in self.assumed and not edge.startswith((OUTCOME, CHECK)) and PAUSED not in edge
        )


class Rehearsal:
    """One walk being played."""

    def __init__(self, book: Book, flow: str, first: str | None = None) -> None:
        if flow not in book.machines:
            raise WrongAnswer(f'There is no flow "{flow}". Known: {", ".join(sorted(book.machines))}.')
        self.machine = book.machine(flow)
        entry = first if first in self.machine.flow.entries else None
        self.walk = start(self.machine, entry)
        self.assumed: list[str] = []

    def say(self, key: str, value: str) -> None:
        """Answer one question, or go back; raise WrongAnswer."""
        if key == "back":
            said = [edge for edge in replay(self.machine, self.walk).path if edge not in self.assumed]
            if not said:
                raise WrongAnswer("There is no answer to go back from.")
            while said[-1] in replay(self.machine, self.walk).path:
                self.walk = back(self.machine, self.walk)
            return
        if key == "change":
            question, _, option = value.partition("=")
            self._change(question, option)
            return
        question_known = self.machine.flow.questions.get(key)
        if question_known is None:
            raise WrongAnswer(f'"{key}" is no question of {self.machine.flow.id}.')
        verbs = [option.id for option in question_known.options]
        if question_known.text == "no" and value not in verbs:
            raise WrongAnswer(f'"{value}" is no option of {key}. Known: {", ".join(verbs)}.')
        text = None if value in (*verbs, "skip") else value
        self._answer(key, value if text is None else "text", text)

    def _answer(self, key: str, verb: str, text: str | None) -> None:
        position = replay(self.machine, self.walk)
        here = position.state.removesuffix(PAUSED)
        roles = self.machine.flow.roles
        which = roles.question_role(key)
        if which in ("emergency", "bulk") and here != key:
            if verb == "no":
                # The answer was assumed before and is given now: move it to the path.
                self.assumed = [edge for edge in self.assumed if edge != f"{key}.no"]
                return
            if position.is_finished and which != "emergency":
                raise WrongAnswer(f"{key}={verb} comes after the end.")
            self._interrupt(which, key, verb)
            return
        walk, assumed = self._until(key)
        try:
            self.walk = choose(self.machine, walk, f"{key}.{verb}", AT, _screened(text))
        except UnexpectedAnswer as error:
            raise WrongAnswer(f"{key}={verb} comes out of turn: the walk stands at {here}.") from error
        self.assumed += assumed

    def _interrupt(self, which: str, key: str, verb: str) -> None:
        if which == "emergency" and verb == NOT_SURE:
            raise WrongAnswer(f"{key}=not_sure can only be said at the first screen.")
        try:
            self.walk = interrupt(self.machine, self.walk, which, AT)
        except UnexpectedAnswer as error:
            raise WrongAnswer(f"{key}={verb} comes out of turn: the walk has ended.") from error
        if which == "bulk":
            self.walk = choose(self.machine, self.walk, f"{key}.{verb}", AT)

    def _change(self, question: str, option: str) -> None:
        walk, _ = self._until(CHECK)
        try:
            walk = choose(self.machine, change(self.machine, walk, question), f"{question}.{option}", AT)
        except UnexpectedAnswer as error:
            raise WrongAnswer(f"{question}={option} cannot be changed here.") from error
        self.walk = confirm_change(self.machine, walk) if walk.pending else walk

    def _until(self, key: str | None) -> tuple[Walk, list[str]]:
        """Assume plain options until `key` is asked or, without a key, while only details are open."""
        walk, assumed = self.walk, list[str]()
        while True:
            position = replay(self.machine, walk)
            question = position.question
            if position.is_finished or position.is_paused or position.state == key:
                return walk, assumed
            if position.outcome and position.state.startswith(OUTCOME):
                if key is None:
                    return walk, assumed
                plain: str | None = f"{position.state}.next"
            elif question is None or (key is None and question.kind != "detail"):
                return walk, assumed
            else:
                plain = next(
                    (
                        f"{question.id}.{option.id}"
                        for option in question.options
                        if option.plain and f"{question.id}.{option.id}" in position.offered
                    ),
                    None,
                )
            if plain is None or (question and question.kind == Kind.QUESTION):
                return walk, assumed
            walk = choose(self.machine, walk, plain, AT)
            assumed.append(plain)

    def end(self) -> Played:
        """Finish: assume the plain option for missing details; end a walk that is "not sure" in advice."""
        if replay(self.machine, self.walk).live:
            walk, assumed = self._until(None)
            self.walk, self.assumed = walk, self.assumed + assumed
        position = replay(self.machine, self.walk)
        if position.is_paused:
            self.walk = choose(self.machine, self.walk, f"{position.state}.leave", AT)
            position = replay(self.machine, self.walk)
        return Played(position, tuple(self.assumed))


def play(book: Book, flow: str, pairs: Iterable[tuple[str, str]]) -> Played:
    """Play pairs of question and answer; raise WrongAnswer at the first that does not fit."""
    said = list(pairs)
    first = (
        next((key for key, _ in said if key in book.machines[flow].flow.entries), None)
        if flow in book.machines
        else None
    )
    rehearsal = Rehearsal(book, flow, first)
    for key, value in said:
        rehearsal.say(key, value)
    return rehearsal.end()


def _screened(text: str | None) -> Screened | None:
    try:
        return None if text is None else screened(text)
    except IdentifierFound as error:
        raise WrongAnswer(f"Typed words must identify nobody; these hold: {error}.") from None
    except NotScreened as error:
        raise WrongAnswer(str(error)) from None
