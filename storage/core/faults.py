"""Database errors, by who must act: nobody (try again later) or the operator.

A driver's own text never leaves this file: it may contain the data being written or a password. `SIGNS` and `CODES` map
what servers, poolers and drivers say, read from their sources and seen in tests against each of them, to our words.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy.exc import DBAPIError, PendingRollbackError


class StorageUnavailable(Exception):
    """The database is unavailable for now. Nothing was changed; try again later."""


class StorageRefused(Exception):
    """The database's settings or contents are wrong; the operator must act."""


class NotAllowed(Exception):
    """A rule forbids what a person asked for. `reason` names the rule in one word; `values` are its limits."""

    def __init__(self, reason: str, **values: object) -> None:
        super().__init__(reason)
        self.reason, self.values = reason, values


#: PostgreSQL's error code for a read-only server, such as a standby.
READ_ONLY = "25006"
READ_ONLY_WORDS = "it may only be read: a standby, or set so"
#: Error classes for which trying again can help: connection, read only, rollback or deadlock, out of space, lock,
#: shutdown, disk.
PASSING = ("08", READ_ONLY, "40", "53", "55P03", "57", "58")
#: What servers, poolers and drivers say when a connection fails or is lost -> our words. The first match counts.
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
#: PostgreSQL's classes of connection errors. Only their messages are safe to read, as they never quote a statement.
OF_CONNECTION = ("08", "57P")
#: Error codes of PostgreSQL and SQLite -> our words.
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
    "SQLITE_NOTADB": "the file is not a database",
}


def of_driver(dialect: Any, statement: str, error: Exception) -> BaseException:
    """Wrap a driver's error as SQLAlchemy would, so that callers handle one kind of error."""
    return DBAPIError.instance(statement, None, error, dialect.dbapi.Error, hide_parameters=True)


def unavailable(error: DBAPIError) -> StorageUnavailable:
    """Return our error for a driver's error: it states the cause but never quotes the driver."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None) or ""
    of_connection = error.connection_invalidated or error.statement is None or code.startswith(OF_CONNECTION)
    said = str(error.orig).lower() if of_connection else ""
    signs = (words for sign, words in SIGNS.items() if sign in said)
    codes = (words for known, words in CODES.items() if code.startswith(known))
    why = next(signs, None) or next(codes, None) or type(error.orig).__name__
    return not_now(why)


def not_now(why: str) -> StorageUnavailable:
    """Return the error to raise when the database cannot be used, giving the reason in plain words."""
    return StorageUnavailable(f"The database cannot be used just now ({why}).")


def is_passing(error: Exception) -> bool:
    """Return whether trying again later can help: the server is down, the disk is full, or a lock is held."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, StorageUnavailable | PendingRollbackError)
    state = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return str(state).startswith(PASSING)
    # SQLite, or a server that could not be reached: neither gives an SQLSTATE.
    return error.connection_invalidated or type(error.orig).__name__ in ("OperationalError", "ConnectionTimeout")
