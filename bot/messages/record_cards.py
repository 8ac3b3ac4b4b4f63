"""A decision record as messages: what was asked, answered, decided, advised, and noted later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.record import LOOKED_UP
from bot.domain.review import State
from bot.messages.callback_data import START, Button
from bot.messages.message import Message, bold, cut, escape, italic, pages, plain, rows, time_of
from bot.messages.opinion_cards import advice_block
from bot.messages.texts import text_of
from storage.records import Stored, case_of


@dataclass(frozen=True)
class Listed:
    """A record in a list, the state of its review, and what was asked for if it was sent back."""

    stored: Stored
    state: str
    asked_for: str


def case_words(stored: Stored) -> str:
    """Return the case reference that a record is filed under, or that none was given."""
    return case_of(stored) or text_of("records.no_case")


def record_list(found: list[Listed], after: str = "", *, with_cases: bool = False, more: bool = False) -> Message:
    """Return a page of a person's own records, newest first.

    `after`: the record before the first of the page, "" on the first page. `more`: there are older ones. Case references are
    shown only on demand: somebody may be looking over the person's shoulder.
    """
    if not found:
        return plain(text_of("records.none"), (text_of("walk.start"), START))
    lines, buttons = [bold(text_of("records.title"))], []
    for one in found:
        reference = one.stored.clear["reference"]
        lines.append(_in_list(one, with_cases))
        buttons.append((reference, Button(f"record.{reference}").encode()))
        if one.state == State.RETURNED:
            buttons.append((text_of("records.add_to", reference=reference), Button(f"note.{reference}").encode()))
    cases = text_of("records.hide_cases" if with_cases else "records.show_cases")
    last = [(cases, Button(f"mine.{0 if with_cases else 1}.{after}").encode())]
    if more:
        last.append((text_of("records.older"), Button(f"mine.{int(with_cases)}.{reference}").encode()))
    return Message("\n\n".join(lines), (*rows(buttons, most=2), *rows(last)))


def _in_list(one: Listed, with_cases: bool) -> str:
    """Return a record as lines of a list: reference and day, the decision or outcome, and the state of its review."""
    clear, content = one.stored.clear, one.stored.content
    parts = [content["decision"] or content["outcome"]["title"]]
    if with_cases:
        parts.append(text_of("records.case", case=case_words(one.stored)))
    said = [". ".join(parts) + "."]
    if one.state == State.RETURNED:
        said.append(text_of("records.sent_back", words=cut(one.asked_for, 160)))
    elif one.state:
        said.append(text_of("records.review", state=text_of(f"review.states.{one.state}")))
    day = time_of(clear["finished_at"]).rpartition(",")[0]
    return f"{bold(clear['reference'])} {escape(day)}\n" + "\n".join(map(escape, said))


def what_next(reference: str, state: str, asked_for: str) -> Message:
    """Return what a person can do with a record of theirs; if it was sent back, what was asked for comes first."""
    buttons = [
        (text_of("saved.buttons.note"), f"note.{reference}"),
        (text_of("saved.buttons.pdf"), f"pdf.{reference}"),
        (text_of("records.correct_case"), f"case.{reference}"),
    ]
    if state != State.RETURNED:
        return plain(text_of("records.what_next", reference=reference), *buttons)
    buttons.insert(1, (text_of("review.to_author.sign_off"), f"signoff.{reference}"))
    return plain(f"{text_of('records.sent_back', words=asked_for)} {text_of('records.add_it')}", *buttons)


def type_case(stored: Stored) -> Message:
    """Ask for the case reference of a record: for the right one, if it has one."""
    was, reference = case_of(stored), stored.clear["reference"]
    if was is None:
        return plain(text_of("records.type_first_case", reference=reference))
    return plain(text_of("records.type_case", reference=reference, was=was))


def case_told(stored: Stored, now: str) -> str:
    """Return the words for a case reference that was added or corrected, as readers see them among the notes."""
    was = case_of(stored)
    return text_of("records.case_corrected", was=was, now=now) if was else text_of("records.case_added", now=now)


def reasons_saved(stored: Stored) -> Message:
    """Say that reasons were added, and ask for the case reference if there is none yet."""
    reference = stored.clear["reference"]
    more = [] if case_of(stored) else [(text_of("records.add_case"), f"case.{reference}")]
    return plain(text_of("records.reasons_saved", reference=reference), *more)


def remarks(content: Mapping[str, Any]) -> list[str]:
    """Return what stands beside the answers: where the person was not sure or asked for time, and what was left out."""
    labels = {shown["id"]: shown["question"] for shown in content["questions"]}
    unsure = [text_of("records.unsure", question=labels[key]) for key in content["unsure_at"] if key in labels]
    waited = [
        text_of("records.asked_for_time", at=time_of(one["at"]), question=one["question"], until=time_of(one["until"]))
        for one in content.get("asked_for_time", ())
    ]
    looked = [
        text_of("records.looked_up", at=time_of(event["at"]))
        for event in content["history"]
        if event.get("act") == LOOKED_UP
    ]
    left_out = content.get("left_out")
    return [*unsure, *waited, *looked, *([text_of("records.left_out", what=" ".join(left_out))] if left_out else [])]


def record(stored: Stored) -> list[Message]:
    """Return a record as messages, each within Telegram's limit."""
    clear, content = stored.clear, stored.content
    facts = (
        text_of("records.case", case=case_words(stored)),
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
    blocks += map(escape, remarks(content))
    blocks += [advice_block(advice) for advice in content.get("advice_sought", ())]
    for amendment in stored.amendments:
        title = f"{bold(text_of('records.note', number=amendment['seq']))} {italic(time_of(amendment['at']))}"
        if amendment.get("kind") == "advice":
            blocks.append(f"{title}\n{advice_block(amendment['advice'])}")
        else:
            blocks.append(f"{title}\n{escape(amendment['text'])}")
    return [Message(text) for text in pages(blocks)]
