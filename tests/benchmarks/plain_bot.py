"""The peer: a plain python-telegram-bot ConversationHandler with PicklePersistence, on the same ten steps.

It shows the same words and buttons and appends one JSON line a record. Nothing is sealed, synced or drawn.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.ext import (
    Application,
    CallbackQueryHandler,
    CommandHandler,
    ConversationHandler,
    MessageHandler,
    PicklePersistence,
    filters,
)

from tests.support.people import WALK

FOLDER = Path(os.environ["SHAREWISE_DATA_DIR"])


def markup(step):
    label = WALK[step][1]
    if label.startswith("="):
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(label, callback_data=f"{step}:yes")], [InlineKeyboardButton("Back", callback_data="x")]]
    )


async def start(update, context):
    context.user_data["said"] = []
    await update.message.reply_text(WALK[0][0], reply_markup=markup(0))
    return 0


async def tapped(update, context):
    query = update.callback_query
    step = int(query.data.split(":")[0])
    context.user_data["said"].append(query.data)
    await query.answer()
    if step + 1 == len(WALK):
        case = context.user_data["said"][-3]
        with open(FOLDER / "records.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(context.user_data["said"]) + "\n")
        await query.edit_message_text(f"Saved for case {case}.")
        return ConversationHandler.END
    await query.edit_message_text(WALK[step + 1][0], reply_markup=markup(step + 1))
    return step + 1


def typed(step):
    async def handle(update, context):
        context.user_data["said"].append(update.message.text)
        await update.message.reply_text(WALK[step + 1][0], reply_markup=markup(step + 1))
        return step + 1

    return handle


def main():
    application = (
        Application.builder()
        .token(os.environ["SHAREWISE_TOKEN"])
        .base_url(os.environ["SHAREWISE_API_BASE_URL"])
        .persistence(PicklePersistence(FOLDER / "plain.pickle"))
        .build()
    )
    states = {
        step: [
            MessageHandler(filters.TEXT & ~filters.COMMAND, typed(step))
            if WALK[step][1].startswith("=")
            else CallbackQueryHandler(tapped, pattern=f"^{step}:")
        ]
        for step in range(len(WALK))
    }
    begin = CommandHandler("start", start)
    application.add_handler(ConversationHandler([begin], states, [begin], name="walk", persistent=True))
    application.run_polling(allowed_updates=["message", "callback_query"])


if __name__ == "__main__":
    sys.exit(main())
