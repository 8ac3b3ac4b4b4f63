"""Free text -> identifiers found (kind and place). `Screened` text is the only free text that use cases accept.

Blocks what has a shape: NHS and National Insurance numbers, phones, e-mail, postcodes, birth dates, addresses, links,
handles, and names after a title or a cue word. A name without a title or cue is not found: people are told so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from stdnum.gb import nhs

LONGEST = 1500


@dataclass(frozen=True)
class Found:
    """One identifier: its kind and where it stands. Never the identifier itself."""

    kind: str
    start: int
    end: int


class IdentifierFound(Exception):
    """The text seems to identify a person; nothing of it may be kept. `kinds` says what was seen."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


class TextTooLong(Exception):
    """The text is longer than a reason needs to be."""


@dataclass(frozen=True)
class Screened:
    """Text that went through screening. Made by `screened` only."""

    text: str


_PATTERNS = {
    "an e-mail address": r"[\w.+-]+\s?(?:@|\(at\)|\[at\])\s?[\w-]+(?:\.[\w-]+)+",
    "a link": r"(?:https?://|www\.)\S+",
    "an account name": r"(?<![\w.])@[A-Za-z]\w{3,}",
    "a National Insurance number": r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b",
    "a postcode": r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2}\b",
    "a phone number": r"(?<![\w-])(?:\+44 ?\(?0?\)?|0)(?:[ -]?\d){9,10}(?![\w-])",
    "a date of birth": (
        r"\b(?:born|d\.?o\.?b\.?|date of birth|birthday)\W{0,12}(?:on |is |was )?"
        r"(?:\d{1,2}[./ -](?:\d{1,2}|[A-Za-z]{3,9})[./ -]\d{2,4}|\d{4}-\d{2}-\d{2})"
    ),
    "an address": (
        r"\b\d{1,4}[A-Za-z]? (?:[A-Z][a-z]+ ){1,3}"
        r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Close|Drive|Court|Gardens|Crescent|Terrace|Way|Place)\b"
    ),
    "a person's name": (
        r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof)\.? [A-Z][a-z'’-]+|"
        r"\b(?:[Nn]amed|[Cc]alled|[Nn]ame is|[Nn]ame was|[Nn]ame:) [A-Z][a-z'’-]+"
    ),
}
_COMPILED = {
    kind: re.compile(pattern, re.IGNORECASE if kind in ("a postcode", "a date of birth", "a link") else 0)
    for kind, pattern in _PATTERNS.items()
}
_TEN_DIGITS = re.compile(r"(?<![\w-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w-])")


def identifiers(text: str) -> tuple[Found, ...]:
    """Return what in this text seems to identify a person, in order of place."""
    found = [
        Found(kind, match.start(), match.end())
        for kind, pattern in _COMPILED.items()
        for match in pattern.finditer(text)
    ]
    found += [
        Found("an NHS number", match.start(), match.end())
        for match in _TEN_DIGITS.finditer(text)
        if nhs.is_valid(match.group())
    ]
    return tuple(sorted(found, key=lambda item: item.start))


def screened(text: str) -> Screened:
    """Return the text as screened; raise IdentifierFound or TextTooLong and keep nothing."""
    plain = text.strip()
    if len(plain) > LONGEST:
        raise TextTooLong(f"The text has {len(plain)} characters, {LONGEST} is the most.")
    kinds = tuple(dict.fromkeys(item.kind for item in identifiers(plain)))
    if kinds:
        raise IdentifierFound(kinds)
    return Screened(plain)


def case_reference(text: str, pattern: re.Pattern[str]) -> Screened | None:
    """Return a case reference as screened, or None when it does not have the organisation's form."""
    plain = text.strip()
    return screened(plain) if pattern.fullmatch(plain) else None
