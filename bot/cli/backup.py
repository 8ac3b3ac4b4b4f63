"""`sharewise backup`, `restore` and `rotate`: back up and restore a store, and change its master key."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.cli.commands import Commands, with_data
from bot.cli.output import Failed, WrongCall, say


def add_to(commands: Commands) -> None:
    """Declare the commands."""
    backing = commands.add("backup", backup, "write an encrypted copy of a SQLite store, even while in use", "back_up")
    backing.add_argument("file", metavar="FILE")
    with_data(backing)
    restoring = commands.add("restore", restore, "restore a backup into an empty folder", "back_up")
    restoring.add_argument("file", metavar="FILE")
    restoring.add_argument(
        "--into", required=True, metavar="DIR", help="the folder; if it holds a master.key, that key is used"
    )
    restoring.add_argument("--erased", metavar="FILE", help="erased.jsonl, the list of erasures from the lost store")
    restoring.add_argument(
        "--send-waiting", action="store_true", help="send the messages that were waiting when the backup was made"
    )
    text = "re-encrypt every key with a new master key, while the bot runs with both"
    commands.add("rotate", rotate, text, "back_up")


def backup(args: argparse.Namespace) -> int:
    """Write an encrypted copy of a SQLite store, which may be in use."""
    from bot.composition import store as stores
    from bot.usecases import operations

    store = stores.open_for_command(args.data)
    try:
        if store.engine.dialect.name != "sqlite":
            raise Failed("This is for SQLite. Back PostgreSQL up with its own tools (pg_dump, WAL archive).")
        database = stores.folder_for_command(args.data) / stores.DATABASE
        size = operations.back_up(database, Path(args.file), store.keys)
    except OSError as error:
        raise Failed(f"{args.file} cannot be written: {error.strerror}.") from None
    finally:
        store.close()
    say(f"Backed up: {args.file}, {size} bytes. It opens only with the master key, which is not in it.")
    return 0


def restore(args: argparse.Namespace) -> int:
    """Restore a backup, erase again what was erased since, and hold back messages from before it."""
    from bot.composition import store as stores
    from bot.usecases import operations

    folder = Path(args.into).expanduser()
    keys = stores.keys_for(folder)
    try:
        erasures = operations.read_erasures(Path(args.erased)) if args.erased else []
        stores.make_folder(folder)
        operations.unpack(Path(args.file), folder / stores.DATABASE, keys)
    except OSError as error:
        raise Failed(f"{args.file} cannot be read: {error.strerror}.") from None
    except (operations.BadBackup, operations.BadList) as error:
        raise Failed(str(error)) from None
    store = stores.open_restored(folder)
    try:
        with store.unit() as unit:
            done = operations.settle_restored(unit, erasures, send_waiting=args.send_waiting)
    finally:
        store.close()
    if not args.erased:
        say("No list of erasures was given (--erased FOLDER/erased.jsonl): what was erased since the backup is back.")
    say(f"Restored. Erased again: {done.erased}. Messages held back: {done.held_back} (--send-waiting sends them).")
    say(f"Ledger entries: {done.checked.entries}, records: {done.checked.records}.")
    if done.checked.broken:
        say(f"BROKEN: {done.checked.broken.where} {done.checked.broken.what}.")
    return 1 if done.checked.broken else 0


def rotate(args: argparse.Namespace) -> int:
    """Wrap every key with the new master key; the settings must name both the old and the new one."""
    from bot.composition.settings import read
    from bot.composition.store import open_settings
    from bot.usecases import operations

    if read().old_master_key_file is None:
        raise WrongCall(
            "Set SHAREWISE_OLD_MASTER_KEY_FILE to the key before, and SHAREWISE_MASTER_KEY_FILE to the new one."
        )
    store = open_settings()
    try:
        total = operations.rotate(store, lambda name, done: say(f"{name}: {done} done so far"))
    finally:
        store.close()
    say(f"Done: {total} keys were wrapped anew. Open invites and sessions have ended.")
    say("Restart the bot without SHAREWISE_OLD_MASTER_KEY_FILE. Keep the old key only as long as backups need it.")
    return 0
