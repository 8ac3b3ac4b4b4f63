"""The engine and the unit of work, on SQLite and on PostgreSQL: an act is done whole or not at all.

SQLite: WAL, synchronous=FULL, one writer. PostgreSQL: refused at start when its settings would lose a commit.
All work of a process goes through one connection in one thread; what fails is rolled back whole.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.pool import StaticPool

from storage.core.sealing import Keyring

Result = TypeVar("Result")

log = logging.getLogger("sharewise.storage")

#: The newest migration. A test holds it against the migrations' own head.
SCHEMA = "0011"


class StorageUnavailable(Exception):
    """The database cannot be used just now: nothing was changed; try again."""


class StorageRefused(Exception):
    """The database must not be used as it is set up: the operator has to act."""


#: How much is committed together at most.
TOGETHER = 32

#: What PostgreSQL says when a server may be read only, as a standby is; and the classes of what passes: the connection,
#: read only, rolled back or deadlocked, out of room, a lock, told to stop, the disk.
READ_ONLY = "25006"
READ_ONLY_WORDS = "it may only be read: a standby, or set so"
PASSING = ("08", READ_ONLY, "40", "53", "55P03", "57", "58")
#: What a server, a pooler or the driver says when no connection can be made or kept, and how we say it. The first that fits counts.
SIGNS = {
    "too many connections": "it lets no more connections in",
    "connection slots are reserved": "it lets no more connections in",
    "no more connections": "the pooler lets no more connections in",
    "query_wait_timeout": "the pooler has no session free",
    "statement pooling": "the pooler is set to pool_mode = statement, and must keep sessions",
    "server_login": "the pooler cannot reach the server",
    "server login": "the pooler cannot reach the server",
    "session is read-only": READ_ONLY_WORDS,
    "does not support ssl": "it does not offer the encryption that sslmode asks for",
    "invalid sslmode": "its address has an sslmode that is not known",
    "password authentication failed": "the server refuses the user or the password",
    "no password supplied": "the server asks for a password",
    'role "': "the server does not know the user, or refuses it",
    'database "': "there is no such database, or the user may not use it",
    "connection refused": "nothing listens at its address",
    "could not translate host name": "its host name is not known",
    "failed to resolve host": "its host name is not known",
    "no such file or directory": "nothing listens at its address",
    "idle-session": "it ends sessions that are idle (idle_session_timeout)",
    "timeout": "it does not answer",
    "starting up": "it is starting",
    "shutting down": "it is shutting down",
    "unable to open database file": "the file cannot be opened",
}
#: PostgreSQL's classes of trouble with a connection: what it says of those holds nothing of ours.
OF_CONNECTION = ("08", "57P")
#: Codes of PostgreSQL and of SQLite, and how we say them.
CODES = {
    READ_ONLY: READ_ONLY_WORDS,
    "42501": "the user may not do this: it must own the database",
    "53100": "its disk is full",
    "53300": "it lets no more connections in",
    "57P01": "it is shutting down",
    "57P02": "it is shutting down",
    "57P03": "it is starting or shutting down",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_BUSY": "another process holds it",
    "SQLITE_READONLY": "the file may only be read",
    "SQLITE_IOERR": "the disk fails",
    "SQLITE_CORRUPT": "the file is damaged",
    "SQLITE_NOTADB": "the file is no database",
}
#: How long a server that says nothing is waited for: libpq's words, seconds, the last in milliseconds.
SILENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


@dataclass(frozen=True)
class Unit:
    """One open transaction and the keys that go with it."""

    connection: Connection
    keys: Keyring
    #: Ledger entries of this transaction that are not written yet: they are written last, so that nobody waits for long.
    entries: list[dict[str, Any]] = field(default_factory=list)
    #: Locks of the session that were taken in this transaction: when it fails they are let go of too.
    locked: list[tuple[str, int]] = field(default_factory=list)

    @property
    def is_sqlite(self) -> bool:
        """Whether this unit runs on SQLite."""
        return self.connection.dialect.name == "sqlite"

    @property
    def driver(self) -> Any:
        """The driver's own connection, in this transaction."""
        return self.connection.connection.driver_connection


