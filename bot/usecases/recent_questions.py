"""What people asked in the last minutes, in memory only, so that "why?" and "and if it is dad?" can be understood."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.typed_text import Typed
from flows.screening import Screened

#: Seconds for which a question is remembered, and how many people's questions.
REMEMBERED_FOR, MOST = 600.0, 5000
#: A text no longer than this that means nothing by itself is a follow-up.
SHORT = 3
_AND = r"(?:(?:and|but|or|so|ok|okay|then|also|right|yes|no|yeah)[\s,]+)"
#: What begins like this goes on from the question before it.
_ONWARD = re.compile(
    rf"(?:{_AND}*(?:why|how so|how come|since when|says who|who says|what if|what about|how about|even if|even when|"
    r"if (?:it|its|it's|he|she|they|that|the|not|so|we|i)|does (?:that|this|it)|do (?:those|these)|"
    r"is (?:that|this|it)|are (?:those|these)|can (?:that|this|it)|must (?:that|it)|should (?:that|it)|would (?:that|it)|"
    r"what (?:then|now|else)|which one|same (?:for|with|if)|to whom)"
    rf"|{_AND}+\w+)\b",
    re.IGNORECASE,
)
#: What begins like this may do so, but is a question of its own if it has an answer by itself.
_PERHAPS_ONWARD = re.compile(
    rf"{_AND}*(?:how long|how then|where|when|who|by (?:email|phone|post|letter|text|whatsapp)|in writing)\b",
    re.IGNORECASE,
)
#: A question of more words than this stands on its own.
LONGEST = 14


@dataclass(frozen=True)
class Recent:
    """A question as screened, the answer card that it got, if any, and when it was asked."""

    question: Screened
    card: str | None
    at: float


@dataclass
class RecentQuestions:
    """The last question of each person."""

    clock: Callable[[], float] = time.monotonic
    _asked: OrderedDict[int, Recent] = field(default_factory=OrderedDict)

    def remember(self, person: int, question: Screened, card: str | None) -> None:
        """Remember a question that may be kept, in place of the one before."""
        self._asked[person] = Recent(question, card, self.clock())
        self._asked.move_to_end(person)
        if len(self._asked) > MOST:
            self._asked.popitem(last=False)

    def forget(self, person: int) -> None:
        """Forget a person's question, because they went on with something else."""
        self._asked.pop(person, None)

    def last(self, person: int) -> Recent | None:
        """Return a person's last question, or None if it is too long ago."""
        found = self._asked.get(person)
        return found if found and self.clock() - found.at < REMEMBERED_FOR else None


def is_follow_up(typed: Typed, *, is_clear: bool) -> bool:
    """Return whether a text only makes sense after the question before it. `is_clear`: it has an answer by itself."""
    text = typed.text.strip()
    words = len(text.split())
    if words > LONGEST:
        return False
    return bool(_ONWARD.match(text)) or (not is_clear and (words <= SHORT or bool(_PERHAPS_ONWARD.match(text))))
