"""Whether a text speaks of present danger, of abuse disclosed, seen or admitted, or of a crime. If so, the police card comes first.

A model learned from texts about danger and calm texts with the same words (tests/training). It weighs words,
sequences of words and parts of words, so typing errors matter little; it understands nothing. It prefers to show the card
too often rather than too seldom.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from flows import learned
from flows.breaks import pause
from flows.canonical import canonical

_WORD = re.compile(r"[a-z']{1,30}|\d{1,12}")
_SENTENCE = re.compile(r"(?<=[.!?\n])\s+|\n+|\s-\s|;\s")
_ASKS = re.compile(
    r"(?:hi |hello |quick (?:q|question) |just wondering |so |and |but |ok |please )*(?:what|who|when|where|why|which|how|"
    r"can|could|should|shall|do|does|did|is|are|am|may|must|will|would|if)\b"
)
#: A text is also judged sentence by sentence, short ones joined until there are this many words: one sentence in a story may be
#: about danger. Out of its story it must say so more clearly, by this much. No piece has more than LONGEST words.
SHORTEST, LONGEST, LESS = 12, 80, 1.0
#: The score is divided by at least this many known features: a few odd words prove little either way.
FEWEST = 90
#: A worry about a child is less than danger: a score above this lower mark, or one of these words.
_WORRY_BELOW = 0.6
_WORRY = re.compile(
    r"\b(?:worr(?:y|ied|ying|ies)|concern(?:s|ed|ing)?|uneasy|gut feeling|bad feeling|"
    r"something(?:'s| is|s)? (?:not right|off|wrong)|"
    r"doesn'?t feel right|not right at home|alarmed|uncomfortable|at risk|neglect\w*|harm(?:ed|ing)?|unsafe|not safe|"
    r"suspicious|scared|frightened|withdrawn|hungry|dirty|bruis\w+|injur\w+|hurt|abus\w+|exploit\w+|groom\w+)\b"
)
_ABOUT_CHILD = re.compile(
    r"\b(?:child|children|kid|kids|baby|babies|toddler|boy|girl|pupil|student|teen\w*|lad|lass|youngster|young person|yp|he|she|"
    r"they|him|her|son|daughter|brother|sister|sibling|family|mum|dad|mother|father|parent|home)\b"
)


def features(text: str) -> set[str]:
    """Return the features of a text in lower case and canonical form."""
    words = ["#" if word[0].isdigit() else word.replace("'", "") for word in _WORD.findall(text)]
    words = [word for word in words if word]
    found: set[str] = set()
    row = ["^", *words, "$"]
    for count in (1, 2, 3):
        found.update(" ".join(row[at : at + count]) for at in range(len(row) - count + 1))
    found.update(f"{words[at]} _ {words[at + 2]}" for at in range(len(words) - 2))
    pause()
    for word in set(words):
        pause()
        marked = f"<{word}>"
        for count in (3, 4, 5):
            found.update("~" + marked[at : at + count] for at in range(len(marked) - count + 1))
    if _ASKS.match(" ".join(words)):
        found.add("=asks")
    if text.rstrip().endswith("?"):
        found.add("=?")
    return found


def _pieces(plain: str) -> Iterator[str]:
    """Yield the sentences of a text, short ones joined to the next, and long ones in parts."""
    piece: list[str] = []
    for sentence in _SENTENCE.split(plain):
        words = sentence.split()
        for start in range(0, len(words), LONGEST):
            piece += words[start : start + LONGEST]
            if len(piece) >= SHORTEST:
                yield " ".join(piece)
                piece = []
    if piece:
        yield " ".join(piece)


def _judge(plain: str) -> float:
    """Return the score of a text in lower case and canonical form, as a whole."""
    judge = learned.model("danger")
    known = [judge.weights[name] for name in features(plain) if name in judge.weights]
    pause()
    return judge.bias + math.fsum(known) / math.sqrt(max(len(known), FEWEST)) - judge.limit if known else -math.inf


def score(text: str) -> float:
    """Return how strongly a text speaks of danger; from 0 up, it does. The cost is linear in its length."""
    plain = canonical(text).text.lower()
    whole, pieces = _judge(plain), list(_pieces(plain))
    # The one sentence of a short text says no more than the text.
    return max(whole, *(_judge(piece) - LESS for piece in pieces)) if len(pieces) > 1 else whole


def is_spoken_of(text: str) -> bool:
    """Return whether a text speaks of present danger, abuse disclosed or seen, or a crime."""
    return bool(text.strip()) and score(text) >= 0


def is_worry(text: str) -> bool:
    """Return whether a text describes a worry about a child, danger or not. Such a text is never answered as not covered."""
    plain = canonical(text).text.lower()
    return bool(_WORRY.search(plain) and _ABOUT_CHILD.search(plain)) or (
        bool(plain.strip()) and score(text) >= -_WORRY_BELOW
    )
