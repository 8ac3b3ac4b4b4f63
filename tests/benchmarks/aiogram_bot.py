"""The peer: a plain aiogram 3 bot with its state in memory, on the same ten steps.

A separate script: aiogram needs older libraries than this bot, so it runs in its own environment.
It shows the same words and buttons and appends one JSON line per record. Nothing survives a restart.
"""

import asyncio
import json
import os
from pathlib import Path

from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandStart
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

WALK = json.loads(os.environ["PEER_WALK"])
FOLDER = Path(os.environ["SHAREWISE_DATA_DIR"])


def markup(step):
    label = WALK[step][1]
    if label.startswith("="):
        return None
    back = InlineKeyboardButton(text="Back", callback_data="x")
    return InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text=label, callback_data=f"{step}:yes")], [back]]
    )


async def start(message, state):
    await state.set_data({"step": 0, "said": []})
    await message.answer(WALK[0][0], reply_markup=markup(0))


async def tapped(query, state):
    data = await state.get_data()
    step = int(query.data.split(":")[0])
    if step != data["step"]:
        return
    said = [*data["said"], query.data]
    await state.set_data({"step": step + 1, "said": said})
    await query.answer()
    if step + 1 == len(WALK):
        with open(FOLDER / "records.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")
        await query.message.edit_text(f"Saved for case {said[-3]}.")
    else:
        await query.message.edit_text(WALK[step + 1][0], reply_markup=markup(step + 1))


async def typed(message, state):
    data = await state.get_data()
    step = data["step"]
    await state.set_data({"step": step + 1, "said": [*data["said"], message.text]})
    await message.answer(WALK[step + 1][0], reply_markup=markup(step + 1))


async def main():
    base = os.environ["SHAREWISE_API_BASE_URL"].removesuffix("/bot")
    session = AiohttpSession(api=TelegramAPIServer.from_base(base))
    dispatcher = Dispatcher()
    dispatcher.message.register(start, CommandStart())
    dispatcher.message.register(typed)
    dispatcher.callback_query.register(tapped)
    await dispatcher.start_polling(Bot(os.environ["SHAREWISE_TOKEN"], session=session))


if __name__ == "__main__":
    asyncio.run(main())
