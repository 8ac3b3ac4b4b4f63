"""Names of people in free text: after titles and cue words, from lists of given names, by their capital in a sentence.

It cannot find every name: a surname alone, a rare name in small letters and a name that is also a word may slip through.
"""

from __future__ import annotations

import gzip
import json
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from unicodedata import combining, normalize

from flows.yaml_files import packaged


def _around() -> dict[str, frozenset[str]]:
    raw = packaged("words", "around_names.yaml")
    return {key: frozenset(words.split()) for key, words in raw.items()}


_AROUND = _around()
TITLES, RANKS, RELATIONS = _AROUND["titles"], _AROUND["ranks"], _AROUND["relations"]
BODY, _SMALL_BODY = _AROUND["bodies"], _AROUND["small_bodies"]
PLACE_BEFORE, NOT_AFTER = _AROUND["place_before"], _AROUND["no_name_begins"]
_WEAK, TELLS = _AROUND["weak"], _AROUND["tells"]
DOES = _AROUND["does"] | TELLS
DATE_OR_VERB, SMALL_AFTER_FAMILY = _AROUND["date_or_verb"], _AROUND["small_after_family"]

WORD = re.compile(r"[^\W\d_][^\W_]*(?:[’'-][^\W\d_]+)*")
CUES = re.compile(
    r"\b(?:named|called|name\s*(?:is|was|:|=)|name['’]?s|known\s+as|goes\s+by|aka|a\.k\.a\.?|names\s+are|surname\s*(?:is|:)?|"
    r"first\s+name\s*(?:is|:)?|nickname\s*(?:is|:)?|nicknamed)\s+[\"“‘']?",
    re.IGNORECASE,
)
#: Bodies and sayings whose words look like names.
SAYINGS = re.compile(
    r"\b(?:marks and spencer|john lewis|jack wills|ted baker|great ormond|union jack|jack[ -]of[ -]all[ -]trades|peter pan|"
    r"peppa pig|harry potter|father christmas|santa claus|simon says|mickey mouse|king james|queen victoria|prince charles|"
    r"victoria climbi[eé]|no names, no pack|uncle bulgaria|big ben|ronald mcdonald|macmillan|marie curie|sue ryder|"
    r"martin luther king|florence nightingale|st john ambulance|dr martens|ben 10|bob the builder|thomas the tank|bill of rights|"
    r"jamie oliver|joe wicks|alice in wonderland|tom and jerry|tom, dick and harry|joe bloggs|(?:john|jane) doe|robin hood|"
    r"sam beckett|guy fawkes|edward timpson|duke of edinburgh|prince of wales|prince's trust|king's college|peter connelly)\b",
    re.IGNORECASE,
)
#: Endings of ordinary words that no list of words holds.
_ENDINGS = (
    "ician", "iatrician", "ologist", "tion", "ment", "ness", "ity", "ism", "ist", "ing", "ship", "able", "phone", "line", "book",
    "board", "ware", "isation", "ised", "ising", "our", "aed", "work", "time", "man", "men", "ish", "ful", "less",
)  # fmt: skip


@dataclass(frozen=True)
class _Token:
    text: str
    start: int
    end: int
    first: bool

    @property
    def plain(self) -> str:
        """The word in small letters, without accents and without a possessive ending."""
        return fold(re.sub(r"[’']s$", "", self.text))

    @property
    def is_capital(self) -> bool:
        return self.text[0].isupper()


def fold(word: str) -> str:
    """Return a word in small letters, without accents."""
    parts = normalize("NFKD", word.replace("’", "'").replace("ł", "l").replace("Ł", "l").lower())
    return "".join(letter for letter in parts if not combining(letter))


@cache
def _listed(name: str) -> frozenset[str]:
    lines = files("flows").joinpath("words", name).read_text(encoding="utf-8").splitlines()
    return frozenset(fold(word) for line in lines if not line.startswith("#") for word in line.split())


@cache
def _counted() -> tuple[array[int], array[int]]:
    """English words by their hash, sorted, and their counts: a tenth of the memory of a dictionary."""
    packed = files("spellchecker").joinpath("resources", "en.json.gz").read_bytes()
    counts = {hash(word): count for word, count in json.loads(gzip.decompress(packed)).items()}
    # No list of pairs: Python keeps freed pairs for later, and a few of them hold on to all of the memory around them.
    words = array("q", sorted(counts))
    return words, array("Q", map(counts.__getitem__, words))


