"""An author's errors stop the start, and all of them are told at once with file and id."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.definition import InvalidEdition
from flows.loader import EDITIONS, load
from flows.yaml_files import read

SHARING, TEXTS, PARTS, ANSWERS = "flows/sharing.yaml", "texts.en.yaml", "parts.yaml", "answers.yaml"

MISTAKES = [
    (SHARING, '"yes": {to: identifiable}', '"yes": {to: identifiabel}', 'purpose: option yes: leads to "identifiabel"'),
    (SHARING, '"yes": {to: identifiable}', "yes: {to: identifiable}", 'write "yes" or "no" in quotes'),
    (SHARING, "cites: [flow-purpose, myth-other-org]", "cites: [flow-porpoise]", 'purpose: cites "flow-porpoise"'),
    (SHARING, "cites: [flow-purpose, myth-other-org]", "cites: []", "purpose: cites no passage"),
    (SHARING, "    kind: question\n    cites: [flow-confidential", "    kind: riddle\n    cites: [flow-confidential", "kind: must be screen, question, detail, how or recording, not 'riddle'"),
    (SHARING, '      "no": {to: outcome.share}\n      not_sure: {}\n  confidential', "      not_sure: {}\n  confidential", 'identifiable: option "no" is missing'),
    (SHARING, "own: {to: purpose}", "own: {to: purpose, colour: red}", 'unknown key "colour"'),
    (SHARING, "when: sensitive_and_only_implied", "when: too_secret", 'no predicate is called "too_secret"'),
    (SHARING, "cites: [emergency]\n    duties", "cites: []\n    duties", "outcome emergency: cites no passage"),
    (SHARING, "duties: [police_now, record_decision]", "duties: [police_later]", 'duty "police_later" is not written'),
    (SHARING, "then: reasons", "then: raisins", 'then "raisins" is no question'),
    (SHARING, '"yes": {to: confidential}', '"yes": {to: outcome.share}', "cannot be reached from emergency"),
    (PARTS, "next: check", "next: necessary", "necessary: goes round in a circle"),
    (TEXTS, "label: Is the information confidential?", f"label: {'long ' * 80}", "confidential: label is longer than"),
    (TEXTS, "options: {asked: Somebody asked,", f"options: {{asked: {'w' * 60},", "initiative: option asked: label is longer"),
    (TEXTS, "    title: Do not share\n", "    titel: Do not share\n", 'unknown key "titel"'),
    (TEXTS, "  confidential:\n    short", "  confidnetial:\n    short", "questions.confidnetial: belongs to nothing"),
    ("flows/board_request.yaml", "parts: [how, secure, recording]", "parts: [how, secure_if_identifiable, recording]",
     "condition nobody_identifiable: looks at identifiable, which this flow never asks"),
    ("edition.yaml", "status: superseded", "status: splendid", "status: must be current, superseded or draft"),
    ("passages.yaml", "scope-about: {section: About this government advice, where: paragraph 1, strength: statement}",
     "scope-about: {section: About this government advice, where: paragraph 1, strength: shall}", "scope-about.strength: must be must, should"),
    (ANSWERS, "more: [flow-consent, consent-not-sought]", "more: []", "flow-consent: this passage stands on no card"),
    (ANSWERS, "cites: [health-info]", "cites: [health-info, health-infos]", 'health: cites "health-infos", which is no passage'),
    (ANSWERS, "  cites: [retention]\n  then: [record]", "  cites: [retention]\n  then: [recorder]", 'keep_how_long: then: "recorder" is no card'),
    (ANSWERS, "  question: bulk\n", "  question: bulky\n", 'bulk: question: "bulky" is no question of a flow'),
    (ANSWERS, "  asked: Will somebody else pass it on?", f"  asked: {'Will ' * 20}", "someone_else: asked is longer than"),
    (ANSWERS, "cites: [principle-intro, rule-5]", "cites: [principle-intro, rule-5, munro-laming]", "judgement: cites more than 2 passages"),
    (ANSWERS, "    Make sure that you give the right", "    You must make sure that you give the right", 'right_person: says "must", which no passage that it cites says'),
    (ANSWERS, "    Follow your own organisation's policy.", "    It is good practice to follow your organisation's policy.",
     'keep_how_long: says "good practice"'),
    ("edition.yaml", "publisher: HM Government", "publisher: HM Government\npublisher: HM Government", "written twice"),
]  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EDITIONS / "hmg-2015", tmp_path / "hmg-2015"))


def spoil(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {file}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(("file", "old", "new", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_each_mistake_is_found_with_its_file_and_id(copy, file, old, new, said):
    spoil(copy, file, old, new)
    with pytest.raises(InvalidEdition) as found:
        load(copy)
    assert any(said in problem and problem.startswith("hmg-2015/") for problem in found.value.problems), found.value


def test_all_problems_are_told_at_once(copy):
    spoil(copy, SHARING, "when: sensitive_and_only_implied", "when: too_secret")
    spoil(copy, "edition.yaml", "status: superseded", "status: splendid")
    spoil(copy, SHARING, "duties: [police_now, record_decision]", "duties: [police_later]")
    with pytest.raises(InvalidEdition) as found:
        load(copy)
    assert len(found.value.problems) >= 3


def test_errors_of_shape_do_not_hide_errors_of_meaning_in_the_same_file(copy):
    spoil(copy, SHARING, "own: {to: purpose}", "own: {to: purpose, colour: red}")
    spoil(copy, SHARING, "cites: [flow-identifiable]", "cites: 7")
    spoil(copy, SHARING, "when: sensitive_and_only_implied", "when: too_secret")
    with pytest.raises(InvalidEdition) as found:
        load(copy)
    said = "\n".join(found.value.problems)
    assert 'sharing.yaml: questions.initiative.options.own: unknown key "colour"' in said
    assert "sharing.yaml: questions.identifiable.cites: must be a list, not 7" in said
    assert 'no predicate is called "too_secret"' in said


@pytest.mark.slow
def test_whatever_a_value_is_replaced_by_the_edition_loads_or_its_problems_are_told(copy):
    draw = random.Random(20261127)
    for file in (SHARING, TEXTS, PARTS, "edition.yaml", "passages.yaml", "roles.yaml"):
        raw = read(copy / file)
        places = list(places_in(raw))
        for place in draw.sample(places, min(len(places), 25)):
            spoiled = replaced(raw, place, draw.choice([None, 5, True, [], {}, "", "x", [1], {"a": 1}, {True: 1}]))
            (copy / file).write_text(yaml.safe_dump(spoiled), encoding="utf-8")
            with suppress(InvalidEdition):
                load(copy)
        (copy / file).write_text(yaml.safe_dump(raw), encoding="utf-8")


def places_in(raw: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    for step, value in raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ():
        yield from places_in(value, (*place, step))


def replaced(raw: Any, place: tuple[Any, ...], value: Any) -> Any:
    spoiled = deepcopy(raw)
    holder = spoiled
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return spoiled


def test_the_edition_that_ships_has_no_problem_and_its_hash_is_its_content(copy):
    shipped = load(EDITIONS / "hmg-2015")
    assert load(copy).sha256 == shipped.sha256
    spoil(copy, TEXTS, "Ask your safeguarding lead, your", "Go to your safeguarding lead, your")
    assert load(copy).sha256 != shipped.sha256


def test_the_edition_says_what_it_is():
    shipped = load(EDITIONS / "hmg-2015")
    assert (shipped.jurisdiction, shipped.status, shipped.published) == ("England", "superseded", "2015-03-26")
    assert shipped.replaced_by
    assert shipped.not_verified
    assert set(shipped.flows) == {"sharing", "board_request"}
    assert len(shipped.passages) == 69
