"""`sharewise chat` and `sharewise demo`: the bot at the terminal, without a token or a network."""

from __future__ import annotations

import argparse
import asyncio

from bot.cli.commands import Commands, with_data
from bot.cli.output import say

#: The people you can be, repeated here so that --help need not load the chat. A test keeps them equal to its people.
PEOPLE = ("me", "colleague-1", "colleague-2", "supervisor", "administrator")


def add_to(commands: Commands) -> None:
    """Declare the commands."""
    chatting = commands.add("chat", chat, "chat with the bot at the terminal, without a token or a network")
    with_data(chatting)
    chatting.add_argument("--as", dest="who", default="me", choices=PEOPLE, help="the person you start as")
    playing = commands.add("demo", demo, "play a story about a second opinion; nothing is stored")
    playing.add_argument("--pace", type=float, default=1.0, metavar="SECONDS", help="pause between two steps")


def chat(args: argparse.Namespace) -> int:
    """Chat until the input ends, in a store that is kept."""
    from bot.composition import store as stores
    from bot.composition.context import EDITION, VERSION
    from bot.local.run import chat as run

    folder = stores.data_folder(args.data)
    store = stores.open_local(folder)
    say(f"Your data: {folder} (key file: {folder / stores.KEY})")
    with stores.only_process(folder):
        try:
            asyncio.run(run(store, EDITION, VERSION, folder, args.who))
        except KeyboardInterrupt:
            say()
        finally:
            store.close()
    return 0


def demo(args: argparse.Namespace) -> int:
    """Play the story in a temporary store, and delete it afterwards."""
    from bot.composition.context import EDITION, VERSION
    from bot.composition.store import throwaway
    from bot.local.demo import Script
    from bot.local.run import chat as run

    with throwaway() as (folder, store):
        asyncio.run(run(store, EDITION, VERSION, folder, lines=Script(args.pace)))
    return 0
