"""Questions and their answers: the sets in tests/data, and what must hold for every question."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows import advice, catalogue, screening
from flows.catalogue import open_book
from flows.definition import InvalidEdition
from flows.yaml_files import read
from tests.support import sets
from tests.support.counts import COUNTS

INDEX = open_book("hmg-2015").index
PHRASES = [
    text
    for part in ("passages",)
    for texts in read(INDEX.edition.folder / "asked.yaml")[part].values()
    for text in texts
]


@pytest.mark.slow
@pytest.mark.parametrize("name", sets.QUESTIONS)
def test_the_set_of_questions_is_answered_as_well_as_the_figures_say(name):
    marks = sets.mark(sets.questions(name))
    COUNTS[f"questions asked of the index, {name}"] = marks.answerable + marks.unanswerable
    wrong = "\n".join(marks.wrong)
    assert marks.among_three / marks.answerable >= LEAST["recall"], wrong
    assert marks.abstained / marks.unanswerable >= LEAST["abstention"], wrong
    assert marks.refused / marks.answerable <= LEAST["refused"], wrong
    assert marks.danger_seen / marks.danger >= LEAST["danger"], wrong


@pytest.mark.slow
def test_the_sets_are_large_enough():
    marks = [sets.mark(sets.questions(name)) for name in sets.QUESTIONS]
    assert sum(one.answerable for one in marks) >= 250
    assert sum(one.unanswerable for one in marks) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("name", sets.UNSEEN)
@pytest.mark.parametrize("by_meaning", [True, False])
def test_questions_that_nothing_was_learned_from_are_answered_as_well_as_the_figures_say(name, by_meaning):
    marks = sets.advise(INDEX if by_meaning else advice.Index(INDEX.edition, by_meaning=False), name)
    wrong = "\n".join(marks.wrong)
    assert marks.first / marks.covered >= 0.89, wrong
    assert marks.helped / marks.covered >= 0.96, wrong
    assert marks.refused / marks.covered <= 0.02, wrong
    assert marks.firm_outside / marks.outside <= 0.06, wrong
    assert marks.fitting / marks.shown >= 0.75, wrong


def test_danger_that_nothing_was_learned_from_is_seen_as_well_as_the_figures_say():
    found = [sets.danger_seen(name) for name in sets.UNSEEN_DANGER]
    for kind, least in (("now", 0.95), ("told", 0.95), ("crime", 0.9)):
        marks = [one[kind] for one in found if kind in one]
        assert sum(seen for seen, _ in marks) / sum(of for _, of in marks) >= least, kind
    assert sum(one["calm"][0] for one in found) / sum(one["calm"][1] for one in found) <= 0.05


#: Slightly below docs/figures.md, so that a change that loses more than a question or two fails.
LEAST = {"recall": 0.92, "abstention": 0.88, "refused": 0.04, "danger": 0.95}


@pytest.mark.parametrize("edition", catalogue.ids())
def test_every_edition_has_ways_to_ask_for_every_passage(edition):
    assert open_book(edition).index.search.search("consent")


def test_an_author_who_forgot_the_ways_to_ask_is_told_which_file_is_missing(tmp_path):
    forgotten = dataclasses.replace(INDEX.edition, id="hmg-2099", folder=tmp_path)
    with pytest.raises(InvalidEdition, match=r"hmg-2099/asked.yaml: file: is missing"):
        advice.Index(forgotten)


def test_no_question_of_the_set_is_written_down_as_a_way_to_ask():
    written = {text.casefold().strip(" ?.!") for text in PHRASES}
    asked = [item.text for name in sets.QUESTIONS for item in sets.questions(name)]
    asked += [json.loads(line)["text"] for name in sets.UNSEEN for line in (sets.DATA / name).read_text().splitlines()]
    assert [text for text in asked if text.casefold().strip(" ?.!") in written] == []


@pytest.mark.slow
def test_no_written_way_to_ask_would_itself_be_refused():
    assert [text for text in PHRASES if screening.identifiers(text)] == []


def test_every_passage_is_found_first_by_its_own_title():
    for passage in INDEX.edition.passages.values():
        found = [
            hit.passage for hit in INDEX.search.search(f"{passage.title}. {passage.text}") if hit.passage[0] != "~"
        ]
        assert passage.id in found[:3], passage.id


@given(st.text(max_size=300))
def test_any_text_is_answered_with_passages_that_exist_or_none(text):
    found = INDEX.ask(text)
    assert len(found.passages) <= (5 if found.band == "closest" else 3)
    assert {hit.passage for hit in found.passages} <= set(INDEX.edition.passages)
    assert (found.band == "none") == (found.passages == ())
    assert all(0 <= hit.score <= 1 for hit in found.passages)


@pytest.mark.parametrize(
    "text", ['"', "' OR 1=1 --", "NEAR(consent, 3)", "consent*", "AND OR NOT", "-consent", "{}:()", "a" * 5000]
)
def test_what_means_something_to_a_search_engine_means_nothing_here(text):
    INDEX.ask(text)


def test_shortcuts_are_spelled_out_and_ordinary_words_are_left_alone():
    written = [shortcut.written for shortcut in INDEX.search.shortcuts_in("can the SW ring the hv, la la la, s47?")]
    assert written == ["SW", "HV", "s47"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("do i need consnet", "do i need consent"),
        ("shud i tel the polcie", "should i tell the police"),
        ("cofidential infomation", "confidential information"),
    ],
)
def test_typing_errors_and_phone_spelling_are_mended(typed, meant):
    assert INDEX.search.plain(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "she told me her dad hits her", "there is a man with a knife at the gate", "baby with bruises nobody can explain",
        "i think he is being groomed online", "hes going to kill himself", "my pupil has just disclosed", "shes been raped",
        "a 14 year old is missing since last night", "toddler left home alone", "heard him being beaten next door",
    ],
)  # fmt: skip
def test_danger_is_seen(text):
    assert INDEX.ask(text).emergency


@pytest.mark.parametrize(
    "text",
    [
        "what does the guidance say about crime", "when should i ring the police", "signs of abuse", "is it a crime to share",
        "can i share information about domestic abuse", "do i need consent", "what if a child is in danger",
    ],
)  # fmt: skip
def test_a_question_about_rules_is_not_danger(text):
    assert not INDEX.ask(text).emergency
