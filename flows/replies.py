"""Interpret a typed reply at a question with buttons: a choice, a control word, a question to look up, or content.

This module neither searches nor stores anything. If it does not understand a reply, the person is asked again. If two
buttons fit equally well, the person is offered both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from rapidfuzz.distance import OSA

from flows.canonical import canonical
from flows.yaml_files import packaged

#: Words that are not an answer name a button if they fit its label this well and are not more than these.
NAMES_BUTTON, MOST_FOR_BUTTON = 0.8, 6
#: A text longer than this is never matched to a button: it is content, or a question to look up.
LONGEST = 300
Kind = Literal["choice", "which", "help", "why", "emergency", "again", "question", "text", "corrects"]


@dataclass(frozen=True)
class Choice:
    """A visible button: its action, its label and other ways to say it. `is_answer`: it answers the question."""

    act: str
    label: str
    said: tuple[str, ...] = ()
    is_answer: bool = False


@dataclass(frozen=True)
class Reply:
    """How a typed reply was understood. `choices`: the button meant, or the buttons that the person must choose from."""

    kind: Kind
    choices: tuple[Choice, ...] = ()


_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+")
_UNSURE = re.compile(
    r"\b(?:dunno|dunnoo|idk|unsure|no idea|no clue|not (?:\w+ )?(?:sure|certain)|not rly sure|(?:dont|do not|didnt) (?:\w+ )?(?:know|remember|recall)|unclear|"
    r"hard to (?:say|tell|know)|dinnae ken|search me|couldnae say|no sure|cant (?:say|tell|decide|remember|recall|be sure)|havent a clue|not a clue|no certainty|who knows|maybe|perhaps|possibly|50 50|"
    r"n[io]t sh?ure|couldnt (?:say|tell|remember)|iffy|might be|could be|on the fence|not usre|not sur|undecided|your guess is as good|in two minds)\b"
)
_YES = re.compile(
    r"(?:och |oh |er |um |well |ok |erm )?(?:yes|yse|ydy|oes|y|ye|yea|yeah|yeh|yeahh|yep|yup|yh|yas|yess|yesss|ys|aye|ya|yah|correct|affirmative|definitely|definately|deffo|defo|def|indeed|absolutely|"
    r"of course|certainly|sure|obviously|100 ?%?|true|for sure|too right)\b"
)
_NO = re.compile(
    r"(?:och |oh |er |um |well |ok |erm )?(?:no|n|nope|nah|na|naw|nae|nage|nac|nay|noo|nooo|negative|never|nothing|none|not|neither|nobody|no one|dont|didnt|havent|hasnt|isnt|arent|wasnt|cant|wont|"
    r"there isnt|there is not|it isnt|it is not|it doesnt|i dont|i do not|we dont|they dont|they didnt|they havent|she didnt|he didnt|i havent|we havent)\b"
)
_BARE = re.compile(r"(?:yes|y|yeah|yep|yup|yh|aye|no|n|nope|nah)\b")
_DENIES = re.compile(
    r"\b(?:no|not|nor|never|none|nobodys?|noones?|nothing|nowt|without|against|un\w{3,}|(?:do|did|does|is|are|was|were|have|has|had|ca|wo|would|could|should|must|need|ai|might)nt|\w+nae|cannot|nae|naw|refus\w*|declin\w*)\b"
)
_SAID_YES = re.compile(
    r"\b(?:yes|yeah|yep|aye|yse|yea)(?: \w+)?$|^(?:i )?(?:believe|think|reckon|hope) so$|\b(?:i think|think|id say|would be a|its a|thats a|prob|probably|likely|so|then|says?|reckon) (?:yes|yeah|yep)$|^(?:i do|we do|there is|it is|it does|they are|she is|he is|they have|i have|we have|they do|i did|we did|she does|he does|likely|probably)$|\b(?:so )?(?:yes|yeah|yep|yh)$"
)
_SAID_NO = re.compile(
    r"\b(?:i think|think|id say|would be a|its a|thats a|prob|probably|so|then|afraid|has to be a) (?:no|nope|not|nah)$|\b(?:no|nope|nah)$"
)
#: Filler that people add after an answer.
_BEHIND = re.compile(
    r"(?: (?:from|for) me| im afraid| i think| i guess| i reckon| tbh| mate| pal| sorry| thanks| then| here)+$"
)
#: Words that do not help to tell which answer is meant.
_FILLER = frozenset(
    [
        "a",
        "an",
        "the",
        "i",
        "im",
        "ive",
        "id",
        "we",
        "us",
        "our",
        "they",
        "them",
        "their",
        "there",
        "it",
        "its",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "am",
        "do",
        "does",
        "did",
        "have",
        "has",
        "had",
        "to",
        "of",
        "for",
        "on",
        "in",
        "at",
        "as",
        "by",
        "my",
        "me",
        "you",
        "your",
        "that",
        "this",
        "these",
        "those",
        "and",
        "or",
        "but",
        "so",
        "just",
        "pls",
        "please",
        "think",
        "guess",
        "reckon",
        "well",
        "um",
        "er",
        "erm",
        "oh",
        "ah",
        "like",
        "really",
        "very",
        "quite",
        "bit",
        "kind",
        "sort",
        "would",
        "could",
        "will",
        "can",
        "say",
        "said",
        "then",
        "tbh",
        "honestly",
        "ok",
        "okay",
        "right",
        "all",
        "done",
        "now",
        "mate",
        "sorry",
        "lol",
        "thanks",
        "thx",
        "ta",
        "x",
        "yes",
        "no",
        "yeah",
        "nope",
        "he",
        "she",
        "his",
        "her",
        "because",
        "cos",
        "bc",
        "about",
        "with",
        "from",
        "if",
    ]
)
_RAW = packaged("asked", "replies.yaml")
#: Control words as typed -> the control that they mean.
_SAME_AS = {str(said): str(name) for name, ways in _RAW["control"].items() if name != "none" for said in ways}
#: At a question without options, these words skip it.
_NONE = frozenset(map(str, _RAW["control"]["none"]))
#: Controls typed in a hurry, or inside a short phrase.
_INSIDE: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "emergency",
        re.compile(
            r"^(?:theres )?(?:a |the |this )?(?:child|kid|baby|girl|boy|he|she|they|someone)(?:s| is| are)? in (?:\w+ )?danger(?: right)?(?: now)?$|"
            r"\b(?:its an emergency|(?:ring|call|dial|phone|get) 999|send (?:the )?police|call (?:the )?police|help me)\b"
        ),
    ),
    (
        "back",
        re.compile(
            r"\b(?:go (?:back|bak|bk)|back (?:one|a bit|a step|up)|undo|wrong (?:button|one|answer)|previous (?:one|question|answer)|last (?:answer|one) was wrong|one back|take that back)\b"
        ),
    ),
    (
        "cancel",
        re.compile(
            r"^(?:please |pls |just )?(?:quit|cancel|stop|exit|abort)\b|\b(?:quit|cancel|exit|abort)(?: this| it| now| please| pls)?$"
        ),
    ),
    ("skip", re.compile(r"^(?:can (?:i|we) )?skip\b|\bskip(?: it| this| this one| pls| please)?$")),
)
_TYPED_BADLY = {
    "bck": "back",
    "bakc": "back",
    "bacl": "back",
    "back": "back",
    "cancl": "cancel",
    "cancel": "cancel",
    "help": "help",
    "hlep": "help",
    "undo": "back",
    "skip": "skip",
    "quit": "cancel",
}
#: How people say that the answer before this question was wrong.
_CORRECTS = re.compile(
    r"^(?:(?:no|nope|wait|sorry|oops|hang on|hold on|er|oh) )*(?:(?:thats|that is|that was|its|it was) (?:wrong|not right|not what i (?:meant|said|want\w*))|"
    r"not what i (?:meant|said|want\w*)|i meant|i didnt mean|i did not mean|i do want|i did want|wrong answer|you got (?:that|it) wrong|"
    r"(?:change|correct|fix) (?:my |the |that )?(?:last|previous)(?: answer| one)?|change that)\b"
)
#: How people ask what a question means, or why we ask it.
_WHY = re.compile(
    r"^(?:but |sorry |er |um |and |so |hang on |wait )?(?:why (?:do|are|does|would|should) (?:you|u|ya|it|that|this|i have to|i need to|we have to)\b|what (?:do|does) (?:you|u|that|this|it) (?:mean|count)|what counts\b|"
    r"what(?:s|'s| is| are) (?:the difference|meant|that mean|a |an |section|classed|considered|this|that)|whats (?:section|meant|classed)|meaning what|what sort of thing|"
    r"what kind of thing|define |explain |what (?:on earth|the hell|do these|do they|do those|are these|in the world)|remind me what|who counts\b|what does .{1,40} mean|dont know what .{1,40} (?:is|means|are)|no idea what .{1,40} (?:is|means|are))|\bmeaning what$|\bwhat do (?:you|u) mean\b|\bjargon\b|\bin plain english\b|\bin english\b|"
    r"^what(?:s|'s| is) (?:a |an )?\w+(?: \w+)?$"
)
_ASKING = re.compile(
    r"^(?:hi |hello |hey |quick question |quick q |just wondering |wondering |so |and |but |also |ok |sorry |er |um |btw )*(?:"
    r"(?:can|could|should|shall|may|must|do|does|did|am|are|is|was|were|will|would|have|has) (?:i|we|you|u|they|he|she|it|the|a|an|my|our|his|her|their|this|that|there|someone|somebody|anyone|parents?|schools?|police|staff|mum|dad|teachers?|gossip|whatsapp|\w+ \w+ \w+)\b|"
    r"(?:how|when|where|who|whom|which|what|whats|whose|why|what's|who's|hows) \w+|what if|if (?:i|we|the|a|mum|dad|he|she|they)\b.*\b(?:can|should|do|must|could) (?:i|we)\b)"
)
_NEEDS_TO_KNOW = re.compile(
    r"\b(?:need to know|want to know|wondering (?:if|whether)|not sure (?:if|whether) (?:i|we) (?:can|should|need)|what should i|what do i do|can i|should i|do i (?:need|have))\b"
)


def plain(text: str) -> str:
    """Return typed words in lower case, without punctuation, emoji or apostrophes."""
    form = canonical(text).text.lower().replace("'", "")
    return " ".join(re.findall(r"[^\W_]+(?:/[^\W_]+)?", form))


def reads_like_a_question(text: str, *, strict: bool = False) -> bool:
    """Say whether a text asks the guidance a question.

    `strict` accepts only unmistakable questions, for places where content could start with the same words.
    """
    said = plain(text)
    marked = canonical(text).text.rstrip(" .!)").endswith("?")
    count = len(said.split())
    if count < 2:
        return False
    if _ASKING.match(said):
        return (
            marked
            or not strict
            or bool(
                re.match(
                    r"(?:can|could|should|do|must|may|am) (?:i|we)\b|(?:how|what|who|when) (?:do|does|should|can|is|are|long|much|about)\b",
                    said,
                )
            )
        )
    return (marked and count > 2 and not strict) or (bool(_NEEDS_TO_KNOW.search(said)) and (marked or not strict))


@lru_cache(maxsize=5000)
def _stem(word: str) -> str:
    for ending in ("ing", "ies", "ed", "es", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=5000)
def _content(said: str) -> tuple[str, ...]:
    words = said.split()
    kept = [word for word in words if word not in _FILLER] or words
    return tuple(dict.fromkeys(map(_stem, kept)))


def _like(word: str, other: str) -> bool:
    if word == other:
        return True
    shorter = min(len(word), len(other))
    return shorter >= 5 and OSA.distance(word, other, score_cutoff=2) <= (1 if shorter < 7 else 2)


def _bare(label: str) -> str:
    """Return a label without a yes or no before its words: "No, asking would be unsafe" is named by what is unsafe."""
    return re.sub(r"^(?:yes|no)[,:] (?=\w)", "", label, flags=re.IGNORECASE)


def _shared(words: Iterable[str], others: Sequence[str]) -> int:
    return sum(any(_like(word, other) for other in others) for word in words)


def _fit(typed: tuple[str, ...], phrase: str, *, denied: bool) -> float:
    """Return how well typed words match one phrase for an option: about 1 for the same words, 0 for none in common."""
    wanted = _content(plain(phrase))
    if not wanted:
        return 0.0
    forth, back = _shared(typed, wanted), _shared(wanted, typed)
    if not forth or not back:
        return 0.0
    if denied != bool(_DENIES.search(plain(phrase))):
        # "Not happy about it" is not "happy".
        return 0.2 * back / len(wanted)
    return float((forth / len(typed)) ** 0.4 * (back / len(wanted)) * (1 + 0.02 * len(wanted)))


def _numbered(said: str) -> int | None:
    found = re.fullmatch(
        r"(?:number |no |option |answer |button |its |the )?(\d{1,2})(?:st|nd|rd|th)?(?: one| option)?", said
    )
    return int(found[1]) if found else None


def understand(text: str, choices: Sequence[Choice], *, takes_text: bool = False) -> Reply:
    """Interpret typed words at a question with these buttons. `takes_text`: the question also accepts free text."""
    if len(text) > LONGEST:
        return Reply("text" if takes_text else "question")
    said = plain(text)
    answers = [choice for choice in choices if choice.is_answer]
    if not said:
        return Reply("again")
    number = _numbered(said)
    if number is not None and 1 <= number <= len(answers) and not (takes_text and len(answers) < 3):
        return Reply("choice", (answers[number - 1],))
    exact = [choice for choice in choices if plain(choice.label) == said]
    if len(exact) == 1:
        return Reply("choice", tuple(exact))
    control = _SAME_AS.get(said)
    if control == "emergency":
        return Reply("emergency")
    exact = [choice for choice in choices if said in map(plain, choice.said)]
    if len(exact) == 1:
        return Reply("choice", tuple(exact))
    if said in _NONE and not answers:
        control = "skip"
    control = control or _controls(said)
    if control and (control not in ("skip", "again") or not _yes_or_no(said, answers)):
        found = _control(control, choices, answers, said)
        if found:
            return found
    few = len(said.split())
    if few <= 9:
        for name, pattern in _INSIDE:
            if (
                pattern.search(said)
                and (few <= 6 or name in ("emergency", "back", "cancel"))
                and not (takes_text and few > 5)
            ):
                return (
                    Reply("emergency")
                    if name == "emergency"
                    else _control(name, choices, answers, said) or Reply("again")
                )
    if few == 1 and len(said) > 2:
        close = {
            name
            for word, name in _TYPED_BADLY.items()
            if OSA.distance(said, word, score_cutoff=1) <= 1 and said[0] == word[0]
        }
        if len(close) == 1 and not (takes_text and any(c.isdigit() for c in said)):
            return _control(close.pop(), choices, answers, said) or Reply("again")
    if _CORRECTS.search(said) and few <= 12:
        return Reply("corrects")
    if _WHY.search(said) and len(said.split()) <= 12:
        return Reply("why")
    unsure = next((choice for choice in answers if choice.act.endswith(".not_sure")), None)
    if unsure and few <= 6 and _UNSURE.match(said):
        return Reply("choice", (unsure,))
    marked = canonical(text).text.rstrip(" .!)").endswith("?") and "??" not in text
    if reads_like_a_question(text, strict=takes_text) and (marked or len(said.split()) > 3):
        return Reply("question")
    reply = _chosen(text, said, choices, answers, takes_text=takes_text)
    if reply.kind == "choice" and not takes_text and reply.choices[0].is_answer:
        return _unless_mixed(canonical(text).text.lower().replace("'", ""), reply, answers)
    return reply


#: The number of words in the longest control phrase.
_MOST_WORDS = max(len(way.split()) for way in _SAME_AS)


@lru_cache(maxsize=5000)
def _controls(said: str) -> str | None:
    """Return the one control that a row of control words means ("hmm ok", "forget it, end"); None if it is not one."""
    words, stands_for, at = said.split(), set(), 0
    if len(words) > 2 * _MOST_WORDS:
        return None
    while at < len(words):
        ends = range(min(len(words), at + _MOST_WORDS), at, -1)
        end = next((end for end in ends if " ".join(words[at:end]) in _SAME_AS), None)
        if end is None:
            return None
        stands_for.add(_SAME_AS[" ".join(words[at:end])])
        at = end
    named = stands_for - {"again"} or stands_for
    return named.pop() if len(named) == 1 else None


def _control(control: str, choices: Sequence[Choice], answers: Sequence[Choice], said: str) -> Reply | None:
    if control in ("help", "why"):
        return Reply("help" if control == "help" else "why")
    ends = {"back": "!back", "cancel": "!cancel", "skip": ".skip"}
    if control in ends:
        found = [choice for choice in choices if choice.act.endswith(ends[control])]
        if found:
            return Reply("choice", (found[0],))
        return Reply("again") if control == "back" else None
    # "ok", "next", "done", "dunno": a button may have that label.
    unsure = next((choice for choice in answers if choice.act.endswith(".not_sure")), None)
    if unsure and _UNSURE.search(said):
        return Reply("choice", (unsure,))
    close = [
        choice for choice in choices if said in plain(choice.label).split() or plain(choice.label).startswith(said)
    ]
    if len(close) == 1:
        return Reply("choice", tuple(close))
    return None if close or _yes_or_no(said, answers) else Reply("again")


def _yes_or_no(said: str, answers: Sequence[Choice]) -> list[Choice]:
    """Return the answers that start with yes or with no, whichever the typed words say; empty if they say neither."""
    said = _BEHIND.sub("", said)
    yes, no = _YES.match(said) or _SAID_YES.search(said), _NO.match(said) or _SAID_NO.search(said)
    if yes and not _NO.match(said):
        return [c for c in answers if c.act.endswith(".yes") or re.match(r"yes\b", c.label.lower())]
    if no:
        return [c for c in answers if c.act.endswith(".no") or re.match(r"no\b", c.label.lower())]
    return []


def _is_within(typed: tuple[str, ...], label: str, *, denied: bool) -> bool:
    """Return whether every typed word stands in a label that denies as they do."""
    words = plain(_bare(label))
    return denied == bool(_DENIES.search(words)) and _shared(typed, _content(words)) == len(typed)


#: What joins a second thing to a first.
_JOINED = re.compile(
    r"[,;.:–]| but | though | tho | except | however | rather | instead | just | only | apart from | and | n "
)
#: Saying that somebody did not say no is neither yes nor no.
_NOT_A_NO = re.compile(r"\b(?:\w+nt|not|never) (?:\w+ )?(?:say |said |a )?(?:no|refus\w*|disagree\w*|object\w*)\b")
_CONTRAST = re.compile(r"\b(?:but|though|tho|except|however|rather|instead|just|only|apart from|rest)\b")


def _unless_mixed(lowered: str, reply: Reply, answers: Sequence[Choice]) -> Reply:
    """Return a reply, or a question back where the words deny or contrast and say something besides that the button does not say."""
    choice, said = reply.choices[0], plain(lowered)
    known = tuple({word for phrase in (choice.label, *choice.said) for word in _content(plain(phrase))})
    parts = [words for part in _JOINED.split(f" {lowered} ") if (words := plain(part)) and not _is_filler(words)]
    denies = bool(_DENIES.search(plain(_bare(choice.label))))

    denials = [way for phrase in choice.said if _DENIES.search(way := plain(phrase))]

    def is_other(words: str) -> bool:
        content = _content(words)
        is_denied = bool(_DENIES.search(words)) and not any(f" {way} " in f" {words} " for way in denials)
        return _shared(content, known) * 2 < len(content) or (not denies and is_denied)

    others = [words for words in parts if is_other(words)]
    mixed = len(parts) > 1 and bool(others) and bool(_DENIES.search(said) or _CONTRAST.search(said))
    if not parts or not (mixed or _denies_a_no(said, choice) or (_NOT_A_NO.search(said) and choice.said)):
        return reply
    looked_at = [_content(words) for words in others or parts]
    fits = {
        other: max(
            _fit(words, phrase, denied=False) for words in looked_at for phrase in (_bare(other.label), *other.said)
        )
        for other in answers
        if other is not choice
    }
    likely = sorted((other for other in fits if fits[other] >= 0.3), key=lambda other: -fits[other])
    opposite = [other for other in answers if choice.act.endswith(".no") and other.act.endswith(".yes")]
    found = dict.fromkeys((choice, *opposite, *likely[:3]))
    return Reply("which", tuple(found)) if len(found) > 1 else Reply("again")


def _denies_a_no(said: str, choice: Choice) -> bool:
    """Return whether words deny what would itself be a no, such as "not anonymous" where "anonymous" is the no."""
    if not choice.act.endswith(".no") or not re.match(r"(?:not|isnt|its not|it isnt|never|aint)\b", said):
        return False
    rest = _content(re.sub(r"^(?:its |it )?(?:not|isnt|never|aint) ", "", said))
    return any(_fit(rest, way, denied=False) >= 0.9 for way in choice.said if not _DENIES.search(plain(way)))


def _is_filler(words: str) -> bool:
    """Return whether words say nothing of their own, such as "no" or "i think so"."""
    return all(word in _FILLER or _YES.fullmatch(word) or _NO.fullmatch(word) for word in words.split())


def _named_in(said: str, answers: Sequence[Choice]) -> tuple[Choice, ...]:
    """Return the answers one of whose phrases of two words or more stands in the typed words, if these say more than one."""

    def phrases(choice: Choice) -> list[str]:
        return [phrase for way in choice.said if " " in (phrase := plain(way))]

    def stands(phrase: str) -> bool:
        before, found, _ = f" {said} ".partition(f" {phrase} ")
        # "Nobody asked me" does not say "asked me".
        return bool(found) and (bool(_DENIES.search(phrase)) or not _DENIES.search(before))

    found = [choice for choice in answers if any(map(stands, phrases(choice)))]
    exact = [choice for choice in found if said in phrases(choice)]
    return tuple(exact) if len(exact) == 1 else tuple(found)


def _button_meant(
    typed: tuple[str, ...], said: str, choices: Sequence[Choice], *, denied: bool
) -> tuple[Choice, float] | None:
    """Return the button, not an answer, that a few typed words name nearly in full, and how well they fit; None if none or two."""
    if len(said.split()) > MOST_FOR_BUTTON:
        return None
    fits = [(choice, _fit(typed, _bare(choice.label), denied=denied)) for choice in choices if not choice.is_answer]
    fits = sorted((one for one in fits if one[1] >= NAMES_BUTTON), key=lambda one: -one[1])
    return fits[0] if fits and (len(fits) == 1 or fits[0][1] > fits[1][1] + 0.06) else None


def _says_more(typed: tuple[str, ...], choice: Choice) -> bool:
    """Return whether typed words say something that no way to say this answer does."""
    known = [word for phrase in (choice.label, *choice.said) for word in _content(plain(phrase))]
    return len(typed) > 1 and _shared(typed, known) < len(typed)


def _chosen(text: str, said: str, choices: Sequence[Choice], answers: Sequence[Choice], *, takes_text: bool) -> Reply:
    typed = _content(said)
    denied = bool(_DENIES.search(said))
    fits: list[float] = [
        max(_fit(typed, phrase, denied=denied) for phrase in (_bare(choice.label), *choice.said)) for choice in answers
    ]
    ranked = sorted(zip(fits, range(0, -len(answers), -1), answers, strict=True), key=lambda it: it[:2], reverse=True)
    polar = _yes_or_no(said, answers)
    unsure = next((choice for choice in answers if choice.act.endswith(".not_sure")), None)
    if takes_text and (len(said.split()) > 3 or not _BARE.match(said)):
        polar = []
    if unsure and _UNSURE.search(said):
        return Reply("choice", (unsure,))
    if re.search(r"\b(?:yes|yeah|yep|yh)\b", said) and re.search(r"\b(?:no|nope|not)\b", said) and not takes_text:
        polar_ones = tuple(c for c in answers if re.match(r"(?:yes|no)\b", c.label.lower()))
        return Reply("which", polar_ones[:6] or tuple(answers[:4]))
    bare = said in ("yes", "no", "y", "n", "yeah", "yep", "yes i do", "yes it is", "nope", "nah", "yh", "aye")
    if bare and not polar and answers and not any(said in map(plain, choice.said) for choice in answers):
        return Reply("which", tuple(answers[:4])) if len(answers) > 1 else Reply("choice", tuple(answers))
    within = [choice for choice in answers if typed and _is_within(typed, choice.label, denied=denied)]
    said_of = _named_in(said, answers)
    if len(said_of) == 1 and not takes_text:
        return Reply("choice", said_of)
    button = _button_meant(typed, said, choices, denied=denied)
    if button and (takes_text or not ranked or ranked[0][0] < button[1]):
        return Reply("choice", (button[0],))
    if len(said_of) > 1:
        # They say two things: as words of their own that is an answer; as a button it is not one.
        return Reply("text") if takes_text else Reply("which", said_of[:4])
    if len(within) > 1 and len(typed) == 1 and not polar:
        return Reply("which", tuple(within[:4]))
    if len(polar) == 1:
        other = ranked[0] if ranked else None
        named_other = (
            other and other[2] is not polar[0] and other[0] >= 0.95 and not polar[0].act.endswith((".yes", ".no"))
        )
        if not named_other:
            return Reply("choice", (polar[0],))
    is_bare = bare or bool(_YES.fullmatch(said) or _NO.fullmatch(said))
    if len(polar) > 1 and is_bare and polar[-1].act.endswith((".yes", ".no")):
        # The last of them stands for any other: which one it is, is asked next.
        return Reply("choice", (polar[-1],))
    if len(polar) > 1:
        among = [item for item in ranked if item[2] in polar]
        is_clear = among[0][0] > among[1][0] + 0.15 and among[0][0] >= 0.5
        is_only_one = among[1][0] < 0.05 and among[0][0] >= 0.2
        if typed and (is_clear or is_only_one):
            return Reply("choice", (among[0][2],))
        return Reply("which", tuple(polar))
    # The typed words may be the start of a button's label: choose it if it is the only one.
    whole = said if len(said) > 5 else said + " "
    begins = [choice for choice in choices if plain(choice.label).startswith(whole) and len(said) > 2]
    if len(begins) == 1 and (not takes_text or begins[0].is_answer):
        return Reply("choice", tuple(begins))
    if len(begins) > 1 and all(choice.is_answer for choice in begins):
        return Reply("which", tuple(begins))
    if ranked:
        best = ranked[0][0]
        if takes_text and _says_more(typed, ranked[0][2]):
            # What the button does not say would be lost.
            return Reply("text")
        need = 0.8 if takes_text else 0.42
        if takes_text and len(said.split()) > 6:
            need = 1.05
        if best >= need:
            alike = [item[2] for item in ranked if item[0] >= best - 0.06]
            if takes_text and len(alike) > 1 and len(typed) > 1:
                return Reply("text")
            if len(alike) == 1:
                return Reply("choice", (alike[0],))
            return Reply("which", tuple(alike)) if len(alike) <= 4 else Reply("again")
        if within and not takes_text:
            return Reply("choice", tuple(within)) if len(within) == 1 else Reply("which", tuple(within[:4]))
    if takes_text:
        return Reply("again") if _says_nothing(said) else Reply("text")
    if reads_like_a_question(text) or len(said.split()) >= 7:
        return Reply("question")
    return Reply("again")


def _says_nothing(said: str) -> bool:
    """Say whether typed words say too little to be recorded as an answer."""
    return (
        said in _SAME_AS or (bool(_UNSURE.search(said)) and len(said.split()) <= 4) or not re.search(r"\w\w|\d", said)
    )


#: Ways to say buttons that are not options of a question, by the ending of their action.
SAID_OF_BUTTONS: Mapping[str, tuple[str, ...]] = {
    str(name): tuple(map(str, ways)) for name, ways in _RAW["buttons"].items()
}


def says_little(text: str) -> bool:
    """Say whether a text contains nothing to answer or look up: small talk, a control word, a symbol."""
    said = plain(text[:LONGEST])
    return not said or said in _SAME_AS or (len(said.split()) == 1 and len(said) < 3)


_SMALL_TALK = {str(said): str(kind) for kind, ways in _RAW["small_talk"].items() for said in ways}


#: What people ask for while no walk is open, in many words -> what it is.
_ASKED_FOR: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("!start", re.compile(r"^(?:pls |please |ok |can i |can we |lets )*(?:start|begin|do) (?:the |my |these |sharing )*(?:q|qs|questions?)\b")),
    ("local", re.compile(r"^(?:so |ok |and )*who(?:m)? (?:do|should|can|shall) (?:i|we) (?:call|ring|phone)(?: here| now| then)?$|\bphone number (?:for|of)\b")),
    ("pdf_of_record", re.compile(r"\bpdf\b")),
    ("show_record", re.compile(r"^(?:ok |so )*(?:where|wheres|where is|where can i (?:find|see))\b.*\b(?:records?|saved)\b")),
)  # fmt: skip
MOST_ASKED_FOR = 9


def asked_for(text: str) -> str | None:
    """Return what typed words ask the bot to do where no walk is open ("!start", "local", "pdf_of_record" ...); None for others."""
    said = plain(text[:LONGEST])
    if len(said.split()) > MOST_ASKED_FOR:
        return None
    return next((name for name, pattern in _ASKED_FOR if pattern.search(said)), None)


_AT_EMERGENCY: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mistake", re.compile(
        r"\b(?:mistake|accident\w*|wrong (?:button|one|thing)|oops|whoops|sorry|cancel|undo|back|go back|didnt mean|did not mean|ignore|"
        r"false alarm|never mind|nevermind|nobody is in danger|no one is in danger|no emergency|not an emergency|test\w*)\b")),
    ("happened", re.compile(
        r"\b(?:earlier|last (?:week|month|night|year|term|time|\w+day)|yesterday|happened|not now|ago|before|in the past|historic\w*|"
        r"not happening|safe now|over now)\b")),
    ("calling", re.compile(
        r"\b(?:calling|called|call them|ringing|rang|rung|ring them|phoning|phoned|on the phone|dialling|dialing|dialled|spoke to 999)\b")),
)  # fmt: skip


#: How people say outright that it is over, even if what they tell of is danger.
_OVER = re.compile(r"\b(?:happened|earlier|not now|not happening|over now|safe now)\b")


def of_emergency(text: str, *, more_danger: bool = False) -> str | None:
    """Return which button of an emergency typed words mean ("calling", "happened" or "mistake"); None if none, or several.

    `more_danger`: the words tell of danger themselves, so "since yesterday" does not say that it is over.
    """
    said = plain(text[:LONGEST])
    if said in ("yes", "y", "yep", "yeah", "ok", "doing it", "done"):
        return "calling"
    if said in ("no", "n", "nope", "nah"):
        return "mistake"
    found = [name for name, pattern in _AT_EMERGENCY if pattern.search(said)]
    if more_danger and not _OVER.search(said):
        found = [name for name in found if name == "calling"]
    return found[0] if len(found) == 1 else None


def small_talk(text: str) -> str | None:
    """Return the kind of small talk that a text consists of, such as "thanks", or None."""
    return _SMALL_TALK.get(plain(text[:LONGEST]))


@cache
def ways_to_say(question: str) -> Mapping[str, tuple[str, ...]]:
    """Return the other ways to say each option of a question, by option id."""
    raw = _RAW["questions"].get(question, {})
    return {option: tuple(map(str, ways)) for option, ways in raw.items()}