def put(unit: Unit, table: Table, known_by: Sequence[str], rows: Sequence[dict[str, Any]], **change: Any) -> None:
    """Write rows. One that is there already, perhaps since another worker wrote it a moment ago, is changed to what is given here.

    `known_by`: the columns that tell rows apart. `change`: what is set in a row that is there; by default what was given.
    """
    new = sqlite.insert(table) if unit.is_sqlite else postgresql.insert(table)
    change = change or {name: new.excluded[name] for name in rows[0] if name not in known_by}
    unit.connection.execute(new.on_conflict_do_update(index_elements=known_by, set_=change), rows)


#: A piece of work, and what came of it: a result or an error.
Work = Callable[[Unit], Any]
Done = tuple[Any, Exception | None]


def _tell(results: list[tuple[asyncio.Future[Any], Done]]) -> None:
    for future, (result, error) in results:
        if future.done():
            continue  # nobody waits any more
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)


class Store:
    """An open store. `run` is for asyncio, `unit` for plain code in the same thread."""

    def __init__(self, engine: Engine, keys: Keyring) -> None:
        self.engine = engine
        self.keys = keys
        self._held: Connection | None = None
        #: The database could not be used when it last was to be.
        self._away = False
        #: How often a connection was made: what belongs to a connection, as locks do, ends when this changes.
        self.connected = 0
        #: What waits to be done, and whether the thread is at it.
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._working = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    @contextmanager
    def unit(self) -> Iterator[Unit]:
        """Open one transaction; commit it at the end, roll it back on any error.

        Raises StorageUnavailable when the database could not be reached or could not write.
        """
        from storage.core import ledger

        locked: list[tuple[str, int]] = []
        try:
            if self._held is None or self._held.closed:
                self._held = self.engine.connect()
                self.connected += 1
            with self._held.begin():
                unit = Unit(self._held, self.keys, locked=locked)
                yield unit
                ledger.write(unit)
        except Exception as error:
            if self._is_of_no_use(error):
                self._let_go()
            elif locked:
                self._unlock(locked)
            if isinstance(error, DBAPIError) and _is_passing(error):
                raise _unavailable(error) from None
            if isinstance(error, PendingRollbackError):
                # The connection broke on an earlier statement of this transaction.
                raise _not_now("the connection broke") from None
            raise

    def _is_of_no_use(self, error: Exception) -> bool:
        """Say whether the connection is to be given up: it broke, or what it leads to may not be written to any more."""
        if self._held is None or self.engine.dialect.name == "sqlite":
            return False
        if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == READ_ONLY:
            return True
        driver: Any = None if self._held.invalidated else self._held.connection.driver_connection
        return driver is None or driver.closed

    def _let_go(self) -> None:
        """End the connection, and with it every lock that was taken on it."""
        if self._held is not None:
            self._held.invalidate()
            self._held.close()
            self._held = None

    def _unlock(self, locked: list[tuple[str, int]]) -> None:
        """Let go of locks that were taken in vain: a transaction that is rolled back keeps them otherwise."""
        from storage.core import locks

        try:
            assert self._held is not None  # noqa: S101 (the caller says so)
            with self._held.begin():
                locks.release_all(Unit(self._held, self.keys), locked)
        except DBAPIError:
            self._let_go()

    def run(self, work: Callable[..., Result], *args: Any) -> asyncio.Future[Result]:
        """Do `work(unit, *args)` in the store's thread, whole or not at all; the future has its result once it is committed.

        Work is done in the order of these calls. What waits together commits together, each piece in a savepoint of its
        own: one that fails harms no other. The future raises what the work raised, or StorageUnavailable.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._waiting.append((lambda unit: work(unit, *args), future))
        if not self._working or self._loop is not loop:
            self._working, self._loop = True, loop
            loop.run_in_executor(self._thread, self._work, loop)
        return future

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        """Carry out all that waits, in the store's thread."""
        while batch := [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER))]:
            pieces = [work for work, _ in batch]
            results = self._together(pieces)
            away = any(isinstance(error, StorageUnavailable) for _, error in results)
            if self._away and not away:
                log.info("The database can be used again.")
            self._away = away
            loop.call_soon_threadsafe(
                _tell, [(future, result) for (_, future), result in zip(batch, results, strict=True)]
            )
        loop.call_soon_threadsafe(self._rest, loop)

    def _rest(self, loop: asyncio.AbstractEventLoop) -> None:
        """Back in the loop: stop working unless something came in meanwhile."""
        self._working = bool(self._waiting)
        if self._working:
            loop.run_in_executor(self._thread, self._work, loop)

    def _together(self, pieces: list[Work]) -> list[Done]:
        """Carry pieces out in one transaction; when that as a whole fails, each in one of its own."""
        from storage.core import locks

        if len(pieces) == 1:
            return [self._alone(pieces[0])]
        results: list[Done] = []
        began = ran = False
        try:
            with self.unit() as unit:
                began = True
                # By the driver itself: the same through the library costs as much as a statement that asks something.
                driver = unit.driver
                for piece in pieces:
                    entries, locked = len(unit.entries), len(unit.locked)
                    driver.execute("SAVEPOINT piece")
                    try:
                        results.append((piece(unit), None))
                    except Exception as error:
                        if unit.connection.invalidated or _is_passing(error):
                            raise
                        driver.execute("ROLLBACK TO SAVEPOINT piece")
                        del unit.entries[entries:]
                        locks.release_all(unit, unit.locked[locked:])
                        results.append((None, error))
                    driver.execute("RELEASE SAVEPOINT piece")
                ran = True
        except Exception as error:
            if not began or (ran and self._held is None):
                # None of them is to blame. Each would wait as long for the database as this did; and where the connection
                # broke on the commit, it may have been carried out.
                return [(None, error)] * len(pieces)
            return [self._alone(piece) for piece in pieces]
        return results

    def _alone(self, piece: Work) -> Done:
        try:
            with self.unit() as unit:
                return piece(unit), None
        except Exception as error:
            return None, error

    def forget_old_pages(self) -> None:
        """Let the file hold nothing of what was overwritten: SQLite's log may, until it is written back and cut."""
        if self.engine.dialect.name == "sqlite":
            raw = self.engine.raw_connection()
            try:
                raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                raw.close()

    def close(self, at_most: float | None = None) -> bool:
        """Finish the work in hand and let go of the database; return False when that takes more seconds than `at_most`."""
        closing = self._thread.submit(self._close)
        try:
            closing.result(at_most)
        except TimeoutError:
            return False
        self._thread.shutdown()
        return True

    def _close(self) -> None:
        if self._held is not None:
            self._held.close()
        self.engine.dispose()


