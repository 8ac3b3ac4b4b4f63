"""Find identifiers in free text (kind and position). Walks and storage accept free text only as `Screened`.

There are two levels. Identifiers with a recognisable shape (numbers, addresses, links) are refused. So is anything
that looks like a person's name, but the person may say that it is not one (a school, a road). This module never stores
or logs a text.

Every pattern runs on the canonical form and is bounded: it has no unlimited repetition, and it checks the context of a
match only within a fixed window. The cost therefore depends on the length of a text and hardly at all on its content.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address

from stdnum.gb import nhs, upn

from flows import names
from flows.breaks import begin, pause
from flows.canonical import canonical

#: The maximum number of characters of a text that we store, and that we check. The second is Telegram's limit for a message.
LONGEST, LONGEST_READ = 1500, 4096
PERSON = "person"
#: How many characters to search at a time, and how far past them a match may run: the longest possible match.
PIECE, LONGEST_MATCH = 400, 330
#: Kinds that a configured case reference may resemble. Any other kind is refused even inside a case reference.
REFERENCE_LIKE = ("handle", "nino", "phone", "postcode", PERSON)
#: Kinds that a person may override: a word that only looks like a name, or a case reference that happens to pass the
#: NHS number check digit.
OVERRIDABLE = (PERSON, "nhs_number")
#: Every kind, in order of precedence: where findings overlap, the earlier kind wins.
KINDS = (
    "email", "url", "ip_address", "handle", "nhs_number", "upn", "nino", "passport", "date_of_birth", "phone", "postcode", "address",
    PERSON,
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """One identifier: its kind and its position in characters, never the identifier itself."""

    kind: str
    start: int
    end: int


class NotScreened(Exception):
    """The text did not pass screening. Callers must not store any part of it."""


class IdentifierFound(NotScreened):
    """The text appears to identify a person. `kinds` lists the kinds of identifier found."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        super().__init__(", ".join(kinds))
        self.kinds = kinds


class TextTooLong(NotScreened):
    """The text is longer than this caller allows."""

    def __init__(self, length: int, most: int) -> None:
        super().__init__(f"The text has {length} characters, {most} is the most.")


class ScreeningFailed(NotScreened):
    """Screening itself failed. This is our fault, not the person's; the text is not stored."""


_MADE_HERE = object()


@dataclass(frozen=True)
class Screened:
    """Text that has passed screening. Only this module can make one.

    `said_not_a_person` counts findings that looked like a name but that the person said are not.
    `said_a_reference` counts those that pass the NHS number check digit but that the person said are case references.
    """

    text: str
    said_not_a_person: int = 0
    said_a_reference: int = 0
    made_by: object = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.made_by is not _MADE_HERE:
            raise TypeError("Only screening makes a Screened.")


@dataclass(frozen=True)
class Looked:
    """The result of screening a text.

    `kinds` has one entry per finding. `length` is in UTF-16 code units, as Telegram counts; a line break counts as one.
    """

    text: str
    length: int
    kinds: tuple[str, ...] = ()
    failed: str = ""

    def screened(self, *, longest: int = LONGEST, override: Collection[str] = ()) -> Screened:
        """Return the text as a `Screened`; raise IdentifierFound, TextTooLong or ScreeningFailed.

        `override` lists the OVERRIDABLE kinds whose findings the person has said are something else.
        """
        if self.failed:
            raise ScreeningFailed(self.failed)
        if any(kind not in override for kind in self.kinds):
            raise IdentifierFound(tuple(dict.fromkeys(self.kinds)))
        if self.length > longest:
            raise TextTooLong(self.length, longest)
        return Screened(self.text, self.kinds.count(PERSON), self.kinds.count("nhs_number"), _MADE_HERE)


