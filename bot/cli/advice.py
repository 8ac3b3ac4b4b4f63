"""`sharewise ask`, `screen` and `unanswered`: quick advice, screening for identifiers, and unanswered questions."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.cli.commands import Commands, with_data, with_json
from bot.cli.output import Failed, WrongCall, say, say_json

if TYPE_CHECKING:
    from bot.usecases.unanswered import Counted
    from flows.advice import Answer, Index
    from flows.bands import Ranked
    from flows.definition import AnswerCard

EDITION = "hmg-2015"
#: Maximum input of `screen`, in bytes.
MOST_INPUT = 20_000_000


def add_to(commands: Commands) -> None:
    """Declare the commands."""
    asking = commands.add(
        "ask", ask, 'ask the guidance a question: sharewise ask "do I need consent?"; nothing is stored'
    )
    asking.add_argument(
        "question", nargs="+", metavar="QUESTION", help="a question, or - to read one from each line of input"
    )
    asking.add_argument("--edition", default=EDITION)
    asking.add_argument(
        "--explain", action="store_true", help="show what each ranking said of the best passages and topics"
    )
    with_json(asking)
    text = "list what would identify a person in each line of standard input"
    with_json(commands.add("screen", screen, text))
    text = "list questions that got no useful answer, without who asked"
    listing = commands.add("unanswered", unanswered, text, "read_unanswered")
    listing.add_argument("--team", help="only questions of this team")
    listing.add_argument(
        "--yaml", action="store_true", help="print the ways to ask that supervisors accepted, as in asked.yaml"
    )
    with_data(listing)
    with_json(listing)


def ask(args: argparse.Namespace) -> int:
    """Answer a question from an edition, or one from each line of standard input. Nothing is stored."""
    from flows.catalogue import open_book

    index, question = open_book(args.edition).index, " ".join(args.question)
    if question != "-":
        _answer(index, question, args)
        return 0
    for text in _lines_of(sys.stdin.buffer.read(MOST_INPUT + 1)):
        _answer(index, text, args)
        sys.stdout.flush()
    return 0


def _answer(index: Index, question: str, args: argparse.Namespace) -> None:
    from flows.screening import LONGEST

    if len(question) > LONGEST:
        raise WrongCall(f"The question has {len(question)} characters, {LONGEST} is the most.")
    found = index.ask(question)
    card = index.edition.cards[found.card] if found.card else None
    explained = [_explained(index, one) for one in index.explained(question)] if args.explain else []
    if args.json:
        passages = [{"id": hit.passage, "score": round(hit.score, 4)} for hit in found.passages]
        printed = {
            "band": found.band, "passages": passages, "emergency": found.emergency, "card": found.card,
            "answer": card.answer if card else None,
        }  # fmt: skip
        say_json({**printed, **({"explained": explained} if args.explain else {})})
        return
    if found.emergency:
        say("A child in danger comes first: call 999 now, or 101 if it is not urgent.\n")
    for shortcut in found.shortcuts:
        say(f"{shortcut.written} means {shortcut.means}.")
    if card:
        _say_card(index, card, found)
    elif found.band == "none":
        about = f" It does not cover this: {found.topic.title}." if found.topic and found.topic.title else ""
        near = ", ".join(found.topic.near) if found.topic else ""
        say(f"The advice does not answer this.{about} Ask your safeguarding lead or your manager.")
        if near:
            say(f"Near: {near}")
    else:
        say("Did you mean one of these?")
        for key in found.offered:
            say(f"  - {index.edition.cards[key].asked} [{key}]")
    if index.on_law & {hit.passage for hit in found.passages} or (found.topic and found.topic.on_law):
        say(f"\n{index.edition.law_note}")
    say(f"\n{index.edition.banner}")
    for line in explained:
        said = "  ".join(f"{name} {line[name]:.2f}" for name in ("score", *index.members))
        say(f"{line['id']:26} {said}")


def _say_card(index: Index, card: AnswerCard, found: Answer) -> None:
    say(f"{card.answer} [{card.id}]")
    for condition in card.conditions:
        say(f"  - {condition}")
    for key in card.cites:
        passage = index.edition.passages[key]
        say(f"Source: {passage.section}, {passage.where} [{key}].")
    if found.also:
        say(f"You also mention something else: {index.edition.cards[found.also].asked} [{found.also}]")
    say("\nMore from the advice:")
    for hit in found.passages:
        passage = index.edition.passages[hit.passage]
        say(f"\n{passage.title} [{hit.passage}, {hit.score:.2f}]\n{passage.text}")


def _explained(index: Index, one: Ranked) -> dict[str, Any]:
    members = zip(index.members, one.members, strict=True)
    return {"id": one.key, "score": round(one.score, 4), **{name: round(value, 4) for name, value in members}}


def screen(args: argparse.Namespace) -> int:
    """Print what would identify a person in texts from standard input: one text per line, in UTF-8 or UTF-16."""
    from bot.composition.settings import read_without_key
    from flows import screening

    own = read_without_key().own_reference
    for text in _lines_of(sys.stdin.buffer.read(MOST_INPUT + 1)):
        if len(text) > screening.LONGEST_READ:
            raise WrongCall(f"A line has {len(text)} characters, {screening.LONGEST_READ} is the most.")
        found = screening.identifiers(text, own_reference=own)
        if args.json:
            say_json({"findings": [{"kind": item.kind, "start": item.start, "end": item.end} for item in found]})
        else:
            say("; ".join(f"{item.kind} {item.start}-{item.end}" for item in found) or "nothing found")
    return 0


def _lines_of(raw: bytes) -> Iterator[str]:
    """Yield the lines of UTF-8 or UTF-16 text, with or without a byte order mark; raise Failed for anything else."""
    if len(raw) > MOST_INPUT:
        raise Failed(f"Standard input has more than {MOST_INPUT} bytes. Give it in parts.")
    odd, even = raw[1:2000:2].count(0), raw[0:2000:2].count(0)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        coding = "utf-16"
    elif max(odd, even) > len(raw[:2000]) // 8:
        coding = "utf-16-le" if odd > even else "utf-16-be"
    else:
        coding = "utf-8-sig"
    try:
        text = raw.decode(coding)
    except UnicodeDecodeError:
        raise Failed("Standard input cannot be read: it is neither UTF-8 nor UTF-16.") from None
    lines = re.split(r"\r\n|\n|\r", text)
    yield from lines[:-1] if lines[-1] == "" else lines


def unanswered(args: argparse.Namespace) -> int:
    """List questions that got no answer or an unhelpful one, most frequent first."""
    from bot.composition.store import unit_for_command
    from bot.usecases import unanswered

    with unit_for_command(args.data) as unit:
        found = unanswered.accepted(unit, args.team) if args.yaml else unanswered.listed(unit, args.team)
    if args.yaml:
        _say_ways(found)
        return 0
    for counted in found:
        if args.json:
            say_json(vars(counted))
        else:
            say(f"{counted.times:5}  {counted.kind:13}  {counted.subject:20}  {counted.question or ''}")
    if not args.json:
        say(f"{len(found)} counted")
    return 0


def _say_ways(found: list[Counted]) -> None:
    """Print accepted ways to ask as YAML, under the first passage of their answer card."""
    import yaml

    from flows.catalogue import open_book

    passages: dict[str, list[str]] = {}
    for one in found:
        card = open_book(one.edition_id).edition.cards.get(one.subject)
        if card and one.question:
            passages.setdefault(card.cites[0], []).append(one.question)
    say(yaml.safe_dump({"passages": passages}, allow_unicode=True, sort_keys=True, width=1000).rstrip())