def of_driver(dialect: Any, statement: str, error: Exception) -> BaseException:
    """Return the driver's own error as the library would raise it: who handles trouble knows one kind."""
    return DBAPIError.instance(statement, None, error, dialect.dbapi.Error, hide_parameters=True)


def _unavailable(error: DBAPIError) -> StorageUnavailable:
    """Name the kind of trouble only: a driver's own text may hold what was being written, or a password."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""
    of_connection = error.connection_invalidated or error.statement is None or code.startswith(OF_CONNECTION)
    said = str(error.orig).lower() if of_connection else ""
    signs = (words for sign, words in SIGNS.items() if sign in said)
    codes = (words for known, words in CODES.items() if code.startswith(known))
    why = next(signs, None) or next(codes, None) or type(error.orig).__name__
    return _not_now(why)


def _not_now(why: str) -> StorageUnavailable:
    return StorageUnavailable(f"The database cannot be used just now ({why}).")


def _is_passing(error: Exception) -> bool:
    """Say whether trying again can help: the server is away, the disk is full, a lock is held."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, StorageUnavailable | PendingRollbackError)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(PASSING)
    # SQLite's, or one of a server that could not be reached.
    return error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")


def sqlite_url(path: Path) -> str:
    """Return the address of a SQLite file."""
    return f"sqlite:///{path}"