def frequency(word: str) -> int:
    """Return how often a word stands in a large collection of English texts; 0 for one that is no English word."""
    words, counts = _counted()
    sought = hash(word)
    at = bisect_left(words, sought)
    return counts[at] if at < len(words) and words[at] == sought else 0


def _is_word(plain: str) -> bool:
    bases = (plain, plain.removesuffix("s"), plain.removesuffix("'s"), plain.replace("'", ""))
    return any(map(frequency, bases)) or all(map(frequency, plain.split("-")))


def _is_given(plain: str) -> bool:
    parts = plain.split("-")
    return plain in _listed("given_names.txt") or (len(parts) > 1 and parts[0] in _listed("given_names.txt"))


def _may_be_given(plain: str) -> bool:
    return _is_given(plain) or plain in _listed("names_that_are_words.txt")


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Give the places of what seems to be a person's name, in order, without overlap."""
    said = [match.span() for match in SAYINGS.finditer(text)]
    tokens = [token for token in _tokens(text) if not any(a <= token.start < b for a, b in said)]
    shouted = _shouts(tokens)
    index = 0
    while index < len(tokens):
        length = _name_at(text, tokens, index, shouted)
        if length:
            yield tokens[index].start, tokens[index + length - 1].end
        index += max(length, 1)


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    end = 0
    for match in WORD.finditer(text):
        between = text[end : match.start()]
        first = not found or bool(re.search(r"[.!?:;\n•“\"(–]|\s-\s", between))
        found.append(_Token(match.group(), match.start(), match.end(), first))
        end = match.end()
    return found


def _shouts(tokens: list[_Token]) -> bool:
    long = [token for token in tokens if len(token.text) > 3]
    return len(long) >= 2 and sum(token.text.isupper() for token in long) > len(long) / 2


def _name_at(text: str, tokens: list[_Token], index: int, shouted: bool) -> int:
    """Return how many words from here on are one name; 0 for none."""
    token = tokens[index]
    before = tokens[index - 1] if index and not token.first else None
    gap = text[before.end : token.start] if before else ""
    titled = before is not None and before.plain in TITLES and re.fullmatch(r"\.?\s+", gap)
    if index and before is None and tokens[index - 1].plain in TITLES:
        # "Mr. Khan": the full stop belongs to the title.
        titled = re.fullmatch(r"\.\s*", text[tokens[index - 1].end : token.start])
    if _in_body(text, tokens, index):
        return 0
    if (
        titled
        and (token.is_capital or _is_given(token.plain))
        and token.plain not in NOT_AFTER
        and not _duty_word(token)
    ):
        return _length(text, tokens, index, shouted)
    cue = CUES.search(text[max(0, token.start - 24) : token.start])
    if cue and cue.end() == min(24, token.start) and _after_cue(token, shouted):
        return _length(text, tokens, index, shouted)
    plain = token.plain
    if plain in NOT_AFTER or (len(plain) < 3 and not (before and before.plain in RELATIONS and _is_given(plain))):
        return 0
    if before and gap.strip(" ") == "" and before.plain in RELATIONS | RANKS and _beside_people(token, shouted):
        return _length(text, tokens, index, shouted)
    if plain in _listed("not_names.txt") and plain not in _listed("names_that_are_words.txt"):
        return 0
    if _is_given(plain):
        return _length(text, tokens, index, shouted) if _given_counts(text, tokens, index) else 0
    if shouted or not token.is_capital or token.text.isupper():
        return 0
    if plain in _listed("names_that_are_words.txt"):
        return _length(text, tokens, index, shouted) if _word_name_counts(text, tokens, index, before) else 0
    return _unknown(text, tokens, index, before)


def _next(text: str, tokens: list[_Token], index: int) -> _Token | None:
    """The word right behind, with nothing but space between."""
    if index + 1 == len(tokens) or text[tokens[index].end : tokens[index + 1].start].strip():
        return None
    return tokens[index + 1]


def _duty_word(token: _Token) -> bool:
    return token.plain in {"on", "who", "at", "from", "in", "said", "and", "or", "appointment", "appointments"}


def _after_cue(token: _Token, shouted: bool) -> bool:
    plain = token.plain
    if _may_be_given(plain):
        return True
    known = plain in _listed("not_names.txt") or plain in BODY or plain in NOT_AFTER
    return token.is_capital and not shouted and not known and not token.text.isupper()