# ---- separators inside a number --------------------------------------------------------------------
#: Characters that people write between digits. Every kind of number may have any of them between its groups.
_SEP = r"[ \n.,/\\()\[\]{}:;_|*~'\"+-]"
_GAP = rf"{_SEP}{{0,3}}"
#: How many characters around a match to search for a label.
_WINDOW = 40

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]{0,6}"
_MONTH_IN_WELSH = r"(?:ion|chwe|maw|ebr|mai|meh|gor|aws|med|hyd|tach|rhag)[a-z]{0,7}"
_NTH = r"(?:st|nd|rd|th)?"
_NTHS = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|"
    "seventeenth|eighteenth|nineteenth|twentieth|twenty[ -](?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|"
    "thirtieth|thirty[ -]first"
)
_IN_DATE = r"[ \n]?[ \n.,:/\\_-]{1,2}[ \n]?"
_DATE = (
    rf"(?:\d{{4}}{_IN_DATE}\d{{1,2}}{_IN_DATE}\d{{1,2}}|\d{{1,2}}{_IN_DATE}\d{{1,2}}{_IN_DATE}(?:\d{{4}}|\d{{2}})|\d{{8}}|\d{{6}}|"
    rf"\d{{1,2}}[ ./-]{{1,2}}[ivx]{{1,4}}[ ./-]{{1,2}}(?:19|20)?\d\d|(?:{_NTHS})(?: day)?(?: of)?(?: the)? (?:{_MONTH}|{_NTHS})|{_MONTH} \d{{4}},? (?:the )?\d{{1,2}}{_NTH}|"
    rf"\d{{1,2}} ?{_NTH}(?: of)?[ \n./-]{{0,2}}{_MONTH}(?:[ \n,./'-]{{0,3}}\d{{2,4}})?|{_MONTH}[ \n./-]{{1,2}}\d{{1,2}}{_NTH}(?:[ \n,./'-]{{1,3}}\d{{2,4}})?)(?!\d)"
)
_FULL_DATE = (
    rf"(?:(?:19|20)\d\d{_IN_DATE}\d{{1,2}}{_IN_DATE}\d{{1,2}}|\d{{1,2}}{_IN_DATE}\d{{1,2}}{_IN_DATE}(?:(?:19|20)\d\d|\d\d)|"
    rf"\d{{1,2}} ?{_NTH}(?: of)?[ \n./-]{{0,2}}{_MONTH}[ \n,./'-]{{0,3}}(?:19|20)\d\d)(?!\d)"
)
_BORN = (
    r"(?:born|d[. ]{0,2}o[. ]{0,2}b{1,2}(?![a-z])\.?|(?:date|day) ?of ?b[a-z]{3,5}|birth ?(?:date|day)|b-?day\b|birth\b|b\.(?= ?\d)|"
    r"had (?:him|her|the baby) on|(?:baby|twins?|he|she)(?: was)? (?:arrived|delivered)|gave birth|leap (?:year )?baby|turn(?:s|ed) \d{1,2} on)"
)
_AREAS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC EH EN EX FK FY G GL GU "
    "HA HD HG HP HR HS HU HX IG IP IV JE KA KT KW KY L LA LD LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH "
    "PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
)
_AREA = "|".join(sorted(_AREAS.split(), key=len, reverse=True))
_STREET = (
    "street|st|road|rd|avenue|ave|lane|ln|close|cl|drive|dr|court|ct|gardens|gdns|crescent|cres|terrace|terr|way|place|pl|grove|"
    "walk|hill|square|sq|row|mews|park|green|parade|rise|view|house|villas|buildings|heights|estate|mount|vale|croft|meadow|"
    "meadows|broadway|yd|circus|quay|wharf|lodge|tower|towers|mansions|cottage|cottages|fold|bank|gate|hey|dene|drove|ridge|approach|"
    "wynd|brae|loan|gait|chase|copse|glade|glen|passage|yard|orchard|orchards|paddock|paddocks|spinney|warren|reach|strand|"
    "esplanade|embankment|promenade|hollow|nook|oaks|elms|limes|firs|pines|laurels|willows|beeches|leys|lea|leas|fields|common|"
    "corner|knoll|dell|steps|stables|maltings|flats|side|end|cross|mill|wood|woods|moor|brow|garth|ginnel|snicket|boulevard|point"
)
_STREETS = frozenset(_STREET.split("|"))
_STREET_CAPITAL = "|".join(
    word.title() for word in _STREET.split("|") if len(word) > 3 or word in ("way", "row", "yd", "hey")
)
#: Street words that rarely mean anything else, even in lower case.
_STREET_SMALL = "street|st|road|rd|avenue|ave|lane|ln|close|drive|court|gardens|gdns|crescent|cres|terrace|grove|mews|way|square|parade|croft|wynd"
_SMALL_WORD = (
    r"(?!(?:of|the|in|on|to|and|or|at|for|by|from|with|my|his|her|their|our|a|an|is|are|was|were|no|more|other|years?|months?|"
    r"weeks?|days?|hours?|minutes?|mins?|miles?|metres?|children|kids|pupils|boys|girls|people|families|times|old|per|different|"
    r"late|early|full|parking|crossing|one|two|that|this|not|she|he|they|we|had|has|have|will|can|went|got|pm|am|adults?|staff|"
    r"meetings?|visits?|calls?|sessions?|lessons?|form|tutor|set|group|year|which|who|when)\b)"
)
#: A house number: "12", "12a", "12-14", "No. 12", "Number 12", "twelve".
_HOUSE = r"\d{1,4}(?: ?[a-zA-Z](?![a-zA-Z]))?(?: ?[-/&] ?\d{1,4}[a-zA-Z]?(?![a-zA-Z]))?"
_HOUSE_WORDS = (
    "(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    "(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?)"
)
_FLAT_WORD = "(?:flat|apartment|apt|unit|room|plot|studio|house|block|pod|bungalow|chalet|caravan|pitch)"
_FLAT = rf"{_FLAT_WORD}[. ]{{1,2}}(?:no\.? ?)?\w{{1,4}}(?:, ?{_FLAT_WORD} \w{{1,4}})?"
_NAMED = r"(?:[A-Z][A-Za-z'.-]{0,24}[ \n]{1,2}){1,3}"
_WELSH = r"(?:Heol|Ffordd|Stryd|Maes|Rhodfa|Clos|Bryn|Lon|Lôn|Tir|Cae|Parc|Cwrt|Pen|Pant|Nant|Llys|Erw|Dol|Gwel|Trem|Ty|Tŷ|Plas|Rhiw|Cwm|Coed)"
_DOMAIN = r"(?:com|co\.uk|org\.uk|ac\.uk|gov\.uk|nhs\.uk|sch\.uk|org|net|uk|io|me|info|eu|tv|app|gg|ly|edu|biz|live)"
_OFFICIAL = re.compile(r"(?:www\.)?(?:[\w-]+\.)*(?:gov\.uk|nhs\.uk|parliament\.uk|legislation\.gov\.uk)", re.IGNORECASE)
_APPS = (
    r"(?:snap(?:chat)?|insta(?:gram)?|ig|tik ?tok|twitter|discord|telegram|roblox|xbox|psn|steam|kik|whatsapp|facebook|fb|youtube|"
    r"bereal|twitch|minecraft|fortnite|reddit|signal|onlyfans|gamer ?tag|user ?name|handle|screen ?name|profile|account|online|goes by|going by|calls (?:him|her)self|add me)"
)

