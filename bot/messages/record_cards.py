"""A decision record -> messages: what was asked, answered, decided, advised, and noted later. Pure."""

from __future__ import annotations

from bot.messages.opinion_cards import advice_block
from bot.messages.walk_card import Message, bold, escape, italic, pages, time_of
from storage.records import Stored


def record(stored: Stored) -> list[Message]:
    """Return a record as messages, each within Telegram's limit."""
    clear, content = stored.clear, stored.content
    head = [
        bold(f"Decision record {clear['reference']}"),
        "\n".join(
            escape(line)
            for line in (
                f"Case: {content.get('case_reference') or 'none given'}",
                f"Started {time_of(clear['started_at'])}, saved {time_of(clear['finished_at'])}",
                f"By: {clear['role']}, team {clear['team']}",
                f"Edition: {clear['edition_id']} ({content['edition']['status']}), {clear['edition_sha256'][:12]}",
            )
        ),
        f"{escape('The guidance pointed to:')} {bold(content['outcome']['title'])}",
    ]
    if content.get("decision"):
        otherwise = " (other than the guidance points to)" if clear["otherwise"] else ""
        head.append(f"{escape('Decided:')} {bold(content['decision'] + otherwise)}")
    blocks = ["\n\n".join(head)]
    for shown in content["questions"]:
        blocks.append(f"• {escape(shown['question'])}\n  {bold(shown['words'])} {italic(time_of(shown['at']))}")
    blocks += [advice_block(advice) for advice in content.get("advice_sought", ())]
    for amendment in stored.amendments:
        title = f"{bold('Note ' + str(amendment['seq']))} {italic(time_of(amendment['at']))}"
        if amendment.get("kind") == "advice":
            blocks.append(f"{title}\n{advice_block(amendment['advice'])}")
        else:
            blocks.append(f"{title}\n{escape(amendment['text'])}")
    return [Message(text) for text in pages(blocks)]
