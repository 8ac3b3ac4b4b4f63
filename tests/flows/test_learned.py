"""The learned models belong to the texts they were learned from."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from flows import compiled, derived, learned, meaning, ranker
from flows.advice import Index, asked_of
from flows.bands import OUTSIDE, bands
from flows.catalogue import ids, open_book
from flows.loader import EDITIONS

HERE = Path(__file__).parent.parent / "training"


@pytest.mark.parametrize("name", ["names", "danger"])
def test_a_model_is_of_the_texts_beside_its_trainer(name):
    digest = hashlib.sha256()
    for path in sorted(HERE.glob(f"{name}*.*")):
        digest.update(path.read_bytes())
    assert learned.model(name).made_from == digest.hexdigest(), "run python -m tests.training"


@pytest.mark.parametrize("edition", ids())
def test_the_rankings_are_of_the_ways_to_ask_beside_them(edition):
    """An author who changes asked.yaml must run `python -m tests.training ranker meaning`; until then the first ranking serves."""
    folder, index = EDITIONS / edition, open_book(edition).index
    known = {*index.edition.passages, *(OUTSIDE + topic for topic in index.topics)}
    for name, ranking in ((ranker.NAME, ranker.Ranker), (meaning.NAME, meaning.Meaning)):
        about, body = derived.unpack((folder / name).read_bytes())
        assert about["made_from"] == derived.made_from(folder), "run python -m tests.training ranker meaning"
        assert set(ranking(about, body).keys) == known


@pytest.mark.parametrize("edition", ids())
def test_what_is_compiled_is_what_the_ways_to_ask_give_today(edition):
    found = open_book(edition).edition
    about, rows, vocabulary = compiled.compiled_of(found.folder)
    assert (about, rows, vocabulary) == asked_of(found), "run python -m tests.training compiled"


def test_rankings_of_other_ways_to_ask_are_not_used(tmp_path):
    for name in ("asked.yaml", compiled.NAME, ranker.NAME, meaning.NAME):
        (tmp_path / name).write_bytes((EDITIONS / "hmg-2015" / name).read_bytes())
    assert ranker.ranker_of(tmp_path) is not None
    assert meaning.meaning_of(tmp_path) is not None
    assert compiled.compiled_of(tmp_path) is not None
    with (tmp_path / "asked.yaml").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert ranker.ranker_of(tmp_path) is None
    assert meaning.meaning_of(tmp_path) is None
    assert compiled.compiled_of(tmp_path) is None


@pytest.mark.parametrize("question", ["do i need consent", "who is the lado", "", "\u4f60\u597d", "a" * 900])
def test_each_ranking_gives_shares_of_one_and_the_same_each_time(question):
    index = open_book("hmg-2015").index
    for said in (index.ranker.probabilities(index.features(question)), index.meaning.probabilities(question)):
        assert sum(said.values()) == pytest.approx(1, abs=1e-4)
    assert index.said(question) == index.said(question)


def test_without_the_extra_two_rankings_serve_with_bands_of_their_own():
    two = Index(open_book("hmg-2015").edition, by_meaning=False)
    assert two.members == ("search", "ranker")
    assert two.ask("do i always need consent").card == "need_consent"
    assert len({bands(members).fits for members in (1, 2, 3)}) == 3
