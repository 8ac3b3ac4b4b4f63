"""Answer a question in a person's own words with an answer card and cited passages, with "did you mean", or with nothing.

Three rankings say how well each passage and each topic that the edition does not cover fits: `search`, `ranker` and, where
installed, `meaning`. `bands` joins them and says how sure that is. This module never decides anything for a person and never
words an answer: the sentences of a card were written and reviewed beforehand (answers.yaml).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from flows import compiled, danger, meaning, ranker
from flows.bands import OUTSIDE, Ranked, bands, evidence, joined
from flows.definition import AnswerCard, Edition, InvalidEdition
from flows.search import Hit, Row, Search, Shortcut, Words, rows_of, stem, vocabulary_of
from flows.yaml_files import read

Band = Literal["answer", "closest", "none"]

#: The maximum number of passages with an answer, and of cards offered by "did you mean".
MOST, MOST_OFFERED = 3, 5
#: Leave out passages that score less than this share of the best score.
FAR = 0.5
#: How much the further passages of a card add to the score of its best one.
FURTHER = 0.5
#: A passage beside a danger card must score at least this.
FITTING = 0.4
#: A text with at least so many words and sentences is a story, which may be about two things.
STORY_WORDS, STORY_SENTENCES = 22, 2
#: The least joint score at which the part of a story is about a second card.
SECOND = 0.5

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Topic:
    """A topic that people ask about but the edition does not cover, and the nearest passages, if any.

    `on_law`: it is about law made after the edition.
    """

    id: str
    title: str
    near: tuple[str, ...]
    on_law: bool = False


@dataclass(frozen=True)
class Answer:
    """The result of a question.

    `card`: the answer card, in band "answer". `offered`: the cards to choose from, in band "closest"; `passages` then holds
    the best passage of each. In band "none" there are no passages, and `topic` says what was asked, if that is clear.
    `also`: the second card that a story is about.
    """

    band: Band
    passages: tuple[Hit, ...]
    emergency: bool
    shortcuts: tuple[Shortcut, ...]
    topic: Topic | None = None
    card: str | None = None
    offered: tuple[str, ...] = ()
    also: str | None = None


class Index:
    """What one edition answers. Several threads may ask at once."""

    def __init__(self, edition: Edition, *, by_meaning: bool = True) -> None:
        """Build the index of an edition. `by_meaning`: use the third ranking, where it is installed."""
        self.edition = edition
        about, rows, vocabulary = compiled.compiled_of(edition.folder) or asked_of(edition)
        self.topics = {
            key: Topic(key, item["title"], tuple(item["near"]), item["on_law"]) for key, item in about["topics"].items()
        }
        #: Words that name a topic that is not covered, for example Scotland.
        self._names = {stem(word): key for key, item in about["topics"].items() for word in item["names"]}
        #: Passages that cite the law of 2015. An answer that includes one says that the law has changed.
        self.on_law = frozenset(about["on_law"])
        #: Passages to cite when a text mentions danger, in addition to those that fit well.
        self._danger: tuple[str, ...] = tuple(about["danger"])
        self.search = Search(rows, vocabulary)
        self.ranker = ranker.ranker_of(edition.folder)
        self.meaning = meaning.meaning_of(edition.folder) if by_meaning else None

    # ---- ranking ----------------------------------------------------------------------------------
    @property
    def members(self) -> tuple[str, ...]:
        """The names of the rankings in use."""
        used = (("search", self.search), ("ranker", self.ranker), ("meaning", self.meaning))
        return tuple(name for name, member in used if member is not None)

    def said(self, question: str, *, quick: bool = False) -> dict[str, tuple[float, ...]]:
        """Return what each ranking says of the passages and topics that it knows, from 0 to 1; if `quick`, without the third."""
        found = {hit.passage: hit.score for hit in self.search.search(question)}
        others: list[dict[str, float]] = []
        if self.ranker is not None:
            others.append(self.ranker.probabilities(self.features(question)))
        if self.meaning is not None and not quick:
            others.append(self.meaning.probabilities(question))
        keys = {key for member in (found, *others) for key in member}
        # The root brings the likelier ones of many small probabilities closer together.
        return {key: (found.get(key, 0.0), *(other.get(key, 0.0) ** 0.5 for other in others)) for key in keys}

    def rank(self, question: str, *, quick: bool = False) -> list[Ranked]:
        """Return passages and topics that are not covered, best first; if `quick`, without the third ranking."""
        members = min(2, len(self.members)) if quick else len(self.members)
        return joined(self.said(question, quick=quick), bands(members).fits)

    def features(self, text: str) -> set[str]:
        """Return the features of a text for the ranker."""
        return ranker.features(tuple(self.search.words(text)), self.search.terms(text))

    def cards(self, ranked: list[Ranked]) -> dict[str, float]:
        """Return the score of each answer card, best first: its best passage, and a part of what the others lack to 1."""
        found: dict[str, float] = defaultdict(float)
        for one in ranked:
            if one.is_passage:
                card = self.edition.card_of(one.key).id
                found[card] += (1 - found[card]) * one.score * (FURTHER if card in found else 1)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def evidence(self, question: str, ranked: list[Ranked]) -> tuple[float, ...]:
        """Return what the decision on the band looks at."""
        topic = next((one.key[1:] for one in ranked if not one.is_passage), "")
        terms = set(self.search.terms(question))
        named = topic in {self._names.get(term) for term in terms}
        return evidence(ranked, self.cards(ranked), self.search.leaning(terms), len(question.split()), named=named)

    # ---- answering --------------------------------------------------------------------------------
    def ask(self, question: str) -> Answer:
        """Answer a question, or offer what was perhaps meant, or say what topic it was about, if that is clear."""
        emergency = danger.is_spoken_of(question)
        shortcuts = self.search.shortcuts_in(question)
        ranked = self.rank(question)
        passages = [Hit(one.key, one.score) for one in ranked if one.is_passage]
        cards = self.cards(ranked)
        if emergency:
            return self._card_first(Answer("answer", self._beside_danger(passages), emergency, shortcuts))
        if not any(one.score > 0 for one in ranked) or not set(self.search.terms(question)):
            return Answer("none", (), emergency, shortcuts)
        learned = bands(len(self.members))
        seen = self.evidence(question, ranked)
        if learned.right(seen) >= learned.firm:
            first = next(iter(cards))
            best = [hit for hit in passages if self.edition.card_of(hit.passage).id == first]
            shown = tuple(hit for hit in (*best, *passages) if hit.score >= FAR * best[0].score)
            shown = tuple(dict.fromkeys(shown))[:MOST]
            found = Answer("answer", shown, emergency, shortcuts, card=first)
            return replace(found, also=self._second(question, first))
        if learned.outside(seen) >= learned.silent:
            return Answer("none", (), emergency, shortcuts, self._topic(ranked))
        offered = tuple(cards)[:MOST_OFFERED]
        best_of = [next(hit for hit in passages if self.edition.card_of(hit.passage).id == card) for card in offered]
        return Answer("closest", tuple(best_of), emergency, shortcuts, offered=offered)

    def _topic(self, ranked: list[Ranked]) -> Topic | None:
        """Return the topic that a question is about, if it clearly wins: ahead of every passage and of the next topic."""
        first, second = (*ranked[:2], None, None)[:2]
        if first is None or first.is_passage or first.score < FITTING:
            return None
        return self.topics[first.key[1:]] if second is None or second.score < 0.7 * first.score else None

    def _second(self, question: str, first: str) -> str | None:
        """Return the second card that a story is about: the best one of a sentence on its own, if it fits well."""
        sentences = [sentence for sentence in _SENTENCE.split(question) if len(sentence.split()) > 3]
        if len(question.split()) < STORY_WORDS or len(sentences) < STORY_SENTENCES:
            return None
        found: dict[str, float] = {}
        for sentence in sentences[:6]:
            for one in self.rank(sentence, quick=True)[:1]:
                if one.is_passage and one.score >= SECOND:
                    card = self.edition.card_of(one.key).id
                    found[card] = max(found.get(card, 0.0), one.score)
        found.pop(first, None)
        return max(found, key=lambda card: found[card]) if found else None

    def _beside_danger(self, passages: list[Hit]) -> tuple[Hit, ...]:
        """Return the passages to cite when a child is in danger: close matches, and the first of the edition's danger passages.

        A loose match, such as "tell the person", would be wrong there.
        """
        fitting = [hit for hit in passages[: MOST - 1] if hit.score >= FITTING or hit.passage in self._danger]
        first = self._danger[0]
        return (*fitting, *(() if first in {hit.passage for hit in fitting} else (Hit(first, 0.0),)))

    def _card_first(self, found: Answer) -> Answer:
        return replace(found, card=self.edition.card_of(found.passages[0].passage).id)

    def on_worry(self, found: Answer) -> Answer:
        """Return the answer to a worry about a child that no passage matches: we never call a worry "not covered"."""
        worry = self.worry
        passages = tuple(Hit(key, 0.0) for key in worry.cites)
        return Answer("answer", passages, found.emergency, found.shortcuts, card=worry.id)

    @property
    def worry(self) -> AnswerCard:
        """The card that says who to tell about a worry."""
        return self.edition.card_of(self.edition.roles.passage("worry"))

    def closest_cards(self, question: str) -> tuple[str, ...]:
        """Return the answer cards that come closest to a question, best first, however far away they are."""
        return tuple(self.cards(self.rank(question)))[:MOST_OFFERED]

    def explained(self, question: str, most: int = 8) -> Iterator[Ranked]:
        """Yield the best passages and topics with what each ranking gave them."""
        yield from self.rank(question)[:most]


def asked_of(edition: Edition) -> tuple[dict[str, Any], list[Row], list[str]]:
    """Return what an edition's asked.yaml says besides ways to ask, the rows of an index, and its vocabulary.

    Raise InvalidEdition with every mistake in it.
    """
    try:
        raw = read(edition.folder / "asked.yaml")
    except FileNotFoundError:
        raise InvalidEdition((f"{edition.id}/asked.yaml: file: is missing; it holds the ways people ask",)) from None
    _check(edition, raw)
    asked, told = ways_of(edition, raw)
    vocabulary = vocabulary_of(asked, told)
    topics = {
        key: {
            "title": item["title"], "near": item.get("near", []), "names": item.get("names", []),
            "on_law": bool(item.get("on_law")),
        }
        for key, item in raw["not_covered"].items()
    }  # fmt: skip
    about = {"on_law": raw["on_law"], "danger": raw["danger"], "topics": topics}
    return about, rows_of(Words(vocabulary), asked, told), vocabulary


def ways_of(edition: Edition, raw: Mapping[str, Any]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return the ways to ask in an asked.yaml and the passages, as pairs of key and text."""
    asked = [(key, text) for key, texts in raw["passages"].items() for text in texts]
    asked += [(OUTSIDE + key, text) for key, item in raw["not_covered"].items() for text in item["asked"]]
    return asked, [(passage.id, f"{passage.title}. {passage.text}") for passage in edition.passages.values()]


def _check(edition: Edition, raw: Mapping[str, Any]) -> None:
    file = f"{edition.id}/asked.yaml"
    problems = [f"{file}: passages.{key}: is no passage" for key in raw["passages"] if key not in edition.passages]
    named = [*raw["on_law"], *raw["danger"]]
    problems += [f"{file}: {key}: is no passage" for key in named if key not in edition.passages]
    problems += [
        f"{file}: {key}: nobody asks for this passage" for key in edition.passages if not raw["passages"].get(key)
    ]
    problems += [
        f"{file}: not_covered.{topic}: near {key}, which is no passage"
        for topic, item in raw["not_covered"].items()
        for key in item.get("near", ())
        if key not in edition.passages
    ]
    if problems:
        raise InvalidEdition(tuple(problems))
