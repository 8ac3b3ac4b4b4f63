"""Long lists of words, searched where they lie: a packaged file of sorted lines is read and never parsed.

A process that has just started must take its first typed words at once, and parsing 160,000 words takes 0.2 seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


class Lexicon:
    """Words, each with what its line says of it. Lines that begin with # are remarks; the others are sorted by bytes."""

    def __init__(self, raw: bytes) -> None:
        """Take the bytes of a file, UTF-8, one word a line, a space before what is said of it."""
        self._raw = raw

    def get(self, word: str) -> str | None:
        """Return what is said of a word, often nothing; None if it is not in the list."""
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
        """Say whether a word is in the list."""
        return self.get(word) is not None

    def __iter__(self) -> Iterator[str]:
        """Give the words in order."""
        lines = self._raw.decode().splitlines()
        return (line.partition(" ")[0] for line in lines if not line.startswith("#"))


@cache
def lexicon(name: str) -> Lexicon:
    """Return a list that comes with the package."""
    return Lexicon(files("flows").joinpath("words", name).read_bytes())
