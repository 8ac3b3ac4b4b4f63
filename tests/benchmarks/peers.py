"""Updates a second and start to first answer: this bot beside a plain PTB bot, same people, same walk, same run.

    python -m tests.benchmarks.peers [--people 50] [--seconds 10] [--rounds 3] [--json]

Real processes over loopback. This bot seals, syncs every commit, keeps a ledger and sends a chart with the outcome; the
plain one keeps its state in a pickle that a kill loses. Read the ratios: both bots share the machine with the driver.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot.local.world import World
from tests.support.loopback import TOKEN, Loopback
from tests.support.people import Person

BOTS = {
    "sharewise": [sys.executable, "-m", "bot", "serve"],
    "plain PTB, pickle": [sys.executable, "-m", "tests.benchmarks.plain_bot"],
}


async def measure(command: list[str], people: int, seconds: float) -> dict[str, float]:
    """Run one bot for a while; return its figures."""
    world = World()
    with tempfile.TemporaryDirectory() as folder:
        async with Loopback(world) as api:
            env = {
                **os.environ, "SHAREWISE_TOKEN": TOKEN, "SHAREWISE_API_BASE_URL": api.url, "SHAREWISE_DATA_DIR": folder,
                "SHAREWISE_MASTER_KEY": "cd" * 32, "SHAREWISE_EDITION": "hmg-2015",
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
    }


async def run(people: int, seconds: float, rounds: int) -> dict[str, dict[str, float]]:
    """Measure the bots in turn, some rounds; return the medians."""
    found: dict[str, list[dict[str, float]]] = {name: [] for name in BOTS}
    for number in range(rounds):
        for name, command in BOTS.items():
            sys.stderr.write(f"round {number + 1} of {rounds}: {name}\n")
            found[name].append(await measure(command, people, seconds))
    return {name: {key: statistics.median(row[key] for row in rows) for key in rows[0]} for name, rows in found.items()}


def main() -> int:
    """Print the figures and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    found = asyncio.run(run(args.people, args.seconds, args.rounds))
    if args.json:
        print(json.dumps(found))
        return 0
    print(f"{'bot':20} {'updates/s':>10} {'p50 ms':>8} {'p99 ms':>8} {'start s':>8}")
    for name, row in found.items():
        print(
            f"{name:20} {row['updates_per_s']:10.0f} {row['p50_ms']:8.1f} {row['p99_ms']:8.1f} {row['start_to_first_answer_s']:8.2f}"
        )
    ours, plain = found.values()
    print(
        f"ratio {ours['updates_per_s'] / plain['updates_per_s']:.2f} x updates/s, {ours['start_to_first_answer_s'] / plain['start_to_first_answer_s']:.2f} x start"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
