"""Texts with planted identifiers, from a seed: what people might type when they forget the rule."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from stdnum.gb import nhs

FRAMES = (
    "The child's {what} and dad knows.", "Please note {what} for the file.", "I rang, {what}, no answer.", "{what}",
    "reasons: {what} - worried about neglect", "mum says {what} today", "Told the school that {what}.\nThen left.",
    "see {what}; the family agreed", "({what}) was on the letter", "We had {what}, and the GP has it too.",
)  # fmt: skip
GIVEN = (
    "Kayleigh",
    "Mohammed",
    "Aoife",
    "Priya",
    "Tyrone",
    "Oliwia",
    "Sarah",
    "Yusuf",
    "Chantelle",
    "Rhys",
    "Ngozi",
    "Callum",
)
FAMILY = ("Okafor", "Kowalska", "Hussain", "Patel", "O'Connor", "Davies", "Nguyen", "Begum", "Popescu", "Macdonald")
STREETS = ("Oak", "Station", "Church", "Victoria", "Mill", "Albert")
KINDS = ("Road", "Street", "Avenue", "Lane", "Close")


def texts(seed: int, count: int) -> Iterator[tuple[str, str, str]]:
    """Yield the kind, the planted identifier and the text."""
    pick = random.Random(seed)
    makers = list(MAKERS.items())
    for number in range(count):
        kind, make = makers[number % len(makers)]
        lead, planted = make(pick)
        yield kind, planted, pick.choice(FRAMES).format(what=lead + planted)


def digits(pick: random.Random, count: int) -> str:
    """Return random digits."""
    return "".join(pick.choice("0123456789") for _ in range(count))


def _nhs(pick: random.Random) -> tuple[str, str]:
    while True:
        number = pick.choice("4679") + digits(pick, 9)
        if nhs.is_valid(number):
            return "NHS ", pick.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))


def _nino(pick: random.Random) -> tuple[str, str]:
    return "NI ", f"{pick.choice('ABCEHJ')}{pick.choice('ABCEHJ')}{digits(pick, 6)}{pick.choice('ABCD')}".replace(
        "BG", "AB"
    )


def _upn(pick: random.Random) -> tuple[str, str]:
    return "UPN ", f"{pick.choice('ABCDEFGH')}{digits(pick, 12)}"


def _phone(pick: random.Random) -> tuple[str, str]:
    return "phone ", pick.choice(
        (f"07700 9{digits(pick, 5)}", f"+44 7700 9{digits(pick, 5)}", f"0113 496 0{digits(pick, 3)}")
    )


def _email(pick: random.Random) -> tuple[str, str]:
    return "", f"{pick.choice(GIVEN).lower()}.{digits(pick, 3)}@example.org"


def _postcode(pick: random.Random) -> tuple[str, str]:
    return (
        "home in ",
        f"{pick.choice(('LS', 'M', 'BS', 'NE', 'SW'))}{pick.randint(1, 9)} {pick.randint(1, 9)}{pick.choice('ABDE')}{pick.choice('ABDE')}",
    )


def _address(pick: random.Random) -> tuple[str, str]:
    return "lives at ", f"{pick.randint(1, 400)} {pick.choice(STREETS)} {pick.choice(KINDS)}"


def _birth(pick: random.Random) -> tuple[str, str]:
    day, month, year = pick.randint(1, 28), pick.randint(1, 12), pick.randint(2005, 2020)
    return pick.choice(("born ", "dob ", "date of birth ")), f"{day:02}/{month:02}/{year}"


def _url(pick: random.Random) -> tuple[str, str]:
    return "", f"https://social.example.com/u/{digits(pick, 6)}"


def _handle(pick: random.Random) -> tuple[str, str]:
    return "", f"@kid_{digits(pick, 5)}"


def _passport(pick: random.Random) -> tuple[str, str]:
    return "passport ", pick.choice(
        (digits(pick, 9), f"AB{digits(pick, 7)}", f"{digits(pick, 3)} {digits(pick, 3)} {digits(pick, 3)}")
    )


def _ip_address(pick: random.Random) -> tuple[str, str]:
    return "from ", pick.choice((f"203.0.113.{pick.randint(1, 250)}", f"2001:db8:{digits(pick, 4)}::{digits(pick, 2)}"))


def _person(pick: random.Random) -> tuple[str, str]:
    lead = pick.choice(("her name is ", "Mr ", "called ", "mum ", ""))
    return lead, f"{pick.choice(GIVEN)} {pick.choice(FAMILY)}"


MAKERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "nhs_number": _nhs, "nino": _nino, "upn": _upn, "phone": _phone, "email": _email, "postcode": _postcode,
    "address": _address, "date_of_birth": _birth, "url": _url, "handle": _handle, "passport": _passport,
    "ip_address": _ip_address, "person": _person,
}  # fmt: skip
