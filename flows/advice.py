"""Answer a question in a person's own words with cited passages, or with nothing.

An in-memory index (SQLite FTS5) holds the passages of an edition and sample questions about them. Topics that the
edition does not cover have sample questions too: if one of those fits better, or nothing fits, there is no answer. This
module only finds passages. It never decides anything and never writes text of its own.
"""

from __future__ import annotations

import math
import re
import sqlite3
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows import danger
from flows.canonical import canonical
from flows.definition import Edition, InvalidEdition
from flows.names import fold, frequency
from flows.yaml_files import packaged, read

Band = Literal["answer", "closest", "none"]

MOST = 3
#: Evidence at or above the first counts as an answer; below the second we show nothing. Measured: docs/figures.md.
STRONG, WEAK = 0.40, 0.18
#: A word at least this frequent in English is read as the word, not as a shortcut, unless it is in capitals.
COMMON = 3000
#: Leave out passages that score less than this share of the best score.
FAR = 0.25
#: The weight of the best topic that is not covered against the best passage; the second if the question names it.
AGAINST, AGAINST_NAMED = 0.52, 0.9
#: Minimum vector lengths, so that very short phrases do not score too high; the second is for topics not covered.
SHORTEST, SHORTEST_OUTSIDE = 4.5, 5.5
#: How the individual words of a question adjust the best score: their weight, the largest total either way, and the
#: value of a word that is in no phrase.
LEAN, MOST_LEANING, NEVER_WRITTEN = 0.06, 6.0, -0.6
#: Naive Bayes over all the words of a passage's phrases: its weight relative to the most similar phrase, the count
#: assumed for a word that the phrases do not contain, and the divisor that flattens the log likelihoods.
GUESS, UNSEEN, FLAT = 0.4, 0.1, 2.0
#: The maximum number of unknown words to check for typing errors: each check costs as much as a short question.
MOST_REPAIRED = 40
#: The maximum number of index rows to compare with a question.
CANDIDATES = 300

WORD = re.compile(r"[^\W_]+(?:['/][^\W_]+)*")
STOP = frozenset(
    [
        "a", "an", "and", "are", "as", "at", "be", "been", "being", "but", "by", "can", "could", "did",
        "do", "does", "for", "from", "had", "has", "have", "he", "her", "him", "his", "how", "i", "if",
        "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "please", "she", "should", "so",
        "that", "the", "their", "them", "then", "there", "they", "this", "to", "us", "was", "we", "were",
        "what", "when", "where", "which", "who", "will", "with", "would", "you", "your", "am", "any",
        "just", "about", "not", "no", "need", "want", "get", "got", "im", "go", "going",
    ]
)  # fmt: skip


@dataclass(frozen=True)
class Shortcut:
    """An abbreviation that practitioners write, and what it means."""

    written: str
    means: str


@dataclass(frozen=True)
class Topic:
    """A topic that people ask about but the edition does not cover, and the nearest passages, if any."""

    id: str
    title: str
    near: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """A passage and how well it fits, from 0 to 1."""

    passage: str
    score: float


@dataclass(frozen=True)
class Answer:
    """The result of a question. In band "none", `passages` is empty and `topic` says what was asked, if we know."""

    band: Band
    passages: tuple[Hit, ...]
    emergency: bool
    shortcuts: tuple[Shortcut, ...]
    topic: Topic | None = None


@dataclass(frozen=True)
class _Words:
    shortcuts: Mapping[str, tuple[str, str]]
    spellings: Mapping[str, str]
    same: Mapping[str, tuple[str, ...]]


@cache
def _words() -> _Words:
    raw = packaged("asked", "words.yaml")
    same: dict[str, list[str]] = defaultdict(list)
    for concept, listed in raw["same"].items():
        for word in (concept, *listed):
            same[_stem(str(word))].append(f"same{concept.replace('_', '')}")
    shortcuts = {key.lower(): (item["means"], item.get("as", item["means"])) for key, item in raw["shortcuts"].items()}
    return _Words(
        shortcuts,
        {str(key): str(value) for key, value in raw["spellings"].items()},
        {key: tuple(dict.fromkeys(value)) for key, value in same.items()},
    )


