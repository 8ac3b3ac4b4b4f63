"""Learn how questions are ranked: an edition's ranker, its ranking by meaning, and when an answer is sure.

The ways to ask by outside hands stand in ways*.jsonl: one author a file, who saw neither earlier ways nor code; `fits` lists
every passage that answers, the best first. They are in asked.yaml too. For the bands each author's texts are ranked by what was
learned without them, so that the figures are those of texts never seen.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from flows import compiled, meaning, ranker
from flows.advice import Index, asked_of, ways_of
from flows.bands import Ranked, bands, joined
from flows.definition import Edition
from flows.derived import made_from, pack, unpack
from flows.loader import load
from flows.meaning import Meaning
from flows.ranker import Ranker
from flows.search import Search, Words, rows_of, vocabulary_of
from flows.yaml_files import read

HERE = Path(__file__).parent
BANDS = HERE.parent.parent / "flows" / "asked" / "bands.json"
#: How many texts must have a feature, how strongly weights may grow, and the most features kept.
LEAST, STRENGTH, MOST = 3, 12.0, 14_000
#: How strongly the weights over sentence vectors may grow.
STRENGTH_OF_MEANING = 20.0
#: How many groups of authors take turns in being unseen.
TURNS = 3
#: A pair of text and key is learned from only if some ranking gives it this much.
WORTH_A_LOOK = 0.1
#: The highest share of questions that are not covered yet get a firm answer, and of those that are covered and get none.
MOST_FIRM, MOST_REFUSED = 0.01, 0.01

Asked = list[tuple[str, str]]


def phrases_of(edition: Edition) -> tuple[Asked, Asked]:
    """Return the ways to ask and the passages of an edition, as pairs of key and text."""
    return ways_of(edition, read(edition.folder / "asked.yaml"))


def write_compiled(folder: Path) -> int:
    """Write the ways to ask of the edition in a folder as the search index needs them; return the size in bytes."""
    return (folder / compiled.NAME).write_bytes(compiled.packed(made_from(folder), *asked_of(load(folder))))


def sentences(told: Asked) -> Asked:
    """Return each sentence of the passages with its key."""
    return [(key, part) for key, text in told for part in re.split(r"(?<=[.:;]) ", text)]


# ---- the ranker -----------------------------------------------------------------------------------
class Table:
    """Texts as rows of weighed features, each row of length 1."""

    def __init__(self, rows: list[set[str]]) -> None:
        count: dict[str, int] = {}
        for row in rows:
            for name in row:
                count[name] = count.get(name, 0) + 1
        self.names = sorted(name for name, number in count.items() if number >= LEAST)
        self.place = {name: number for number, name in enumerate(self.names)}
        rarity = numpy.log((1 + len(rows)) / (1 + numpy.array([count[name] for name in self.names]))) + 1
        kind = numpy.array([0.5 if name.startswith("~") else 1.0 for name in self.names])
        self.idf = rarity * kind

    def of(self, rows: list[set[str]]) -> sparse.csr_matrix:
        """Return rows of features as a matrix."""
        data, places, ends = [], [], [0]
        for row in rows:
            here = sorted(self.place[name] for name in row if name in self.place)
            values = self.idf[here]
            data.append(values / (numpy.linalg.norm(values) or 1.0))
            places += here
            ends.append(len(places))
        return sparse.csr_matrix((numpy.concatenate(data), places, ends), shape=(len(rows), len(self.names)))


def learn_ranker(features: Callable[[str], set[str]], asked: Asked, digest: str = "") -> bytes:
    """Learn a ranker from pairs of key and text; return its file."""
    rows = [features(text) for _, text in asked]
    table = Table(rows)
    fitted = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3).fit(table.of(rows), [key for key, _ in asked])
    weights = fitted.coef_.T * table.idf[:, None]
    strongest = numpy.abs(weights).max(axis=1)
    kept = numpy.sort(numpy.argsort(-strongest, kind="stable")[:MOST])
    scale = float(numpy.quantile(strongest[kept], 0.995)) / 127
    small = numpy.clip(numpy.rint(weights[kept] / scale), -127, 127).astype(numpy.int8)
    head = {
        "made_from": digest,
        "keys": [str(key) for key in fitted.classes_],
        "bias": [round(float(value), 4) for value in fitted.intercept_],
        "scale": round(scale, 8),
        "features": [table.names[at] for at in kept],
        "squares": [round(float(table.idf[at] ** 2), 3) for at in kept],
    }
    return pack(head, small.tobytes())


def write_ranker(folder: Path) -> int:
    """Learn and write the ranker of the edition in a folder; return its size in bytes."""
    index = Index(load(folder), by_meaning=False)
    asked, told = phrases_of(index.edition)
    raw = learn_ranker(index.features, asked + sentences(told), made_from(folder))
    return (folder / ranker.NAME).write_bytes(raw)


# ---- the ranking by meaning -----------------------------------------------------------------------
class Vectors:
    """Sentence vectors of texts, each worked out once."""

    def __init__(self) -> None:
        self._known: dict[str, numpy.ndarray] = {}

    def __call__(self, texts: Iterable[str]) -> numpy.ndarray:
        """Return the vectors of texts, one a row."""
        from sharewise_meaning import vectors

        wanted = list(texts)
        new = list(dict.fromkeys(text for text in wanted if text not in self._known))
        for start in range(0, len(new), 32):
            part = new[start : start + 32]
            self._known.update(zip(part, vectors(part), strict=True))
        return numpy.array([self._known[text] for text in wanted])


def learn_meaning(vectors: Vectors, asked: Asked, digest: str = "") -> bytes:
    """Learn the ranking by meaning from pairs of key and text; return its file."""
    learner = LogisticRegression(C=STRENGTH_OF_MEANING, max_iter=300, tol=1e-3)
    fitted = learner.fit(vectors(text for _, text in asked), [key for key, _ in asked])
    head = {
        "made_from": digest,
        "keys": [str(key) for key in fitted.classes_],
        "bias": [round(float(value), 4) for value in fitted.intercept_],
        "width": int(fitted.coef_.shape[1]),
    }
    return pack(head, fitted.coef_.astype("<f2").tobytes())


def write_meaning(folder: Path) -> int:
    """Learn and write the ranking by meaning of the edition in a folder; return its size in bytes."""
    asked, told = phrases_of(load(folder))
    raw = learn_meaning(Vectors(), asked + sentences(told), made_from(folder))
    return (folder / meaning.NAME).write_bytes(raw)


# ---- the bands ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Way:
    """A question by an outside author, the passages that answer it, and what the rankings said of it unseen."""

    author: int
    text: str
    fits: frozenset[str]
    said: dict[str, tuple[float, ...]]


def ways() -> dict[int, list[dict[str, object]]]:
    """Return the questions of each author."""
    return {
        int(re.sub(r"\D", "", path.stem)): [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(HERE.glob("ways*.jsonl"))
    }


def unseen(folder: Path, report: Callable[[str], None]) -> tuple[Index, list[Way]]:
    """Return every outside question with what rankings say of it that were learned without its author."""
    index, by_author, vectors = Index(load(folder), by_meaning=False), ways(), Vectors()
    asked, told = phrases_of(index.edition)
    found = []
    for turn in range(TURNS):
        held = [author for author in by_author if author % TURNS == turn]
        hidden = {str(row["text"]) for author in held for row in by_author[author]}
        known = [(key, text) for key, text in asked if text not in hidden]
        vocabulary = vocabulary_of(known, told)
        index.search = Search(rows_of(Words(vocabulary), known, told), vocabulary)
        index.ranker = Ranker(*unpack(learn_ranker(index.features, known + sentences(told))))
        index.meaning = Meaning(*unpack(learn_meaning(vectors, known + sentences(told))))
        report(f"turn {turn + 1} of {TURNS}: learned from {len(known)} ways to ask")
        for author in held:
            for row in by_author[author]:
                fits = frozenset(map(str, row["fits"]))  # type: ignore[call-overload]
                found.append(Way(author, str(row["text"]), fits, index.said(str(row["text"]))))
    return index, found


def learn_bands(index: Index, asked: list[Way], members: int) -> dict[str, object]:
    """Learn how the first so many rankings are joined, and when an answer is sure; return it as bands.json keeps it."""
    rows, right = [], []
    for way in asked:
        for key, said in way.said.items():
            if way.fits and max(said[:members]) > WORTH_A_LOOK:
                rows.append(said[:members])
                right.append(key in way.fits)
    fits = _regression(rows, right)
    raw = {"fits": fits, "right": [0.0], "outside": [0.0], "firm": 1.0, "silent": 1.0}
    ranked = [_ranked(way, members, fits) for way in asked]
    seen = [index.evidence(way.text, row) for way, row in zip(asked, ranked, strict=True)]
    first = [_first_is_right(index, way, row) for way, row in zip(asked, ranked, strict=True)]
    raw["right"] = _regression(seen, first)
    raw["outside"] = _regression(seen, [not way.fits for way in asked])
    sure = _probabilities(seen, raw["right"])
    out = _probabilities(seen, raw["outside"])
    covered = numpy.array([bool(way.fits) for way in asked])
    raw["firm"] = round(float(numpy.quantile(sure[~covered], 1 - MOST_FIRM)), 3)
    unsure = covered & (sure < raw["firm"])
    share = MOST_REFUSED * covered.sum() / max(1, unsure.sum())
    raw["silent"] = round(float(numpy.quantile(out[unsure], max(0.0, 1 - share))), 3)
    return raw


def _ranked(way: Way, members: int, fits: list[float]) -> list[Ranked]:
    from flows.bands import Logistic

    return joined({key: said[:members] for key, said in way.said.items()}, Logistic(fits[0], tuple(fits[1:])))


def _first_is_right(index: Index, way: Way, ranked: list[Ranked]) -> bool:
    first = next((card for card in index.cards(ranked)), None)
    return first in {index.edition.card_of(key).id for key in way.fits}


def _regression(rows: list[tuple[float, ...]], right: list[bool]) -> list[float]:
    fitted = LogisticRegression(C=10.0, max_iter=2000).fit(rows, right)
    return [round(float(value), 4) for value in (fitted.intercept_[0], *fitted.coef_[0])]


def _probabilities(rows: list[tuple[float, ...]], weights: object) -> numpy.ndarray:
    bias, *rest = weights  # type: ignore[misc]
    return 1 / (1 + numpy.exp(-(numpy.array(rows) @ numpy.array(rest) + bias)))


def write_bands(folder: Path, report: Callable[[str], None]) -> None:
    """Learn and write the bands for two rankings and for three."""
    index, asked = unseen(folder, report)
    raw = {str(members): learn_bands(index, asked, members) for members in (1, 2, 3)}
    BANDS.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    bands.cache_clear()