def open_store(url: str, keys: Keyring, *, migrate: bool = True) -> Store:
    """Open a store and bring its tables up to date; raise StorageRefused or StorageUnavailable."""
    engine = make_engine(url)
    try:
        _check(engine)
        if migrate and _version(engine) != SCHEMA:
            upgrade(engine)
    except DBAPIError as error:
        engine.dispose()
        raise _unavailable(error) from None
    except StorageRefused:
        engine.dispose()
        raise
    if not migrate and _version(engine) != SCHEMA:
        engine.dispose()
        raise StorageRefused("The database is not at the version this program needs.")
    store = Store(engine, keys)
    from storage.operations import key_check

    try:
        with store.unit() as unit:
            key_check.check(unit)
    except Exception:
        store.close()
        raise
    return store


def make_engine(url: str) -> Engine:
    """Return an engine with the settings a commit needs to be lasting. Parameters never reach an error text."""
    if not url.startswith("sqlite"):
        address = make_url(url).set(drivername="postgresql+psycopg")
        given = {"fallback_application_name": "sharewise", **SILENCE}
        given = {name: value for name, value in given.items() if name not in address.query}
        try:
            return create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=given)
        except ImportError:
            raise StorageRefused(
                'For PostgreSQL its driver is needed: pip install -c constraints.txt ".[postgres]"'
            ) from None
    engine = create_engine(
        url, hide_parameters=True, poolclass=StaticPool, connect_args={"check_same_thread": False, "timeout": 5}
    )

    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            "trusted_schema=OFF",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        begin = "BEGIN IMMEDIATE"
        try:
            driver.execute(begin)
        except sqlite3.Error as error:
            raise of_driver(connection.dialect, begin, error) from error

    return engine


def _check(engine: Engine) -> None:
    """Refuse settings that would lose a commit, or something of what is written."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()).lower()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            wrong = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}.items() - found.items()
        else:
            loses = ("off", "local", "remote_write")
            found = {name: _shown(connection, name) for name in ("synchronous_commit", "fsync", "full_page_writes")}
            wrong = {(name, "on") for name, value in found.items() if value in loses}
            if _shown(connection, "server_encoding") != "UTF8":
                raise StorageRefused("The database cannot hold every letter: make one with the encoding UTF8.")
    if wrong:
        listed = ", ".join(f"{name} must be {value}, is {found[name]}" for name, value in sorted(wrong))
        raise StorageRefused(f"The database would lose saved records: {listed}.")


def _shown(connection: Connection, setting: str) -> str:
    return str(connection.scalar(text(f"show {setting}")))


_SESSION = text("select pg_backend_pid()")
#: Some poolers keep a session from then on.
_LOCK = text("select pg_try_advisory_lock(0), pg_advisory_unlock(0)")


def check_for_serving(url: str) -> None:
    """Refuse a database that commands can use and the bot cannot; raise StorageRefused or StorageUnavailable.

    That is one that may only be read, and one behind a pooler that carries out each transaction in another session of the
    server: locks of ours would stay behind in it. Several poolers behind one address may not be noticed.
    """
    if url.startswith("sqlite"):
        return
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            if _shown(connection, "transaction_read_only") == "on":
                raise _not_now(READ_ONLY_WORDS)
            driver: Any = connection.connection.driver_connection
            if connection.scalar(_SESSION) != driver.info.backend_pid:  # else it is the session that greeted us
                _check_sessions(engine, connection)
    except DBAPIError as error:
        raise _unavailable(error) from None
    finally:
        engine.dispose()


def _check_sessions(engine: Engine, connection: Connection) -> None:
    connection.execute(_LOCK)
    with engine.connect() as one, engine.connect() as two:
        for other in (one, two):
            session = connection.scalar(_SESSION)
            connection.rollback()
            # A session that a pooler thinks is free goes to whoever comes next.
            other.execute(_SESSION)
            if connection.scalar(_SESSION) != session:
                raise StorageRefused(
                    "The database is reached through a pooler that changes sessions between transactions. Sharewise holds "
                    "locks in its session. Have the pooler keep sessions (PgBouncer: pool_mode = session), or give the "
                    "server's own address."
                )


def _version(engine: Engine) -> str | None:
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("select version_num from alembic_version")).scalar()


def alembic_config(connection: Connection | None = None) -> Any:
    """Return Alembic's configuration for the migrations that ship with the product."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the tables to a revision, in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