def _asked(edition: Edition) -> Any:
    """Read an edition's sample questions; raise InvalidEdition if the file is missing."""
    try:
        return read(edition.folder / "asked.yaml")
    except FileNotFoundError:
        raise InvalidEdition((f"{edition.id}/asked.yaml: file: is missing; it holds the ways people ask",)) from None


#: A stemmer keeps its current word as state, so each thread needs its own.
_local = threading.local()


def stemmer() -> Any:
    """Return this thread's stemmer for English."""
    # The import loads stemmers for every language. Doing it at first use keeps it out of start-up and the first tap.
    if not hasattr(_local, "stemmer"):
        import snowballstemmer

        _local.stemmer = snowballstemmer.stemmer("english")
    return _local.stemmer


def _folded(text: str) -> str:
    """Return a text in canonical form, in lower case, without accents. Each word is folded once, then cached."""
    return " ".join(fold(word) for word in canonical(text).text.split())


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return str(stemmer().stemWord(word))


class Index:
    """The search index of one edition: `search` returns scored passages, `ask` sorts the result into a band."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        raw = _asked(edition)
        self.topics = {
            key: Topic(key, item["title"], tuple(item.get("near", ()))) for key, item in raw["not_covered"].items()
        }
        #: Words that name a topic that is not covered, for example Scotland.
        self._names = {_stem(word): key for key, item in raw["not_covered"].items() for word in item.get("names", ())}
        #: Passages that cite the law of 2015. An answer that includes one says that the law has changed.
        self.on_law = frozenset(raw["on_law"])
        #: Passages to cite when a text mentions danger, in addition to those that fit well.
        self._danger: tuple[str, ...] = tuple(raw["danger"])[:MOST]
        #: Passage -> the passage that it depends on, which is shown with it.
        self._together: Mapping[str, str] = raw["together"]
        _check(edition, raw)
        asked = [(key, text) for key, texts in raw["passages"].items() for text in texts]
        asked += [(f"~{key}", text) for key, item in raw["not_covered"].items() for text in item["asked"]]
        told = [(passage.id, f"{passage.title}. {passage.text}") for passage in edition.passages.values()]
        self._vocabulary = frozenset(
            word for _, text in (*asked, *told) for word in WORD.findall(text.lower()) if word.isalpha()
        )
        self._typed = tuple(sorted(word for word in self._vocabulary if len(word) > 3))
        rows = [(key, tuple(dict.fromkeys(self.terms(text)))) for key, text in asked]
        rows += [
            (key, tuple(dict.fromkeys(self.terms(sentence))))
            for key, text in told
            for sentence in re.split(r"(?<=[.:;]) ", text)
        ]
        self._rows = [(key, terms) for key, terms in rows if terms]
        count: dict[str, set[str]] = defaultdict(set)
        for key, terms in self._rows:
            for term in terms:
                count[term].add(key)
        total = len({key for key, _ in self._rows})
        self._weight = {
            term: math.log(1 + total / len(keys)) * (0.6 if term.startswith("same") else 1.0)
            for term, keys in count.items()
        }
        self._lean = _lean(self._rows)
        self._likely = _Likely(self._rows)
        self._unknown = math.log(1 + total)
        self._length = [math.sqrt(sum(self._weight[term] ** 2 for term in terms)) for _, terms in self._rows]
        #: Several threads may ask at once, but only one may use the database connection at a time.
        self._asking = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("create virtual table asked using fts5(words, tokenize = \"unicode61 tokenchars '_'\")")
        self._database.executemany(
            "insert into asked(rowid, words) values (?, ?)",
            [(number, " ".join(terms)) for number, (_, terms) in enumerate(self._rows)],
        )

    # ---- words ------------------------------------------------------------------------------------
    def plain(self, text: str) -> str:
        """Return a text in lower case, with text-message spellings expanded and typing errors corrected."""
        return " ".join(self._mended(text))

    def _mended(self, text: str) -> Iterator[str]:
        words, repairs = _words(), MOST_REPAIRED
        for word in WORD.findall(_folded(text)):
            if word in words.spellings:
                yield from words.spellings[word].split()
            elif word in words.shortcuts or word.isdigit():
                yield word
            else:
                mended = self._repaired(word) if repairs else word
                repairs -= mended != word or not frequency(word)
                yield mended

    def _repaired(self, word: str) -> str:
        bare = word.replace("'", "")
        if (
            len(word) < 4
            or word in self._vocabulary
            or bare in self._vocabulary
            or not word.isalpha()
            or frequency(word)
        ):
            return word.removesuffix("'s")
        found = process.extractOne(word, self._typed, scorer=OSA.distance, score_cutoff=1 if len(word) < 8 else 2)
        return str(found[0]) if found else word

    def terms(self, text: str) -> Iterator[str]:
        """Yield the search terms of a text: the stems of its words, and the concepts that they belong to."""
        words = _words()
        for word in self._mended(text):
            if word in words.shortcuts:
                yield word
                expanded: Iterable[str] = WORD.findall(fold(words.shortcuts[word][1]))
            else:
                expanded = (word,)
            for part in expanded:
                if part in STOP or len(part) < 2:
                    continue
                stem = _stem(part)
                yield stem
                yield from words.same.get(stem, ())

    def shortcuts_in(self, text: str) -> tuple[Shortcut, ...]:
        """Return the shortcuts in a text, each once. One that is also a common word counts only in capitals."""
        known = _words().shortcuts
        found = {word.lower(): word for word in WORD.findall(text) if word.lower() in known}
        counted = {key: word for key, word in found.items() if word.isupper() or frequency(key) < COMMON}
        return tuple(
            Shortcut(word if any(map(str.isdigit, key)) else word.upper(), known[key][0])
            for key, word in counted.items()
        )

    # ---- searching --------------------------------------------------------------------------------
    def search(self, question: str) -> list[Hit]:
        """Return matching passages and uncovered topics (`~id`), best first, each with a score from 0 to 1."""
        asked = tuple(dict.fromkeys(self.terms(question)))
        if not asked:
            return []
        query = " OR ".join(f'"{term}"' for term in asked)
        with self._asking:
            rows = self._database.execute(
                "select rowid from asked where asked match ? order by rank limit ?", (query, CANDIDATES)
            ).fetchall()
        wanted = {term: self._weight.get(term, self._unknown) for term in asked}
        length = math.sqrt(sum(weight**2 for weight in wanted.values()))
        likeness: dict[str, list[float]] = defaultdict(list)
        for (number,) in rows:
            key, terms = self._rows[number]
            shared = sum(self._weight[term] ** 2 for term in terms if term in wanted)
            shortest = SHORTEST_OUTSIDE if key.startswith("~") else SHORTEST
            likeness[key].append(shared / (length * max(self._length[number], shortest)))
        guess = self._likely.guess(asked)
        found = [Hit(key, (_joined(values) + GUESS * guess[key]) / (1 + GUESS)) for key, values in likeness.items()]
        return sorted(found, key=lambda hit: (-hit.score, hit.passage))

    def _leaning(self, question: str) -> float:
        """Return how far a question's words lean towards what the edition covers (above 0) or away from it (below 0)."""
        total = sum(self._lean.get(term, NEVER_WRITTEN) for term in set(self.terms(question)))
        return max(-MOST_LEANING, min(MOST_LEANING, total))

    def ask(self, question: str) -> Answer:
        """Answer a question with up to three passages, or with none and the topic that it was about, if we know."""
        found = self.search(question)
        emergency = danger.is_spoken_of(question)
        shortcuts = self.shortcuts_in(question)
        passages = [hit for hit in found if not hit.passage.startswith("~")]
        if emergency:
            return Answer("answer", self._beside_danger(passages), emergency, shortcuts)
        outside = next((hit for hit in found if hit.passage.startswith("~")), None)
        evidence = passages[0].score + LEAN * self._leaning(question) if passages else 0.0
        if outside:
            named = outside.passage[1:] in {self._names.get(term) for term in self.terms(question)}
            evidence -= outside.score * (AGAINST_NAMED if named else AGAINST)
        if evidence < WEAK:
            topic = self.topics[outside.passage[1:]] if outside and outside.score >= WEAK else None
            return Answer("none", (), emergency, shortcuts, topic)
        band: Band = "answer" if evidence >= STRONG else "closest"
        return Answer(band, tuple(self._with_companion(passages)), emergency, shortcuts)

    def _beside_danger(self, passages: list[Hit]) -> tuple[Hit, ...]:
        """Return the passages to cite when a child is in danger: close matches, then the edition's danger passages.

        A loose match, such as "tell the person", would be wrong there.
        """
        fitting = [hit for hit in passages[:MOST] if hit.score >= STRONG or hit.passage in self._danger]
        known = {hit.passage for hit in fitting}
        fitting += [Hit(key, 0.0) for key in self._danger if key not in known]
        return tuple(fitting[:MOST])

    def on_worry(self, found: Answer) -> Answer:
        """Return the answer to a worry about a child that no passage matches: we never call a worry "not covered"."""
        return Answer("answer", self._beside_danger([]), found.emergency, found.shortcuts)

    def _with_companion(self, passages: list[Hit]) -> list[Hit]:
        kept = [hit for hit in passages[:MOST] if hit.score >= FAR * passages[0].score]
        companion = self._together.get(kept[0].passage)
        if companion and companion not in {hit.passage for hit in kept}:
            score = next((hit.score for hit in passages if hit.passage == companion), 0.0)
            kept = [*kept[: MOST - 1], Hit(companion, score)]
        return kept