#: Two letters at most, six to nine digits in one to three groups, and perhaps a letter.
_PASSPORT = rf"((?:[A-Z]{{1,2}} ?)?\d(?:{_GAP}\d){{5,8}}[A-Z]?)(?![A-Za-z0-9])"

_I = re.IGNORECASE
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "email",
        re.compile(
            r"(?<![\w.+'-])[\w.+'-]{1,64}(?:@| @ | ?\(at\)|\[at\]|\{at\}|<at>) ?(?!\d{1,2}[.:]\d)[\w-]{1,63}(?: ?(?:\.|\(dot\)|\[dot\]|\bdot\b) ?[\w-]{1,63}){1,5}|"
            r"(?<![\w.+-])[\w+-]{1,64}(?:(?:\.| (?:dot|underscore|dash) )[\w+-]{1,40}){0,4} at [\w-]{1,63}(?: dot [\w-]{1,20}){1,4}\b|"
            rf"(?<![\w.+-])[\w.+-]{{1,64}} at [\w-]{{1,63}}\.{_DOMAIN}\b",
            _I,
        ),
    ),
    (
        "url",
        re.compile(
            rf"(?:https?|hxxps?)://[^\s<>\"]{{1,200}}|(?<![\w.@/-])(?:[a-z][\w-]{{1,40}}\.){{1,4}}[a-z]{{2,10}}/(?=[^\s<>\"]{{0,40}}\w)[^\s<>\"]{{2,200}}|\bwww\.[^\s<>\"]{{1,200}}|(?<![\w.@-])(?:[\w-]{{1,63}}\.){{1,6}}{_DOMAIN}(?:/[^\s<>\"]{{0,200}})?(?![\w@])|"
            r"(?<![\w.-])[\w-]{1,63} (?:dot|\(dot\)|\[dot\]) (?:com|co dot uk|org|net|uk|tv|gg|me|io)\b(?: (?:forward )?slash [\w-]{1,40}){0,4}",
            _I,
        ),
    ),
    ("ip_address", re.compile(r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?!\w|\.\d)|(?<![\w.:])(?=[0-9a-f:]{0,30}:[0-9a-f]{0,4}:)[0-9a-f:]{3,39}(?![\w:])", _I)),
    ("passport", re.compile(rf"\b(?:pass ?ports?|ppt|(?:pp|travel doc(?:ument)?|(?:id|identity) card) (?:no|num|number)|doc(?:ument)? (?:no|num|number))(?:(?![a-z])\D{{0,30}}?(?<![a-z]))?{_PASSPORT}", _I)),
    ("passport", re.compile(rf"(?<![A-Za-z0-9]){_PASSPORT}(?=[ (:]{{1,2}}(?:is |was |\(?as |on |in )?(?:an? |the |his |her |their |my |mum's |dad's )?pass ?port\b)", _I)),
    ("handle", re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]{2,30}|(?<![\w.$])\$(?=[\w-]{0,20}[a-z])[A-Za-z][\w-]{3,20}")),
    ("handle", re.compile(rf"(?:(?<![A-Za-z])(?:{_APPS})|\b(?:games?|plays?|streams?|chats?)) as ((?=[A-Za-z]*(?:[\d_.]|[a-z][A-Z]))[A-Za-z_][\w.]{{3,30}})")),
    (
        "handle",
        re.compile(
            rf"\b(?:post(?:s|ed|ing)?|(?:messag|contact|wr[io]t|comment|call|add|follow|friend)\w{{0,5}})(?: [\w'-]{{1,15}}){{0,5}}? (?:as|from|under|by|called) "
            rf"@?((?=\w{{0,24}}(?:[\d_]|\.\w))[A-Za-z_]\w{{1,24}}(?:[._](?!{_DOMAIN}\b)\w{{1,24}}){{0,3}})(?<=[\w]{{4}})(?![\w@])",
            _I,
        ),
    ),
    (
        "handle",
        re.compile(
            r"\b(?:user ?name|handle|gamer ?tag|screen ?name)(?: (?:is|was)| ?[:=])[ \n]{0,2}[\"'@]?(?!not\b|the\b|a\b|still\b|known\b)([A-Za-z][\w.-]{3,30})",
            _I,
        ),
    ),
    (
        "nino",
        re.compile(
            rf"(?<![A-Za-z0-9])(?:[A-CEGHJ-PR-TW-Z]{_SEP}?[A-CEGHJ-NPR-TW-Z]|QQ){_GAP}(?:\d{_GAP}){{6}}[A-D](?![A-Za-z0-9])", _I
        ),
    ),
    (
        "nino",
        re.compile(
            rf"\b(?:nino|n\.i\.|ni\b|nat(?:ional)?\.? ins)[^\n]{{0,40}}?\n?[^A-Za-z0-9]{{0,3}}(?<![A-Za-z0-9])([A-Z]{_SEP}?[A-Z]{_GAP}(?:\d{_GAP}){{5}}\d(?:{_GAP}[A-D](?![A-Za-z0-9]))?)(?!\d)", _I
        ),
    ),
    ("nino", re.compile(rf"\b(?:nino|NINO|NI|ni)([A-Z]{{2}}{_GAP}(?:\d{_GAP}){{6}}[A-D])(?![A-Za-z0-9])")),
    ("date_of_birth", re.compile(rf"\b(?:he|she)(?:'?s| is| was) ({_FULL_DATE})", _I)),
    ("date_of_birth", re.compile(r"\bborn (?:on )?((?:christmas|boxing|new year'?s|valentine'?s|bonfire|st [a-z]{4,9}'?s) (?:day|eve|night) (?:19|20)\d\d)", _I)),
    ("date_of_birth", re.compile(rf"(?<![a-z]){_BORN}(?:[^\d]{{0,30}}?)({_DATE})", _I)),
    (
        "date_of_birth",
        re.compile(rf"(?<!\d)({_DATE})[ \n,.;:()\[\]=-]{{0,4}}(?:is |was |as |an? |his |her |their |the |my |child's |real |right |wrong |\(as ){{0,3}}(?:d\.?o\.?b\b|date of birth|birth ?day|birth ?date)", _I),
    ),
    ("postcode", re.compile(rf"(?<![A-Z0-9_])(?:(?:{_AREA})\d[A-Z\d]?{_GAP}|(?:{_AREA}) \d[A-Z\d]?{_SEP}{{1,3}})[\dO] ?(?!(?:ST|ND|RD|TH)\b)[A-Z]{{2}}(?![A-Z0-9_])")),
    (
        "postcode",
        re.compile(rf"(?<![A-Za-z0-9_-])(?:{_AREA})\d[A-Z\d]?{_GAP}\d(?!(?:st|nd|rd|th|pm|am|hr|hrs)\b)[ABD-HJLNP-UW-Z]{{2}}(?![A-Za-z0-9_])", _I),
    ),
    (
        "postcode",
        re.compile(r"\bpost ?code\b[^\d]{0,30}?(?<![A-Za-z])([A-Z] (?:[A-Z] )?\d (?:[A-Z\d] )?\d [A-Z] [A-Z])(?![A-Za-z0-9])|(?<![A-Za-z])((?-i:[A-Z] (?:[A-Z] )?\d (?:[A-Z\d] )?\d [A-Z] [A-Z]))(?![A-Za-z0-9])", _I),
    ),
    (
        "address",
        re.compile(
            rf"(?i:\b{_FLAT})[,. \n]{{1,3}}(?:{_HOUSE}[,. \n]{{1,3}})?{_NAMED}(?i:{_STREET})\b|"
            rf"(?i:\b{_FLAT})[, \n]{{1,3}}{_HOUSE},?[ \n]{{1,2}}[A-Z][\w'.-]{{1,24}}|"
            rf"(?i:\b{_FLAT})[, \n]{{1,3}}[A-Z][\w'-]{{2,24}} (?:House|Court|Tower|Towers|Point|Heights|Lodge|Mansions|Buildings|Flats|Wharf|Mill)\b|"
            rf"(?i:\b{_FLAT}),?[ \n]{{1,2}}[a-z'-]{{3,24}} (?:house|court|tower|towers|point|heights|lodge|mansions|buildings|flats|wharf|mill)\b|"
            rf"(?i:\b{_FLAT},?[ \n]{{1,2}}{_HOUSE},?[ \n]{{1,2}}(?:[a-z'-]{{2,20}} ){{1,3}}(?:{_STREET_SMALL})\b)|"
            rf"(?<![\w/.-]){_HOUSE},?[ \n]{{1,2}}{_WELSH}(?:[ -][A-Za-z][\w'-]{{0,20}}){{1,3}}|"
            rf"(?<![\w/.-]){_HOUSE},?[ \n]{{1,2}}(?:[A-Z][a-z]{{2,15}} )?[A-Z][a-z]{{2,15}}(?:gate|way)\b|"
            rf"(?<![\w/.-]){_HOUSE}(?:,[ \n]{{0,2}}|[ \n]{{1,2}}){_NAMED}(?i:{_STREET})\b(?! (?:[Ss]chool|[Pp]rimary|[Aa]cademy|[Nn]ursery|[Ss]urgery))|"
            rf"(?i:\b{_HOUSE_WORDS}) (?:{_NAMED}(?:{_STREET_CAPITAL})|(?!way )(?:[a-z'-]{{2,20}} ){{1,2}}(?i:street|road|rd|avenue|ave|lane|close|drive|court|crescent|terrace|gardens|grove))\b|"
            rf"\b(?:The )?{_NAMED}?(?:House|Cottage|Farm|Farmhouse|Lodge|Forge|Barn|Mill|Vicarage|Rectory|Bungalow|Stables|Granary|Villa|Manor), {_NAMED}(?:{_STREET_CAPITAL}|Ln|St|Rd|Ave|Cl|Dr|Cres|Terr)\b|"
            r"\b(?:The |Y )(?:Old |Hen )?[A-Z][a-z]{2,20}, [A-Z][a-z]{2,20}(?: [A-Z][a-z]{2,20})?, [A-Z][a-z]{2,20}\b|"
            rf"\bThe (?:Old )?[A-Z][a-z]{{2,20}}, {_NAMED}(?:{_STREET_CAPITAL})\b(?! [A-Z])|"
            rf"\b{_NAMED}(?:{_STREET_CAPITAL})(?=,? where (?:\w+ ){{1,3}}li(?:ves?|ving)\b)"
        ),
    ),
    (
        "address",
        re.compile(
            rf"(?i:\b(?:addr(?:ess)?)(?: is| was|:)? {{0,2}}){_HOUSE},?[ \n]{{1,2}}[A-Z][\w'.-]{{1,24}}[ \n][A-Z][\w'-]{{1,24}}|(?i:\b(?:number|no|at|address(?: is)?|home(?: is)?|live[sd]?(?: at)?|living at|house)\b)[.:]? {{0,2}}(?i:no\.? ?|number )?{_HOUSE},?[ \n]{{1,2}}(?:The|Y|Yr) [A-Z][a-z'-]{{2,20}}(?: [A-Z][a-z'-]{{2,20}})?"
        ),
    ),
    ("address", re.compile(rf"(?<![\w/.-])(?:no\.? ?|number )?{_HOUSE},?[ \n]{{1,2}}(?:{_SMALL_WORD}[a-z'-]{{2,20}}[ \n]{{1,2}}){{1,2}}(?:{_STREET_SMALL})\b(?! (?:to|from)\b)", _I)),
    (
        "address",
        re.compile(
            r"\b(?:lives?|living|lived|stay(?:s|ing)?|resid(?:es|ing)|address(?: is|:)?|moved|moving|home is|house is)(?: (?!school|at\b|on\b|in\b|near\b|opposite\b|by\b)[\w'/+&-]{1,15}){0,6}?(?: (?:at|on|in|to|off|down|up|along))? {0,2}((?:\d{1,4}[a-z]? )?(?:[A-Z][\w'.-]{0,24} ){1,3}"
            rf"(?:{_STREET_CAPITAL}|House|Cottage|Farm|St|Rd|Ave))\b(?! (?:School|Primary|Academy|Children))"
        ),
    ),
)  # fmt: skip
_HANDLE_WORD = re.compile(r"(?<![\w.@])[A-Za-z_][\w.#]{3,30}(?![\w@])")
#: "TikTok is luna.moth", "@luna and moth.luna".
_NAMED_ACCOUNT = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_APPS})(?: (?:name|account|user))?(?: is|:| =|=) ?|(?<![\w.@])@\w[\w.]{{2,30}},?(?: and| &| or|,)? )"
    rf"@?([A-Za-z_]\w{{0,24}}[._](?!{_DOMAIN}\b)\w[\w.]{{0,24}})",
    _I,
)
_APP = re.compile(rf"(?<![A-Za-z])(?:{_APPS})\b", _I)
#: Words that are not account names although they contain a digit, a dot or an underscore.
_NOT_HANDLE = re.compile(
    r"(?:y|yr|year|ks|form|age|aged|room|section|s|covid|mp|part|level|week|day|class|ch|no|page|para|rule|step|stage)\.?\d{1,4}[a-z]{0,3}|"
    r"[a-z]{1,6}\.[A-Z][a-z]+|[a-z]+\.|(?:e|i)\.(?:g|e)\.?|a\.m|p\.m|[A-Z]{1,4}\d{1,4}|[a-z]+\.[a-z]{2,3}",
)
#: A full date directly after a name, or alone on its line, is treated as a date of birth.
_AFTER_NAME = re.compile(
    rf"(?: (?-i:[A-Z])[\w'-]{{1,24}})?[ \n]{{0,4}}[,.;:()\[\]/-]{{0,2}}[ \n]?(?:born )?\(?({_FULL_DATE})", _I
)
_BEFORE_NAME = re.compile(rf"(?:^|\n)\W{{0,3}}({_FULL_DATE})[ ,.;:-]{{1,4}}$", _I)
_ANY_FULL_DATE = re.compile(rf"(?<!\d){_FULL_DATE}", _I)
#: A full date with its year, also with a month in Welsh.
_DATED = re.compile(
    rf"(?<![\w/.-])(\d{{1,2}}(?:{_IN_DATE}\d{{1,2}}{_IN_DATE}| ?{_NTH}(?: of)?[ \n./-]{{0,2}}(?:{_MONTH}|{_MONTH_IN_WELSH})[ \n,./'-]{{0,3}})"
    r"((?:19|20)\d\d))(?![\w/]|[.-]\d)",
    _I,
)
#: A full date of this many years back or more is taken for a date of birth, unless an event is named before it.
RECENT_YEARS = 3
_EVENT = re.compile(
    r"\b(?:dated|since|until|before|after|from|between|review\w*|meeting|conference|hearing|court|order\w*|report\w*|letter|photo\w*|"
    r"signed|incident\w*|offen[cs]e\w*|arrest\w*|convict\w*|sentenc\w*|clos\w+|open\w*|start\w*|end\w*|expir\w*|issued|act|version|"
    r"assess\w*|visit\w*|refer\w*|chronology|moved|died|death|married|join\w*|left|updated|published|regulations)\b",
    _I,
)
_ALONE = re.compile(rf"\W{{0,4}}({_FULL_DATE})\W{{0,4}}", _I)
_RUN = re.compile(rf"\d{{1,24}}(?:{_SEP}{{1,3}}\d{{1,24}}){{0,40}}")
_GROUP, _LETTER = re.compile(r"\d+"), re.compile(r"[A-Za-z]")
_DATE_IN_RUN = re.compile(
    r"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])([/.-])(?:0?[1-9]|1[0-2])\1(?:(?:19|20)\d\d|\d\d)|(?:19|20)\d\d([/.-])(?:0[1-9]|1[0-2])\2(?:0[1-9]|[12]\d|3[01]))(?!\d)"
)
_TIME_IN_RUN = re.compile(r"(?<!\d)(?:[01]?\d|2[0-3])[:.][0-5]\d(?!\d)")
_NHS_CUE = re.compile(r"n\.?h\.?s[^\d]{0,30}$", _I)
_NHS_AFTER = re.compile(r"[^a-z0-9]{0,4}(?:is |was |\(?as )?(?:his |her |their |the |my |child's )?nhs\b", _I)
#: The code of a country, before the rest of a phone number.
_ABROAD = re.compile(r"(?:\+ ?|\b00)\d{1,3}[ ()./-]{0,3}$")
_NHS_SHAPES = {
    (10,),
    (3, 3, 4),
    (3, 7),
    (6, 4),
    (3, 4, 3),
    (4, 3, 3),
    (5, 5),
    (4, 6),
    (2, 2, 2, 2, 2),
    (3, 3, 2, 2),
    (1,) * 10,
}
_UPN_BEFORE = re.compile(rf"(?:(?<![A-Za-z])|(?<=upn))([A-HJ-NP-RT-Z]){_GAP}$", _I)
#: How an unlabelled pupil number (UPN) may be grouped. Any other grouping is treated as a case reference.
_UPN_SHAPES = {(4, 4, 4), (3, 3, 3, 3), (6, 6), (3, 4, 5), (9, 3), (2, 2, 2, 2, 2, 2), (1,) * 12}
_REFERENCE = re.compile(r"\b(?:ref(?:erence)?|case|file|log|order|account|ticket|invoice|crime|incident)\b", _I)
_UPN_CUE = re.compile(r"u\.?p\.?n|pupil (?:number|no)", _I)
_PHONE_CUE = re.compile(
    r"(?<![a-z])(?:tel(?:ephone)?|phone|mobile|mob|cell|landline|ring|rang|call|called|text|texted|whatsapp|contact|number|num|no|on|fax|ph|t|m)(?![a-z])[^\d]{0,20}$",
    _I,
)
_PHONE_NOUN = re.compile(
    r"(?<![a-z])(?:tel(?:ephone)?|phone|mobile|mob|cell|landline|whatsapp|fax)(?: (?:number|no|num))?(?![a-z])[^\d]{0,6}$",
    _I,
)
_PHONE_AFTER = re.compile(
    r"[^\w]{0,4}(?:is |was |\(?as )?(?:his |her |their |the |my |mum's |dad's )?(?:tel\b|telephone|phone|mobile|mob\b|landline|whatsapp)",
    _I,
)
#: Public helplines, which identify nobody.
_PUBLIC_LINES = {
    "08001111", "08088005000", "0800555111", "08088020000", "08000502020", "08001111000", "03000030000", "08082000247",
    "0300123", "116123", "116000", "03001231066", "03001234000", "08000147087", "0800789321", "01712360121",
}  # fmt: skip
_MOBILE = re.compile(r"7[1-57-9]\d{8}")
_NATIONAL = re.compile(r"0(?:[1235789]\d{8,9})")


