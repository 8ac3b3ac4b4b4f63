"""PostgreSQL with a standby: two workers lose the first server for good, the standby takes over, and the bot is not restarted."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess

from sqlalchemy import create_engine, make_url, text

from tests.process.test_kill import sharewise
from tests.process.test_workers import PEOPLE, serving
from tests.support.counts import COUNTS
from tests.support.people import Person, saved_more
from tests.support.servers import free_port, postgresql_in


def tell(address, statement):
    """Run a statement as the operator, and return its result."""
    driver = make_url(address).set(drivername="postgresql+psycopg")
    engine = create_engine(driver, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


def copy_for_standby(first, folder):
    """Copy a running server to where a second one will follow it."""
    backup = [first.bin_path / "pg_basebackup", "-d", first.get_uri(), "-D", folder, "-R", "-c", "fast"]
    subprocess.run([*map(str, backup)], check=True, capture_output=True)
    # The first server's socket is in its folder.
    for lock in folder.glob(".s.PGSQL.*"):
        lock.unlink()
    if first.system_user is not None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, first.system_user)


async def test_the_standby_takes_over_and_nothing_is_lost(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/telegram"
    with postgresql_in(tmp_path) as first:
        (tmp_path / "standby").mkdir()
        copy_for_standby(first, tmp_path / "standby" / "pg")
        with postgresql_in(tmp_path / "standby") as second:
            # From now on a commit counts only once both servers have it.
            tell(first.get_uri(), "alter system set synchronous_standby_names = '*'")
            tell(first.get_uri(), "select pg_reload_conf()")
            folders = [make_url(server.get_uri()).query["host"] for server in (first, second)]
            both = f"postgresql://postgres:@/postgres?host={','.join(folders)}&target_session_attrs=read-write"
            arguments = ("--workers", 2, "--webhook", "--listen", f"127.0.0.1:{port}")
            async with serving(tmp_path, url, *arguments, database=both) as (world, workers, env, _):
                people = [Person(world, number) for number in PEOPLE]
                walking = [asyncio.create_task(person.use()) for person in people]
                await saved_more(people, walking, 2 * len(people))
                assert tell(first.get_uri(), "select sync_state from pg_stat_replication") == "sync"
                os.kill(first.get_pid(), signal.SIGQUIT)
                await asyncio.sleep(1)
                assert tell(second.get_uri(), "select pg_promote()")
                await saved_more(people, walking, 2 * len(people))
                for person in people:
                    person.stop = True
                await asyncio.gather(*walking)
                assert workers.child.poll() is None, "nobody restarted the bot"
                assert await asyncio.to_thread(workers.end) == 0
                stored = [json.loads(line) for line in sharewise("records", "--json", env=env).splitlines()]
                cases = sorted(record["content"]["case_reference"] for record in stored)
                assert cases == sorted(tag for person in people for tag in person.tags)
                assert "All is as it was written" in sharewise("verify", env=env)
                assert "cannot be used just now" in (tmp_path / "log").read_text(), "there was no failover"
                COUNTS["records over a failover to the standby, each exactly once"] += len(stored)
