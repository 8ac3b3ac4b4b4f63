"""`sharewise webhook`: tell Telegram where to post updates. Done once per deployment, not at every start."""

from __future__ import annotations

import argparse
import asyncio
import re
from typing import TYPE_CHECKING, Any

from bot.cli.commands import Commands, Verbs, count_to_100, with_json
from bot.cli.output import Failed, WrongCall, say, say_json

if TYPE_CHECKING:
    from bot.composition.settings import Settings


def add_to(commands: Commands) -> None:
    """Declare the command and its verbs."""
    verbs = Verbs(commands.add("webhook", webhook, "tell Telegram where to post updates, once per deployment", "serve"))
    setting = verbs.add("set", "have Telegram post updates to an address; /telegram is appended to it")
    setting.add_argument("url", metavar="https://HOST")
    setting.add_argument(
        "--connections", type=count_to_100, default=40, metavar="N", help="parallel connections, 1 to 100"
    )
    for verb in (
        setting,
        verbs.add("delete", "delete it and go back to polling"),
        verbs.add("info", "print its state"),
    ):
        verb.set_defaults(action="serve")
        with_json(verb)


def webhook(args: argparse.Namespace) -> int:
    """Set or delete the webhook if asked to, then print its state at Telegram."""
    from bot.composition.settings import read

    settings = read(serving=True, webhook=args.verb == "set")
    if args.verb == "set" and not re.match(r"https://[^/]|http://(127\.0\.0\.1|localhost)\b", args.url):
        raise WrongCall("The address must be https://HOST (http:// only on this machine).")
    info = asyncio.run(_call(args, settings))
    if args.json:
        say_json(info)
        return 0
    waiting = info.get("pending_update_count", 0)
    say(f"Webhook: {info.get('url') or 'none: the bot is polled'}. Waiting at Telegram: {waiting}.")
    if info.get("last_error_message"):
        say(f"Last trouble: {info['last_error_message']}")
    return 0


async def _call(args: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    from telegram import Bot
    from telegram.error import InvalidToken, NetworkError, TelegramError, TimedOut

    from bot.telegram.http_client import AiohttpRequest
    from bot.telegram.intake import ALLOWED
    from bot.telegram.retry import TokenRefused
    from bot.telegram.webhook import PATH

    token = settings.token.get_secret_value() if settings.token else ""
    bot = Bot(token, settings.api_base_url, request=AiohttpRequest(1))
    try:
        async with bot:
            if args.verb == "set":
                secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
                url = args.url.rstrip("/").removesuffix(PATH) + PATH
                await bot.set_webhook(
                    url, secret_token=secret, allowed_updates=ALLOWED, max_connections=args.connections
                )
            elif args.verb == "delete":
                await bot.delete_webhook()
            return (await bot.get_webhook_info()).to_dict()
    except InvalidToken:
        raise Failed(str(TokenRefused())) from None
    except TelegramError as error:
        if type(error) in (NetworkError, TimedOut):
            raise Failed(f"Telegram cannot be reached at {settings.api_base_url}.") from None
        raise Failed(f"Telegram says: {error.message}.") from None