def look(text: str, *, own_reference: re.Pattern[str] | None = None) -> Looked:
    """Screen a text and return its length and the kinds of identifier found; never raise.

    Only the first LONGEST_READ characters are checked. A longer text is too long to store anyway.
    """
    begin()
    plain = text.strip()
    length = len(plain.encode("utf-16-le", "surrogatepass")) // 2 - plain.count("\r\n")
    try:
        found = identifiers(plain[:LONGEST_READ], own_reference=own_reference)
    except Exception as error:  # whatever went wrong, the text must not be stored
        return Looked(plain, length, failed=type(error).__name__)
    return Looked(plain, length, tuple(item.kind for item in found))


def identifiers(text: str, *, own_reference: re.Pattern[str] | None = None) -> tuple[Found, ...]:
    """Return the parts of a text that appear to identify a person, in order of position, without overlaps.

    `own_reference` is the organisation's configured pattern for case references. Findings of a REFERENCE_LIKE kind
    inside a match of it are ignored.
    """
    form = canonical(text)
    found = sorted(_all(form.text), key=lambda item: (KINDS.index(item.kind), item.start, -item.end))
    own = [match.span() for match in own_reference.finditer(form.text)] if own_reference else []
    kept: list[Found] = []
    taken = bytearray(len(form.text) + 1)
    for item in found:
        if item.kind in REFERENCE_LIKE and any(start <= item.start and item.end <= end for start, end in own):
            continue
        if any(taken[item.start : item.end]):
            continue
        taken[item.start : item.end] = b"\1" * (item.end - item.start)
        kept.append(Found(item.kind, *form.place(item.start, item.end)))
    return tuple(sorted(kept, key=lambda item: item.start))


