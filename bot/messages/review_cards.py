"""Reviews, for supervisors and authors. Cards show what is coded; typed words appear only in the opened record."""

from __future__ import annotations

from bot.domain.review import FOLLOW_UP_DAYS, NotNow, Rank
from bot.messages.callback_data import Button
from bot.messages.membership_cards import called
from bot.messages.message import Message, bold, bullets, emergency_row, escape, italic, plain, rows, time_of
from bot.messages.texts import labels, text_of
from storage.core.clock import seconds_between
from storage.members import MemberRow
from storage.reviews import Done, ReviewRow

#: Acts of a review listed below a record, and readings of a record, latest last.
MOST_ACTS, MOST_READINGS = 15, 40
HOUR = 3600


def states() -> dict[str, str]:
    """Return the states of a review in words."""
    return labels("review.states")


def classes() -> dict[str, str]:
    """Return the retention classes that an organisation sets a time for, in words."""
    return labels("review.classes")


def grades() -> dict[str, str]:
    """Return the grades of a record, "1" to "4", with what each means. The numbers are stored."""
    return labels("review.grades")


def risk(rank: int) -> str:
    """Return why a record comes early in the queue."""
    return text_of(f"review.risks.{Rank(rank).name.lower()}")


def said(act: str) -> str:
    """Return what was done, as a sentence."""
    return text_of(f"review.said.{act}")


def not_now(error: NotNow) -> str:
    """Say that the state of a review does not allow an action."""
    return text_of("review.not_now", state=states()[error.state])


def _button(*act: str) -> str:
    return Button(".".join(("rv", *act))).encode()


def _act(name: str, *act: str) -> tuple[str, str]:
    return text_of(f"review.buttons.{name}"), _button(*act)


