"""Author's errors stop the start with all problems, each with its file and id."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flows.definition import InvalidEdition
from flows.loader import EDITIONS, load

SHARING, TEXTS, PARTS = "flows/sharing.yaml", "texts.en.yaml", "parts.yaml"

MISTAKES = [
    (SHARING, '"yes": {to: identifiable}', '"yes": {to: identifiabel}', 'purpose: option yes: leads to "identifiabel"'),
    (SHARING, '"yes": {to: identifiable}', "yes: {to: identifiable}", 'write "yes" or "no" in quotes'),
    (SHARING, "cites: [flow-purpose, myth-other-org]", "cites: [flow-porpoise]", 'purpose: cites "flow-porpoise"'),
    (SHARING, "cites: [flow-purpose, myth-other-org]", "cites: []", "purpose: cites no passage"),
    (SHARING, "    kind: question\n    cites: [flow-confidential", "    kind: riddle\n    cites: [flow-confidential", "unknown kind 'riddle'"),
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
    (TEXTS, "  confidential:\n    label", "  confidnetial:\n    label", "questions.confidnetial: belongs to nothing"),
    ("flows/board_request.yaml", "parts: [how, secure, recording]", "parts: [how, secure_if_identifiable, recording]",
     "condition nobody_identifiable: looks at identifiable, which this flow never asks"),
    ("edition.yaml", "status: superseded", "status: splendid", "status: must be current, superseded or draft"),
    ("passages.yaml", "scope-about: {section: About this government advice, where: paragraph 1, strength: statement}",
     "scope-about: {section: About this government advice, where: paragraph 1, strength: shall}", "scope-about: unknown strength"),
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


def test_the_edition_that_ships_has_no_problem_and_its_hash_is_its_content(copy):
    shipped = load(EDITIONS / "hmg-2015")
    assert load(copy).sha256 == shipped.sha256
    spoil(copy, TEXTS, "Seek advice from your", "Get advice from your")
    assert load(copy).sha256 != shipped.sha256


def test_the_edition_says_what_it_is():
    shipped = load(EDITIONS / "hmg-2015")
    assert (shipped.jurisdiction, shipped.status, shipped.published) == ("England", "superseded", "2015-03-26")
    assert shipped.replaced_by
    assert shipped.not_verified
    assert set(shipped.flows) == {"sharing", "board_request"}
    assert len(shipped.passages) == 69
