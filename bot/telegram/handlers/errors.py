"""A handler that failed must reach the dispatcher: process_update itself returns as if all were well."""

from __future__ import annotations

from telegram import Update
from telegram.ext import CallbackContext

from bot.telegram.gateway import Gateway


def on_error(gateway: Gateway):  # type: ignore[no-untyped-def]
    """Return PTB's error callback: it notes the failure by update id, and says nothing of content."""

    async def note(update: object, context: CallbackContext) -> None:  # type: ignore[type-arg]
        if isinstance(update, Update) and context.error is not None:
            gateway.failures[update.update_id] = context.error

    return note
