"""How long the pages of the review console take with many records, on SQLite and PostgreSQL.

    python -m tests.benchmarks.lists [--records 100000] [--postgresql]

Real ASGI app, real store, one supervisor; the records are spread over ten teams. Prints p50 and p95 per page in ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import time
import uuid
from contextlib import ExitStack
from pathlib import Path

import httpx
from sqlalchemy import insert

from bot.composition.settings import CASE_REFERENCE
from bot.console.app import COOKIE, build
from bot.domain.review import rank_of
from bot.usecases.context import Context
from storage import conversations, members, records, retention, reviews, web_sessions
from storage.core import ledger
from storage.core.clock import later, utc_now
from storage.core.engine import sqlite_url
from storage.core.sealing import Keyring
from storage.opening import open_store
from tests.support.servers import postgresql_in

KEYS = Keyring(bytes(range(32)))
TEAMS, ROUNDS, BATCH = 10, 60, 5000
OUTCOMES = (
    ("share", "share"),
    ("do_not_share", "do_not_share"),
    ("seek_advice", "pending_advice"),
    ("emergency", None),
)
CONTENT = json.dumps({"unsure_at": [], "reasons": "x" * 2000}).encode()
PAGES = {
    "the queue": "/",
    "page 2 of the queue": "/?after={after}",
    "all records": "/?state=all",
    "by outcome": "/?state=all&outcome=emergency",
    "by person and month": "/?state=all&person={person}&since=2026-03-01&until=2026-03-31",
    "by case reference": "/?state=all&case=CASE-17",
    "statistics": "/statistics",
    "statistics, drawn": "/statistics/sharing.svg",
    "retention": "/retention",
}


def fill(store, count: int) -> int:  # type: ignore[no-untyped-def]
    """Write many records and their reviews; return a member's id."""
    rng = random.Random(7)
    with store.unit() as unit:
        people = [
            members.save(unit, 1000 + n, "practitioner", f"team {n % TEAMS}", utc_now(), "test").id
            for n in range(TEAMS * 20)
        ]
        supervisor = members.save(unit, 1, "supervisor", "team 0", utc_now(), "test")
        for name in ("not_shared", "waiting", "emergency"):
            retention.put(unit, name, 90, None, utc_now(), "test")
    made = 0
    while made < count:
        with store.unit() as unit:
            rows, looks, talks = [], [], []
            for number in range(made, min(made + BATCH, count)):
                actor = number % len(people)
                outcome, decision = OUTCOMES[min(rng.randrange(12), 3)] if rng.random() < 0.97 else OUTCOMES[3]
                at = f"2026-{rng.randrange(1, 11):02}-{rng.randrange(1, 29):02}T10:00:00.{number % 10**6:06}Z"
                key = uuid.UUID(int=number).hex
                clear = {
                    "conversation_id": key, "member_id": people[actor], "role": "practitioner", "team": f"team {actor % TEAMS}",
                    "edition_id": "hmg-2015", "edition_sha256": "0" * 64, "bot_version": "test", "flow": "sharing",
                    "outcome": outcome, "decision": decision, "otherwise": False, "harm": rng.random() < 0.02, "ground": None,
                    "consent": None, "started_at": at, "finished_at": at,
                }  # fmt: skip
                letters = f"{number:08d}".translate(str.maketrans("01", "AB"))
                wrapped, sealer = store.keys.new_key(f"record:{key}")
                sealed = sealer.seal(CONTENT, f"record:{key}:content")
                rows.append({**clear, "id": key, "reference": f"SW-{letters[:4]}-{letters[4:]}", "wrapped_key": wrapped,
                             "content": sealed, "case_hash": store.keys.lookup(f"case-{number % (count // 5 or 1)}")})  # fmt: skip
                rank = int(rank_of(clear, {"reasons": "x"}))
                state = "new" if rng.random() < 0.05 else rng.choice(("signed_off", "closed"))
                looks.append({"record_id": key, "team": clear["team"], "member_id": people[actor], "state": state, "rank": rank,
                              "finished_at": at, "changed_at": at})  # fmt: skip
                ledger.append(unit, at, f"member:{people[actor]}", "record.saved", f"record:{key}", "0" * 64)
                talks.append({"id": key, "chat_id": actor, "member_id": people[actor], "edition_id": "hmg-2015",
                              "edition_sha256": "0" * 64, "flow": "sharing", "revision": 1, "status": "finished",
                              "wrapped_key": wrapped, "walk": b"x", "started_at": at, "updated_at": at})  # fmt: skip
            unit.connection.execute(insert(conversations.CONVERSATION), talks)
            unit.connection.execute(insert(records.RECORD), rows)
            unit.connection.execute(insert(reviews.REVIEW), looks)
        made += BATCH
        print(f"\r{min(made, count):,} records", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return int(supervisor.id)


async def measure(store, supervisor: int) -> None:  # type: ignore[no-untyped-def]
    """Ask for each page many times."""
    context = Context("hmg-2015", 1, "test", re.compile(CASE_REFERENCE))
    code = await store.run(web_sessions.make_sign_in, supervisor, later(utc_now(), 60))
    token = await store.run(web_sessions.use_sign_in, code, utc_now())
    transport = httpx.ASGITransport(build(store, context, secure=False))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies={COOKIE: token}) as web:
        page = await web.get("/")
        after = re.findall(r"/records/(SW-[\w-]+)", page.text)[-1]
        person = re.findall(r'<option value="(\d+)"', page.text)[5]
        for name, address in PAGES.items():
            times = []
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                answer = await web.get(address.format(after=after, person=person))
                times.append((time.perf_counter() - begun) * 1000)
                assert answer.status_code == 200, answer.status_code
            times.sort()
            print(f"  {name:22} p50 {statistics.median(times):7.1f} ms   p95 {times[int(len(times) * 0.95)]:7.1f} ms")


def main() -> None:
    """Fill a store and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--postgresql", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = sqlite_url(Path(folder) / "x.db")
        if args.postgresql:
            url = stack.enter_context(postgresql_in(Path(folder))).get_uri()
        store = open_store(url, KEYS)
        print(f"{'PostgreSQL' if args.postgresql else 'SQLite'}, {args.records:,} records")
        supervisor = fill(store, args.records)
        if args.postgresql:
            with store.engine.connect() as connection:
                connection.exec_driver_sql("analyze")
        asyncio.run(measure(store, supervisor))
        store.close()


if __name__ == "__main__":
    main()
