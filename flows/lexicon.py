"""Long word lists, searched in place: a packaged file of sorted lines is read but never parsed.

A process that has just started must examine its first typed words at once, and parsing 160,000 words takes 0.2 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


class Lexicon:
    """Words, each with the rest of its line. Lines that begin with # are comments; all others are sorted by bytes."""

    def __init__(self, raw: bytes) -> None:
        """Take the bytes of a UTF-8 file with one word per line, a space, and what the list says about it."""
        self._raw = raw

    def get(self, word: str) -> str | None:
        """Return what the list says about a word, often an empty text; None if the word is not listed."""
        raw, sought = self._raw, word.encode(errors="surrogatepass")
        low, high = 0, len(raw)
        while low < high:
            middle = (low + high) // 2
            start = max(low, raw.rfind(b"\n", low, middle) + 1)
            end = raw.find(b"\n", middle)
            end = len(raw) if end < 0 else end
            found, _, said = raw[start:end].partition(b" ")
            if found == sought and sought != b"#":
                return said.decode()
            if found < sought:
                low = end + 1
            else:
                high = start
        return None

    def __contains__(self, word: str) -> bool:
        """Return whether a word is in the list."""
        return self.get(word) is not None

    def __iter__(self) -> Iterator[str]:
        """Yield the words in order."""
        lines = self._raw.decode().splitlines()
        return (line.partition(" ")[0] for line in lines if not line.startswith("#"))


@cache
def lexicon(name: str) -> Lexicon:
    """Return a list from the package."""
    return Lexicon(files("flows").joinpath("words", name).read_bytes())