class _Likely:
    """Naive Bayes: which passage or topic a question is most likely about, from word counts in the phrases of each."""

    def __init__(self, rows: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for key, terms in rows:
            counts[key].update(terms)
        self._known = {term for count in counts.values() for term in count}
        self._keys = {}
        for key, count in counts.items():
            total = math.log(count.total() + UNSEEN * len(self._known))
            words = {term: math.log(number + UNSEEN) - total for term, number in count.items()}
            self._keys[key] = words, math.log(UNSEEN) - total

    def guess(self, asked: Iterable[str]) -> dict[str, float]:
        """Return a score from 0 to 1 for each passage and topic: the square root of its probability after flattening."""
        terms = [(term, 0.5 if term.startswith("same") else 1.0) for term in asked if term in self._known]
        fits = {
            key: sum(weight * words.get(term, other) for term, weight in terms)
            for key, (words, other) in self._keys.items()
        }
        best = max(fits.values())
        shares = {key: math.exp((fit - best) / FLAT) for key, fit in fits.items()}
        total = sum(shares.values())
        return {key: math.sqrt(share / total) for key, share in shares.items()}


def _lean(rows: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, float]:
    """Return, for each term, the log of how much likelier it is in covered passages than in uncovered topics."""
    covered, outside = Counter[str](), Counter[str]()
    for key, terms in rows:
        (outside if key.startswith("~") else covered).update(terms)
    likelier = math.log(outside.total() / covered.total())
    return {term: math.log((covered[term] + 0.5) / (outside[term] + 0.5)) + likelier for term in covered | outside}


def _joined(values: list[float]) -> float:
    """Combine the scores of a passage's phrases: the best, and up to three more that close part of the gap to 1."""
    values.sort(reverse=True)
    score = values[0]
    for value, share in zip(values[1:4], (0.4, 0.25, 0.15), strict=False):
        score += (1 - score) * value * share
    return score


def _check(edition: Edition, raw: Mapping[str, Any]) -> None:
    file = f"{edition.id}/asked.yaml"
    problems = [f"{file}: passages.{key}: is no passage" for key in raw["passages"] if key not in edition.passages]
    named = [*raw["on_law"], *raw["danger"], *raw["together"], *raw["together"].values()]
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
