"""Reviews -> messages for supervisors and authors. Pure. Cards show what is coded; typed words only in the opened record."""

from __future__ import annotations

from datetime import datetime

from bot.domain.retention import RecordClass
from bot.domain.review import Rank, State
from bot.messages.callback_data import Button
from bot.messages.counted import counted
from bot.messages.opinion_cards import called
from bot.messages.walk_card import EMERGENCY_ROW, NO_NAMES, Message, bold, escape, italic, plain, rows, time_of
from storage.local_contacts import NAMES as LOCAL_NAMES
from storage.members import MemberRow
from storage.reviews import Done, ReviewRow

#: Why a record comes early.
RISKS: dict[int, str] = {
    Rank.EMERGENCY: "Emergency",
    Rank.HARM_NOT_SHARED: "A harm concern, and it was not shared or was decided otherwise",
    Rank.NOT_SURE: "Not sure, waiting for advice",
    Rank.NO_REASON: "No reasons were given. The advice says must",
    Rank.NONE: "Nothing special",
}
STATES: dict[str, str] = {
    State.NEW: "new",
    State.REQUESTED: "sign-off asked for",
    State.SIGNED_OFF: "signed off",
    State.RETURNED: "sent back",
    State.CLOSED: "closed",
}
#: The classes that an organisation sets a time for.
CLASSES: dict[str, str] = {
    RecordClass.EMERGENCY: "Emergencies",
    RecordClass.SHARED: "Shared, all or part",
    RecordClass.NOT_SHARED: "Not shared",
    RecordClass.WAITING: "Waiting for advice, and all else",
    RecordClass.UNFINISHED: "Questions that were never finished",
}
#: How good a record is, with what each grade means. The numbers are kept.
GRADES = {
    "1": "Outstanding: reasons are specific, and the child's view and third parties were weighed",
    "2": "Good: reasons fit the answers, what was shared was limited",
    "3": "Needs work: reasons are general, or something due is missing",
    "4": "Not good enough: the decision does not follow, or a child may be at risk",
}
SAID = {
    "sign_off": "Signed off.",
    "return": "Sent back.",
    "comment": "Comment saved.",
    "close": "Closed.",
    "reopen": "Open again.",
    "grade": "Grade saved.",
    "follow_up": "Follow-up set.",
    "request": "Sign-off asked for.",
    "sampled": "Marked as sampled.",
    "exported": "Taken out as",
}


def _button(*act: str) -> str:
    return Button(".".join(("rv", *act))).encode()


