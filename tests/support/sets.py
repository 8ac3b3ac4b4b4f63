"""The labelled sets in tests/data, and how well the product does on them."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from flows import danger, screening
from flows.advice import Answer, Index
from flows.catalogue import open_book

DATA = Path(__file__).parent.parent / "data"
#: The question sets: one written by people who knew neither the phrases nor the code, one by the authors of the phrases.
QUESTIONS = ("questions.jsonl", "questions_seen.jsonl")
MARK = re.compile(r"\[\[(\w+):(.*?)\]\]", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """A question as typed, the passages that answer it, and whether it speaks of danger."""

    text: str
    accepted: frozenset[str]
    emergency: bool


def questions(name: str = "questions.jsonl") -> list[Asked]:
    """Read a question set. `ok` lists the passages that answer; an empty list means that the edition does not answer."""
    rows = [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    return [Asked(row["q"], frozenset(row["ok"]), bool(row.get("emergency"))) for row in rows]


@dataclass
class Marks:
    """The result of a question set."""

    answerable: int = 0
    first: int = 0
    among_three: int = 0
    refused: int = 0
    unanswerable: int = 0
    abstained: int = 0
    danger: int = 0
    danger_seen: int = 0
    no_danger: int = 0
    danger_imagined: int = 0
    wrong: list[str] = field(default_factory=list)


def mark(asked: list[Asked], index: Index | None = None) -> Marks:
    """Ask every question and count right answers in first place and in the first three, right and wrong refusals, and emergencies."""
    index, marks = index or open_book("hmg-2015").index, Marks()
    for item in asked:
        found = index.ask(item.text)
        ids = [hit.passage for hit in found.passages]
        assert set(ids) <= set(index.edition.passages), "every citation resolves"
        if item.emergency:
            marks.danger += 1
            marks.danger_seen += found.emergency
        else:
            marks.no_danger += 1
            marks.danger_imagined += found.emergency
        if item.accepted:
            marks.answerable += 1
            marks.first += bool(ids) and ids[0] in item.accepted
            marks.among_three += bool(item.accepted & set(ids))
            marks.refused += found.band == "none"
            if not item.accepted & set(ids):
                marks.wrong.append(_line("missed", item, found, ids))
        elif not item.emergency:
            marks.unanswerable += 1
            marks.abstained += found.band == "none"
            if found.band != "none":
                marks.wrong.append(_line("answered", item, found, ids))
        if found.emergency != item.emergency:
            marks.wrong.append(_line("danger unseen" if item.emergency else "danger imagined", item, found, ids))
    return marks


# ---- sets by authors who saw neither the ways to ask nor the code; nothing is ever learned from them -----
#: Questions, texts that speak of danger or only sound like it, and texts with identifiers and without.
UNSEEN = tuple(f"unseen{number}.jsonl" for number in range(1, 4))
UNSEEN_DANGER = tuple(f"danger_unseen{number}.jsonl" for number in range(1, 7))
UNSEEN_SENTENCES = tuple(f"sentences_unseen{number}.txt" for number in range(1, 6))


@dataclass
class Advised:
    """How well questions are answered: `first`: the first passage or its card is right; `helped`: a right one is shown or offered.

    `fitting` of the `shown` passages of firm answers fit. `firm_outside`: not covered, and yet a firm answer without a danger card.
    """

    covered: int = 0
    first: int = 0
    helped: int = 0
    refused: int = 0
    firm: int = 0
    shown: int = 0
    fitting: int = 0
    outside: int = 0
    firm_outside: int = 0
    silent_outside: int = 0
    wrong: list[str] = field(default_factory=list)


def advise(index: Index, name: str) -> Advised:
    """Ask an unseen set. `fits` lists the passages that answer; an empty list means that the edition does not answer."""
    marks, edition = Advised(), index.edition
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        found, right = index.ask(row["text"]), set(row["fits"])
        ids = [hit.passage for hit in found.passages]
        cards = {edition.card_of(key).id for key in right}
        if not right:
            firm = found.band == "answer" and not found.emergency
            marks.outside += 1
            marks.firm_outside += firm
            marks.silent_outside += found.band == "none"
            marks.wrong += [f"answered {row['text']!r} with {found.card}"] * firm
            continue
        offered = found.offered or ((found.card,) if found.card else ())
        marks.covered += 1
        marks.first += ids[:1] != [] and (ids[0] in right or offered[0] in cards)
        helped = bool(right & set(ids) or cards & set(offered))
        marks.helped += helped
        marks.refused += found.band == "none"
        marks.wrong += [f"missed {row['text']!r} wants {sorted(right)} got {found.band} {ids}"] * (not helped)
        if found.band == "answer":
            marks.firm += 1
            marks.shown += len(ids)
            marks.fitting += len(right & set(ids))
    return marks


def danger_seen(name: str) -> dict[str, tuple[int, int]]:
    """Return, by kind, how many texts of a set are taken for danger, and of how many."""
    seen: dict[str, list[bool]] = {}
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        seen.setdefault(row["kind"], []).append(danger.is_spoken_of(row["text"]))
    return {kind: (sum(flags), len(flags)) for kind, flags in seen.items()}


def _line(what: str, item: Asked, found: Answer, ids: list[str]) -> str:
    scores = " ".join(f"{hit.passage}={hit.score:.2f}" for hit in found.passages)
    topic = f" topic {found.topic.id}" if found.topic else ""
    return f"{what:15} {item.text!r} wants {sorted(item.accepted)} got {found.band} {scores}{topic}"


@dataclass(frozen=True)
class Sentence:
    """A text and the identifiers marked in it."""

    text: str
    marked: tuple[tuple[str, int, int], ...]


def sentence(line: str) -> Sentence:
    """Read a line with identifiers marked as [[kind:text]]."""
    text, marked, end = "", [], 0
    for match in MARK.finditer(line):
        text += line[end : match.start()]
        marked.append((match[1], len(text), len(text) + len(match[2])))
        text, end = text + match[2], match.end()
    return Sentence(text + line[end:], tuple(marked))


def sentences(name: str | Path = "sentences.txt") -> list[Sentence]:
    """Read a sentence set, or a file of sentences. A line break inside a sentence is written as a backslash and an n."""
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")
    return [sentence(line.replace("\\n", "\n")) for line in lines if line.strip() and not line.startswith("#")]


@dataclass
class Found:
    """The result of a sentence set, by kind."""

    found: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    invented: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    clean_refused: int = 0
    wrong: list[str] = field(default_factory=list)

    def recall(self, kinds: list[str]) -> float:
        """Return the share of marked identifiers that were found, over some kinds."""
        found = sum(self.found[kind] for kind in kinds)
        return found / max(1, found + sum(self.missed[kind] for kind in kinds))


def screen(texts: list[Sentence]) -> Found:
    """Screen every sentence. A finding counts if its kind is right and its position overlaps."""
    result = Found()
    for item in texts:
        got = screening.identifiers(item.text)
        used = set()
        for kind, start, end in item.marked:
            hits = {n for n, x in enumerate(got) if x.kind == kind and x.start < end and start < x.end}
            used |= hits
            (result.found if hits else result.missed)[kind] += 1
            if not hits:
                result.wrong.append(f"missed   {kind} {item.text[start:end]!r} in {item.text!r}")
        for number, extra in enumerate(got):
            if number not in used:
                result.invented[extra.kind] += 1
                result.wrong.append(f"invented {extra.kind} {item.text[extra.start : extra.end]!r} in {item.text!r}")
        if not item.marked:
            result.clean += 1
            result.clean_refused += bool(got)
    return result
