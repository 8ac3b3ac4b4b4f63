"""`sharewise serve`: run the bot on Telegram, by polling or by webhook, in one process or several."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import socket
import sys
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from bot.cli.commands import Commands, count_to_100
from bot.cli.output import Failed, WrongCall
from bot.cli.workers import STOP_SIGNALS, run_workers
from bot.messages.texts import text_of

if TYPE_CHECKING:
    from bot.composition.settings import Settings
    from bot.telegram.service import Listening

#: Where `--webhook` listens unless --listen is given.
LISTEN = "127.0.0.1:8086"
#: Seconds to wait for the database when the process ends.
CLOSE_SECONDS = 2

log = logging.getLogger("sharewise")


def add_to(commands: Commands) -> None:
    """Declare the command."""
    text = "run the bot on Telegram, by polling or with --webhook; .env.example lists the settings"
    serving = commands.add("serve", serve, text, "serve")
    serving.add_argument("--webhook", action="store_true", help="receive posted updates instead of polling")
    serving.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help=f"address for /readyz and /metrics and, with --webhook, for updates (then {LISTEN} by default)",
    )
    serving.add_argument(
        "--workers", type=count_to_100, default=1, metavar="N", help="processes; more than one needs PostgreSQL"
    )


def serve(args: argparse.Namespace) -> int:
    """Run the bot until a signal stops it."""
    gc.disable()  # What a start loads stays for good: looking through it for garbage costs a fifth of the start.
    try:
        return _serve(args)
    finally:
        gc.enable()


def _serve(args: argparse.Namespace) -> int:
    from bot.composition import logs, store
    from bot.composition.context import VERSION
    from bot.composition.settings import misspelt, read

    settings = read(serving=True, webhook=args.webhook)
    logs.set_up(form=settings.log_format)
    log.setLevel(logging.INFO)
    for name, near in misspelt():
        log.warning("%s is not a setting and is not read. Did you mean %s?", name, " or ".join(near))
    store.make_folder(settings.data_dir)
    if args.workers > 1 and settings.on_sqlite:
        raise WrongCall("Several workers need PostgreSQL: set SHAREWISE_DATABASE_URL. A SQLite store has one.")
    listening = _listening(args, settings)
    workers = text_of("counts.worker", count=args.workers)
    by = "webhook" if args.webhook else "polling"
    at = f", listening on {args.listen}" if listening else ""
    on = "SQLite" if settings.on_sqlite else "PostgreSQL"
    log.info("Sharewise %s: %s on %s, by %s%s.", VERSION, workers, on, by, at)
    if args.workers == 1:
        return _serve_one(settings, listening)
    store.open_for_serving(settings, first=True).close()
    from bot.telegram import http_client, service  # noqa: F401 (loaded once, shared by all workers)

    return run_workers(args.workers, partial(_serve_one, settings, listening, os.getpid()))


def _listening(args: argparse.Namespace, settings: Settings) -> Listening | None:
    """Open the socket to listen on; return None if neither --listen nor --webhook was given."""
    from bot.telegram.service import Listening

    if args.webhook and not args.listen:
        args.listen = LISTEN
    if not args.listen:
        return None
    host, _, port = args.listen.rpartition(":")
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise WrongCall(f"--listen {args.listen}: write HOST:PORT, with a port from 1 to 65535.")
    try:
        opened = socket.create_server((host or "127.0.0.1", int(port)), backlog=2048)
    except OSError as error:
        raise Failed(f"{args.listen} cannot be listened on ({error.strerror}).") from None
    secret = settings.webhook_secret.get_secret_value() if args.webhook and settings.webhook_secret else None
    return Listening(opened, secret)


def _serve_one(settings: Settings, listening: Listening | None, parent: int | None = None) -> int:
    """Run the bot, or one worker of several, until a signal stops it."""
    from bot.composition import store as stores
    from bot.composition.context import context_of
    from bot.console import health
    from bot.telegram import application
    from bot.telegram.gateway import Gateway
    from bot.telegram.retry import TokenRefused
    from bot.telegram.service import Host, Service

    token = settings.token.get_secret_value() if settings.token else ""
    with stores.only_process(settings.data_dir) if settings.on_sqlite else nullcontext():
        store = stores.open_for_serving(settings, first=parent is None)
        context = context_of(settings, int(token.split(":")[0]))
        context.book  # loads the edition now, so that an invalid one stops the start  # noqa: B018

        async def run() -> None:
            gateway = Gateway(store, context)
            app = application.build(gateway, token, application.network_request(), settings.api_base_url)
            listens = replace(listening, monitoring=health.routes(store, context.now)) if listening else None
            host = Host(settings.head_file, settings.data_dir / "pictures", parent)
            service = Service(app, gateway, listens, host)
            loop = asyncio.get_running_loop()
            for number in STOP_SIGNALS:
                loop.add_signal_handler(number, service.stop.set)
            await service.run()

        code = 1
        gc.freeze()
        gc.enable()
        try:
            with asyncio.Runner(loop_factory=_fast_loop()) as runner:
                runner.run(run())
            code = 0
        except TokenRefused as error:
            raise Failed(str(error)) from None
        finally:
            if not store.close(CLOSE_SECONDS):
                # The store's thread is stuck waiting for the database. Everything we confirmed is already committed.
                sys.stderr.write("sharewise: the database did not answer; ended without it.\n")
                sys.stderr.flush()
                os._exit(code)
    return 0


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's loop factory if it is installed, else None for the standard loop."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
