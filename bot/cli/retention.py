"""`sharewise retention`: set how long records are kept, put them on hold, list those due, erase them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from bot.cli.commands import Commands, Verbs, with_data, with_json
from bot.cli.output import Failed, say, say_json
from bot.cli.typed import reason
from bot.domain.access import COMMAND_LINE

if TYPE_CHECKING:
    from flows.screening import Screened
    from storage.core.store import Store


def add_to(commands: Commands) -> None:
    """Declare the command and its verbs."""
    verbs = Verbs(
        commands.add("retention", retention, "set how long records are kept; hold, release, erase; list those due")
    )
    setting = verbs.add("set", "set how long a class of records is kept")
    setting.add_argument("record_class", metavar="CLASS")
    setting.add_argument("--days", type=int, metavar="N", help="due to be erased after N days")
    setting.add_argument(
        "--review-days", type=int, metavar="N", help="kept for ever; due for another look after N days"
    )
    holding = verbs.add("hold", "put records on hold, so that they are not erased")
    holding.add_argument("--reason", required=True)
    releasing = verbs.add("release", "release records from hold")
    erasing = verbs.add("erase", "erase records for good: their keys are destroyed")
    for verb in (holding, releasing, erasing):
        verb.add_argument("reference", nargs="+", metavar="SW-XXXX-XXXX")
    others = (verbs.add("list", "list the rules that are set"), verbs.add("due", "list records whose time has come"))
    for verb in (setting, holding, releasing, erasing, *others):
        verb.set_defaults(action="manage_retention")
        with_json(verb)
        with_data(verb)


def retention(args: argparse.Namespace) -> int:
    """Set or list the rules, list records that are due, or hold, release or erase records."""
    from bot.composition.store import open_for_command
    from bot.usecases import retention as keeping

    why = reason("--reason", args.reason) if args.verb == "hold" else None
    store = open_for_command(args.data)
    try:
        if args.verb == "due":
            _list_due(store, args)
        elif args.verb in ("hold", "release", "erase"):
            _change(store, args, why)
        else:
            _list_rules(store, args)
    except (keeping.CannotSet, keeping.Held, keeping.BadList, keeping.NoSuchRecord) as error:
        raise Failed(str(error)) from None
    finally:
        store.close()
    return 0


def _change(store: Store, args: argparse.Namespace, why: Screened | None) -> None:
    from bot.composition.store import folder_for_command
    from bot.usecases import retention as keeping
    from storage.core.clock import utc_now

    at = utc_now()
    with store.unit() as unit:
        if why is not None:
            keeping.hold(unit, args.reference, why, at, COMMAND_LINE)
        elif args.verb == "release":
            keeping.release(unit, args.reference, at, COMMAND_LINE)
        else:
            keeping.erase(unit, args.reference, folder_for_command(args.data), at, COMMAND_LINE)
        counts = keeping.counts(unit)
    if args.verb == "erase":
        store.forget_old_pages()
    say(f"{args.verb}: {', '.join(args.reference)}. Kept: {counts['kept']}, erased: {counts['erased']}.")


def _list_due(store: Store, args: argparse.Namespace) -> None:
    from bot.usecases import retention as keeping
    from storage.core.clock import utc_now

    with store.unit() as unit:
        due = keeping.due(unit, utc_now())
    for one in due:
        if args.json:
            say_json(vars(one))
        else:
            held = "  ON HOLD" if one.held else ""
            say(f"{one.reference}  {one.what}  {one.record_class}  saved {one.finished_at[:10]}{held}")


def _list_rules(store: Store, args: argparse.Namespace) -> None:
    from bot.messages import review_cards
    from bot.usecases import retention as keeping
    from storage.core.clock import utc_now

    with store.unit() as unit:
        if args.verb == "set":
            keeping.set_rule(unit, args.record_class, args.days, args.review_days, utc_now(), COMMAND_LINE)
        found = keeping.rules(unit)
    for name, words in review_cards.classes().items():
        rule = found.get(name)
        if args.json:
            say_json({"class": name, "days": rule and rule.days, "review_days": rule and rule.review_days})
        elif rule is None:
            say(f"{words} ({name}): not set: kept")
        else:
            kept = f"{rule.days} days" if rule.days else f"kept; look again after {rule.review_days} days"
            say(f"{words} ({name}): {kept}")
