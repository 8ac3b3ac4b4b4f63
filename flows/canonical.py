"""Convert a text to canonical form before any pattern is applied, and map positions back to the original.

Compatibility characters, look-alike letters, dashes, spaces, line breaks, dots, quotes and the digits of every script
become plain ASCII. Invisible characters are removed. Numbers spelled out in words become digits. The time taken is linear
in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import category, combining, decimal, normalize

from flows.breaks import pause

#: Latin letter -> the letters of other scripts that look like it.
_LIKE = {
    "a": "аαɑ", "b": "Ьᖯ", "c": "сϲⅽ", "d": "ԁⅾ", "e": "еҽ", "g": "ɡց", "h": "һհ", "i": "іιӏɩ", "j": "јϳ", "k": "кκ", "l": "ⅼӀ",
    "m": "мⅿ", "n": "ոпη", "o": "оοօσ", "p": "рρ", "q": "ԛգ", "r": "гᴦ", "s": "ѕꜱ", "t": "тτ", "u": "υս", "v": "νѵⅴ", "w": "ԝѡω",
    "x": "хχⅹ", "y": "уγү", "z": "ᴢ", "A": "АΑ", "B": "ВΒ", "C": "СϹⅭ", "D": "Ⅾ", "E": "ЕΕ", "F": "Ϝ", "G": "Ԍ", "H": "НΗ", "I": "ІΙ",
    "J": "Ј", "K": "КΚ", "L": "Ⅼ", "M": "МΜⅯ", "N": "Ν", "O": "ОΟՕ", "P": "РΡ", "Q": "Ԛ", "S": "Ѕ", "T": "ТΤ", "V": "ѴⅤ", "W": "Ԝ",
    "X": "ХΧⅩ", "Y": "УΥҮ", "Z": "Ζ",
}  # fmt: skip
_LOOK_ALIKES = {letter: latin for latin, letters in _LIKE.items() for letter in letters}
_DASHES = "‐‑‒–—―−﹘﹣－⁃➖~〜"
_DOTS = "·•․‧∙⋅。｡۔●▪◦"
_QUOTES = dict.fromkeys("’‘ʼʻ＇`´′‛ʹ", "'") | dict.fromkeys("“”„‟″«»", '"')
_SLASHES = dict.fromkeys("⁄∕／⧸╱", "/")
_BARS = dict.fromkeys("｜¦∣│┃", "|")
_BREAKS = "\r\v\f\x85\u2028\u2029"


@dataclass(frozen=True)
class Canonical:
    """A text in canonical form. `starts` and `ends` give each character's position in the original; None: unchanged."""

    text: str
    original_length: int
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the position in the original text, in characters, of a span of the canonical form."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1] if end > start else self.starts[start]


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """Return the plain form of one character; an empty string if it is invisible."""
    if character in _LOOK_ALIKES:
        return _LOOK_ALIKES[character]
    if character in _DASHES:
        return "-"
    if character in _DOTS:
        return "."
    for table in (_QUOTES, _SLASHES, _BARS):
        if character in table:
            return table[character]
    if character in _BREAKS:
        return "\n"
    kind = category(character)
    if character == "\t" or kind == "Zs":
        return " "
    if kind in ("Cf", "Cc", "Mn", "Me", "Cs", "Co", "Cn") and character != "\n":
        return ""
    if kind == "Pd":
        return "-"
    if kind == "Nd":
        return str(decimal(character))
    plain = normalize("NFKC", character)
    if plain == character:
        return character
    return "".join(_folded(part) for part in plain if not combining(part))


_PLAIN = re.compile(r"[\n\x20-\x7e]*")
_ODD = re.compile(r"[^\n\x20-\x5f\x61-\x7d]")


def canonical(text: str) -> Canonical:
    """Return a text in canonical form, with the positions of its characters in the original."""
    form = Canonical(text, len(text)) if not _ODD.search(text) else _fold(text)
    return _letters_to_digits(_words_to_digits(form))


def _fold(text: str) -> Canonical:
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for place, character in enumerate(text):
        plain = character if "!" <= character <= "_" or "a" <= character <= "}" else _folded(character)
        if character == "\n" and out and out[-1] == "\n" and text[place - 1] == "\r":
            # "\r\n" is one line break written as two characters.
            ends[-1] = place + 1
            continue
        for letter in plain:
            out.append(letter)
            starts.append(place)
            ends.append(place + 1)
    return Canonical("".join(out), len(text), starts, ends)


