"""A decision record as messages: what was asked, answered, decided, advised, and noted later."""

from __future__ import annotations

from bot.messages.callback_data import START, Button
from bot.messages.message import Message, bold, escape, italic, pages, plain, time_of
from bot.messages.opinion_cards import advice_block
from bot.messages.texts import text_of
from storage.records import Stored


def record_list(records: list[Stored]) -> Message:
    """Return a person's own records, newest first."""
    if not records:
        return plain(text_of("records.none"), (text_of("walk.start"), START))
    buttons = []
    for stored in records:
        reference, day = stored.clear["reference"], time_of(stored.clear["finished_at"])[:-7]
        buttons.append((f"{reference} {day}", Button(f"record.{reference}").encode()))
    return Message(bold(text_of("records.title")), tuple((button,) for button in buttons))


def record(stored: Stored) -> list[Message]:
    """Return a record as messages, each within Telegram's limit."""
    clear, content = stored.clear, stored.content
    facts = (
        text_of("records.case", case=content.get("case_reference") or text_of("records.no_case")),
        text_of("records.times", started=time_of(clear["started_at"]), saved=time_of(clear["finished_at"])),
        text_of("records.by", role=clear["role"], team=clear["team"]),
        text_of(
            "records.edition",
            id=clear["edition_id"],
            status=content["edition"]["status"],
            hash=clear["edition_sha256"][:12],
        ),
    )
    head = [
        bold(text_of("records.head", reference=clear["reference"])),
        "\n".join(map(escape, facts)),
        f"{escape(text_of('outcome.recommended'))} {bold(content['outcome']['title'])}",
    ]
    if content.get("decision"):
        otherwise = f" {text_of('records.otherwise')}" if clear["otherwise"] else ""
        head.append(f"{escape(text_of('records.decided'))} {bold(content['decision'] + otherwise)}")
    blocks = ["\n\n".join(head)]
    for shown in content["questions"]:
        blocks.append(f"• {escape(shown['question'])}\n  {bold(shown['words'])} {italic(time_of(shown['at']))}")
    blocks += [advice_block(advice) for advice in content.get("advice_sought", ())]
    for amendment in stored.amendments:
        title = f"{bold(text_of('records.note', number=amendment['seq']))} {italic(time_of(amendment['at']))}"
        if amendment.get("kind") == "advice":
            blocks.append(f"{title}\n{advice_block(amendment['advice'])}")
        else:
            blocks.append(f"{title}\n{escape(amendment['text'])}")
    return [Message(text) for text in pages(blocks)]
