"""How the loops of the bot try again after a passing failure: how long they wait, and what the log says.

A failure is passing when the database or Telegram will come back. A refused token is not, and ends the process.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

from telegram import Bot
from telegram.error import EndPointNotFound, InvalidToken, RetryAfter, TelegramError

from storage.core.faults import StorageUnavailable
from storage.core.store import Store

log = logging.getLogger("sharewise.retry")

#: Seconds before something that failed is tried again, and the most that a growing pause reaches.
PAUSE, LONGEST_PAUSE = 0.2, 5.0


class Backoff:
    """A pause that doubles with each failure, from PAUSE to LONGEST_PAUSE."""

    def __init__(self) -> None:
        self._pause = PAUSE

    def reset(self) -> None:
        """Begin with the shortest pause again, after a success."""
        self._pause = PAUSE

    def next(self) -> float:
        """Return how many seconds to wait after this failure."""
        pause, self._pause = self._pause, min(2 * self._pause, LONGEST_PAUSE)
        return pause


async def wait_to_retry(why: object, seconds: float = PAUSE) -> None:
    """Log why something failed, and wait before it is tried again."""
    log.warning("%s Trying again.", why)
    await asyncio.sleep(seconds)


async def until_stored(store: Store, work: Any, *args: Any) -> Any:
    """Run work in a transaction and return its result. While the database is unavailable, try again."""
    while True:
        try:
            return await store.run(work, *args)
        except StorageUnavailable as error:
            await wait_to_retry(error)


def seconds_of(error: RetryAfter) -> float:
    """Return how long Telegram asks to wait."""
    wait = error.retry_after
    return wait.total_seconds() if isinstance(wait, timedelta) else float(wait)


class TokenRefused(Exception):
    """Telegram does not know the token, or no longer does."""

    def __init__(self) -> None:
        super().__init__("Telegram refuses the token (SHAREWISE_TOKEN). @BotFather shows the one that counts.")


#: The library's errors for a refused token. Their text contains the token.
REFUSED = (InvalidToken, EndPointNotFound)
#: Seconds between the two questions to Telegram whether it knows the token.
ASK_ONCE_MORE = 2.0


async def refused_for_good(bot: Bot) -> None:
    """Raise TokenRefused if Telegram, asked twice, does not know the token. A single 401 or 404 proves nothing."""
    for last in (False, True):
        try:
            await bot.do_api_request("getme")
        except REFUSED:
            if last:
                raise TokenRefused from None
            await asyncio.sleep(ASK_ONCE_MORE)
        except TelegramError:
            return
        else:
            log.warning("Telegram refused a call as if it did not know the token, but knows it. Trying again.")
            return
