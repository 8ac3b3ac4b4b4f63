"""Identifiers in free text: the sets in tests/data, and what must hold for every text."""

from __future__ import annotations

import gzip
import json
import re
from importlib.resources import files
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.composition.settings import CASE_REFERENCE
from bot.usecases import typed_text
from flows import screening
from flows.catalogue import open_book
from flows.lexicon import Lexicon, lexicon
from flows.names import frequency
from flows.screening import PERSON, IdentifierFound, Screened, ScreeningFailed, identifiers, screened
from tests.support import sets
from tests.support.counts import COUNTS
from tests.support.planted import texts

STRUCTURED = [kind for kind in screening.KINDS if kind != PERSON]


@pytest.mark.slow
def test_words_are_counted_as_the_collection_of_texts_does():
    packed = files("spellchecker").joinpath("resources", "en.json.gz").read_bytes()
    counts = json.loads(gzip.decompress(packed))
    assert all(frequency(word) == count for word, count in counts.items())
    assert len(counts) > 100_000
    assert not any(map(frequency, ("", "#", "\n", "a\n", "aa", "zzzz", "\ud800", "xqzzt", "Jaydon-Rae", "a" * 5000)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["given_names.txt", "family_names.txt", "counts.txt"])
def test_every_word_of_a_list_is_found_and_no_other(name):
    words, lines = lexicon(name), list(lexicon(name))
    assert len(lines) > 10_000
    assert lines == sorted(set(lines), key=str.encode)
    assert all(word in words and (word + "\x00" in words) is False for word in lines)
    assert "" not in Lexicon(b"")
    assert "a" in Lexicon(b"a")
    assert "b" not in Lexicon(b"a\nc")
    assert "#" not in Lexicon(b"# a\nb\n")


def test_the_set_of_sentences_is_screened_as_well_as_the_figures_say():
    found = sets.screen(sets.sentences())
    number = sum(found.found.values()) + sum(found.missed.values())
    COUNTS["identifiers looked for in sentences"] = number
    wrong = "\n".join(found.wrong)
    assert found.recall(STRUCTURED) >= 0.98, wrong
    assert found.recall([PERSON]) >= 0.90, wrong
    assert found.clean_refused / found.clean <= 0.03, wrong


@pytest.mark.slow
def test_texts_that_nothing_was_learned_from_are_screened_as_well_as_the_figures_say():
    found = [sets.screen(sets.sentences(name)) for name in sets.UNSEEN_SENTENCES]
    texts = sum(one.clean for one in found)
    COUNTS["texts without identifiers by people who knew nothing"] = texts
    wrong = "\n".join(line for one in found for line in one.wrong)
    for kinds, least in ((STRUCTURED, 0.96), ([PERSON], 0.93)):
        marked = sum(one.found[kind] + one.missed[kind] for one in found for kind in kinds)
        assert sum(one.found[kind] for one in found for kind in kinds) / marked >= least, wrong
    assert sum(one.clean_refused for one in found) / texts <= 0.02, wrong


def test_nothing_that_an_edition_says_would_be_refused():
    edition = open_book("hmg-2015").edition
    said = [text for passage in edition.passages.values() for text in (passage.title, passage.text)]
    said += [
        text
        for flow in edition.flows.values()
        for question in flow.questions.values()
        for text in (question.label, question.why)
    ]
    assert [text for text in said if identifiers(text)] == []


@pytest.mark.parametrize("name", ["a word", ""])
def test_only_screening_makes_a_screened(name):
    with pytest.raises(TypeError):
        Screened(name)


@given(st.text(max_size=400))
def test_any_text_is_screened_without_failing_and_places_lie_inside_it(text):
    found = identifiers(text)
    assert all(0 <= item.start < item.end <= len(text) and item.kind in screening.KINDS for item in found)
    assert all(one.end <= other.start for one, other in pairwise(found))


@pytest.mark.slow
def test_planted_identifiers_are_found_where_they_were_planted():
    for kind, secret, text in texts(7, 2200):
        with pytest.raises(IdentifierFound):
            screened(text)
        start = text.index(secret)
        assert any(item.start < start + len(secret) and start < item.end for item in identifiers(text)), (kind, text)


def test_only_names_can_be_waved_through_and_they_are_counted():
    override = (screening.PERSON,)
    assert screening.look("Told Zorblax staff.").screened(override=override).said_not_a_person == 1
    with pytest.raises(IdentifierFound):
        screening.look("Told Zorblax staff on 07700 900123.").screened(override=override)


def test_screening_that_breaks_refuses_and_says_nothing_of_the_text(monkeypatch):
    monkeypatch.setattr(screening.names, "spans", lambda text: 1 / 0)
    with pytest.raises(ScreeningFailed) as caught:
        screened("the secret words")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_configured_reference_passes_but_never_an_nhs_number():
    own = re.compile(r"[A-Z]{2}\d{6}[A-D]|\d{10}")
    assert screened("See AB123456C.", own_reference=own).text == "See AB123456C."
    with pytest.raises(IdentifierFound):
        screened("See 9434765919.", own_reference=own)


@pytest.mark.parametrize(
    "reference",
    [
        "CASE-2041", "T-1000-0-123456", "SW-7K2P-Q9ZT", "20/1234", "AB/123-45", "REF_2024_001", "EH-2024-000123", "LCS1234567",
        "12345678", "MASH-2026-11-23-7", "C.77.12", "CP2025-9", "CANARY-1", "otter-12",
    ],
)  # fmt: skip
def test_usual_case_references_pass(reference):
    assert re.fullmatch(CASE_REFERENCE, reference)
    assert typed_text.looks_personal(reference) is None
    assert identifiers(f"See case {reference} for the rest.") == ()