def _all(text: str) -> Iterator[Found]:
    for kind, pattern in _PATTERNS:
        for match in _matches(pattern, text):
            start, end = match.span(match.lastindex or 0)
            if kind == "ip_address" and not _is_ip_address(text[start:end]):
                continue
            if kind == "passport" and _DATE_IN_RUN.match(text, start):
                continue  # when it expires
            if kind == "url" and _OFFICIAL.fullmatch(match.group().rstrip(".,;)")):
                continue
            if kind == "postcode" and not any(letter.isalpha() for letter in text[start:end][1:]):
                continue
            yield Found(kind, start, end)
            if kind == "date_of_birth":
                # "Born ..., but the passport says ...": treat another date nearby as a date of birth too.
                for other in _ANY_FULL_DATE.finditer(text, end, min(len(text), end + 2 * _WINDOW)):
                    yield Found(kind, *other.span())
    yield from _handles(text)
    yield from _numbers(text)
    yield from _old_dates(text)
    for line in _lines(text):
        if alone := _ALONE.fullmatch(text, *line):
            yield Found("date_of_birth", *alone.span(1))
    for start, end in names.spans(text):
        yield Found(PERSON, start, end)
        born = _AFTER_NAME.match(text, end) or _BEFORE_NAME.search(text[max(0, start - _WINDOW) : start])
        if born and born.re is _BEFORE_NAME:
            yield Found("date_of_birth", *(max(0, start - _WINDOW) + place for place in born.span(1)))
        elif born:
            yield Found("date_of_birth", *born.span(1))


