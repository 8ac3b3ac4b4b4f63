"""Open the right store for a process: the folder of a local chat, or the database that the settings name."""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_data_path

from bot.composition.settings import BadSettings, Settings, read
from storage.core.engine import check_for_serving, sqlite_url
from storage.core.faults import StorageUnavailable
from storage.core.sealing import BadKey, Keyring, key_from_file, make_key_file
from storage.core.store import Store
from storage.core.unit import Unit
from storage.opening import open_store
from storage.operations import erasure

DATABASE, KEY, LOCK = "sharewise.db", "master.key", "sharewise.lock"
#: Seconds to wait for a previous process to end, and for the database to become reachable.
ENDING_SECONDS, DATABASE_SECONDS = 2, 30

log = logging.getLogger("sharewise")


class NoStore(Exception):
    """The store cannot be opened; the text says why."""


def data_folder(named: str | None) -> Path:
    """Return a local chat's data folder: the one named, else SHAREWISE_DATA_DIR, else the user's data folder."""
    return Path(named or os.environ.get("SHAREWISE_DATA_DIR") or user_data_path("sharewise")).expanduser()


def make_folder(path: Path) -> None:
    """Create a folder that only its owner may open, unless it exists; raise NoStore if it cannot be created."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise NoStore(f"The data folder {path} cannot be made ({error.strerror}).") from None


def open_local(folder: Path) -> Store:
    """Open the store of the local chat, creating folder, key and database if needed; raise NoStore if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = Keyring(make_key_file(folder / KEY))
    except (OSError, BadKey) as error:
        raise NoStore(str(error)) from None
    return open_store(sqlite_url(folder / DATABASE), keys)


def open_existing(folder: Path) -> Store:
    """Open a folder's SQLite store with its key file; raise NoStore if there is none, BadKey if the key is unusable."""
    if not (folder / DATABASE).exists():
        raise NoStore(f"There is no store in {folder}.")
    return open_store(sqlite_url(folder / DATABASE), Keyring(key_from_file(folder / KEY)))


def open_for_command(data: str | None) -> Store:
    """Open the store in the given folder, else the one in the settings, else (if they name none) the local chat's.

    Raise BadSettings if there is no local chat either, or if a setting is invalid: a mistyped database address must
    never lead to another store.
    """
    folder, settings = _store_for_command(data)
    if settings is None:
        return open_existing(folder)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return open_store(settings.url, settings.keys())


def folder_for_command(data: str | None) -> Path:
    """Return the data folder, which holds the list of erasures and a SQLite database."""
    return _store_for_command(data)[0]


def _store_for_command(data: str | None) -> tuple[Path, Settings | None]:
    """Return the data folder, and the settings that name the store; None if it is a local chat's."""
    if data is not None:
        return Path(data).expanduser(), None
    try:
        settings = read()
    except BadSettings as bad:
        folder = data_folder(None)
        if bad.store_meant or not (folder / KEY).exists():
            raise
        return folder, None
    return settings.data_dir, settings


@contextmanager
def unit_for_command(data: str | None) -> Iterator[Unit]:
    """Open the store for a single transaction, then close it."""
    store = open_for_command(data)
    try:
        with store.unit() as unit:
            yield unit
    finally:
        store.close()


def open_for_serving(settings: Settings, *, first: bool) -> Store:
    """Open the store in the settings; wait up to 30 seconds for a database that is not reachable yet.

    `first`: this is the first process to open it, so check that the database suits the bot and reconcile the list of
    erasures with it.
    """
    give_up = time.monotonic() + DATABASE_SECONDS
    while True:
        try:
            if first:
                check_for_serving(settings.url)
            store = open_store(settings.url, settings.keys())
            if first:
                with store.unit() as unit:
                    erasure.reconcile(unit, settings.data_dir)
            return store
        except StorageUnavailable as error:
            if time.monotonic() > give_up:
                raise
            log.warning("%s Trying again for %s seconds.", error, DATABASE_SECONDS)
            time.sleep(1)


def open_settings() -> Store:
    """Open the store in the settings; raise BadSettings if they are missing or invalid."""
    settings = read()
    return open_store(settings.url, settings.keys())


def open_restored(folder: Path) -> Store:
    """Open the store that a backup was restored into, with its folder's key file or the key in the settings."""
    return open_store(sqlite_url(folder / DATABASE), keys_for(folder))


def keys_for(folder: Path) -> Keyring:
    """Return the keys from a folder's key file, or else from the settings; raise BadSettings or BadKey."""
    key_file = folder / KEY
    return Keyring(key_from_file(key_file)) if key_file.exists() else read().keys()


@contextmanager
def throwaway() -> Iterator[tuple[Path, Store]]:
    """Open a new local store in a temporary folder, and delete it afterwards."""
    with tempfile.TemporaryDirectory(prefix="sharewise-demo-") as made:
        folder = Path(made)
        store = open_local(folder)
        try:
            yield folder, store
        finally:
            store.close()


def only_process(folder: Path) -> Any:
    """Return a lock for a data folder; entering it raises NoStore if another process already uses the folder."""

    class Lock(FileLock):
        def __enter__(self) -> Any:
            try:
                return super().__enter__()
            except Timeout:
                raise NoStore(f"Another Sharewise is running on {folder}. End it first.") from None

    # A process that is just stopping may need a moment to release the lock.
    return Lock(folder / LOCK, timeout=ENDING_SECONDS)