def _replaced(form: Canonical, changes: Iterable[tuple[int, int, str]]) -> Canonical:
    """Return a form with spans replaced; every new character maps back to the whole span that it replaces."""
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0

    def keep(until: int) -> None:
        out.append(form.text[at:until])
        starts.extend(range(at, until) if form.starts is None else form.starts[at:until])
        ends.extend(range(at + 1, until + 1) if form.ends is None else form.ends[at:until])

    for start, end, new in changes:
        keep(start)
        first, last = form.place(start, end)
        out.append(new)
        starts.extend([first] * len(new))
        ends.extend([last] * len(new))
        at = end
    keep(len(form.text))
    return Canonical("".join(out), form.original_length, starts, ends)


# ---- digits in words ------------------------------------------------------------------------------
_DIGIT_WORDS = {
    "oh": "0", "o": "0", "zero": "0", "nought": "0", "naught": "0", "nil": "0", "one": "1", "two": "2", "three": "3",
    "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_DIGIT_WORDS |= {word: str(10 + count) for count, word in enumerate(_TEENS)}
_DIGIT_WORDS |= {word: str(20 + 10 * count) for count, word in enumerate(_TENS)}
_TIMES = {"double": 2, "dbl": 2, "treble": 3, "triple": 3}
_SPELLED = re.compile(
    rf"(?<![a-z0-9])(?:(?:({'|'.join(_TIMES)})[ \n-]{{1,3}})?({'|'.join(_DIGIT_WORDS)}|\d{{1,2}}(?!\d))(?![a-z])(?:[ \n-]{{1,3}}(hundred)\b)?|(\d{{3,12}})(?![a-z]))",
    re.IGNORECASE,
)
_BETWEEN_SPELLED = re.compile(r"[\s,./-]{1,4}")
#: A sequence counts as a spelled-out number if it has at least this many digits, and this many of its parts are words.
_LEAST_DIGITS, _LEAST_WORDS = 6, 3


def _words_to_digits(form: Canonical) -> Canonical:
    rows: list[tuple[int, int, str, int, str]] = []
    for match in _SPELLED.finditer(form.text):
        pause()
        times, word, hundred, figures = match.groups()
        if figures:
            digits, words = figures, 0
            word = ""
        else:
            digits = _DIGIT_WORDS.get(word.lower(), word) * _TIMES.get((times or "").lower(), 1)
            digits += "00" if hundred else ""
            words = int(not word.isdigit()) + int(bool(times)) + int(bool(hundred))
        if rows and _BETWEEN_SPELLED.fullmatch(form.text, rows[-1][1], match.start()):
            start, _, before, counted, last = rows[-1]
            if last in _TENS and len(digits) == 1 and word.isalpha() and digits != "0":
                # "Sixty one" is 61.
                before = before[:-1]
            rows[-1] = start, match.end(), before + digits, counted + words, word.lower()
        else:
            rows.append((match.start(), match.end(), digits, words, word.lower()))
    found = [
        (start, end, digits)
        for start, end, digits, words, _ in rows
        if words >= _LEAST_WORDS and len(digits) >= _LEAST_DIGITS
    ]
    return _replaced(form, found) if found else form


#: A word made of digits and of letters that look like digits.
_LIKE_DIGITS = re.compile(
    r"(?<![A-Za-z0-9])(?=[OoIl]{0,12}\d)(?!ol\d{1,2} ?\d[a-z]{2})[\dOoIl]{3,16}(?![A-Za-z0-9])|(?<![A-Za-z0-9])[A-Z]\d(?=\d)[\dOoIl]{10,11}(?![A-Za-z0-9])"
)
_TO_DIGIT = str.maketrans("OoIl", "0011")


def _letters_to_digits(form: Canonical) -> Canonical:
    found = [
        (match.start() + 1, match.end(), match.group()[1:].translate(_TO_DIGIT))
        if match.group()[1:2].isdigit() and match.group()[0] not in "OoIl" and match.group()[0].isalpha()
        else (match.start(), match.end(), match.group().translate(_TO_DIGIT))
        for match in _LIKE_DIGITS.finditer(form.text)
        if not match.group().isdigit()
    ]
    return _replaced(form, found) if found else form