def _is_ip_address(said: str) -> bool:
    try:
        ip_address(said)
    except ValueError:
        return False
    return True


def _old_dates(text: str) -> Iterator[Found]:
    """Yield full dates that lie years back, unless the words before say what happened then: they are mostly of a birth."""
    recent = datetime.now(UTC).year - RECENT_YEARS
    for match in _matches(_DATED, text):
        if int(match.group(2)) < recent and not _EVENT.search(text[max(0, match.start() - _WINDOW) : match.start()]):
            yield Found("date_of_birth", *match.span(1))


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern, searching piece by piece because the regex engine holds the GIL while it runs."""
    at = 0
    while at < len(text):
        last = at
        for match in pattern.finditer(text, at, at + PIECE + LONGEST_MATCH):
            if match.start() >= at + PIECE:
                break
            yield match
            last = max(last, match.end())
        pause()
        at = max(at + PIECE, last)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for line in text.split("\n"):
        if line:
            yield start, start + len(line)
        start += len(line) + 1


def _handles(text: str) -> Iterator[Found]:
    """Yield words with a digit, dot or underscore near an app's name or "username", or next to another handle."""
    for named in _NAMED_ACCOUNT.finditer(text):
        yield Found("handle", *named.span(1))
    for app in _APP.finditer(text):
        near = max(0, app.start() - 30), min(len(text), app.end() + 2 * _WINDOW)
        for word in _HANDLE_WORD.finditer(text, *near):
            said = word.group().rstrip(".")
            if len(said) < 4 or word.start() in range(app.start(), app.end()):
                continue
            if (
                re.search(r"[\d_#]|\w\.\w", said)
                and re.search(r"[A-Za-z]{2}|_", said)
                and not _NOT_HANDLE.fullmatch(said)
            ):
                yield Found("handle", word.start(), word.start() + len(said))