def _beside_people(token: _Token, shouted: bool) -> bool:
    plain = token.plain
    if _is_given(plain) or plain in SMALL_AFTER_FAMILY:
        return True
    if shouted or not token.is_capital or token.text.isupper() or plain in BODY:
        return False
    if plain in _listed("names_that_are_words.txt"):
        return plain not in DATE_OR_VERB
    return plain not in _listed("not_names.txt") and frequency(plain) < 500


def _given_counts(text: str, tokens: list[_Token], index: int) -> bool:
    token = tokens[index]
    return token.is_capital or len(token.plain) > 2


def _word_name_counts(text: str, tokens: list[_Token], index: int, before: _Token | None) -> bool:
    """Say whether a capitalised word that is also a given name stands where a name stands."""
    token, after = tokens[index], _next(text, tokens, index)
    plain, follows = token.plain, after.plain if after else ""
    if plain in DATE_OR_VERB:
        return follows in TELLS
    if token.text.endswith(("'s", "’s")):
        return before is None or before.plain not in PLACE_BEFORE
    if after is not None and after.is_capital and after.plain not in BODY and not _is_word(after.plain):
        return True
    if before is None:
        return follows in DOES
    if before.plain in PLACE_BEFORE - {"from", "to"} or plain in _listed("not_names.txt"):
        return follows in DOES - _WEAK
    return not re.search(r"\d\W*$", text[: token.start])


def _unknown(text: str, tokens: list[_Token], index: int, before: _Token | None) -> int:
    """A capitalised word that is neither listed nor English: a name in mid-sentence, or before another such word."""
    token = tokens[index]
    plain = token.plain
    if (
        _is_word(plain)
        or plain in BODY
        or re.search(r"[A-Z]", token.text[1:].replace("Mc", "").replace("Mac", "").replace("O'", "")[1:])
    ):
        family = re.match(r"\s+(?:family|household|siblings|brothers|sisters|twins)\b", text[token.end :])
        the = before is not None and before.plain == "the"
        return 1 if family and the and frequency(plain) < 3000 else 0
    if before is not None:
        return 0 if before.plain in PLACE_BEFORE - {"from", "to"} else _length(text, tokens, index, False)
    after = _next(text, tokens, index)
    followed = after is not None and (
        (after.plain in DOES - _WEAK and not plain.endswith(_ENDINGS))
        or (after.is_capital and not _is_word(after.plain))
    )
    return _length(text, tokens, index, False) if followed else 0


def _in_body(text: str, tokens: list[_Token], index: int) -> bool:
    """Say whether the word belongs to a capitalised run that names a body or place: St Mary's Primary, Kent Police."""
    if not tokens[index].is_capital:
        return False
    if re.search(r"\b(?:St|Saint|SS)\.?\s+$", text[: tokens[index].start]):
        return True
    end = index
    while end + 1 < len(tokens) and end - index < 5:
        gap, following = text[tokens[end].end : tokens[end + 1].start], tokens[end + 1]
        small = following.text in ("of", "and", "the", "for", "on", "upon", "&")
        if not re.fullmatch(r"\s+(?:&\s+)?", gap) or not (following.is_capital or small or _small_body(following)):
            break
        end += 1
        if _small_body(following) or (following.plain in BODY and following.is_capital):
            return not _person_before(tokens, index, end)
    return False


def _small_body(token: _Token) -> bool:
    return token.plain in _SMALL_BODY


def _person_before(tokens: list[_Token], index: int, end: int) -> bool:
    """A given name and then a small word that only looks like a body: "Sarah's school", "Kyle home"."""
    if end != index + 1 or tokens[end].is_capital or not _is_given(tokens[index].plain):
        return False
    return tokens[index].text.endswith(("'s", "’s")) or tokens[end].plain in {"home", "house"}


def _length(text: str, tokens: list[_Token], index: int, shouted: bool) -> int:
    """Count the words of a name that begins here: a second or third word with a capital that is no ordinary word."""
    count = 1
    while count < 3 and index + count < len(tokens):
        following = tokens[index + count]
        gap = text[tokens[index + count - 1].end : following.start]
        if tokens[index + count - 1].text.endswith(("'s", "’s")):
            break
        joined = re.fullmatch(r"\s+|-", gap) or (
            re.fullmatch(r"\.\s+", gap) and len(tokens[index + count - 1].text) == 1
        )
        if not joined or (shouted and not _is_given(following.plain)):
            break
        plain = following.plain
        common = frequency(plain) > 3000 or plain in _listed("not_names.txt") or plain in BODY
        if not (following.is_capital and not common) and not _is_given(plain):
            break
        count += 1
    return count
