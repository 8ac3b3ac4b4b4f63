"""The first ranking of a question: the ways to ask that are most alike, and naive Bayes over their words.

An in-memory index (SQLite FTS5) holds the sentences of an edition's passages, the ways people ask for them, and the ways they
ask about topics that the edition does not cover. Phone spelling is expanded and typing errors are mended first.
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
from typing import Any

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows.canonical import canonical
from flows.names import fold, frequency
from flows.yaml_files import packaged

#: A word at least this frequent in English is read as the word, not as a shortcut, unless it is in capitals.
COMMON = 3000
#: Minimum vector lengths, so that very short phrases do not score too high; the second is for topics not covered.
SHORTEST, SHORTEST_OUTSIDE = 4.5, 5.5
#: The value of a word that is in no phrase, and the largest total of such values either way.
NEVER_WRITTEN, MOST_LEANING = -0.6, 6.0
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
class Hit:
    """A passage and how well it fits, from 0 to 1."""

    passage: str
    score: float


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
            same[stem(str(word))].append(f"same{concept.replace('_', '')}")
    shortcuts = {key.lower(): (item["means"], item.get("as", item["means"])) for key, item in raw["shortcuts"].items()}
    return _Words(
        shortcuts,
        {str(key): str(value) for key, value in raw["spellings"].items()},
        {key: tuple(dict.fromkeys(value)) for key, value in same.items()},
    )


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
def stem(word: str) -> str:
    """Return the stem of an English word."""
    return str(stemmer().stemWord(word))


#: A passage, or `~topic` for one that is not covered, and the search terms of one way to ask for it.
Row = tuple[str, tuple[str, ...]]


class Words:
    """How the words of a question are read. `vocabulary`: the words that typing errors are mended to."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._vocabulary = frozenset(vocabulary)
        self._typed = tuple(sorted(word for word in self._vocabulary if len(word) > 3))

    def plain(self, text: str) -> str:
        """Return a text in lower case, with text-message spellings expanded and typing errors corrected."""
        return " ".join(self.words(text))

    def words(self, text: str, repairs: int = MOST_REPAIRED) -> Iterator[str]:
        """Yield the words of a text in lower case, with phone spelling expanded and up to `repairs` typing errors mended."""
        words = _words()
        for word in WORD.findall(_folded(text)):
            if word in words.spellings:
                yield from words.spellings[word].split()
            elif word in words.shortcuts or word.isdigit():
                yield word
            elif repairs:
                mended = self._repaired(word)
                repairs -= mended != word or not frequency(word)
                yield mended
            else:
                yield word.removesuffix("'s")

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

    def terms(self, text: str, repairs: int = MOST_REPAIRED) -> Iterator[str]:
        """Yield the search terms of a text: the stems of its words, and the concepts that they belong to."""
        words = _words()
        for word in self.words(text, repairs):
            if word in words.shortcuts:
                yield word
                expanded: Iterable[str] = WORD.findall(fold(words.shortcuts[word][1]))
            else:
                expanded = (word,)
            for part in expanded:
                if part in STOP or len(part) < 2:
                    continue
                root = stem(part)
                yield root
                yield from words.same.get(root, ())

    def shortcuts_in(self, text: str) -> tuple[Shortcut, ...]:
        """Return the shortcuts in a text, each once. One that is also a common word counts only in capitals."""
        known = _words().shortcuts
        found = {word.lower(): word for word in WORD.findall(text) if word.lower() in known}
        counted = {key: word for key, word in found.items() if word.isupper() or frequency(key) < COMMON}
        return tuple(
            Shortcut(word if any(map(str.isdigit, key)) else word.upper(), known[key][0])
            for key, word in counted.items()
        )


def vocabulary_of(asked: Iterable[tuple[str, str]], told: Iterable[tuple[str, str]]) -> list[str]:
    """Return the words that count as spelt right: those of the passages, and English ones among the ways to ask.

    A way to ask may be misspelt on purpose.
    """
    typed = {word for _, text in asked for word in WORD.findall(text.lower()) if word.isalpha()}
    told_words = {word for _, text in told for word in WORD.findall(text.lower()) if word.isalpha()}
    return sorted(told_words | {word for word in typed if frequency(word)})


def rows_of(words: Words, asked: Iterable[tuple[str, str]], told: Iterable[tuple[str, str]]) -> list[Row]:
    """Return the rows of an index. Typing errors in ways to ask are not mended: that would take long, and a question's are."""
    rows = [(key, tuple(dict.fromkeys(words.terms(text, repairs=0)))) for key, text in asked]
    rows += [
        (key, tuple(dict.fromkeys(words.terms(sentence))))
        for key, text in told
        for sentence in re.split(r"(?<=[.:;]) ", text)
    ]
    return [(key, terms) for key, terms in rows if terms]


class Search(Words):
    """The search index over an edition's passages and ways to ask."""

    def __init__(self, rows: list[Row], vocabulary: Iterable[str]) -> None:
        super().__init__(vocabulary)
        self._rows = rows
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

    def leaning(self, terms: Iterable[str]) -> float:
        """Return how far a question's terms lean towards what the edition covers (above 0) or away from it (below 0)."""
        total = sum(self._lean.get(term, NEVER_WRITTEN) for term in terms)
        return max(-MOST_LEANING, min(MOST_LEANING, total))


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
