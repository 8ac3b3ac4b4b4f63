"""Updates a second and start to first answer: this bot beside a plain PTB bot, same people, same walk, same run.

    python -m tests.benchmarks.peers [--people 50] [--seconds 10] [--rounds 3] [--only TEXT] [--json]

Real processes over loopback. This bot seals, syncs every commit, keeps a ledger and sends a chart with the outcome; the
plain one keeps its state in a pickle that a kill loses. Read the ratios: both bots share the machine with the driver.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.local.world import World
from tests.conftest import postgresql_url
from tests.support.loopback import TOKEN, Loopback
from tests.support.people import Person
from tests.support.poster import Poster
from tests.support.servers import free_port, postgresql_in

SERVE = [sys.executable, "-m", "bot", "serve"]
SECRET = "a-secret-for-benchmarks-on-loopback-only"


@dataclass(frozen=True)
class Bot:
    """One way to run a bot: the command, whether it takes a webhook, whether it needs PostgreSQL."""

    command: list[str]
    webhook: bool = False
    postgresql: bool = False


BOTS = {
    "sharewise": Bot(SERVE),
    "sharewise, webhook": Bot(SERVE, webhook=True),
    "sharewise, PostgreSQL": Bot(SERVE, postgresql=True),
    "sharewise, PostgreSQL, 2 workers": Bot([*SERVE, "--workers", "2"], postgresql=True),
    "sharewise, PostgreSQL, 3 workers": Bot([*SERVE, "--workers", "3"], postgresql=True),
    "plain PTB, pickle": Bot([sys.executable, "-m", "tests.benchmarks.plain_bot"]),
}


def memory(pid: int) -> float:
    """Return the resident memory of a process and those it began, in MiB."""
    children = subprocess.run(("pgrep", "-P", str(pid)), capture_output=True, text=True, check=False).stdout.split()
    pages = sum(int(Path(f"/proc/{one}/statm").read_text().split()[1]) for one in (str(pid), *children))
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


async def measure(bot: Bot, people: int, seconds: float, database: str) -> dict[str, float]:
    """Run one bot for a while; return its figures."""
    world, port = World(), free_port()
    command = [*bot.command, *(["--webhook", "--listen", f"127.0.0.1:{port}"] if bot.webhook else [])]
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as stack:
            api = await stack.enter_async_context(Loopback(world))
            if bot.webhook:
                await stack.enter_async_context(Poster(world, f"http://127.0.0.1:{port}/telegram", SECRET, twice=0))
            env = {
                **os.environ, "SHAREWISE_TOKEN": TOKEN, "SHAREWISE_API_BASE_URL": api.url, "SHAREWISE_DATA_DIR": folder,
                "SHAREWISE_MASTER_KEY": "cd" * 32, "SHAREWISE_EDITION": "hmg-2015", "SHAREWISE_SENDS_PER_SECOND": "0",
                "SHAREWISE_WEBHOOK_SECRET": SECRET, **({"SHAREWISE_DATABASE_URL": database} if bot.postgresql else {}),
            }  # fmt: skip
            numbers = [str(number) for number in range(1000, 1000 + people)]
            add = [
                sys.executable,
                "-m",
                "bot",
                "member",
                "add",
                "--telegram-id",
                *numbers,
                "--role",
                "practitioner",
                "--team",
                "b",
            ]
            await asyncio.to_thread(subprocess.run, add, env=env, check=True, stdout=subprocess.DEVNULL)
            walkers = [Person(world, int(number)) for number in numbers]
            with open(Path(folder) / "log", "wb") as log:
                started = time.perf_counter()
                child = subprocess.Popen(command, env=env, stdout=log, stderr=log)
                try:
                    world.say(walkers[0].number, "/start")
                    await walkers[0].until("immediate danger?")
                    first = time.perf_counter() - started
                    await asyncio.sleep(0.5)
                    for walker in walkers:
                        walker.waits.clear()
                    walking = [asyncio.create_task(walker.use()) for walker in walkers]
                    begun = time.perf_counter()
                    await asyncio.sleep(seconds)
                    took = time.perf_counter() - begun
                    used = memory(child.pid)
                    waits = [wait for walker in walkers for wait in walker.waits]
                    for walker in walkers:
                        walker.stop = True
                    await asyncio.gather(*walking)
                finally:
                    child.send_signal(signal.SIGTERM)
                    child.wait(15)
    ordered = sorted(waits)
    return {
        "updates_per_s": len(waits) / took,
        "p50_ms": 1000 * statistics.median(ordered),
        "p99_ms": 1000 * ordered[int(0.99 * (len(ordered) - 1))],
        "start_to_first_answer_s": first,
        "memory_mib": used,
    }


async def run(people: int, seconds: float, rounds: int, only: str) -> dict[str, dict[str, float]]:
    """Measure the bots in turn, some rounds; return the medians."""
    chosen = {name: bot for name, bot in BOTS.items() if only in name or name.startswith("plain")}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    with postgresql(any(bot.postgresql for bot in chosen.values())) as new_database:
        for number in range(rounds):
            for name, bot in chosen.items():
                sys.stderr.write(f"round {number + 1} of {rounds}: {name}\n")
                found[name].append(await measure(bot, people, seconds, new_database() if bot.postgresql else ""))
    return {name: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for name, rows in found.items()}


@contextmanager
def postgresql(wanted: bool) -> Iterator[Callable[[], str]]:
    """Run a PostgreSQL server if one is wanted; give what makes a new database and returns its address."""
    if not wanted:
        yield str
        return
    number = itertools.count()
    with tempfile.TemporaryDirectory() as folder, postgresql_in(Path(folder)) as server:
        yield lambda: postgresql_url(server.get_uri(), f"peers_{next(number)}")


def main() -> int:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="the plain bot, and those with this in their names")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(run(args.people, args.seconds, args.rounds, args.only))
    if args.json:
        print(json.dumps(found))
        return 0
    plain = found["plain PTB, pickle"]["updates_per_s"]
    print(f"{'bot':34} {'updates/s':>9} {'x plain':>8} {'p50 ms':>7} {'p99 ms':>7} {'start s':>8} {'MiB':>5}")
    for name, row in found.items():
        print(
            f"{name:34} {row['updates_per_s']:9.0f} {row['updates_per_s'] / plain:8.2f} {row['p50_ms']:7.1f} {row['p99_ms']:7.1f} "
            f"{row['start_to_first_answer_s']:8.2f} {row['memory_mib']:5.0f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
