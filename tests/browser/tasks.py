"""Eleven tasks of a supervisor in a real browser, with JavaScript off and on, each in at most four actions.

    python -m tests.browser.tasks [--pictures docs/review]

Needs Chromium (Debian: apt install chromium) and `pip install playwright axe-core-python`. An action is a click, or the filling of one
field. Exit code 1 when a task fails, needs more actions, or axe finds something on a page.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import uvicorn
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from bot.console.app import build
from storage import members, records, web_sessions
from storage.core.clock import later
from storage.core.engine import sqlite_url
from storage.invites import InvitedAs
from tests.bot.test_review import emergency, not_shared
from tests.support.chat import Chat
from tests.support.servers import free_port
from tests.support.stores import KEYS

AUTHOR, OTHER, SUPER = 100, 101, 200
MOST = 4
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Counted:
    """A page that counts what a person does."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self.base, self.actions = page, base, 0

    def home(self) -> None:
        """Open the list, where every task begins; not counted."""
        self.page.goto(self.base + "/")
        self.actions = 0

    def click(self, what: str) -> None:
        """Click a link or button by its words."""
        self.actions += 1
        self.page.locator(f"a:has-text('{what}'), button:has-text('{what}')").first.click()

    def fill(self, label: str, value: str) -> None:
        """Fill a field by its label."""
        self.actions += 1
        field = self.page.get_by_label(label, exact=False).first
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def shows(self, words: str) -> None:
        """Fail unless the page shows these words."""
        assert words in self.page.inner_text("body"), f"{words!r} is not on {self.page.url}"


def tasks(quiet: str, urgent: str, third: str) -> list[tuple[str, list[tuple[str, ...]]]]:
    """Return each task and its steps: (click, words), (fill, label, value), (shows, words)."""
    return [
        ("Find the most urgent record and open it", [("click", urgent), ("shows", "Emergency")]),
        ("Sign a record off", [("click", quiet), ("click", "Sign off"), ("shows", "Signed off.")]),
        ("Send a record back with what is missing", [
            ("click", third), ("fill", "Send back", "What did the family say?"), ("click", "Send back"), ("shows", "Sent back.")]),
        ("Find all records of one case", [("fill", "Case reference", "CASE-1"), ("fill", "State", "all"), ("click", "Show"), ("shows", quiet)]),
        ("See what was signed off", [("fill", "State", "signed_off"), ("click", "Show"), ("shows", quiet)]),
        ("Grade a record", [("click", urgent), ("fill", "Grade", "2"), ("click", "Grade"), ("shows", "grade 2")]),
        ("Set a follow-up day", [
            ("click", urgent), ("fill", "Follow-up on", "2027-01-31"), ("click", "Set follow-up"), ("shows", "follow-up on 2027-01-31")]),
        ("Comment on a record", [
            ("click", urgent), ("fill", "Comment", "Well done to call at once."), ("click", "Comment"), ("shows", "Well done")]),
        ("See what the team decides, in numbers", [("click", "Statistics"), ("shows", "What was decided")]),
        ("Put a record on hold", [
            ("click", "Retention"), ("fill", "Record", quiet), ("fill", "Why", "A complaint is open."), ("click", "Put on hold"),
            ("shows", "is on hold")]),
        ("See who has read a record", [("click", urgent), ("shows", "Who has read it"), ("shows", "you")]),
    ]  # fmt: skip


def main() -> int:
    """Do all tasks without and with JavaScript, and check every page for accessibility faults."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, help="write a picture of each page here")
    args = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("Chromium is not installed: apt install chromium\n")
        return 2
    failed = 0
    for scripts in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            world = Served(Path(folder))
            try:
                with sync_playwright() as playwright:
                    browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
                    failed += _all(browser, world, scripts, args.pictures)
                    browser.close()
            finally:
                world.end()
    return 1 if failed else 0


def _all(browser, world, scripts, pictures) -> int:  # type: ignore[no-untyped-def]
    context = browser.new_context(
        java_script_enabled=scripts, viewport={"width": 1100, "height": 800}, locale="en-GB", bypass_csp=scripts
    )
    page = context.new_page()
    counted, failed = Counted(page, world.base), 0
    page.goto(world.link)
    page.locator("main button").click()
    for name, steps in tasks(*world.references):
        counted.home()
        try:
            for what, *values in steps:
                getattr(counted, what)(*values)
            fine = counted.actions <= MOST
        except Exception as error:
            fine, name = False, f"{name}: {error}"
        failed += not fine
        print(
            f"{'done' if fine else 'FAILED'} in {counted.actions} actions, JavaScript {'on' if scripts else 'off'}: {name}"
        )
    if scripts:
        failed += _look(page, world, pictures)
    return failed


def _look(page, world, pictures) -> int:  # type: ignore[no-untyped-def]
    found = 0
    record = f"/records/{world.references[1]}"
    for name, address, width in (
        ("queue", "/?state=all", 1100), ("record", record, 1100), ("statistics", "/statistics", 1100), ("team", "/team", 1100),
        ("retention", "/retention", 1100), ("lists", "/lists", 1100), ("retention-phone", "/retention", 360),
        ("sign-in", "/in/x", 360), ("mini-app", "/app", 360),
        ("queue-phone", "/?state=all", 360), ("record-phone", record, 360), ("not-found", "/nowhere", 360),
    ):  # fmt: skip
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(world.base + address)
        faults = Axe().run(page)["violations"]
        wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
        found += len(faults) + wide
        print(
            f"{name}: axe found {len(faults)}{', wider than the screen' if wide else ''} {[fault['id'] for fault in faults]}"
        )
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(pictures / f"{name}.png"), full_page=True)
    return found


class Served:
    """A store with records and a console for it, on loopback, in a separate thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self.ready = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.thread.start()
        assert self.ready.wait(60), "the console did not start"

    async def _serve(self) -> None:
        async with Chat(sqlite_url(self.folder / "x.db"), KEYS, (AUTHOR, OTHER)) as chat:
            for person, role, name in (
                (SUPER, "supervisor", "Sam, lead"),
                (AUTHOR, "practitioner", "Kim, school nurse"),
            ):
                await chat.store.run(members.save, person, role, "north", chat.now(), "test", InvitedAs(name))
            quiet = await not_shared(chat, case="CASE-1")
            third = await not_shared(chat, case="CASE-2", reasons="Nothing more is known.")
            urgent = await emergency(chat)
            self.references = (quiet, urgent, third)
            supervisor = await chat.store.run(members.get, SUPER)
            code = await chat.store.run(web_sessions.make_sign_in, supervisor.id, later(chat.now(), 60))
            self.link = f"{self.base}/in/{code}"
            app = build(chat.store, chat.context, secure=False)
            self.server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=self.port, log_level="warning"))
            self.server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            serving = asyncio.create_task(self.server.serve())
            while not self.server.started:
                await asyncio.sleep(0.05)
            self.ready.set()
            await serving
            assert re.match("SW-", quiet)
            assert await chat.store.run(records.find, quiet)

    def end(self) -> None:
        """Stop serving."""
        self.server.should_exit = True
        self.thread.join(20)


if __name__ == "__main__":
    sys.exit(main())
