"""Learn the models of flows/words from the texts beside this file: names of people (names*.txt), danger (danger*.jsonl).

python -m tests.training [names|danger|counts|compiled|ranker|meaning|bands]   needs scikit-learn: pip install -e ".[train]" ./meaning

`counts` writes flows/words/counts.txt from the English word list of pyspellchecker. After a change of asked.yaml run `compiled`,
`ranker` and `meaning`, which write what is made of it beside it; `bands` (ten minutes) learns when an answer is sure.

Names are marked as [[person:...]]. Each text with names is also learned with other names, so that the words around a name
count more than the name itself.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

import numpy
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from flows import danger, names
from flows.canonical import canonical
from flows.lexicon import lexicon
from flows.loader import EDITIONS
from tests.support.sets import Sentence, sentences
from tests.training import ranking

HERE = Path(__file__).parent
WORDS = HERE.parent.parent / "flows" / "words"
#: How often each text with names is learned with other names, and the weight of those copies.
OTHERWISE, OTHERWISE_WEIGHT = 4, 0.2
SEED = 5
#: How often an everyday word stands in the collection that counts.txt comes from.
EVERYDAY = 3000


def made_from(name: str) -> str:
    """Return the digest of the texts that a model is learned from."""
    digest = hashlib.sha256()
    for path in files(name):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def files(name: str) -> list[Path]:
    """Return the files that a model is learned from."""
    return sorted(HERE.glob(f"{name}*.*"))


# ---- names ----------------------------------------------------------------------------------------
def marked_texts() -> list[Sentence]:
    """Return all texts with their names marked."""
    return [item for path in files("names") for item in sentences(path)]


def token_rows(item: Sentence) -> Iterator[tuple[list[str], bool]]:
    """Yield the features of each word that may be a name, and whether it is one."""
    form = canonical(item.text)
    words = names.tokens(form.text)
    shouted = names.is_shouted(words)
    people = [(start, end) for kind, start, end in item.marked if kind == "person"]
    for at, word in enumerate(words):
        if names.may_be_name(words, at):
            start, end = form.place(word.start, word.end)
            yield names.features(form.text, words, at, shouted), any(start < b and a < end for a, b in people)


class Renamer:
    """Replaces names with other names."""

    def __init__(self) -> None:
        self.pick = random.Random(SEED)
        self.given = [n for n in lexicon("given_names.txt") if names.listed_as(n) == "given" and len(n) > 2]
        self.common = [n for n in self.given if names.frequency(n) > 300]
        self.family = [n for n in lexicon("family_names.txt") if names.listed_as(n) == "family" and len(n) > 3]

    def made_up(self, name: str) -> str:
        """Return a name that is in no list."""
        letters = list(name)
        for _ in range(2):
            letters[self.pick.randrange(1, len(letters))] = self.pick.choice("aeiouyrnlmkshtd")
        return "".join(letters)

    def other(self, name: str) -> str:
        """Return another name in the same spelling (capitals, hyphens)."""
        out = []
        for place, part in enumerate(re.split(r"([ '-])", name)):
            if len(part) < 3:
                out.append(part)
                continue
            draw = self.pick.random()
            if place == 0:
                new = self.pick.choice(self.common if draw < 0.45 else self.given)
                new = self.made_up(new) if draw >= 0.75 else new
            else:
                new = self.pick.choice(self.family)
                new = self.made_up(new) if draw >= 0.75 else new
            out.append(new.upper() if part.isupper() else new.title() if part[0].isupper() else new)
        return "".join(out)

    def again(self, item: Sentence) -> Sentence:
        """Return a text with other names, some in lower case."""
        text, marked, end = "", [], 0
        for kind, start, stop in sorted(item.marked, key=lambda mark: mark[1]):
            old = item.text[start:stop]
            stays = kind != "person" or (
                names.listed_as(names.bare(old.split()[0])) in ("name or word", "not_name") and self.pick.random() < 0.6
            )
            new = old if stays else self.other(old)
            if not stays and self.pick.random() < 0.3:
                new = new.lower()
            elif not stays and new == new.lower() and self.pick.random() < 0.2:
                new = new.title()
            text += item.text[end:start]
            marked.append((kind, len(text), len(text) + len(new)))
            text, end = text + new, stop
        return Sentence(text + item.text[end:], tuple(marked))


def learn_names(texts: list[Sentence]) -> dict[str, object]:
    """Learn which words are names."""
    renamer = Renamer()
    own = [row for item in texts for row in token_rows(item)]
    again = [
        row
        for item in texts
        if any(kind == "person" for kind, *_ in item.marked)
        for _ in range(OTHERWISE)
        for row in token_rows(renamer.again(item))
    ]
    rows = own + again
    weight = [1.0] * len(own) + [OTHERWISE_WEIGHT] * len(again)
    return _learn([set(found) for found, _ in rows], [is_name for _, is_name in rows], weight, strength=1.0, least=4)


# ---- danger ---------------------------------------------------------------------------------------
def told() -> list[tuple[str, bool]]:
    """Return all texts and whether they speak of danger."""
    rows = [json.loads(line) for path in files("danger") for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row["text"], bool(row["danger"])) for row in rows]


def learn_danger(texts: list[tuple[str, bool]]) -> dict[str, object]:
    """Learn which texts speak of danger."""
    found = [danger.features(canonical(text).text.lower()) for text, _ in texts]
    return _learn(found, [is_danger for _, is_danger in texts], None, strength=30.0, least=4, norm=True)


def _learn(
    found: list[set[str]],
    right: list[bool],
    weight: list[float] | None,
    *,
    strength: float,
    least: int,
    norm: bool = False,
) -> dict[str, object]:
    vectorizer = DictVectorizer(dtype=numpy.float64)
    table = vectorizer.fit_transform([dict.fromkeys(sorted(row), 1.0) for row in found])
    often = numpy.asarray((table > 0).sum(axis=0)).ravel() >= least
    table = table[:, often]
    if norm:
        # Every text counts equally whatever its length: its known features share one weight.
        table = normalize(table)
    known = numpy.array(vectorizer.get_feature_names_out())[often]
    fitted = LogisticRegression(C=strength, max_iter=5000).fit(table, right, sample_weight=weight)
    kept = {
        str(name): round(float(value), 2)
        for name, value in zip(known, fitted.coef_[0], strict=True)
        if norm or abs(value) >= 0.03
    }
    return {"bias": round(float(fitted.intercept_[0]), 3), "weights": dict(sorted(kept.items()))}


# ---- here it is done ------------------------------------------------------------------------------
#: The lowest score that means yes, chosen on texts by other authors (docs/figures.md).
LIMITS = {"names": 0.6, "danger": -0.5}


def write(name: str, model: dict[str, object]) -> None:
    """Write a model into the package."""
    raw = {"made_from": made_from(name), "limit": LIMITS[name], **model}
    (WORDS / f"{name}.json").write_text(
        json.dumps(raw, ensure_ascii=False, indent=0, separators=(",", ":")) + "\n", encoding="utf-8"
    )


def counts() -> dict[str, int]:
    """Return English words with their frequency in the corpus of pyspellchecker."""
    packed = resources.files("spellchecker").joinpath("resources", "en.json.gz").read_bytes()
    found: dict[str, int] = json.loads(gzip.decompress(packed))
    return found


def write_counts() -> None:
    """Write the words into the package, sorted by bytes, so that they can be searched in place."""
    lines = [
        "# English words and how often they stand in a large collection of texts; 50 where no number follows.",
        "# From pyspellchecker (github.com/barrust/pyspellchecker, MIT licence) by python -m tests.training counts",
    ]
    counted = sorted(counts().items(), key=lambda item: item[0].encode())
    lines += [word if count == names.LEAST_COUNT else f"{word} {count}" for word, count in counted]
    (WORDS / "counts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    everyday = [
        word for word, count in counted if count >= EVERYDAY and len(word) > 2 and names.listed_as(word) != "given"
    ]
    lines = [
        "# The everyday words among those of counts.txt that are no given names, to recognise misspelt words.",
        "# From pyspellchecker (github.com/barrust/pyspellchecker, MIT licence) by python -m tests.training counts",
    ]
    (WORDS / "everyday.txt").write_text("\n".join([*lines, *everyday]) + "\n", encoding="utf-8")


def _write_ranking(write: Callable[[Path], int]) -> None:
    for folder in sorted(path for path in EDITIONS.iterdir() if path.is_dir()):
        print(f"{folder.name}: {write(folder)} bytes")


RANKINGS: dict[str, Callable[[], None]] = {
    "compiled": lambda: _write_ranking(ranking.write_compiled),
    "ranker": lambda: _write_ranking(ranking.write_ranker),
    "meaning": lambda: _write_ranking(ranking.write_meaning),
    "bands": lambda: ranking.write_bands(EDITIONS / "hmg-2015", print),
}


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="*", default=["names", "danger"])
    for name in parser.parse_args().which:
        if name == "counts":
            write_counts()
            continue
        if name in RANKINGS:
            RANKINGS[name]()
            continue
        model = learn_names(marked_texts()) if name == "names" else learn_danger(told())
        write(name, model)
        weights = model["weights"]
        assert isinstance(weights, dict)
        print(f"{name}: {len(weights)} weights, {(WORDS / f'{name}.json').stat().st_size} bytes")


if __name__ == "__main__":
    main()
