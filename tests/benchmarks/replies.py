"""How typed replies at twelve cards are taken, in the real chat: as a reader would, asked back, kept in own words, or wrongly.

    python -m tests.benchmarks.replies [--wrong] [FILE.jsonl]

Each line: {"card": question, "text": what is typed, "button": its label, or "which" (it must be asked back), or "text" (own words)}.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from pathlib import Path

from bot.messages.callback_data import decode
from bot.messages.walk_card import Card
from flows import navigation
from flows.navigation import UnexpectedAnswer, Walk, replay
from storage import members
from storage.conversations import Open
from tests.bot.test_states_and_events import look, plant, same
from tests.support.chat import Chat
from tests.support.paths import AT, BOOK, walks_to
from tests.support.stores import KEYS, migrated

ME = 100
MACHINE = BOOK.machine("sharing")
#: Cards that are not called by a question.
STATES = {"decision": "outcome.share", "paused": "purpose.paused"}
FILE = Path(__file__).parents[1] / "data" / "replies_unseen1.jsonl"


def buttons(planted: Open, walk: Walk) -> dict[str, Walk]:
    """Return the walk after each button of a card that answers something, by its label."""
    position, found = replay(MACHINE, walk), {}
    for label, data in (button for row in Card(BOOK, planted, position).draw().buttons for button in row):
        act = decode(data).act
        try:
            if act == "!single":
                found[label] = navigation.one_by_one(MACHINE, walk)
            elif act in position.together:
                found[label] = navigation.give(MACHINE, walk, position.together[act], AT)
            elif not act.startswith("!"):
                found[label] = navigation.choose(MACHINE, walk, act, AT)
        except UnexpectedAnswer:
            continue
    return found


async def taken_for(chat: Chat, member_id: int, line: dict[str, str]) -> str:
    """Return what a reply was taken for: a label, "text", or "which" if nothing changed."""
    walk = walks_to("sharing")[STATES.get(line["card"], line["card"])]
    planted = await chat.store.run(plant, member_id, walk)
    await chat.say(line["text"])
    after = (await chat.store.run(look, planted.id))[0]
    if same(after, walk):
        shown = chat.text()
        return line["button"] if "When shall I remind you" in shown and "come back" in line["button"] else "which"
    return next((label for label, expected in buttons(planted, walk).items() if same(after, expected)), "text")


async def judged(lines: list[dict[str, str]]) -> list[tuple[dict[str, str], str]]:
    """Return each line with what it was taken for."""
    with tempfile.TemporaryDirectory() as folder:
        async with Chat(migrated(Path(folder) / "x.db"), KEYS, (ME,)) as chat:
            member = await chat.store.run(members.get, ME)
            assert member is not None
            return [(line, await taken_for(chat, member.id, line)) for line in lines]


def kind_of(line: dict[str, str], taken: str) -> str:
    """Return how a reply was taken, beside what its author meant."""
    if taken == line["button"]:
        return "as meant"
    return {"which": "asked back", "text": "kept in own words"}.get(taken, "taken for another button")


def main() -> int:
    """Print the shares, and each reply that was taken for something else."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("file", type=Path, nargs="?", default=FILE)
    options = parser.parse_args()
    lines = [json.loads(line) for line in options.file.read_text(encoding="utf-8").splitlines()]
    found = asyncio.run(judged(lines))
    counts = Counter(kind_of(line, taken) for line, taken in found)
    print(", ".join(f"{name} {count} ({count / len(lines):.3f})" for name, count in counts.most_common()))
    for line, taken in found if options.wrong else ():
        if kind_of(line, taken) == "taken for another button":
            print(f"{line['card']}: {line['text']!r} meant {line['button']!r}, taken for {taken!r}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
