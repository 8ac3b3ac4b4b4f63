"""Free text -> identifiers found (kind and place). `Screened` is the only free text that a walk or the storage takes.

Two levels. What has a shape (numbers, addresses, links) is refused. What seems to be a person's name is refused too, but
the person may say that it is none (a school, a road). Nothing here keeps or logs a text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from stdnum.gb import nhs

from flows import names

LONGEST = 1500
PERSON = "person"
#: What a configured case reference may look like. The rest is refused even in the form of a case reference.
REFERENCE_LIKE = ("handle", "nino", "phone", "postcode", PERSON)
#: Every kind, in the order in which overlapping findings win.
KINDS = (
    "email", "url", "handle", "nhs_number", "upn", "nino", "date_of_birth", "phone", "postcode", "address", PERSON,
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One identifier: its kind and where it stands, in characters. Never the identifier itself."""

    kind: str
    start: int
    end: int


class NotScreened(Exception):
    """The text did not become a Screened: nothing of it may be kept."""


class IdentifierFound(NotScreened):
    """The text seems to identify a person. `kinds` says what was seen."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


class TextTooLong(NotScreened):
    """The text is longer than a reason needs to be."""


class ScreeningFailed(NotScreened):
    """Screening itself could not run. Ours to mend; the text is not kept."""


_MADE_HERE = object()


@dataclass(frozen=True)
class Screened:
    """Text that went through screening. Only this module can make one.

    `said_not_a_person` counts what looked like a name and was said to be none.
    """

    text: str
    said_not_a_person: int = 0
    made_by: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.made_by is not _MADE_HERE:
            raise TypeError("Only screening makes a Screened.")


# ---- what has a shape ----------------------------------------------------------------------------
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*"
_DATE = (
    rf"(?:\d{{1,2}}\s*[./\- ]\s*\d{{1,2}}\s*[./\- ]\s*\d{{2,4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{6}}(?:\d\d)?|"
    rf"\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s\-]*{_MONTH}(?:[\s,\-]*\d{{2,4}})?|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:[\s,]*\d{{2,4}})?)"
)
_BORN = r"(?:born|d\.?\s?o\.?\s?b\b\.?|date\s+of\s+birth|birth\s?date|birthday|b-?day|birth\s+date|d\.o\.b\.?|b\.?(?=\s?\d))"
_AREAS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU "
    "HA HD HG HP HR HS HU HX IG IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH "
    "PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_STREET = (
    "street|st|road|rd|avenue|ave|lane|ln|close|cl|drive|dr|court|ct|gardens|gdns|crescent|cres|terrace|terr|way|place|pl|grove|"
    "walk|hill|square|sq|row|mews|park|green|parade|rise|view|house|villas|buildings|heights|estate|mount|vale|croft|meadow|"
    "meadows|broadway|circus|quay|wharf|lodge|tower|towers|mansions|cottage|cottages|fold|bank|gate|hey|dene|drove|ridge|approach"
)
#: Street words that in small letters are seldom anything else.
_STREET_SMALL = (
    "street|st|road|rd|avenue|ave|lane|ln|close|drive|court|gardens|gdns|crescent|cres|terrace|grove|mews|way|square"
)
_SMALL_WORD = (
    r"(?!(?:of|the|in|on|to|and|or|at|for|by|from|with|my|his|her|their|our|a|an|is|are|was|were|no|more|other|years?|months?|"
    r"weeks?|days?|hours?|minutes?|mins?|miles?|metres?|children|kids|pupils|boys|girls|people|families|times|old|per|different|"
    r"late|early|full|parking|crossing)\b)"
)
_DOMAIN = r"(?:com|co\.uk|org\.uk|ac\.uk|gov\.uk|nhs\.uk|sch\.uk|org|net|uk|io|me|info|eu|tv|app|gg|ly|edu|biz|live)"
_OFFICIAL = re.compile(r"(?:www\.)?(?:[\w-]+\.)*(?:gov\.uk|nhs\.uk|parliament\.uk|legislation\.gov\.uk)", re.IGNORECASE)
_APPS = (
    r"(?:snap(?:chat)?|insta(?:gram)?|ig|tik\s?tok|twitter|discord|telegram|roblox|xbox|psn|steam|kik|whatsapp|facebook|fb|youtube|"
    r"bereal|twitch|minecraft|gamer\s?tag|user\s?name|handle|screen\s?name)"
)
_AFTER_APP = r"(?:\s+(?:user\s?name|handle|name|account|tag|id|profile|user))?(?:\s+(?:is|was|as|called|under)|\s*[:=])?\s+[\"“'@]?"

_I = re.IGNORECASE
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "email",
        re.compile(
            r"[\w.+'-]+(?:@|\s@\s|\s?\(at\)\s?|\s?\[at\]\s?|\s?\{at\}\s?)[\w-]+(?:\s?(?:\.|\(dot\)|\[dot\]|\sdot\s)\s?[\w-]+)+|"
            r"\b[\w+-]+(?:(?:\.|\s(?:dot|underscore)\s)[\w+-]+)*\s+at\s+[\w-]+(?:(?:\s+dot\s+)[\w-]+)+\b|"
            rf"\b[\w.+-]+\s+at\s+[\w-]+\.{_DOMAIN}\b",
            _I,
        ),
    ),
    ("url", re.compile(rf"\b(?:https?://|www\.)[^\s<>\"]+|\b(?:[\w-]+\.)+{_DOMAIN}(?:/[^\s<>\"]*)?(?![\w@])", _I)),
    ("handle", re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,}")),
    ("handle", re.compile(rf"\b{_APPS}{_AFTER_APP}([A-Za-z][\w.-]*[\d_.#][\w.-]*\w|[A-Za-z][\w.]*\d+)", _I)),
    (
        "handle",
        re.compile(
            r"\b(?:user\s?name|handle|gamer\s?tag|screen\s?name)(?:\s+(?:is|was)|\s*[:=])\s*[\"“'@]?(?!not\b|the\b|a\b)([A-Za-z][\w.-]{3,})",
            _I,
        ),
    ),
    ("upn", re.compile(r"(?<![\w/-])[A-HJ-NP-RT-Z] ?(?:\d ?){11}(?:\d|[A-Z])(?![\w-])", _I)),
    (
        "nino",
        re.compile(r"(?<![\w-])(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ .-]?\d{2}[ .-]?\d{2}[ .-]?\d{2}[ .-]?[A-D](?![\w-])", _I),
    ),
    (
        "nino",
        re.compile(
            r"\b(?:nino|ni|national\s+insurance)(?:\s+(?:number|no\.?|num))?\W{0,4}(?:is\s+|was\s+)?([A-Z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2})(?!\d)", _I
        ),
    ),
    ("date_of_birth", re.compile(rf"\b{_BORN}(?:[^\d\n]{{0,24}}?)({_DATE})", _I)),
    ("date_of_birth", re.compile(rf"({_DATE})\s*[,(\[–-]?\s*(?:is\s+(?:his|her|their|the|my)\s+)?(?:\(?\s*(?:as\s+)?)(?:d\.?o\.?b\b|date\s+of\s+birth|birthday)", _I)),
    (
        "postcode",
        re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(_AREAS.split(), key=len, reverse=True))})\d[A-Z\d]?\s{{0,2}}\d(?!(?:st|nd|rd|th)\b)[ABD-HJLNP-UW-Z]{{2}}(?![\w-])"),
    ),
    (
        "postcode",
        re.compile(
            rf"(?<![\w-])(?:{'|'.join(sorted(_AREAS.split(), key=len, reverse=True))})\d[A-Z\d]?[\s-]{{0,2}}\d(?!(?:st|nd|rd|th|pm|am)\b)[ABD-HJLNP-UW-Z]{{2}}(?![\w-])",
            _I,
        ),
    ),
    (
        "address",
        re.compile(
            rf"\b(?:[Ff]lat|[Aa]partment|[Aa]pt|[Uu]nit)\.?\s+\w{{1,4}},?\s+(?:\d{{1,4}}[A-Za-z]?,?\s+)?(?:[A-Za-z'’.-]+\s+){{1,3}}(?i:{_STREET})\b|"
            rf"\b(?:[Ff]lat|[Aa]partment|[Aa]pt|[Uu]nit)\.?\s+\w{{1,4}},?\s+\d{{1,4}}[A-Za-z]?,?\s+[A-Z][\w'’.-]+|"
            rf"(?<![\w/.-])\d{{1,4}}[A-Za-z]?,?\s+(?:Heol|Ffordd|Stryd|Maes|Rhodfa|Clos|Bryn|Lôn|Tir|Cae|Parc|Cwrt)(?:\s+[A-Z][\w'’-]+){{1,2}}|"
            rf"(?<![\w/.-])\d{{1,4}}\s?[A-Za-z]?,?\s+(?:[A-Z][\w'’.-]*\s+){{1,3}}(?i:{_STREET})\b(?!\s+(?:[Ss]chool|[Pp]rimary))"
        ),
    ),
    ("address", re.compile(rf"(?<![\w/.-])(?:no\.?\s*)?\d{{1,4}}\s?[a-z]?,?\s+(?:{_SMALL_WORD}[a-z'’-]{{2,}}\s+){{1,2}}(?:{_STREET_SMALL})\b", _I)),
    (
        "address",
        re.compile(
            r"\b(?:lives?|living|lived|stay(?:s|ing)|resid(?:es|ing)|address(?:\s+is|:)?|moved|moving)\s+(?:at|on|in|to)?\s*((?:\d{1,4}[a-z]?\s+)?(?:[A-Z][\w'’.-]*\s+){1,3}"
            r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Close|Drive|Court|Crescent|Terrace|Gardens|Grove|Mews|Way|Place|House|Cottage))\b"
        ),
    ),
)  # fmt: skip
#: A full date right behind a name is a birth date until somebody says otherwise.
_AFTER_NAME = re.compile(r"\s*[,(;-]\s*(\d{1,2}[./-]\d{1,2}[./-](?:19|20)\d\d)\b")
_TEN_DIGITS = re.compile(r"(?<![\w-])(?:\d[ .-]?){9}\d(?![\w-])")
_NHS_CUE = re.compile(r"\bnhs\s*(?:number|no\.?|num|id|#)?\W*(?:is\W*)?$", re.IGNORECASE)
_ORDER_CUE = re.compile(
    r"\b(?:order|invoice|ticket|account|po|serial|receipt|policy|licence|barcode|isbn)\b\W*(?:no|number|num)?\W*$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?<![\w/.-])(?:(?:\+\s?44|0044)[\s().-]*(?:\(?0\)?[\s().-]*)?|\(?0)(?:[\s().-]{0,2}\d){9,10}(?![\w-])"
)
_PHONE_CUE = re.compile(
    r"\b(?:tel(?:ephone)?|phone|mobile|mob|cell|landline|ring|call|text|whatsapp|contact|number)\b[^\d\n]{0,20}?(\+?\d[\d ().-]{6,16}\d)(?![\w-])",
    re.IGNORECASE,
)
#: Lines for the public: they identify nobody.
_PUBLIC_LINES = {
    "08001111", "08088005000", "0800555111", "08088020000", "08000502020", "08001111000", "03000030000", "08082000247", "0300123", "116123", "116000", "03001231066", "03001234000", "08000147087",
}  # fmt: skip
_FOREIGN_PHONE = re.compile(r"(?<![\w/.-])\+(?!\s?44)\d{1,3}(?:[\s().-]{0,2}\d){7,12}(?![\w-])")


def identifiers(text: str, *, own_reference: re.Pattern[str] | None = None) -> tuple[Found, ...]:
    """Return what in this text seems to identify a person, in order of place, without overlap.

    `own_reference` is the form of case references that the organisation configured: what stands in it is none of these.
    """
    found = sorted(_all(text), key=lambda item: (KINDS.index(item.kind), item.start, -item.end))
    own = [match.span() for match in own_reference.finditer(text)] if own_reference else []
    kept: list[Found] = []
    for item in found:
        if item.kind in REFERENCE_LIKE and any(start <= item.start and item.end <= end for start, end in own):
            continue
        if any(item.start < other.end and other.start < item.end for other in kept):
            continue
        kept.append(item)
    return tuple(sorted(kept, key=lambda item: item.start))


def _all(text: str) -> Iterator[Found]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            if kind == "url" and _OFFICIAL.fullmatch(match.group().rstrip(".,;)")):
                continue
            if (
                kind == "url"
                and not match.group().lower().startswith(("http", "www"))
                and text[max(0, start - 1) : start] == "@"
            ):
                continue
            if kind == "postcode" and not any(letter.isalpha() for letter in text[start:end][1:]):
                continue
            yield Found(kind, start, end)
    for match in _TEN_DIGITS.finditer(text):
        before = text[: match.start()]
        digits = re.sub(r"\D", "", match.group())
        if _NHS_CUE.search(before) or (nhs.is_valid(digits) and not _ORDER_CUE.search(before) and digits[0] != "0"):
            yield Found("nhs_number", match.start(), match.end())
    for pattern in (_PHONE, _PHONE_CUE, _FOREIGN_PHONE):
        for match in pattern.finditer(text):
            start, end = match.span(match.lastindex or 0)
            digits = re.sub(r"\D", "", text[start:end])
            if digits in _PUBLIC_LINES or _ORDER_CUE.search(text[:start]) or (len(digits) < 9 and digits[0] != "0"):
                continue
            yield Found("phone", start, end)
    for start, end in names.spans(text):
        yield Found(PERSON, start, end)
        born = _AFTER_NAME.match(text, end)
        if born:
            yield Found("date_of_birth", *born.span(1))


def screened(text: str, *, own_reference: re.Pattern[str] | None = None, names_pass: bool = False) -> Screened:
    """Return the text as screened; raise IdentifierFound, TextTooLong or ScreeningFailed, and keep nothing.

    `names_pass`: the person has said that what looks like a name is none. Nothing else can be waved through.
    """
    plain = text.strip()
    try:
        found = identifiers(plain, own_reference=own_reference)
    except Exception as error:  # whatever went wrong, the text must not be kept
        raise ScreeningFailed(type(error).__name__) from None
    kinds = tuple(dict.fromkeys(item.kind for item in found))
    people = sum(item.kind == PERSON for item in found)
    if kinds and not (names_pass and kinds == (PERSON,)):
        raise IdentifierFound(kinds)
    if len(plain) > LONGEST:
        raise TextTooLong(f"The text has {len(plain)} characters, {LONGEST} is the most.")
    return Screened(plain, people, _MADE_HERE)


def case_reference(
    text: str, pattern: re.Pattern[str], *, own_reference: re.Pattern[str] | None = None
) -> Screened | None:
    """Return a case reference as screened, or None when it does not have the organisation's form; raise NotScreened."""
    plain = text.strip()
    return screened(plain, own_reference=own_reference) if pattern.fullmatch(plain) else None
