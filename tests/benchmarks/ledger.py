"""How many ledger entries per second the single chain carries, with parallel writers on one PostgreSQL.

    python -m tests.benchmarks.ledger [--writers 1 2 4] [--seconds 5]

Each writer is a process that only commits entries, one after the other. Prints entries per second and
milliseconds per entry, including the commit.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from pathlib import Path

from storage.core import ledger
from storage.core.clock import utc_now
from storage.core.sealing import Keyring
from storage.opening import open_store
from tests.conftest import postgresql_url
from tests.support.servers import postgresql_in

KEYS = Keyring(bytes(range(32)))


def write(database: str, begin: float, seconds: float) -> list[float]:
    """Commit entries from a given time on; return the seconds that each took."""
    store = open_store(database, KEYS)
    took = []
    time.sleep(max(0.0, begin - time.time()))
    started = time.perf_counter()
    while (now := time.perf_counter()) < started + seconds:
        with store.unit() as unit:
            ledger.append(unit, utc_now(), "member:1", "record.saved", f"record:{len(took)}", "0" * 64)
        took.append(time.perf_counter() - now)
    store.close()
    return took


def main() -> None:
    """Print the figures for each number of writers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--seconds", type=float, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, postgresql_in(Path(folder)) as server:
        for count in args.writers:
            database = postgresql_url(server.get_uri(), f"ledger_{count}")
            open_store(database, KEYS).close()
            with multiprocessing.get_context("spawn").Pool(count) as pool:
                begin = time.time() + 3
                lists = pool.starmap(write, [(database, begin, args.seconds)] * count)
            took = sorted(one for each in lists for one in each)
            store = open_store(database, KEYS)
            with store.unit() as unit:
                good, broken = ledger.check_chain(unit)
            store.close()
            assert broken is None
            assert good == len(took)
            print(
                f"{count} writers: {len(took) / args.seconds:7.0f} entries/s   "
                f"p50 {1000 * statistics.median(took):.2f} ms   p99 {1000 * took[int(0.99 * (len(took) - 1))]:.2f} ms"
            )


if __name__ == "__main__":
    main()