# ---- numbers ---------------------------------------------------------------------------------------
def _numbers(text: str) -> Iterator[Found]:
    """Yield phone, NHS and pupil numbers, judged by their digits whatever separates the groups."""
    for run in _RUN.finditer(text):
        dates = [*_DATE_IN_RUN.finditer(text, *run.span()), *_TIME_IN_RUN.finditer(text, *run.span())]
        dated = [match.span() for match in dates]
        groups = [
            (group.start(), group.end(), any(a <= group.start() < b for a, b in dated))
            for group in _GROUP.finditer(text, *run.span())
        ]
        yield from _in_run(text, groups)


@dataclass(frozen=True)
class _Before:
    """The text before a number. It is analysed once, however many combinations of the number's groups are tried."""

    text: str
    letter: re.Match[str] | None = None
    nhs: bool = False
    pupil: bool = False
    phone: bool = False
    call: bool = False

    @property
    def glued(self) -> bool:
        return self.text[-1:].isalpha()


def _read_before(text: str, start: int) -> _Before:
    before = text[max(0, start - _WINDOW) : start]
    if not _LETTER.search(before):
        return _Before(before)
    return _Before(
        before, _UPN_BEFORE.search(before), bool(_NHS_CUE.search(before)), bool(_UPN_CUE.search(before)),
        bool(_PHONE_NOUN.search(before)), bool(_PHONE_CUE.search(before)),
    )  # fmt: skip


