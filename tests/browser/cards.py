"""Draw the ten longest cards of the twelve measured cases, as they look on a phone.

    python -m tests.browser.cards docs/cards.png

Needs Chromium (Debian: apt install chromium) and `pip install playwright`.
"""

from __future__ import annotations

import asyncio
import html
import shutil
import sys
from typing import Any

from playwright.sync_api import sync_playwright

from tests.benchmarks.walks import CASES, walk

HOW_MANY = 10
TAGS = {"bold": "b", "italic": "i", "pre": "pre"}
PAGE = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 20px; background: #d7e3ee; font: 16px/1.35 "DejaVu Sans", sans-serif; columns: 5; column-gap: 16px; width: 1900px }
.card { break-inside: avoid; width: 360px; margin-bottom: 16px }
.text { background: #fff; border-radius: 12px; padding: 10px 12px; white-space: pre-wrap }
pre { background: #eef1f4; margin: 4px 0; padding: 6px; white-space: pre-wrap; font-size: 14px }
.row { display: flex; gap: 4px; margin-top: 4px }
.row span { flex: 1; background: #6d8aa6; color: #fff; border-radius: 8px; padding: 6px 4px; text-align: center; font-size: 14px }
p { margin: 0 0 4px; font-size: 13px }
</style>"""


def in_html(message: dict[str, Any]) -> str:
    """Return a message's text with its formatting as HTML. Offsets count UTF-16 units."""
    units = message["text"].encode("utf-16-le")
    marks: dict[int, list[str]] = {}
    for entity in message.get("entities", ()):
        if tag := TAGS.get(entity["type"]):
            marks.setdefault(entity["offset"], []).append(f"<{tag}>")
            marks.setdefault(entity["offset"] + entity["length"], []).insert(0, f"</{tag}>")
    cuts = sorted({0, len(units) // 2, *marks})
    parts = []
    for start, end in zip(cuts, [*cuts[1:], None], strict=True):
        text = units[2 * start : None if end is None else 2 * end].decode("utf-16-le")
        parts += [*marks.get(start, []), html.escape(text)]
    return "".join(parts)


def card(message: dict[str, Any]) -> str:
    """Return a card with its buttons as HTML."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    spans = [[f"<span>{html.escape(button['text'])}</span>" for button in row] for row in rows]
    drawn = "".join(f'<div class="row">{"".join(row)}</div>' for row in spans)
    told = f"{len(message['text'])} characters"
    return f'<div class="card"><p>{told}</p><div class="text">{in_html(message)}</div>{drawn}</div>'


def main() -> int:
    """Write the picture to the path that is given."""
    shown = [message for case in CASES for message in asyncio.run(walk(case)).shown]
    # The same card of two cases differs in a few words only: one of each kind is enough.
    kinds: dict[str, dict[str, Any]] = {}
    for message in sorted(shown, key=lambda one: -len(one["text"])):
        kinds.setdefault(message["text"][:60], message)
    longest = [*kinds.values()][:HOW_MANY]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1940, "height": 900})
        page.set_content(PAGE + "".join(map(card, longest)))
        page.screenshot(path=sys.argv[1], full_page=True)
        browser.close()
    print(*(len(message["text"]) for message in longest))
    return 0


if __name__ == "__main__":
    sys.exit(main())