def waiting_for(review: ReviewRow, now: str) -> str:
    """Return how long a record has waited, in words."""
    hours = int(seconds_between(review.finished_at, now) // HOUR)
    return text_of("durations.day", count=hours // 24) if hours >= 48 else text_of("durations.hour", count=hours)


def _worded(code: str | None) -> str:
    return code.replace("_", " ") if code else text_of("review.not_said")


def _head(review: ReviewRow) -> list[str]:
    outcome, decided = _worded(review.outcome), _worded(review.decision)
    otherwise = f" {text_of('records.otherwise')}" if review.otherwise else ""
    lines = (
        text_of("review.look_first", risk=risk(review.rank)),
        text_of("review.decided", outcome=outcome, decided=decided + otherwise),
        text_of("review.state", state=states()[review.state], time=time_of(review.finished_at)),
    )
    return [f"{escape(text_of('review.record'))} {bold(review.reference)}", "\n".join(map(escape, lines))]


def card(review: ReviewRow, total: int, now: str) -> Message:
    """Return the next record of the queue: what is coded, and what can be done."""
    order = text_of("review.queue", waits=text_of("review.waits", count=total))
    lines = [italic(order), *_head(review), escape(text_of("review.has_waited", duration=waiting_for(review, now)))]
    buttons = [
        _act("open", "show", review.reference),
        *(_act(act, act, review.reference) for act in ("sign_off", "return", "next")),
    ]
    return Message("\n\n".join(lines), (*rows(buttons), *emergency_row()))


def sample(month: str, drawn: list[ReviewRow]) -> Message:
    """Return a month's dip sample. Nobody can foresee or steer what is drawn."""
    if not drawn:
        return plain(text_of("review.sample.none", month=month))
    lines = [bold(text_of("review.sample.title", month=month)), escape(text_of("review.sample.how"))]
    buttons = [(f"{row.reference}, {risk(row.rank)[:30]}", _button("sampled", row.reference)) for row in drawn]
    return Message("\n\n".join(lines), tuple((button,) for button in buttons))


def empty(total: int) -> Message:
    """Say that the queue has ended, or that it is empty."""
    if not total:
        return plain(text_of("review.empty"))
    return plain(text_of("review.last"), (text_of("review.buttons.start_over"), "rv.queue"))


def acts(review: ReviewRow, found: list[Done]) -> Message:
    """Return what can be done with an opened record, and what has been done."""
    lines = [*_head(review)]
    if review.grade:
        grade = str(review.grade)
        lines.append(escape(text_of("review.graded", number=grade, words=grades()[grade])))
    if found:
        lines.append("\n".join(_line(one) for one in found[-MOST_ACTS:]))
    lines.append(escape(text_of("review.reading_noted")))
    reference = review.reference
    buttons = [_act(act, act, reference) for act in ("sign_off", "return", "comment", "close", "reopen")]
    buttons += [(text_of("review.buttons.grade", number=n), _button("grade", reference, n)) for n in grades()]
    for days in FOLLOW_UP_DAYS:
        buttons.append((text_of("review.buttons.follow_up", days=days), _button("follow_up", reference, str(days))))
    buttons.append(_act("next_record", "queue"))
    lines.append("\n".join(escape(text_of("review.grade", number=n, words=words)) for n, words in grades().items()))
    return Message("\n\n".join(lines), rows(buttons))


def _line(one: Done) -> str:
    what = " ".join(part for part in (said(one.act).rstrip("."), one.value) if part)
    words = f": “{one.comment}”" if one.comment else ""
    return f"• {escape(f'{what} ({one.role}), {time_of(one.at)}{words}')}"


def done(review: ReviewRow, what: str) -> Message:
    """Say what was done, and offer the next record."""
    state = text_of("review.is_now", reference=review.reference, state=states()[review.state])
    buttons = rows([_act("next_record", "queue"), _act("open_it", "show", review.reference)])
    return Message(f"{bold(said(what))} {escape(state)}", buttons)


def ask_for_words(what: str, reference: str) -> Message:
    """Ask for the words that go with sending back, a comment, or opening again."""
    ask = text_of("review.ask_for_words.ask", reference=reference, why=text_of(f"review.ask_for_words.{what}"))
    return Message(escape(f"{ask} {text_of('no_names')}"))


def to_author(reference: str, what: str, words: str, role: str) -> Message:
    """Tell an author what a supervisor did with a record."""
    quoted = f" “{words}”" if words else ""
    text = (
        text_of("review.to_author.said", reference=reference, said=said(what).lower().rstrip("."), role=role) + quoted
    )
    buttons = [
        (text_of("saved.buttons.note"), f"note.{reference}"),
        (text_of("saved.buttons.show"), f"record.{reference}"),
    ]
    if what == "return":
        buttons.append((text_of("review.to_author.sign_off"), f"signoff.{reference}"))
    return plain(text, *buttons)


def alert(reference: str, rank: int) -> Message:
    """Ask a supervisor to look at a record at once. No content."""
    text = text_of("review.alert.supervisor", reference=reference, risk=risk(rank))
    return plain(text, (text_of("review.buttons.open"), f"rv.show.{reference}"))


def alert_administrator(reference: str, rank: int) -> Message:
    """Tell an administrator that a record needs a supervisor at once, and that the bot can reach none. No content."""
    return plain(text_of("review.alert.administrator", reference=reference, risk=risk(rank)))


def nobody_alerted(reference: str, contacts: dict[str, str]) -> Message:
    """Tell an author that nobody was alerted to their emergency, and whom to ring."""
    numbers = [
        f"{label}: {contacts[name]}."
        for name, label in labels("local.contacts").items()
        if name in ("day_number", "night_number") and name in contacts
    ]
    call = " ".join(numbers) or text_of("review.alert.ring_your_lead")
    return plain(text_of("review.alert.nobody", reference=reference, call=call))


def requested(reference: str) -> Message:
    """Tell a supervisor that an author asks for a sign-off."""
    text = text_of("review.sign_off_asked", reference=reference)
    return plain(text, (text_of("review.buttons.open"), f"rv.show.{reference}"))


def digest(team: str, waiting: int, due: int, head: tuple[int, str]) -> Message:
    """Return the daily digest: counts, and the ledger's head, which this message keeps outside the store."""
    waits = text_of("review.digest.waits", team=team, waits=text_of("review.waits", count=waiting))
    follow_ups = f" {text_of('review.digest.due', count=due)}" if due else ""
    proof = text_of("review.digest.proof", head=f"{head[0]}:{head[1]}")
    return plain(f"{waits}{follow_ups}\n\n{proof}", (text_of("review.buttons.start"), "rv.queue"))


def reader(member: MemberRow) -> str:
    """Return the name and role of a reader of a record."""
    return f"{called(member)}, {member.role}"


def list_asked(actor: str) -> Message:
    """Tell a second person that an export waits for their agreement."""
    return plain(text_of("review.export_asked", name=actor))


def no_console() -> Message:
    """Say that there is no web console here."""
    return plain(text_of("console.none"))


def console_link(address: str, code: str, minutes: int) -> Message:
    """Return a one-time link into the web console and, over HTTPS, a button that opens it inside Telegram."""
    text = f"{text_of('console.link', minutes=minutes)}\n{address}/in/{code}"
    if not address.startswith("https://"):
        return plain(text)
    inside = escape(f"{text}\n\n{text_of('console.inside')}")
    return Message(inside, (((text_of("console.open"), f"{address}/app"),),))


def readers(reference: str, read: list[tuple[str, str]], found: list[Done]) -> Message:
    """Tell an author who has read a record, and what supervisors did with it."""
    readings = bullets(f"{time_of(at)}: {actor}" for at, actor in read[-MOST_READINGS:])
    lines = [bold(text_of("readers.title", reference=reference)), readings or escape(text_of("readers.nobody"))]
    if found:
        lines.append("\n".join(_line(one) for one in found[-MOST_ACTS:]))
    return Message("\n\n".join(lines))
