"""Send pictures of flowcharts, and records as PDF, apart from messages: no card waits for one, and one that fails three times is
dropped.

Drawn pictures are cached in files by what they show, so that a restart does not draw them again.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from telegram import InputFile
from telegram.constants import ParseMode
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError

from bot.composition.logs import where_of
from bot.documents.pdf import pdf
from bot.telegram.application import LOOK_AGAIN, App
from bot.telegram.retry import PAUSE, REFUSED, refused_for_good, seconds_of, until_stored
from bot.usecases import outbox, own_records
from bot.usecases.context import Context
from bot.usecases.outbox import Message
from flows import chart
from storage.core.faults import StorageUnavailable
from storage.core.store import Store

log = logging.getLogger("sharewise.pictures")

#: The maximum number of pictures being sent at once; seconds that Telegram may take for one; the most pictures cached.
SIDE_BY_SIDE, ANSWERED_WITHIN, KEPT = 4, 30.0, 500
#: The version of the drawing: raise it when charts look different, so that cached pictures are not used.
DRAWING = 1


class Pictures:
    """Sends the pictures in the outbox. `folder`: where drawn pictures are cached; None: not cached."""

    def __init__(self, application: App, store: Store, context: Context, folder: Path | None = None) -> None:
        self.application, self.store, self.context, self.folder = application, store, context, folder
        self.wake = asyncio.Event()
        #: Draws one at a time: drawing takes 10 MB.
        self._drawing = ThreadPoolExecutor(max_workers=1, thread_name_prefix="drawing")
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._done: list[int] = []
        self._rest = 0.0

    @property
    def busy(self) -> bool:
        """Whether a picture is being sent."""
        return bool(self._busy)

    async def run(self, stop: asyncio.Event) -> None:
        """Send pictures until told to stop."""
        while not stop.is_set():
            self.wake.clear()
            done, self._done = self._done, []
            try:
                free = SIDE_BY_SIDE - len(self._busy)
                found = await self.store.run(outbox.next_pictures, done, [*self._busy], free)
            except StorageUnavailable:
                self._done += done
                found = []
            for message in found:
                task = asyncio.create_task(self.send(message))
                self._busy[message.id] = task
                task.add_done_callback(lambda _task, number=message.id: self._ended(number))  # type: ignore[misc]
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), max(self._rest, LOOK_AGAIN))
            self._rest = 0.0
        for task in self._busy.values():
            task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def _ended(self, number: int) -> None:
        self._busy.pop(number, None)
        self._done.append(number)
        self.wake.set()

    async def send(self, message: Message) -> None:
        """Draw and send one picture. Count a failure; after the third, log it and drop the picture."""
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                shown_as = await self._post(message)
        except RetryAfter as error:
            self._rest = min(seconds_of(error), 30.0)
            await asyncio.sleep(self._rest)
        except REFUSED:
            await refused_for_good(self.application.bot)
        except (BadRequest, Forbidden) as error:
            log.warning("A picture is dropped: Telegram refuses it (%s).", type(error).__name__)
            await until_stored(self.store, outbox.drop, message.id)
        except (TelegramError, TimeoutError) as error:
            await self._failed(message, type(error).__name__)
        except Exception as error:
            # For example, the picture of an edition that no longer exists.
            await self._failed(message, where_of(error))
        else:
            await until_stored(self.store, outbox.note_picture_sent, self.context, message, shown_as)

    async def _failed(self, message: Message, cause: str) -> None:
        if await until_stored(self.store, outbox.count_picture_failure, message.id):
            log.warning("A picture failed %s times and is dropped (%s).", outbox.TRIES, cause)
        else:
            await asyncio.sleep(PAUSE)

    async def _post(self, message: Message) -> int | None:
        """Draw and send what a message is about; return its id there, or None if there is nothing to send any more."""
        said = message.payload
        loop = asyncio.get_running_loop()
        if "record" in said:
            stored = await self.store.run(own_records.to_send, said["record"])
            if stored is None:
                return None
            book = self.context.pinned(stored.clear["edition_id"], stored.clear["edition_sha256"])
            document = await loop.run_in_executor(self._drawing, pdf, stored, book)
            return await self._upload(
                message, "senddocument", "document", InputFile(document, said["name"], attach=False)
            )
        picture = await loop.run_in_executor(
            self._drawing, self.picture_of, said["edition"], said["flow"], tuple(said["path"]), said["at"]
        )
        return await self._upload(message, "sendphoto", "photo", InputFile(picture, "chart.png", attach=False))

    async def _upload(self, message: Message, method: str, name: str, file: InputFile) -> int:
        to = {"chat_id": message.chat_id, "caption": message.payload["caption"], "parse_mode": ParseMode.HTML}
        sent = await self.application.bot.do_api_request(method, api_kwargs={**to, name: file})
        return int(sent["message_id"])

    def picture_of(self, edition: str, flow: str, path: tuple[str, ...], at: str) -> bytes:
        """Return the chart of a flow with a path marked, as PNG, from the cache or newly drawn."""
        book = self.context.book_of(edition)
        described = "\n".join((str(DRAWING), book.edition.sha256, flow, *path, at))
        kept = self.folder / f"{hashlib.sha256(described.encode()).hexdigest()}.png" if self.folder else None
        if kept is not None:
            with suppress(OSError):
                return kept.read_bytes()
        drawn = chart.png(book.machine(flow), path, at)
        if kept is not None:
            with suppress(OSError):
                _keep(kept, drawn)
        return drawn


def _keep(path: Path, content: bytes) -> None:
    """Write a cache file atomically, and delete the oldest if there are too many."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    files = list(path.parent.glob("*.png"))
    if len(files) > KEPT:
        for old in sorted(files, key=lambda file: file.stat().st_mtime)[: len(files) - KEPT]:
            old.unlink(missing_ok=True)
