"""Find people's names in free text from lists of names, the surrounding words and a model trained on labelled texts.

It cannot find every name: it may miss a rare surname on its own, or a name that is also an everyday word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from unicodedata import combining, normalize

from rapidfuzz import process
from rapidfuzz.distance import OSA

from flows import learned
from flows.breaks import pause
from flows.lexicon import lexicon
from flows.yaml_files import packaged

_AROUND = {key: frozenset(words.split()) for key, words in packaged("words", "around_names.yaml").items()}
TITLES, RANKS, RELATIONS = _AROUND["titles"], _AROUND["ranks"], _AROUND["relations"]
BODY, PLACE_BEFORE = _AROUND["bodies"] | _AROUND["small_bodies"], _AROUND["place_before"]
TELLS, DOES = _AROUND["tells"], _AROUND["does"] | _AROUND["tells"]

#: The count of a word whose line in counts.txt has no number.
LEAST_COUNT = 50
#: A word, possibly with apostrophes or hyphens inside.
WORD = re.compile(r"[^\W\d_][^\W_]{0,40}(?:['-][^\W\d_]{1,40}){0,4}")
CUES = re.compile(
    r"\b(?:named|called|name (?:is|was)|name ?[:=]|name'?s|known as|goes by|aka|a\.k\.a\.?|names are|surname(?: is|:)?|"
    r"first name(?: is|:)?|nickname(?: is|:)?|nicknamed)[ \n]{1,2}[\"']?$",
    re.IGNORECASE,
)
#: Sayings, titles of works, public figures and brands whose words look like names.
SAYINGS = re.compile(
    r"\b(?:mr (?:men|scans?|benn|bean|potato|tumble|blobby)|rosie and jim|marks and spencer|"
    r"john lewis|jack wills|ted baker|great ormond|union jack|jack[ -]of[ -]all[ -]trades|peter pan|"
    r"peppa pig|harry potter|father christmas|santa claus|simon says|mickey mouse|king james|queen victoria|prince charles|"
    r"victoria climbi[eé]|no names, no pack|uncle bulgaria|big ben|ronald mcdonald|macmillan|marie curie|sue ryder|"
    r"martin luther king|florence nightingale|st john ambulance|dr martens|ben 10|bob the builder|thomas the tank|bill of rights|"
    r"jamie oliver|joe wicks|alice in wonderland|tom and jerry|tom, dick and harry|joe bloggs|(?:john|jane) doe|robin hood|"
    r"sam beckett|guy fawkes|edward timpson|duke of edinburgh|prince of wales|prince's trust|king's college|peter connelly|"
    r"romeo and juliet|anne boleyn|horrid henry|oliver twist|oliver mcgowan|uncle ben'?s|wendy house|stanley (?:knife|cup|blade)|"
    r"(?:king |queen )?(?:henry|edward|george|richard|william|charles|james|elizabeth|mary) (?:i|ii|iii|iv|v|vi|vii|viii)\b|"
    r"(?:claire'?s|sarah'?s|clare'?s|martha'?s|jay'?s|zac'?s|helen'?s|harper'?s|natasha'?s|megan'?s|tommy'?s|ella'?s kitchen) law|"
    r"ella'?s kitchen|tommy'?s app|rosa parks|nelson mandela|anne frank|mary seacole|malala yousafzai|charles darwin|"
    r"roald dahl|jacqueline wilson|david walliams|william shakespeare|bobby on the beat|bobby dazzler|hobson'?s choice|"
    r"murphy'?s law|gordon bennett|heath robinson|uncle sam|aunt sally|jack frost|jack russell|king charles|joe public|"
    r"pandora'?s box|adam and eve|mary and joseph|silent night|billy no mates|happy larry|plain jane|even stevens|holy joe)\b",
    re.IGNORECASE,
)
#: Pronouns for people. Text about a particular person usually contains some.
_PRONOUNS = frozenset(["he", "she", "his", "her", "him", "hers", "himself", "herself", "they", "them", "their"])
#: How many words on either side become features, and how far to look for pronouns.
_AROUND_IT, _PRONOUNS_WITHIN = 5, 11
_FIRST = re.compile(r"[.!?:;\n\"(]|\s-\s|\s-$")


@dataclass(frozen=True)
class Token:
    """One word as written, its position, whether it starts a sentence (`first`), and the text before it (`gap`)."""

    text: str
    start: int
    end: int
    first: bool
    gap: str

    @property
    def is_capital(self) -> bool:
        """Whether the word starts with a capital letter."""
        return self.text[0].isupper()


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Return a word in lower case, without accents."""
    parts = normalize("NFKD", word.replace("’", "'").replace("ł", "l").replace("Ł", "l").replace("ı", "i").lower())
    return "".join(letter for letter in parts if not combining(letter))


