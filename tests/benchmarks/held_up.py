"""How much longer a tap takes while eight of the worst texts arrive at once than alone: a ratio in one run.

python -m tests.benchmarks.held_up [--rounds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from storage import backlog, inbox
from storage.core.engine import sqlite_url
from tests.support.chat import Chat
from tests.support.stores import KEYS

WORST = ("0 0 " * 1100)[:4096]
TAPPER, OTHERS = 100, tuple(range(200, 208))


async def handled(chat: Chat) -> float:
    """Press a button that changes nothing, and return the seconds until it is handled."""
    started = time.perf_counter()
    chat.world.press(TAPPER, chat.card(TAPPER), "-:go_on")
    (number,) = [key for key, update in chat.world.pending.items() if "callback_query" in update]
    await chat.take_in()
    while number not in chat.gateway.acted and (await chat.store.run(waiting, number)):
        await asyncio.sleep(0.001)
    return time.perf_counter() - started


def waiting(unit, number):
    """Return whether an update is still waiting."""
    rows = inbox.INBOX
    found = unit.connection.execute(rows.select().where(rows.c.update_id == number, rows.c.state == "waiting")).first()
    return found is not None


async def measure(rounds: int) -> None:
    """Measure a tap alone and beside the worst texts, in turn."""
    with tempfile.TemporaryDirectory() as folder:
        async with Chat(sqlite_url(Path(folder) / "x.db"), KEYS, (TAPPER, *OTHERS)) as chat:
            await chat.say("/share", TAPPER)
            await chat.say("It is not needed.", OTHERS[0])
            stop = asyncio.Event()
            dispatching = asyncio.create_task(chat.intake.dispatch(stop))
            alone, beside = [], []
            for _ in range(rounds):
                alone.append(await handled(chat))
                for person in OTHERS:
                    chat.world.say(person, WORST)
                await chat.take_in()
                beside.append(await handled(chat))
                while (await chat.store.run(backlog.counts)).get("inbox.waiting"):
                    await asyncio.sleep(0.01)
            stop.set()
            chat.intake.arrived.set()
            await dispatching
    one, other = statistics.median(alone), statistics.median(beside)
    print(f"a tap alone {one * 1000:.1f} ms, beside eight worst texts {other * 1000:.1f} ms: ratio {other / one:.2f}")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    asyncio.run(measure(parser.parse_args().rounds))


if __name__ == "__main__":
    main()
