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
#: A follow-up begins with one of these words, or is no longer than this and means nothing by itself.
SHORT = 3
_ONWARD = re.compile(
    r"(?:(?:and|but|or|so|ok|okay|then|also|right|yes|no|yeah|but then|and then)[\s,]+)*"
    r"(?:why|how so|how come|how long|how then|since when|says who|who says|what if|what about|how about|even if|even when|"
    r"if (?:it|its|it's|he|she|they|that|the|not|so|we|i)|and if|but if|does (?:that|this|it)|do (?:those|these)|"
    r"is (?:that|this|it)|are (?:those|these)|can (?:that|this|it)|"
    r"must (?:that|it)|should (?:that|it)|would (?:that|it)|what (?:then|now|else)|where|when|who|which one|same (?:for|with|if)|"
    r"by (?:email|phone|post|letter|text|whatsapp)|in writing|to whom|"
    r"(?:and|but|so|or) \w+)\b",
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
    """Return whether a text only makes sense after the question before it.

    `is_clear`: it has an answer by itself, so only words such as "and if" make it a follow-up.
    """
    words = len(typed.text.split())
    onward = words <= LONGEST and _ONWARD.match(typed.text.strip()) is not None
    return onward or (words <= SHORT and not is_clear)
