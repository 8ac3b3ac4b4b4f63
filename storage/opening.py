"""Opens a store: checks the database settings, migrates the tables and checks the master key.

The only module that connects the core to the operations on stored data.
"""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError

from storage.core import engine as engines
from storage.core.faults import StorageRefused, unavailable
from storage.core.sealing import Keyring
from storage.core.store import Store
from storage.operations import key_check


def open_store(url: str, keys: Keyring, *, migrate: bool = True) -> Store:
    """Open a store, migrating its tables if allowed and needed; raise StorageRefused or StorageUnavailable."""
    engine = engines.make_engine(url)
    try:
        engines.check(engine)
        if migrate and engines.version(engine) != engines.SCHEMA:
            engines.upgrade(engine)
    except DBAPIError as error:
        engine.dispose()
        raise unavailable(error) from None
    except StorageRefused:
        engine.dispose()
        raise
    if not migrate and engines.version(engine) != engines.SCHEMA:
        engine.dispose()
        raise StorageRefused("The database is not at the version this program needs.")
    store = Store(engine, keys)
    try:
        with store.unit() as unit:
            key_check.check(unit)
    except Exception:
        store.close()
        raise
    return store