@lru_cache(maxsize=20_000)
def bare(word: str) -> str:
    """Return a word in lower case, without accents or a possessive ending."""
    return re.sub(r"'s?$", "", fold(word))


@cache
def _listed(name: str) -> frozenset[str]:
    lines = files("flows").joinpath("words", name).read_text(encoding="utf-8").splitlines()
    return frozenset(fold(word) for line in lines if not line.startswith("#") for word in line.split())


def frequency(word: str) -> int:
    """Return how often a word occurs in a large corpus of English; 0 if it is not an English word."""
    said = lexicon("counts.txt").get(word)
    return 0 if said is None else int(said or LEAST_COUNT)


def _given(plain: str) -> str:
    """Return how common a given name is (1 to 3), with a "w" if it is more often a word; "" if it is not one."""
    given = lexicon("given_names.txt")
    said = given.get(plain)
    if said is None and "-" in plain:
        said = given.get(plain.split("-")[0])
    return said or ""


def _is_given(plain: str) -> bool:
    return _given(plain).isdigit()


def _is_family(plain: str) -> bool:
    family = lexicon("family_names.txt")
    return plain in family or ("-" in plain and any(part in family for part in plain.split("-")))


@lru_cache(maxsize=20_000)
def _is_place(plain: str) -> bool:
    return plain in lexicon("places.txt")


