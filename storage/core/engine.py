"""Engines for SQLite and PostgreSQL with the settings that durable commits need, and the schema version.

SQLite: WAL, synchronous=FULL, one writer. PostgreSQL: the bot refuses to start if the server's settings could lose a commit.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import StaticPool

from storage.core.faults import READ_ONLY_WORDS, StorageRefused, not_now, of_driver, unavailable

#: The newest migration. A test checks that it is the head of the migrations.
SCHEMA = "0012"

#: How long to wait for a server that does not answer, as libpq parameters: times in seconds, the last in milliseconds.
TIMEOUTS = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def sqlite_url(path: Path) -> str:
    """Return the database URL of a SQLite file."""
    return f"sqlite:///{path}"


def is_database_url(text: str) -> bool:
    """Return whether a text is the URL of a database that Sharewise can use."""
    try:
        return make_url(text).get_backend_name() in ("postgresql", "sqlite")
    except (ArgumentError, ValueError):
        return False


def make_engine(url: str) -> Engine:
    """Return an engine whose commits are durable and whose errors never quote parameters."""
    if not url.startswith("sqlite"):
        address = make_url(url).set(drivername="postgresql+psycopg")
        given = {"fallback_application_name": "sharewise", **TIMEOUTS}
        given = {name: value for name, value in given.items() if name not in address.query}
        try:
            return create_engine(address, hide_parameters=True, pool_pre_ping=True, connect_args=given)
        except ImportError:
            raise StorageRefused('PostgreSQL needs its driver: pip install -c constraints.txt ".[postgres]"') from None
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


def check(engine: Engine) -> None:
    """Raise StorageRefused if the settings could lose a commit or cannot store every character."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            found = {
                name: str(connection.exec_driver_sql(f"PRAGMA {name}").scalar()).lower()
                for name in ("journal_mode", "synchronous", "foreign_keys")
            }
            wrong = {"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1"}.items() - found.items()
        else:
            unsafe = ("off", "local", "remote_write")
            found = {name: _setting(connection, name) for name in ("synchronous_commit", "fsync", "full_page_writes")}
            wrong = {(name, "on") for name, value in found.items() if value in unsafe}
            if _setting(connection, "server_encoding") != "UTF8":
                raise StorageRefused("The database cannot store every character. Create one with the encoding UTF8.")
    if wrong:
        listed = ", ".join(f"{name} must be {value}, is {found[name]}" for name, value in sorted(wrong))
        raise StorageRefused(f"The database would lose saved records: {listed}.")


def _setting(connection: Connection, name: str) -> str:
    return str(connection.scalar(text(f"show {name}")))


_SESSION = text("select pg_backend_pid()")
#: Makes some poolers pin the client to its session from then on.
_LOCK = text("select pg_try_advisory_lock(0), pg_advisory_unlock(0)")


def check_for_serving(url: str) -> None:
    """Refuse a database that suits single commands but not the bot; raise StorageRefused or StorageUnavailable.

    This refuses a read-only database, and one behind a pooler that may run each transaction in a different session: we
    would leave our session locks behind. It may not notice several poolers behind one address.
    """
    if url.startswith("sqlite"):
        return
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            if _setting(connection, "transaction_read_only") == "on":
                raise not_now(READ_ONLY_WORDS)
            driver: Any = connection.connection.driver_connection
            if connection.scalar(_SESSION) != driver.info.backend_pid:  # there is a pooler in between
                _check_sessions(engine, connection)
    except DBAPIError as error:
        raise unavailable(error) from None
    finally:
        engine.dispose()


def _check_sessions(engine: Engine, connection: Connection) -> None:
    connection.execute(_LOCK)
    with engine.connect() as one, engine.connect() as two:
        for other in (one, two):
            session = connection.scalar(_SESSION)
            connection.rollback()
            # A pooler gives a session that it considers free to the next client.
            other.execute(_SESSION)
            if connection.scalar(_SESSION) != session:
                raise StorageRefused(
                    "The database is reached through a pooler that changes sessions between transactions. Sharewise holds "
                    "locks in its session. Set the pooler to keep sessions (PgBouncer: pool_mode = session), or give the "
                    "server's own address."
                )


def version(engine: Engine) -> str | None:
    """Return the revision of the newest migration applied to the tables; None for an empty database."""
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
    """Migrate the tables to a revision, in one transaction."""
    from alembic import command

    with engine.begin() as connection:
        command.upgrade(alembic_config(connection), revision)
