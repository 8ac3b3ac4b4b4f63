"""`sharewise walk` and `sharewise chart`: walk through a flow without a chat, and draw a flowchart."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bot.cli.commands import Commands, with_json
from bot.cli.output import Failed, WrongCall, say, say_json

EDITION = "hmg-2015"


def add_to(commands: Commands) -> None:
    """Declare the commands."""
    playing = commands.add(
        "walk", walk, "walk through a flow: sharewise walk --flow sharing emergency=no harm=no purpose=yes"
    )
    playing.add_argument("--flow", help="sharing or board_request")
    playing.add_argument("--edition", default=EDITION)
    with_json(playing)
    playing.add_argument(
        "answers",
        nargs="*",
        metavar="QUESTION=OPTION",
        help="an answer, or back; if none, JSON is read from standard input",
    )

    drawing = commands.add("chart", chart, "draw a flowchart as .svg, .png or .mmd (Mermaid text)")
    drawing.add_argument("--flow", help="default: the edition's flow about sharing")
    drawing.add_argument("--edition", default=EDITION)
    drawing.add_argument("--path", nargs="*", metavar="QUESTION=OPTION", help="the answers of the walk to highlight")
    drawing.add_argument("-o", "--output", required=True, metavar="FILE")


def walk(args: argparse.Namespace) -> int:
    """Walk through a flow with the given answers and print where they lead."""
    from flows.catalogue import open_book
    from flows.rehearsal import WrongAnswer, play
    from flows.since import said_of

    flow, pairs = args.flow, [_pair(text) for text in args.answers]
    if not pairs and not sys.stdin.isatty():
        flow, pairs = _pairs_from(sys.stdin.read(), flow)
    if not flow:
        raise WrongCall("Say which flow: --flow sharing or --flow board_request.")
    book = open_book(args.edition)
    try:
        played = play(book, flow, pairs)
    except WrongAnswer as error:
        raise WrongCall(str(error)) from None
    position = played.position
    outcome = position.outcome
    result: dict[str, Any] = {
        "outcome": outcome.id if outcome else None,
        "duties": list(position.duties),
        "passages": list(position.cites(book.edition.duties)),
        "path": list(played.path),
        "assumed": [edge for edge in played.assumed if edge in position.path and not edge.startswith("outcome.")],
        "state": position.state,
        "since": said_of(book.edition, book.edition.roles.outcome_role(outcome.id) if outcome else None),
    }
    if args.json:
        say_json(result)
        return 0
    say(f"Path:     {' > '.join(result['path']) or '(nothing answered)'}")
    if result["assumed"]:
        say(f"Assumed:  {', '.join(result['assumed'])}")
    where = f"{outcome.id}: {outcome.title}" if outcome else f"none yet, the walk stands at {position.state}"
    say(f"Outcome:  {where}")
    if result["since"]:
        say(f"Note:     {result['since']}")
    for key in position.duties:
        say(f"Duty:     {key}: {book.edition.duties[key].text}")
    for key in result["passages"]:
        passage = book.edition.passages[key]
        say(f"Passage:  {key}: {passage.section}, {passage.where}")
    return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals and key != "back":
        raise WrongCall(f'"{text}" is not an answer: write question=option, for example purpose=yes.')
    return key, value


def _pairs_from(text: str, flow: str | None) -> tuple[str | None, list[tuple[str, str]]]:
    if not text.strip():
        return flow, []
    try:
        said = json.loads(text)
        pairs = [(key, value) for key, value in said["answers"]]
        if not all(isinstance(part, str) for pair in pairs for part in pair):
            raise TypeError("not text")
        named = said.get("flow", flow)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise WrongCall('Standard input must be JSON: {"flow": "sharing", "answers": [["purpose", "yes"]]}') from None
    if flow and named != flow:
        raise WrongCall(f"--flow says {flow}, standard input says {named}.")
    return named, pairs


def chart(args: argparse.Namespace) -> int:
    """Draw a flowchart, with the path of a walk highlighted if one is given."""
    from flows import chart as drawing
    from flows.catalogue import open_book
    from flows.rehearsal import WrongAnswer, play

    book = open_book(args.edition)
    name = args.flow or book.edition.roles.starts["share"].flow
    if name not in book.machines:
        raise WrongCall(f'There is no flow "{name}". Known: {", ".join(sorted(book.machines))}.')
    path, at = tuple[str, ...](), ""
    if args.path:
        try:
            position = play(book, name, [_pair(text) for text in args.path]).position
            path, at = position.path, position.state
        except WrongAnswer as error:
            raise WrongCall(str(error)) from None
    machine, target = book.machine(name), Path(args.output)
    drawn = {
        ".svg": lambda: drawing.svg(machine, path, at).encode(),
        ".png": lambda: drawing.png(machine, path, at),
        ".mmd": lambda: drawing.mermaid(machine).encode(),
    }.get(target.suffix.lower())
    if drawn is None:
        raise WrongCall("The file must end in .svg, .png or .mmd.")
    try:
        target.write_bytes(drawn())
    except OSError as error:
        raise Failed(f"{target} cannot be written: {error.strerror}.") from None
    say(f"Drawn: {target}")
    return 0
