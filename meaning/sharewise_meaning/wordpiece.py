"""Splits a text into the numbered pieces of the BERT uncased vocabulary."""

import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
MOST_PIECES = 128
LONGEST_WORD = 100
LONGEST_TEXT = MOST_PIECES * LONGEST_WORD

_ASCII_PUNCTUATION = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_IDEOGRAPHS = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)


@lru_cache(maxsize=4096)
def _spaced(character: str) -> str:
    """Give what stands for one decomposed character: nothing, a space, itself, or itself between spaces."""
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if character == "\ufffd" or category in ("Mn", "Cc", "Cf", "Co", "Cs"):
        return ""
    if character in _ASCII_PUNCTUATION or category.startswith("P"):
        return f" {character} "
    if any(first <= ord(character) <= last for first, last in _IDEOGRAPHS):
        return f" {character} "
    return character


def basic_words(text: str) -> list[str]:
    """Split a text into lower-case words without accents, each punctuation mark a word of its own.

    Control characters and accents are dropped, and only the first LONGEST_TEXT characters are read, so that the
    cost has a bound whatever the text is.
    """
    decomposed = unicodedata.normalize("NFD", text[:LONGEST_TEXT])
    return "".join(map(_spaced, decomposed)).lower().split()


class WordPiece:
    """Turns texts into piece numbers by greedy longest match against a vocabulary."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """Take the pieces in the order of their numbers; raise KeyError where a special piece is missing."""
        self._numbers = {piece: number for number, piece in enumerate(vocabulary)}
        self._longest = max(map(len, vocabulary))
        self._unknown, self._start, self._end = (self._numbers[piece] for piece in (UNKNOWN, START, END))

    def numbers(self, text: str) -> list[int]:
        """Give the piece numbers of a text, from the start piece to the end piece, at most MOST_PIECES of them.

        What is written in square brackets, such as "[SEP]", is ordinary text here: nobody can type a special piece.
        """
        pieces = [self._start]
        for word in basic_words(text):
            pieces.extend(self._word(word))
            if len(pieces) >= MOST_PIECES:
                break
        return [*pieces[: MOST_PIECES - 1], self._end]

    def _word(self, word: str) -> list[int]:
        """Give the pieces of one word, or the unknown piece for a word that cannot be made of pieces or is too long."""
        if len(word) > LONGEST_WORD:
            return [self._unknown]
        found: list[int] = []
        start = 0
        while start < len(word):
            match = next(self._matches(word, start), None)
            if match is None:
                return [self._unknown]
            start, number = match
            found.append(number)
        return found

    def _matches(self, word: str, start: int) -> Iterator[tuple[int, int]]:
        """Give each piece that continues a word from a place, as its end and number, longest first."""
        mark = "##" if start else ""
        for end in range(min(len(word), start + self._longest), start, -1):
            number = self._numbers.get(mark + word[start:end])
            if number is not None:
                yield end, number
