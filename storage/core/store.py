"""The store: transactions that commit whole or not at all.

Each process has one connection, used by one thread. Work that is waiting at the same time shares a commit.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from storage.core import ledger, locks
from storage.core.faults import READ_ONLY, StorageUnavailable, is_passing, not_now, unavailable
from storage.core.sealing import Keyring
from storage.core.unit import Unit

Result = TypeVar("Result")

log = logging.getLogger("sharewise.storage")

#: How many pieces of work may share one commit.
BATCH = 32

#: A piece of work, and its outcome: a result or an error.
Work = Callable[[Unit], Any]
Outcome = tuple[Any, Exception | None]


def _resolve(results: list[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, (result, error) in results:
        if future.done():
            continue  # cancelled
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


class Store:
    """An open store. `run` is for asyncio, `unit` for plain code in the same thread."""

    def __init__(self, engine: Engine, keys: Keyring) -> None:
        self.engine = engine
        self.keys = keys
        self._connection: Connection | None = None
        #: Whether the last attempt to use the database failed.
        self._is_down = False
        #: The number of connections made so far. Session locks end with their connection: compare this to notice.
        self.connected = 0
        #: Work waiting for the thread, and whether the thread is busy.
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._working = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Open one transaction; commit it at the end, roll it back on any error.

        Raise StorageUnavailable if the database cannot be reached or written to.
        """
        locked: list[tuple[str, int]] = []
        try:
            connection = self._connect()
            with connection.begin():
                unit = Unit(connection, self.keys, locked=locked)
                yield unit
                ledger.write(unit)
        except Exception as error:
            if self._must_reconnect(error):
                self.disconnect()
            elif locked:
                self._release_locks(locked)
            if isinstance(error, DBAPIError) and is_passing(error):
                raise unavailable(error) from None
            if isinstance(error, PendingRollbackError):
                # The connection broke on an earlier statement of this transaction.
                raise not_now("the connection broke") from None
            raise

    def _connect(self) -> Connection:
        """Return the open connection, or a new one."""
        if self._connection is None or self._connection.closed:
            self._connection = self.engine.connect()
            self.connected += 1
        return self._connection

    def _must_reconnect(self, error: Exception) -> bool:
        """Return whether the connection broke or its server became read only, for example after a failover."""
        if self._connection is None or self.engine.dialect.name == "sqlite":
            return False
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == READ_ONLY:
            return True
        driver: Any = None if self._connection.invalidated else self._connection.connection.driver_connection
        return driver is None or driver.closed

    def disconnect(self) -> None:
        """Close the connection, which also ends its session locks."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _release_locks(self, locked: list[tuple[str, int]]) -> None:
        """Release the session locks of a transaction that was rolled back: PostgreSQL keeps them."""
        try:
            connection = self._connect()
            with connection.begin():
                locks.release_all(Unit(connection, self.keys), locked)
        except DBAPIError:
            self.disconnect()

    def run(self, work: Callable[..., Result], *args: Any) -> asyncio.Future[Result]:
        """Run `work(unit, *args)` in the store's thread; the future has its result once it is committed.

        Work runs in the order of these calls. Pieces waiting at the same time share a commit, each in its own
        savepoint, so a failing piece does not affect the others. The future raises what the work raised, or
        StorageUnavailable.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((lambda unit: work(unit, *args), future))
        if not self._working or self._loop is not loop:
            self._working, self._loop = True, loop
            loop.run_in_executor(self._thread, self._work, loop)
        return future

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run everything that is waiting, in the store's thread."""
        while batch := [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH))]:
            pieces = [work for work, _ in batch]
            results = self._run_batch(pieces)
            is_down = any(isinstance(error, StorageUnavailable) for _, error in results)
            if self._is_down and not is_down:
                log.info("The database can be used again.")
            self._is_down = is_down
            loop.call_soon_threadsafe(
                _resolve, [(future, result) for (_, future), result in zip(batch, results, strict=True)]
            )
        loop.call_soon_threadsafe(self._stop_or_go_on, loop)

    def _stop_or_go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop, unless more work has arrived meanwhile. Runs in the event loop."""
        self._working = bool(self._waiting)
        if self._working:
            loop.run_in_executor(self._thread, self._work, loop)

    def _run_batch(self, pieces: list[Work]) -> list[Outcome]:
        """Run pieces in one transaction; if the transaction itself fails, run each in its own."""
        if len(pieces) == 1:
            return [self._run_one(pieces[0])]
        results: list[Outcome] = []
        began = ran = False
        try:
            with self.unit() as unit:
                began = True
                # Savepoints go straight to the driver: through SQLAlchemy each costs as much as a query.
                driver = unit.driver
                for piece in pieces:
                    entries, locked = len(unit.entries), len(unit.locked)
                    driver.execute("SAVEPOINT piece")
                    try:
                        results.append((piece(unit), None))
                    except Exception as error:
                        if unit.connection.invalidated or is_passing(error):
                            raise
                        driver.execute("ROLLBACK TO SAVEPOINT piece")
                        del unit.entries[entries:]
                        locks.release_all(unit, unit.locked[locked:])
                        results.append((None, error))
                    driver.execute("RELEASE SAVEPOINT piece")
                ran = True
        except Exception as error:
            if not began or (ran and self._connection is None):
                # No piece is to blame. Retrying would make each wait as long again, and if the connection broke during
                # the commit, that commit may have succeeded.
                return [(None, error)] * len(pieces)
            return [self._run_one(piece) for piece in pieces]
        return results

    def _run_one(self, piece: Work) -> Outcome:
        try:
            with self.unit() as unit:
                return piece(unit), None
        except Exception as error:
            return None, error

    def forget_old_pages(self) -> None:
        """Remove overwritten content from SQLite's write-ahead log, which keeps it until a checkpoint truncates it."""
        if self.engine.dialect.name == "sqlite":
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()

    def close(self, at_most: float | None = None) -> bool:
        """Finish the current work and disconnect; return False if that takes longer than `at_most` seconds."""
        closing = self._thread.submit(self._close)
        try:
            closing.result(at_most)
        except TimeoutError:
            return False
        self._thread.shutdown()
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self.engine.dispose()