def _in_run(text: str, groups: list[tuple[int, int, bool]]) -> Iterator[Found]:
    for first, (start, _, in_date) in enumerate(groups):
        pause()
        before = _read_before(text, start)
        digits, shape = "", tuple[int, ...]()
        for at, end, also_in_date in groups[first : first + 15]:
            digits += text[at:end]
            shape += (end - at,)
            if len(digits) > 16:
                break
            if len(digits) < 6:
                continue
            kind = _kind_of(text, before, end, digits, shape, in_date or also_in_date)
            if kind == "upn" and before.letter:
                yield Found("upn", start - len(before.text) + before.letter.start(), end)
            elif kind:
                yield Found(kind, start - (1 if before.text.endswith("+") else 0), end)


def _kind_of(text: str, before: _Before, end: int, digits: str, shape: tuple[int, ...], in_date: bool) -> str | None:
    """Return the kind of number that a sequence of digits is (pupil, NHS or phone), or None if it is none of these."""
    after = text[end : end + 12]
    labelled = bool(_LETTER.search(after))
    if before.letter and len(digits) in (11, 12):
        last = after[:1] if not after[1:2].isalnum() else ""
        number = before.letter.group(1).upper() + digits + last.upper() * (len(digits) == 11)
        grouped = shape in _UPN_SHAPES and (
            _checks(number) or (len(digits) == 12 and not _REFERENCE.search(before.text))
        )
        sure = len(shape) == 1 or before.glued or before.pupil or grouped
        if len(number) == 13 and sure:
            return "upn"
    if len(digits) == 10 and (before.nhs or (labelled and _NHS_AFTER.match(text, end))):
        return "nhs_number"
    if in_date and not before.phone:
        return None
    if (
        shape == (3, 3, 4)
        and not _ABROAD.search(before.text)
        and digits[0] != "0"
        and not before.glued
        and not _REFERENCE.search(before.text)
    ):
        return "nhs_number"  # no other number is grouped so, and a slip of the finger spoils the check digit
    if len(digits) == 10 and digits[0] != "0" and shape in _NHS_SHAPES and nhs.is_valid(digits):
        if _ABROAD.search(before.text):
            return "phone"
        return "nhs_number" if not before.glued or len(shape) > 1 or before.text[-1:].islower() else None
    return "phone" if _is_phone(text, before, end, digits, shape, labelled=labelled) else None


def _checks(number: str) -> bool:
    """Say whether a pupil number's check letter matches its digits."""
    digits = number[1:].replace("A", "0") if number[-1].isalpha() else number[1:]
    return bool(digits.isdigit() and upn.calc_check_digit(digits) == number[0])


def _is_phone(text: str, before: _Before, end: int, digits: str, shape: tuple[int, ...], *, labelled: bool) -> bool:
    if digits in _PUBLIC_LINES or text[end : end + 1].isdigit():
        return False
    plus = before.text.rstrip(" (").endswith("+")
    home = digits.removeprefix("00") if digits.startswith("0044") else digits
    if home.startswith("44") and len(home) in (11, 12, 13):
        rest = home[2:].removeprefix("0")
        if plus or home != digits or _MOBILE.fullmatch(rest):
            return len(rest) in (9, 10)
    if plus:
        return 8 <= len(digits) <= 15
    code = before.glued and before.text[-1:].isupper() and len(shape) == 1
    if _NATIONAL.fullmatch(digits):
        return digits.startswith("07") or not code
    if _MOBILE.fullmatch(digits):
        return not code
    if before.phone or (labelled and _PHONE_AFTER.match(text, end)):
        return len(digits) >= 6 and not (len(shape) == 1 and len(digits) > 12)
    return before.call and digits[0] == "0" and 9 <= len(digits) <= 11


def is_street(word: str) -> bool:
    """Say whether street names can end in this word."""
    return word.lower() in _STREETS


def screened(text: str, *, own_reference: re.Pattern[str] | None = None) -> Screened:
    """Return the text as a `Screened`; raise IdentifierFound, TextTooLong or ScreeningFailed."""
    return look(text, own_reference=own_reference).screened()