@lru_cache(maxsize=20_000)
def _lists(plain: str) -> tuple[str, ...]:
    """Return the lists that contain a word and, as the last item, how common it is in English (f0 to f6)."""
    found = []
    given = _given(plain)
    if given:
        found += ["given" if given.isdigit() else "given, word", f"given {given}"]
    if plain in _listed("names_that_are_words.txt"):
        found.append("also_word")
    if _is_family(plain):
        found += ["family", f"family {lexicon('family_names.txt').get(plain)}"]
    if plain in _listed("not_names.txt"):
        found.append("not_name")
    if plain in BODY:
        found.append("body")
    if re.match(r"(?:o'|mc|mac(?=[^aehiklnr])|al-|el-|d'|l'|ni |ap )[a-z]{2}", plain) and not frequency(plain):
        found.append("prefixed")
    if plain.endswith("s") and len(plain) > 3 and _is_given(plain[:-1]):
        found.append("given+s")
        if not frequency(plain) > 3000:
            found.append("given+s, no word")
    count = max(frequency(plain), frequency(plain.removesuffix("s")) // 2, frequency(plain.replace("'", "")))
    level = 0 if not count else min(6, len(str(count)) - 2)
    found.append(f"f{level}")
    return tuple(found)


@cache
def _everyday() -> dict[str, tuple[str, ...]]:
    """Return the everyday words by their first letter."""
    by_letter: dict[str, list[str]] = {}
    for word in lexicon("everyday.txt"):
        by_letter.setdefault(word[0], []).append(word)
    return {letter: tuple(words) for letter, words in by_letter.items()}


@lru_cache(maxsize=20_000)
def _misspelt(plain: str) -> str:
    """Return how close a rare or unknown word is to an everyday word with the same first letter; "" if it is not close.

    One slip makes it close, or two in a word of more than six letters.
    """
    most = 2 if len(plain) > 6 else 1
    near = process.extractOne(plain, _everyday().get(plain[:1], ()), scorer=OSA.distance, score_cutoff=most)
    return f"{near[1]:.0f} slips in {min(len(plain), 8)}" if near else ""


@lru_cache(maxsize=20_000)
def listed_as(plain: str) -> str:
    """Classify a word on its own: only a name, a name or a word, a family name, a word, or unknown."""
    lists = _lists(plain)
    if "not_name" in lists:
        return "not_name"
    if "also_word" in lists:
        return "name or word"
    if "given" in lists:
        return "given"
    if "body" in lists:
        return "body"
    if "given+s, no word" in lists:
        return "given+s"
    if "family" in lists:
        return "family" if lists[-1] in ("f0", "f1", "f2") else "family or word"
    if "given, word" in lists:
        return "word or name"
    return "unknown" if lists[-1] == "f0" else "rare" if lists[-1] in ("f1", "f2") else "word"


@lru_cache(maxsize=20_000)
def _kind(plain: str) -> str:
    """Return what a word suggests about its neighbour, for example "title" or "relation"; "" if nothing."""
    for name, words in _KINDS:
        if plain in words:
            return name
    return ""


_KINDS = (
    ("title", TITLES), ("relation", RELATIONS), ("rank", RANKS), ("tells", TELLS), ("does", DOES), ("body", BODY),
    ("place", PLACE_BEFORE),
)  # fmt: skip


def shape(word: str) -> str:
    """Return how a word is capitalised: x or X for a single letter, otherwise xx, Xx, XX, xX or XxX."""
    if len(word) == 1:
        return "X" if word.isupper() else "x"
    if word.isupper():
        return "XX"
    if word[0].isupper():
        return "XxX" if re.search(r"[a-z][A-Z]", word) else "Xx"
    return "xX" if any(letter.isupper() for letter in word) else "xx"


def could_be_name(word: str) -> bool:
    """Say whether a word on its own, for example in a proposed case reference, could be a person's name.

    A rare name that is also an English word does not count.
    """
    plain = bare(word)
    if listed_as(plain) not in ("given", "family", "given+s"):
        return False
    is_common_name = any(name in ("given 2", "given 3", "family 2") for name in _lists(plain))
    return is_common_name or not frequency(plain)


def tokens(text: str) -> list[Token]:
    """Return the words of a text in canonical form, with each word of a known saying replaced by the token "saying"."""
    said = [match.span() for match in SAYINGS.finditer(text)]
    found: list[Token] = []
    end = 0
    for match in WORD.finditer(text):
        pause()
        gap = text[end : match.start()]
        first = not found or bool(_FIRST.search(gap))
        word = match.group().rstrip("-")
        end = match.start() + len(word)
        if said and any(a <= match.start() < b for a, b in said):
            word = word.lower() if len(word) > 1 else word
            found.append(Token("saying", match.start(), end, first, gap))
            continue
        found.append(Token(word, match.start(), end, first, gap))
    return found


def is_shouted(words: list[Token]) -> bool:
    """Say whether a text is mostly in capitals, so that a capital letter tells us nothing about a word."""
    long = [word for word in words if len(word.text) > 3]
    return len(long) >= 2 and sum(word.text.isupper() for word in long) > len(long) / 2


def features(text: str, words: list[Token], at: int, shouted: bool) -> list[str]:
    """Return the features of one word: its own, those of two neighbours on either side, and the words further away."""
    word = words[at]
    plain = bare(word.text)
    how = "caps" if shouted else shape(word.text)
    lists = _lists(plain)
    begins = "first" if word.first else "in"
    tail = text[word.end : word.end + 3]
    all_lists = "+".join(lists)
    found = [f"w={plain}", f"how={how},{begins}", f"sl={how},{begins},{all_lists}", f"l={all_lists}"]
    found += [f"end={plain[-3:]}", f"end2={plain[-2:]}"]
    found += [f"in={name},{how}" for name in lists]
    only = listed_as(plain)
    found += [f"only={only}", f"only={only},{how},{begins}", f"only={only},{how}"]
    if lists[-1] in ("f0", "f1", "f2"):
        slips = _misspelt(plain)
        found += [f"slips={slips}", f"slips={slips},{how},{only}"]
    if word.text.lower().endswith(("'s", "s'")):
        found += ["'s", f"'s,{how}"]
    if how in ("X", "x"):
        found.append("letter" + (",dot" if tail.startswith(".") else ""))
    if tail[:1] == "." and tail[1:2].isalnum():
        found.append("dotted")
    before = words[at - 1] if at else None
    after = words[at + 1] if at + 1 < len(words) else None
    gap = word.gap
    if before is None:
        found += ["p=^"]
    else:
        known = bare(before.text)
        mark = "" if not gap.strip(" ") else "".join(sorted(set(gap.strip())))[:3]
        mark = re.sub(r"\d+", "9", mark)
        kind, b_shape = _kind(known), "caps" if shouted else shape(before.text)
        found += [f"p={known}{mark}", f"pk={kind}{mark},{how}", f"pg={mark}", f"ps={b_shape}{mark},{how}"]
        found += [f"pl={name}{mark},{how}" for name in _lists(known)[:5]]
        if mark in ("", "'", '"', "("):
            found.append(f"p,o={known},{only}")
            found.append(f"pk,o={kind},{how},{only}")
            found.append(f"pk,l={kind},{how}," + all_lists)
        if mark == "." and known in TITLES:
            found.append(f"pk=title,{how}")
        if at > 1:
            known2 = bare(words[at - 2].text)
            found += [f"p2={known2}", f"p2p={known2} {known}", f"p2k={_kind(known2)}"]
    if CUES.search(text, max(0, word.start - 24), word.start):
        found += ["cue", f"cue,{how}"]
    if after is None:
        found += ["n=$" + tail[:1].strip()]
    else:
        known = bare(after.text)
        mark = "" if not after.gap.strip(" ") else "".join(sorted(set(after.gap.strip())))[:3]
        mark = re.sub(r"\d+", "9", mark)
        kind, a_shape = _kind(known), "caps" if shouted else shape(after.text)
        found += [f"n={known}{mark}", f"nk={kind}{mark},{how}", f"ng={mark}", f"ns={a_shape}{mark},{how}"]
        found += [f"nl={name}{mark},{how}" for name in _lists(known)[:5]]
        if not mark:
            found.append(f"n,o={known},{only}")
            found.append(f"nk,o={kind},{how},{only}")
            found.append(f"nk,l={kind},{how},{begins}," + all_lists)
        if at + 2 < len(words):
            known2 = bare(words[at + 2].text)
            found += [f"n2={known2}", f"nn2={known} {known2}", f"n2k={_kind(known2)}"]
    if "-" in plain:
        found.append("parts=" + "-".join(listed_as(part) for part in plain.split("-")[:3]))
    found += _letters(plain)
    if _is_place(plain):
        found += ["place", f"place,{only}", f"place,{only},{how}", f"place,{how},{begins}"]
        if before:
            found.append(f"place,p={bare(before.text)}")
    for away in range(-_AROUND_IT, _AROUND_IT + 1):
        if 0 <= at + away < len(words) and away:
            other = words[at + away]
            if abs(away) > 1:
                found.append(f"{'<' if away < 0 else '>'}{bare(other.text)}")
            if abs(away) < 3 and other.is_capital and _is_place(bare(other.text)):
                found.append(f"place{away},{how}")
    early = any(bare(other.text) in _PRONOUNS for other in words[max(0, at - _PRONOUNS_WITHIN) : at])
    later = any(bare(other.text) in _PRONOUNS for other in words[at + 1 : at + 1 + _PRONOUNS_WITHIN])
    found += [f"pron{early:d}{later:d},{how}", f"pron{early:d}{later:d},{only},{how}"]
    return found


@lru_cache(maxsize=20_000)
def _letters(plain: str) -> tuple[str, ...]:
    """Return the three- and four-letter sequences of a word, with its start and end marked."""
    ends = f"^{plain}$"
    return tuple("g" + ends[at : at + size] for size in (3, 4) for at in range(len(ends) - size + 1))


def may_be_name(words: list[Token], at: int) -> bool:
    """Say whether the model should judge a word. Everyday words in lower case are rarely names, so they are skipped."""
    word = words[at]
    if word.is_capital or word.text == "saying":
        return word.text != "saying"
    lists = _lists(bare(word.text))
    if "given" in lists or "also_word" in lists or "given+s, no word" in lists or "prefixed" in lists:
        return True
    if at and _kind(bare(words[at - 1].text)) in ("title", "relation", "rank") and len(word.text) > 1:
        return True
    return lists[-1] in ("f0", "f1", "f2") or ("family" in lists and lists[-1] in ("f3", "f4"))


#: Classes of word (see `_only`) that are not everyday words.
_NAMES_ALONE = frozenset({"given", "family", "given+s", "unknown", "rare"})
#: After these titles, any word that can be a name is one, whether capitalised or not.
_MR = frozenset({"mr", "mrs", "ms", "mx"})
#: Words that cannot be the name after a title: verbs about a person, function words and words for offices.
_NOT_TITLED = DOES | frozenset(
    [
        "is",
        "was",
        "has",
        "had",
        "will",
        "would",
        "can",
        "could",
        "should",
        "and",
        "or",
        "but",
        "who",
        "whom",
        "that",
        "on",
        "at",
        "in",
        "to",
        "from",
        "for",
        "with",
        "of",
        "the",
        "a",
        "an",
        "this",
        "it",
        "he",
        "she",
        "they",
        "we",
        "i",
        "not",
        "no",
        "said",
        "sir",
        "madam",
        "right",
        "big",
    ]
)
#: Feelings and virtues. As the subject at the start of a sentence ("Joy was seen") they are rarely people.
_VIRTUES = frozenset(
    ["joy", "hope", "faith", "patience", "charity", "harmony", "prudence", "mercy", "justice", "comfort", "honour"]
)
_SAID_OF = frozenset(
    ["is", "was", "are", "were", "has", "had", "can", "must", "should", "will", "may", "needs", "seen"]
)


def _is_titled(words: list[Token], at: int) -> bool:
    """Say whether a word follows Mr, Mrs, Ms or Mx and can be a name."""
    if not at or words[at].gap.strip(" .") or bare(words[at - 1].text) not in _MR or len(words[at].text) < 2:
        return False
    return bare(words[at].text) not in _NOT_TITLED


def _is_virtue(words: list[Token], at: int) -> bool:
    """Say whether a word is a virtue as the subject of a sentence, as in "Joy was seen"."""
    follows = at + 1 < len(words) and words[at + 1].text in _SAID_OF
    return words[at].first and bool(follows) and bare(words[at].text) in _VIRTUES


def _is_saint(words: list[Token], at: int) -> bool:
    """Say whether a word follows St or Saint, as in the name of a church, a school or a ward."""
    return at > 0 and not words[at].gap.strip(" .") and bare(words[at - 1].text) in ("st", "sts", "saint", "saints")


def _is_full_name(words: list[Token], at: int) -> bool:
    """Say whether a capitalised given name starts here with a capitalised given or family name right after it.

    That is a full name whatever the words around it.
    """
    if at + 1 >= len(words) or words[at + 1].gap.strip(" ") or not (words[at].is_capital and words[at + 1].is_capital):
        return False
    return listed_as(bare(words[at].text)) == "given" and listed_as(bare(words[at + 1].text)) in ("given", "family")


#: How much less proof a common given name with a capital letter needs, chosen on texts by other authors (docs/figures.md).
COMMON_NEEDS_LESS = 1.6


def _is_common_name(word: Token) -> bool:
    """Say whether a word with a capital letter is one of the common given names."""
    plain = bare(word.text)
    return shape(word.text) == "Xx" and _given(plain)[:1] == "3" and listed_as(plain) in ("given", "name or word")


def _names(text: str) -> Iterator[tuple[Token, bool]]:
    """Yield each word of a text, and whether it is a name or part of one."""
    words, judge = tokens(text), learned.model("names")
    shouted = is_shouted(words)
    for at, word in enumerate(words):
        pause()
        if _is_virtue(words, at) or _is_saint(words, at):
            yield word, False
        elif _is_titled(words, at) or _is_full_name(words, at):
            yield word, True
        else:
            needed = judge.limit - (COMMON_NEEDS_LESS if _is_common_name(word) and not shouted else 0)
            yield word, may_be_name(words, at) and judge.score(features(text, words, at, shouted)) >= needed


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the positions of likely names of people, in order, without overlaps. `text` must be in canonical form."""
    judged = list(_names(text))
    # Once a word is judged a name, every other occurrence of it in the text is one too.
    people = {bare(word.text) for word, is_name in judged if is_name} - {""}
    people = {plain for plain in people if listed_as(plain) in _NAMES_ALONE}
    start = end = -1
    for word, is_name in judged:
        if not is_name and bare(word.text) not in people:
            continue
        if start >= 0 and not text[end : word.start].strip(" .-'"):
            end = word.end
            continue
        if start >= 0:
            yield start, end
        start, end = word.start, word.end
    if start >= 0:
        yield start, end