def waiting_for(review: ReviewRow, now: str) -> str:
    """Return how long a record has waited, in words."""
    hours = int((datetime.fromisoformat(now) - datetime.fromisoformat(review.finished_at)).total_seconds() // 3600)
    return f"{hours // 24} days" if hours >= 48 else f"{hours} hours" if hours != 1 else "1 hour"


def _head(review: ReviewRow) -> list[str]:
    otherwise = " (other than the guidance points to)" if review.otherwise else ""
    return [
        f"{escape('Record')} {bold(review.reference)}",
        "\n".join(
            escape(line)
            for line in (
                f"Look first: {RISKS[review.rank]}",
                f"Points to: {review.outcome.replace('_', ' ')}. "
                f"Decided: {(review.decision or 'not said').replace('_', ' ')}{otherwise}",
                f"State: {STATES[review.state]}. Saved {time_of(review.finished_at)}",
            )
        ),
    ]


def card(review: ReviewRow, total: int, now: str) -> Message:
    """Return the next record of the queue: what is coded, and what can be done."""
    waits = counted(total, "record waits", "records wait")
    lines = [italic(f"{waits}. Riskiest first, then longest waiting."), *_head(review)]
    lines.append(escape(f"It has waited {waiting_for(review, now)}."))
    buttons = [
        ("Open the record", _button("show", review.reference)),
        ("Sign off", _button("sign_off", review.reference)),
        ("Send back", _button("return", review.reference)),
        ("Next", _button("next", review.reference)),
    ]
    return Message("\n\n".join(lines), (*rows(buttons), *EMERGENCY_ROW))


def sample(month: str, drawn: list[ReviewRow]) -> Message:
    """Return a month's dip sample: nobody can foresee or steer what is drawn."""
    if not drawn:
        return plain(f"There is no record of {month} left to draw.")
    lines = [
        bold(f"Dip sample of {month}"),
        escape("Drawn by chance, spread over people. Opening one notes that it was sampled."),
    ]
    buttons = [(f"{row.reference}, {RISKS[row.rank][:30]}", _button("sampled", row.reference)) for row in drawn]
    return Message("\n\n".join(lines), tuple((button,) for button in buttons))


def empty(total: int) -> Message:
    """Return what is said at the end of the queue."""
    words = "That was the last one. Start over to see what still waits." if total else "No record of your team waits."
    return plain(words, *((("Start over", "rv.queue"),) if total else ()))


def acts(review: ReviewRow, found: list[Done]) -> Message:
    """Return what can be done with an opened record, and what was done so far."""
    lines = [*_head(review)]
    if review.grade:
        lines.append(escape(f"Grade {review.grade}. {GRADES[str(review.grade)]}"))
    if found:
        lines.append("\n".join(_line(one) for one in found[-15:]))
    lines.append(escape("Your reading was noted. Its author can see that."))
    reference = review.reference
    buttons = [("Sign off", _button("sign_off", reference)), ("Send back", _button("return", reference))]
    buttons += [("Comment", _button("comment", reference)), ("Close", _button("close", reference))]
    buttons += [("Open again", _button("reopen", reference))]
    buttons += [(f"Grade {number}", _button("grade", reference, number)) for number in GRADES]
    buttons += [(f"Due in {days} days", _button("follow_up", reference, str(days))) for days in (7, 28)]
    buttons.append(("Next record", _button("queue")))
    lines.append("\n".join(escape(f"Grade {number}: {words}") for number, words in GRADES.items()))
    return Message("\n\n".join(lines), rows(buttons))


def _line(one: Done) -> str:
    what = SAID[one.act].rstrip(".")
    value = f" {one.value}" if one.value else ""
    words = f": “{one.comment}”" if one.comment else ""
    return f"• {escape(f'{what}{value} ({one.role}), {time_of(one.at)}{words}')}"


def done(review: ReviewRow, what: str) -> Message:
    """Say what was done and go on."""
    lines = [f"{bold(SAID[what])} {escape(f'Record {review.reference} is {STATES[review.state]}.')}"]
    return Message(
        "\n\n".join(lines), rows([("Next record", _button("queue")), ("Open it", _button("show", review.reference))])
    )


def ask_for_words(what: str, reference: str) -> Message:
    """Ask for the words that go with sending back, a comment, or opening again."""
    why = {"return": "What is missing?", "comment": "Your comment?", "reopen": "Why is it opened again?"}[what]
    return Message(escape(f"Record {reference}. {why} Type it. The author sees it. {NO_NAMES}"))


def to_author(reference: str, what: str, words: str, role: str) -> Message:
    """Tell an author what a supervisor did with a record."""
    said = f" “{words}”" if words else ""
    text = f"Record {reference}: {SAID[what].lower().rstrip('.')} by a {role}.{said}"
    buttons = [("Add a note", f"note.{reference}"), ("Show the record", f"record.{reference}")]
    if what == "return":
        buttons.append(("Ask for sign-off", f"signoff.{reference}"))
    return plain(text, *buttons)


def alert(reference: str, rank: int) -> Message:
    """Tell a supervisor at once of a record that should be looked at first. No content."""
    return plain(f"Please look now: record {reference}. {RISKS[rank]}.", ("Open the record", f"rv.show.{reference}"))


def alert_administrator(reference: str, rank: int) -> Message:
    """Tell an administrator that a record should be looked at first, and that no supervisor could be told. No content."""
    words = f"Record {reference} needs a supervisor now. {RISKS[rank]}. No supervisor of your team can be reached by the bot."
    return plain(f"{words} Please tell one yourself, and add one with /invite supervisor.")


def nobody_alerted(reference: str, local: dict[str, str]) -> Message:
    """Tell an author that nobody was told of an emergency of theirs, and whom to ring."""
    numbers = [f"{LOCAL_NAMES[name]}: {local[name]}." for name in ("day_number", "night_number") if name in local]
    call = " ".join(numbers) or "Ring your safeguarding lead or manager yourself."
    return plain(
        f"Nobody in your team was alerted to record {reference}: the bot can reach no supervisor and no administrator. "
        f"Danger now: 999. Police, not urgent: 101. {call}"
    )


def requested(reference: str) -> Message:
    """Tell a supervisor that an author asks for a sign-off."""
    return plain(f"A sign-off is asked for: record {reference}.", ("Open the record", f"rv.show.{reference}"))


def digest(team: str, waiting: int, due: int, head: tuple[int, str]) -> Message:
    """Return the daily digest: counts only, and the ledger's head, so that it is kept outside the store."""
    waits = counted(waiting, "record waits", "records wait")
    follow = f" Follow-ups due: {due}." if due else ""
    proof = f"Proof of today, keep this message: {head[0]}:{head[1]}"
    return plain(f"Team {team}: {waits} for review.{follow}\n\n{proof}", ("Start the review", "rv.queue"))


def reader(member: MemberRow) -> str:
    """Return how a reader of a record is called."""
    return f"{called(member)}, {member.role}"


def list_asked(actor: str) -> Message:
    """Tell a second person that a list of many records is to be taken out."""
    return plain(
        f"{actor} asks to take a list of records out. It needs a second person: /console, then Lists to take out."
    )


def no_console() -> Message:
    """Say that there is no web console here."""
    return plain("There is no web console here. Use /review in this chat.")


def console_link(address: str, code: str, minutes: int) -> Message:
    """Return a one-time link into the web console, and where it can be, a button that opens it inside Telegram."""
    text = f"Open this within {minutes} minutes. It works once, for you only:\n{address}/in/{code}"
    if not address.startswith("https://"):
        return plain(text)
    inside = "\n\nOr open it here in Telegram with the button: on a phone or in the desktop app. You can use it again."
    return Message(escape(text + inside), ((("Open the console", f"{address}/app"),),))


def readers(reference: str, read: list[tuple[str, str]], found: list[Done]) -> Message:
    """Tell an author who has read a record, and what supervisors did with it."""
    lines = [bold(f"Who has read record {reference}")]
    lines.append(
        "\n".join(f"• {escape(f'{time_of(at)}: {actor}')}" for at, actor in read[-40:]) or escape("Nobody yet.")
    )
    if found:
        lines.append("\n".join(_line(one) for one in found[-15:]))
    return Message("\n\n".join(lines))
