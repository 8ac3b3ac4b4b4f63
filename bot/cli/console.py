"""`sharewise console`: serve the review console on this machine."""

from __future__ import annotations

import argparse
import logging
import sys

from bot.cli.commands import Commands, with_data
from bot.cli.output import Failed, say


def add_to(commands: Commands) -> None:
    """Declare the command."""
    serving = commands.add(
        "console", console, "serve the web console on this machine; put an https proxy in front", "serve"
    )
    serving.add_argument("--port", type=int, default=8085)
    with_data(serving)


def console(args: argparse.Namespace) -> int:
    """Serve the console until stopped. With --data, print a link that signs in the local chat's supervisor."""
    import uvicorn

    from bot.composition import logs
    from bot.composition.context import context_of
    from bot.composition.settings import read_without_key
    from bot.composition.store import open_for_command
    from bot.console.app import build
    from bot.local.terminal import PEOPLE
    from bot.usecases import console_link

    settings = read_without_key()
    logs.set_up(logging.WARNING, form=settings.log_format)
    store = open_for_command(args.data)
    context = context_of(settings)
    context.console_url = context.console_url or f"http://127.0.0.1:{args.port}"
    try:
        if args.data:
            with store.unit() as unit:
                link = console_link.local(unit, context, PEOPLE["supervisor"][0])
            if link is None:
                raise Failed("There is no local supervisor yet. Run sharewise chat first.")
            say(f"Sign in as the local supervisor, once: {link}")
        say(f"The console is at {context.console_url}. End it with Ctrl-C.")
        sys.stdout.flush()
        secure = context.console_url.startswith("https")
        token = settings.token.get_secret_value() if settings.token else ""
        app = build(store, context, secure=secure, token=token)
        uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning", access_log=False, server_header=False)
    except SystemExit:
        raise Failed(f"Port {args.port} cannot be used.") from None
    finally:
        store.close()
    return 0
