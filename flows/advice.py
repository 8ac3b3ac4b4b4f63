"""A question in a person's own words -> cited passages, or nothing.

An index in memory (SQLite FTS5) over the passages of an edition and over written-down ways people ask for them. Topics
that the edition does not cover have ways people ask too: where one of them fits better, or nothing fits, the answer is
nothing. It never decides and never words anything: it finds.
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
#: From this much evidence on a passage answers; below the second one nothing is shown at all. Measured: docs/figures.md.
STRONG, WEAK = 0.40, 0.18
#: How often a word stands in English texts to be taken for the word rather than a shortcut.
COMMON = 3000
#: A passage that fits less than this share of what the best one does is left out.
FAR = 0.25
#: How much a topic that is not covered counts against the best passage; more where the question names it.
AGAINST, AGAINST_NAMED = 0.52, 0.9
#: A phrase of one or two words never fits as well as its length alone would say.
SHORTEST, SHORTEST_OUTSIDE = 4.5, 5.5
#: How much the words of a question, each for itself, count beside the score of the best passage; the most they lean; and
#: what a word counts that nobody wrote down.
LEAN, MOST_LEANING, NEVER_WRITTEN = 0.06, 6.0, -0.6
#: How much the likeliest passage, by all words of its phrases together (naive Bayes), counts beside the most alike
#: phrase; the count given to a word that a passage's phrases do not have; how far likelihoods are flattened.
GUESS, UNSEEN, FLAT = 0.4, 0.1, 2.0
#: Words nobody knows that are compared with those that are known: each costs as much as a short question.
MOST_REPAIRED = 40
#: Rows of the index that are looked at for a question.
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
    """Something people ask that an edition does not cover, and the passage that is near, if one is."""

    id: str
    title: str
    near: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """A passage and how well it fits: 0 to 1."""

    passage: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What was found. `passages` is empty in band none; `topic` is then what was asked, if it is known."""

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
    """Read how people ask for an edition's passages; raise InvalidEdition."""
    try:
        return read(edition.folder / "asked.yaml")
    except FileNotFoundError:
        raise InvalidEdition((f"{edition.id}/asked.yaml: file: is missing; it holds the ways people ask",)) from None


#: A stemmer keeps its word inside itself while it works, so every thread has one of its own.
_local = threading.local()


def _stemmer() -> Any:
    # It brings the stemmers of all languages along: not at start, which nobody's first tap should wait for.
    if not hasattr(_local, "stemmer"):
        import snowballstemmer

        _local.stemmer = snowballstemmer.stemmer("english")
    return _local.stemmer


def _folded(text: str) -> str:
    """Return a text in small letters and canonical form, without accents, word by word so that each costs once."""
    return " ".join(fold(word) for word in canonical(text).text.split())


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


class Index:
    """The search seam of one edition: `search` gives passages with scores, `ask` puts them into bands."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition
        raw = _asked(edition)
        self.topics = {
            key: Topic(key, item["title"], tuple(item.get("near", ()))) for key, item in raw["not_covered"].items()
        }
        #: Words that name a topic which is not covered, for example Scotland.
        self._names = {_stem(word): key for key, item in raw["not_covered"].items() for word in item.get("names", ())}
        #: Passages that name law of 2015: an answer with one of them says that the law has changed.
        self.on_law = frozenset(raw["on_law"])
        #: What is cited when a text speaks of danger, beside what fits well.
        self._danger: tuple[str, ...] = tuple(raw["danger"])[:MOST]
        #: Passages that rest on others: the first brings the second.
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
        #: Questions may be asked by several threads; a cursor's rows belong to one of them at a time.
        self._asking = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("create virtual table asked using fts5(words, tokenize = \"unicode61 tokenchars '_'\")")
        self._database.executemany(
            "insert into asked(rowid, words) values (?, ?)",
            [(number, " ".join(terms)) for number, (_, terms) in enumerate(self._rows)],
        )

    # ---- words ------------------------------------------------------------------------------------
    def plain(self, text: str) -> str:
        """Return a text in small letters with phone spelling and typing errors mended."""
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
        """Give what a text is looked up by: stems of its words, and what they count as."""
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
        """Return the shortcuts written in a text, each once. Those that are words too count in capitals only."""
        known = _words().shortcuts
        found = {word.lower(): word for word in WORD.findall(text) if word.lower() in known}
        counted = {key: word for key, word in found.items() if word.isupper() or frequency(key) < COMMON}
        return tuple(
            Shortcut(word if any(map(str.isdigit, key)) else word.upper(), known[key][0])
            for key, word in counted.items()
        )

    # ---- searching --------------------------------------------------------------------------------
    def search(self, question: str) -> list[Hit]:
        """Return passages and topics (`~id`), best first, each with a score from 0 to 1."""
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
        """Return how far the words of a question lean to what the edition covers (above 0) or away from it."""
        total = sum(self._lean.get(term, NEVER_WRITTEN) for term in set(self.terms(question)))
        return max(-MOST_LEANING, min(MOST_LEANING, total))

    def ask(self, question: str) -> Answer:
        """Answer a question: up to three passages, or none and what topic it was."""
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
        """What fits loosely, "tell the person" for example, would be wrong beside a child in danger."""
        fitting = [hit for hit in passages[:MOST] if hit.score >= STRONG or hit.passage in self._danger]
        known = {hit.passage for hit in fitting}
        fitting += [Hit(key, 0.0) for key in self._danger if key not in known]
        return tuple(fitting[:MOST])

    def on_worry(self, found: Answer) -> Answer:
        """Return what is cited for a worry about a child that nothing answers: a worry is never "not covered"."""
        return Answer("answer", self._beside_danger([]), found.emergency, found.shortcuts)

    def _with_companion(self, passages: list[Hit]) -> list[Hit]:
        kept = [hit for hit in passages[:MOST] if hit.score >= FAR * passages[0].score]
        companion = self._together.get(kept[0].passage)
        if companion and companion not in {hit.passage for hit in kept}:
            score = next((hit.score for hit in passages if hit.passage == companion), 0.0)
            kept = [*kept[: MOST - 1], Hit(companion, score)]
        return kept


class _Likely:
    """Which passage or topic a question is likeliest about, by how often its words stand in each one's phrases."""

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
        """Return for each passage and topic how likely it is meant: 0 to 1, the root of its flattened probability."""
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
    """Return for each term the logarithm of how much likelier it is in what is covered than in what is not."""
    covered, outside = Counter[str](), Counter[str]()
    for key, terms in rows:
        (outside if key.startswith("~") else covered).update(terms)
    likelier = math.log(outside.total() / covered.total())
    return {term: math.log((covered[term] + 0.5) / (outside[term] + 0.5)) + likelier for term in covered | outside}


def _joined(values: list[float]) -> float:
    """The best likeness counts most; others of the same passage add what is left a little."""
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
