"""Report a failed handler to the dispatcher: process_update itself returns as if nothing had happened."""

from __future__ import annotations

from telegram import Update
from telegram.ext import CallbackContext

from bot.telegram.gateway import Gateway


def on_error(gateway: Gateway):  # type: ignore[no-untyped-def]
    """Return the library's error callback: it notes the failure by update id, without any content."""

    async def note(update: object, context: CallbackContext) -> None:  # type: ignore[type-arg]
        if isinstance(update, Update) and context.error is not None:
            gateway.failures[update.update_id] = context.error

    return note
