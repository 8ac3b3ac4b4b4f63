"""Every kind of identifier x every separator x a label before, after, above, in brackets and attached: found at its place."""

from __future__ import annotations

import itertools
import threading

import pytest

from flows import search
from flows.canonical import canonical
from flows.screening import identifiers
from tests.support.counts import COUNTS

SEPARATORS = (
    "", " ", "  ", "\u00a0", "\u200b", "\u2009", "-", "–", "—", "\u2011", "−", ".", ". ", " . ", "/", ",", ", ", "_", ":", "|", "\n", "\r\n",
    "\u2028", " - ", "·", ")(", "*",
)  # fmt: skip
#: Kind -> groups, and a label.
NUMBERS = {
    "phone": (("07700", "900", "123"), "phone"),
    "nhs_number": (("943", "476", "5919"), "NHS"),
    "nino": (("AB", "12", "34", "56", "C"), "NI"),
    "upn": (("H8012", "0000", "1001"), "UPN"),
    "passport": (("533", "401", "872"), "passport"),
}
PLACES = (
    "{label} {number}",
    "{number} ({label})",
    "{label}\n{number}",
    "({label}: {number})",
    "{label}{number}",
    "the {label} is {number}, ok",
)


@pytest.mark.parametrize("kind", NUMBERS)
def test_every_separator_in_every_place(kind):
    groups, label = NUMBERS[kind]
    for separator, place in itertools.product(SEPARATORS, PLACES):
        number = separator.join(groups)
        text = "Note. " + place.format(label=label, number=number) + " End."
        found = [item for item in identifiers(text) if item.kind == kind]
        assert found, (kind, separator, place, text)
        start = text.index(number)
        assert any(item.start < start + len(number) and start < item.end for item in found), (text, found)
        COUNTS["identifiers x separators x places"] += 1


@pytest.mark.parametrize("separator", [s for s in SEPARATORS if s not in ("", ")(", "*", "|", "_", "\u200b")])
def test_a_date_of_birth_with_every_separator(separator):
    for date in (("12", "03", "2014"), ("2014", "03", "12")):
        for place in ("dob {}", "DOB\n{}", "born on {} in Hull", "{} (dob)", "DOB:{}"):
            text = place.format(separator.join(date))
            assert any(item.kind == "date_of_birth" for item in identifiers(text)), text


MISSED = {
    "07700–900–123": "phone", "7700900123": "phone", "447700900123": "phone", "NHS943 476 5919": "nhs_number", "AB 123 456 C": "nino",
    "dob 2014/03/12": "date_of_birth", "2012/09/30": "date_of_birth", "DOB\n12/03/2014": "date_of_birth", "12-14 High Street": "address",
    "Unit 4, 61-63 Albion Parade": "address", "3 Maes-y-Deri": "address", "Number 6 The Paddocks": "address",
    "on discord she is luna.moth": "handle", "０７７００ ９００１２３": "phone", "O77OO 9OO123": "phone",
    "oh seven seven double oh nine hundred one two three": "phone", "order no 07700 900123": "phone", "our ref 943 476 5919": "nhs_number",
    "mr smith": "person", "dr okafor saw him": "person", "mum (Shazia)": "person",
}  # fmt: skip


@pytest.mark.parametrize("text", MISSED)
def test_what_was_missed_is_found(text):
    assert MISSED[text] in {item.kind for item in identifiers(text)}


@pytest.mark.parametrize(
    "text", ["Rich Text", "Art Director", "Joy was seen", "court order", "care order 2024", "at 10.15 on 12/03/2026"]
)
def test_what_only_looks_like_one_passes(text):
    assert identifiers(text) == ()


def test_places_are_those_of_the_original_text():
    for text in ("a\u200bb \u00a0 07700–900–123 x", "José said 0️⃣7️⃣7️⃣00 900123", "\r\n\r\nNHS\u00ad943 476 5919"):
        form = canonical(text)
        assert all(0 <= a < b <= len(text) for a, b in (form.place(at, at + 1) for at in range(len(form.text))))
        for item in identifiers(text):
            assert item.kind == "person" or any(letter.isdigit() for letter in text[item.start : item.end])


@pytest.mark.slow
def test_the_stemmer_gives_the_same_stems_in_four_threads_at_once():
    """One stemmer shared by threads gave 642 wrong stems in 73,480."""
    words = [
        f"{stem}{end}"
        for stem in ("shar", "confident", "identif", "disclos", "report", "record")
        for end in ("ing", "ed", "s", "ial", "ation", "er", "ly")
    ]
    right = [str(search.stemmer().stemWord(word)) for word in words]
    wrong: list[str] = []

    def work():
        for _ in range(400):
            wrong.extend(w for w, stem in zip(words, right, strict=True) if str(search.stemmer().stemWord(w)) != stem)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
