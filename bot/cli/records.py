"""`sharewise records`, `verify` and `head`: list stored records, and prove that nobody has changed the store."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.cli.commands import Commands, with_data, with_json
from bot.cli.output import Failed, WrongCall, say, say_json, say_table


def add_to(commands: Commands) -> None:
    """Declare the commands."""
    listing = commands.add("records", records, "decrypt and list stored decision records", "read_record")
    listing.add_argument("--member", type=int, metavar="N", help="only the records of the member with this Telegram id")
    text = "check the ledger and every record's seal; exit with code 1 if anything was changed"
    checking = commands.add("verify", verify, text, "verify")
    checking.add_argument(
        "--head", action="append", metavar="NUMBER:HASH", help="a ledger head kept elsewhere; may be repeated"
    )
    checking.add_argument("--heads", metavar="FILE", help="file of signed heads kept elsewhere (SHAREWISE_HEAD_FILE)")
    checking.add_argument(
        "--key", action="append", metavar="HEX", help="a public key that may have signed them; may be repeated"
    )
    for command in (listing, checking):
        with_data(command)
        with_json(command)
    text = "print the ledger's head as a signed line, to keep somewhere else"
    with_data(commands.add("head", head, text, "verify"))


def records(args: argparse.Namespace) -> int:
    """List the stored records of everybody, or of one member."""
    from bot.composition.store import unit_for_command
    from bot.domain.record import exported
    from bot.messages.message import time_of
    from bot.messages.texts import text_of
    from bot.usecases import own_records

    with unit_for_command(args.data) as unit:
        try:
            found = own_records.all_for_operator(unit, args.member)
        except own_records.NotAMember:
            raise Failed(f"{args.member} is not a member.") from None
    if args.json:
        for stored in found:
            say_json(exported(stored))
        return 0
    rows = [("Reference", "Saved", "Flow", "Recommended", "Decided", "Case", "Notes")]
    for stored in found:
        clear = stored.clear
        decided = f"{clear['decision'] or '-'}{' (otherwise)' if clear['otherwise'] else ''}"
        saved, case = time_of(clear["finished_at"]), stored.content.get("case_reference") or "-"
        notes = str(len(stored.amendments))
        rows.append((clear["reference"], saved, clear["flow"], clear["outcome"], decided, case, notes))
    say_table(rows)
    say(text_of("counts.record", count=len(found)))
    return 0


def verify(args: argparse.Namespace) -> int:
    """Check the ledger and every record's seal, and compare the ledger with heads kept elsewhere."""
    from bot.composition.store import unit_for_command
    from bot.usecases import operations

    signed: list[str] = []
    if args.heads:
        try:
            signed = Path(args.heads).read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise WrongCall(f"--heads {args.heads} cannot be read ({type(error).__name__}).") from None
    kept = [_head(text) for text in args.head or ()]
    with unit_for_command(args.data) as unit:
        try:
            proof = operations.verify(unit, kept, signed, frozenset(args.key or ()))
        except operations.BadLine as error:
            raise WrongCall(f"--heads {args.heads}: {error}") from None
    checked, broken = proof.checked, proof.broken
    if args.json:
        found = {"where": broken.where, "what": broken.what} if broken else None
        figures = {"entries": checked.entries, "records": checked.records, "head": f"{proof.head[0]}:{proof.head[1]}"}
        say_json({**figures, "broken": found})
    elif broken:
        say(f"BROKEN: {broken.where} {broken.what}.")
    else:
        say(f"All is as it was written: {checked.entries} ledger entries, {checked.records} records.")
    return 1 if broken else 0


def _head(text: str) -> tuple[int, str]:
    seq, _, hashed = text.partition(":")
    if not (seq.isascii() and seq.isdigit() and hashed):
        raise WrongCall(f"--head {text}: write NUMBER:HASH, as the daily message says it.")
    return int(seq), hashed


def head(args: argparse.Namespace) -> int:
    """Print the ledger's head as a signed line, to compare with later (see `verify`)."""
    from bot.composition.store import unit_for_command
    from bot.usecases import operations

    with unit_for_command(args.data) as unit:
        say(operations.signed_head(unit))
    return 0
