"""Does a text speak of present danger, of abuse disclosed or seen, or of a crime? Then the police card comes first.

Words only, no understanding: it would rather show the card once too often. Two ways, either will do: patterns of what people
say, and counted words, learned from written-down texts of danger and calm ones. For the patterns, a question about rules in
general, with nobody in it and nothing that happens, is left alone.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

_HARM = (
    r"(?:hit|hits|hitting|hurt|hurts|hurting|beat|beats|beaten|beating|punch\w*|kick\w*|slap\w*|burn\w*|bit|bites|bitten|chok\w*|strangl\w*|"
    r"smack\w*|whip\w*|belt\w*|abus\w*|touch\w*|grop\w*|rap(?:e|es|ed|ing)|molest\w*|assault\w*|attack\w*|stab\w*|threaten\w*|groom\w*|traffick\w*|"
    r"exploit\w*|neglect\w*|starv\w*|lock(?:s|ed|ing)? (?:him|her|them|me|the child|us)|shak(?:es|en|ing) (?:him|her|the baby|the child)|harm(?:s|ed|ing)?|"
    r"interfer\w* with|undress\w*|naked|nudes?|sexual\w*|does things|did things|comes? into (?:his|her|their|my) (?:room|bed)|"
    r"kill\w*|scared (?:to go|of going) home|afraid (?:to go|of going) home|not safe at home|unsafe at home)"
)
_CHILD = (
    r"(?:child|children|kid|kids|pupil|pupils|student|students|girl|girls|boy|boys|baby|toddler|infant|teenager|teen|youngster|young person|"
    r"daughter|son|sibling|brother|sister|patient|client|lad|lass|one of my|\d{1,2} ?(?:yr|year)s?[ -]?old|\d{1,2}yo|he|she|they)"
)
_ADULT = (
    r"(?:dad|daddy|father|mum|mother|mam|parent|parents|step ?dad|step ?mum|step ?father|step ?mother|carer|uncle|aunt|grandad|grandfather|grandmother|"
    r"boyfriend|partner|coach|teacher|neighbour|babysitter|brother|sister|man|men|somebody|someone|ex|husband|adult|cousin|he|she|they)"
)

#: Danger that is there now, whoever speaks of it.
_NOW = (
    r"\b(?:is|are|was|may be|might be|could be|she's|he's|they're|child|kid|baby)\b[^.?!]{0,30}\bin (?:immediate |real |serious |grave )?danger\b",
    r"\bimmediate (?:danger|risk)\b[^.?!]{0,40}\b(?:now|tonight|today|right)\b",
    r"\b(?:at risk|unsafe|in danger|not safe|danger)\b[^.?!]{0,20}\b(?:right now|now|tonight|this minute|at this moment|today|as we speak)\b",
    r"\b(?:has|have|got|with|holding|carrying|waving|brought|pulled)\b[^.?!]{0,20}\b(?:a|an|the)? ?(?:knife|gun|weapon|machete|blade)\b",
    r"\b(?:going|trying|threat\w+|threatening|planning|plans|wants|intends|tried|says (?:he|she|they) will|said (?:he|she|they) will|gonna)\b[^.?!]{0,20}\b(?:to )?"
    r"(?:kill|stab|shoot|hurt|harm|attack|jump|strangle|take (?:his|her|their|my) (?:own )?life|end (?:it|(?:his|her|their|my) life)|burn)\b",
    r"\b(?:suicidal|overdosed?|(?:kill|killed|killing) (?:him|her|them|my)sel(?:f|ves)|self[ -]?harm(?:ed|ing)? (?:now|today|tonight|just)|not breathing|"
    r"unconscious|unresponsive|passed out|collapsed|bleeding)\b",
    r"\b(?:been|was|were|got|is being|are being|be|getting|is|has been|have been|just)\b[^.?!]{0,12}\b(?:stabbed|raped|sexually assaulted|sexually abused|assaulted|abducted|"
    r"kidnapped|trafficked|strangled|beaten(?: up)?|attacked|drugged|molested|groped|locked (?:in|up|out)|tied up|shot|starved|choked|whipped|"
    r"sold for sex|cuckooed)\b",
    r"\b(?:raped|stabbed|molested|strangled)\b[^.?!]{0,20}\b(?:her|him|me|them|a child|the child|my|girl|boy)\b",
    r"\b(?:left|leaves|leaving|alone|been left|are|is)\b[^.?!]{0,25}\b(?:home alone|alone (?:in|at|over|all|since|for|overnight)|on (?:her|his|their) own (?:all|over|at|since|in))\b",
    r"\b(?:gone|went|been|is|are|has been|reported|still) missing\b|\bran away\b|\brun away\b|\bmissing (?:since|from home|overnight|child)\b",
    r"\bcrime (?:has been|was|is being|might have been|may have been|has just been|had been)\b[^.?!]{0,15}\bcommitted\b|\bwitness(?:ed|ing) (?:a|an) (?:crime|assault|attack)\b",
    r"\b(?:child|kid|girl|boy|baby|toddler|pupil|student)\b[^.?!]{0,25}\b(?:is|are|being|gets|getting|keeps? (?:getting|being))\b[^.?!]{0,15}\b(?:hit|beaten|abused|hurt|raped|attacked|starved|groomed|exploited|sexually\w*)\b[^.?!]{0,30}\b(?:now|tonight|at home|by|every|again|today)\b",
    rf"\b{_ADULT}\b (?:is |are |was |were |has been |keeps? |has |have |had |just |still |always |regularly )*(?:hit|hits|hitting|beat|beats|beating|punch\w*|kick\w*|slap\w*|burn\w*|chok\w*|"
    rf"strangl\w*|whip\w*|belt\w*|abus(?:es|ed|ing)|grop\w+|rap(?:es|ed|ing)|molest\w+|assault(?:s|ed|ing)|attack(?:s|ed|ing)|stab\w+|shak(?:es|ing)|hurt|hurts|hurting|smack\w*|groom(?:s|ed|ing)|touch(?:es|ed|ing))\b[^.?!]{{0,20}}"
    rf"\b(?:him|her|them|me|his|their|my|the (?:baby|child|children|kids?|girl|boy)|a child|mum|child|children|kids?|baby|pupil|daughter|son|it|us|each other)\b",
    r"\b(?:indecent|naked|nude|sexual|explicit) (?:image|images|photo|photos|picture|pictures|video|videos|pics?)\b[^.?!]{0,40}\b(?:of|from|sent|her|him|child|pupil|girl|boy|kid)\b",
    r"\b(?:sent|sending|sends|asked for|shared|sharing|has)\b[^.?!]{0,20}\b(?:nudes|naked pics?|naked photos?|indecent images)\b",
    r"\b(?:being|is being|are being|been|getting|got) (?:groomed|exploited|abused|neglected and|hurt|harmed|hit|pimped)\b[^.?!]{0,40}\b(?:by|at home|now|online|right|today|i think|i am sure|i'm sure)\b",
    r"\b(?:i think|i am sure|i'm sure|im sure|i believe|i know|we think|pretty sure|suspect)\b[^.?!]{0,40}\b(?:is|are|was|were|being|been|has|he's|she's|shes|hes)\b[^.?!]{0,25}\b(?:hit|beaten|abused|abusing|hurt|hurting|hitting|beating|raped|assaulted|groomed|exploited|trafficked|harmed|harming|dealing|county lines)\b",
    r"\b(?:call|phone|ring|dial|rang|calling) 999\b[^.?!]{0,20}\bnow\b|\bhelp (?:now|me|urgent)|\burgent\b[^.?!]{0,30}\b(?:danger|hurt|unsafe|injur\w*|attack\w*)\b",
    r"\b(?:smell|smells|smelt|smelling|drunk|wasted|stoned|legless|intoxicated|high|on drugs|off (?:his|her|their) (?:face|head))\b[^.?!]{0,40}"
    r"\b(?:driv\w+|car|wheel|baby|toddler|kids?|children|pick\w* up|collect\w*|gate)\b|\bdriv\w+\b[^.?!]{0,15}\b(?:drunk|stoned)\b",
    r"\b(?:taken|took|taking|swallowed|swallowing|drank|drunk|eaten)\b[^.?!]{0,30}\b(?:tablets|pills|paracetamol|ibuprofen|bleach|medication|medicine|overdose|od)\b",
    r"\b(?:forced marriage|married off|(?:fly|flying|taking|take|sending|send) (?:her|him|them|out) (?:out|abroad|to \w+ (?:\w+ )?(?:to be married|to marry|for a wedding|to get married)|tomorrow|tonight)|(?:to be|be|being|getting|get) (?:forced to marry|married off|married (?:abroad|against))|cut (?:her|down there)|been cut|fgm (?:was|has|happened|done|tomorrow|planned))\b",
    r"\b(?:screaming|shouting for help|fighting|kicking off|smashing)\b[^.?!]{0,30}\b(?:now|right now|next door|at home|outside|inside|house|flat)\b",
    r"\b(?:someone|somebody|a man|man|stranger)\b[^.?!]{0,30}\b(?:taken|grabbed|snatched|trying to take|following)\b[^.?!]{0,20}\b(?:child|kid|girl|boy|her|him|pupil)\b",
)

#: A child told somebody.
_TOLD = (
    rf"\b{_CHILD}\b[^.?!]{{0,30}}\b(?:told|tells|telling|said|says|disclosed|discloses|confided|revealed|admitted|whispered|wrote|messaged|texted|let slip|opened up|came to me)\b[^.?!]{{0,80}}\b{_HARM}\b",
    rf"\b(?:disclosed|disclosing|disclosure|disclosed to me|just (?:told|disclosed)|has (?:just )?(?:told|disclosed))\b[^.?!]{{0,60}}\b(?:{_HARM}|abuse|to me|today|this (?:morning|afternoon)|just now|tonight|yesterday)",
    rf"\b(?:told me|tells me|said to me|confided in me|confided to me|opened up)\b[^.?!]{{0,80}}\b{_HARM}\b",
    r"\b(?:has|have|just|had)\b ?(?:just )?\bdisclosed\b",
)

#: Somebody saw something.
_SEEN = (
    r"\b(?:saw|see|seen|seeing|found|noticed|spotted|there (?:are|is|were|was)|has|have|had|got|covered in|came in with|turned up with|arrived with|came to \w+ with|with)\b[^.?!]{0,40}\b"
    r"(?:bruis\w+|burns?|burn marks?|bite ?marks?|black eyes?|cigarette|finger ?marks?|hand ?marks?|belt marks?|welts?|lash marks?|cuts|broken (?:arm|leg|rib|bone)|fractur\w+|injur\w+|"
    r"(?:blood|marks) (?:on|in|round|around))\b",
    r"\b(?:bruis\w+|burn marks?|bite ?marks?|black eye|finger ?marks?|injur\w+)\b[^.?!]{0,40}\b(?:on|all over|round|around|under|across|down|that do(?:es)? ?n[o']t|unexplained)\b",
    rf"\b(?:i|we|just|have|has)\b ?(?:just )?\b(?:saw|seen|witnessed|watched|heard|overheard)\b[^.?!]{{0,40}}\b{_HARM}\b",
    r"\b(?:hear|heard|hearing|see|saw|seen|seeing|watch\w*|witness\w*|found)\b[^.?!]{0,30}\bbeing\b[^.?!]{0,12}\b(?:hit|beaten|hurt|kicked|punched|slapped|dragged|attacked|abused|raped|strangled|threatened)\b",
    r"\bunexplained (?:injur\w+|bruis\w+|marks|burns?)\b",
)

#: A question about the rules in general: nobody in it, nothing that happens.
_GENERAL = re.compile(
    r"^(?:what (?:does|do|is|are|counts|kind|sort|signs?|should i look)|how (?:does|do (?:i|you|we) (?:spot|recogni\w+|define|record|know))|is there|are there|where|which|who (?:is|has|are)|does (?:the|this)|do (?:the|we|i) (?:have|need)|can (?:the|a|we|i|you)|when (?:is|does|do|can|should)|define|explain|tell me about|list|policy|"
    r"training|if a|if someone|what if|what (?:happens )?when|in an emergency|are we|is it|should we|should (?:the|a)|do all|must|how (?:long|much|many|can|should|to))\b"
)
_HAPPENS = re.compile(
    r"\b(?:just|now|today|tonight|yesterday|this (?:morning|afternoon|evening|week|lunchtime)|last night|told me|tells me|i saw|i have seen|i heard|i think|i've|my (?:pupil|client|patient|student)|one of my|"
    r"one of our|has disclosed|disclosed to me|has told|have told|has been (?:hit|hurt|beaten|abused|raped|stabbed|assaulted)|right now|at the moment|"
    r"i am worried|im worried|i'm worried|going to (?:kill|hurt|stab)|years? old|\d+yo|she (?:has|is|says|said)|he (?:has|is|says|said)|her (?:dad|mum|step|arm|face|neck)|his (?:dad|mum|step|arm|face|neck))\b"
)
_ALL = tuple(re.compile(pattern) for pattern in (*_NOW, *_TOLD, *_SEEN))


def is_spoken_of(plain: str) -> bool:
    """Say whether a text in small letters speaks of danger now, abuse disclosed or seen, or a crime."""
    if not any(pattern.search(plain) for pattern in _ALL):
        return False
    return not (_GENERAL.match(plain) and not _HAPPENS.search(plain))


#: Small words that tell a story about somebody, beside those that questions are looked up by.
_TELLING = frozenset(
    ["he", "she", "they", "him", "her", "me", "my", "i", "is", "are", "was", "now", "just", "says", "said", "told", "today",
     "tonight", "hes", "shes", "he's", "she's", "theyre"]
)  # fmt: skip
_ASKS = re.compile(
    r"^(?:what|who|when|where|why|which|how|can|could|should|do|does|did|is|are|am|may|must|will|would)\b"
)
_WORD = re.compile(r"[a-z']+")
#: From this much on, for the root of the number of words, a text speaks of danger. Measured: docs/figures.md.
LIMIT = 4.4
#: What every word counts as seen beside its texts.
_EVERY = 0.3


def words(terms: Iterable[str], plain: str) -> set[str]:
    """Return what a text is judged by: its terms, small words that tell a story, and whether it begins as a question."""
    told = {f"_{word}" for word in _WORD.findall(plain) if word in _TELLING}
    return {*terms, *told, "_asks" if _ASKS.match(plain) else "_tells"}


class Words:
    """How much likelier each word is in texts of danger than in calm ones."""

    def __init__(self, spoken: Sequence[set[str]], calm: Sequence[set[str]]) -> None:
        in_spoken = Counter(word for text in spoken for word in text)
        in_calm = Counter(word for text in calm for word in text)
        self._weight = {
            word: math.log((in_spoken[word] + _EVERY) / (len(spoken) + 2 * _EVERY))
            - math.log((in_calm[word] + _EVERY) / (len(calm) + 2 * _EVERY))
            for word in in_spoken | in_calm
        }

    def speak_of_it(self, text: set[str]) -> bool:
        """Say whether the words of a text speak of danger."""
        return sum(self._weight.get(word, 0.0) for word in text) > LIMIT * math.sqrt(len(text))
