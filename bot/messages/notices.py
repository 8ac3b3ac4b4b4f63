"""Messages outside a conversation: what the bot is, privacy, the rules, whom to call, and why something was not done."""

from __future__ import annotations

from collections.abc import Mapping

from bot.messages.callback_data import Button
from bot.messages.citations import cite
from bot.messages.message import Message, bold, bullets, emergency_row, escape, italic
from bot.messages.texts import labels, lines_of, text_of
from flows.definition import Edition


def privacy() -> Message:
    """Return the privacy notice."""
    lines = lines_of("privacy.lines", not_encrypted=text_of("not_encrypted"))
    return Message(f"{bold(text_of('privacy.title'))}\n\n{bullets(lines)}")


def rules(edition: Edition) -> Message:
    """Return the seven golden rules, each with its source."""
    lines = [bold(text_of("rules.title")), italic(edition.banner)]
    for key in edition.roles.rules:
        passage = edition.passages[key]
        lines.append(f"{bold(passage.title)}\n{escape(passage.text)}")
    source = cite(edition, edition.roles.rules[0]).rsplit(",", 1)[0]
    lines.append(italic(text_of("rules.source", source=source, law=edition.law_note)))
    return Message("\n\n".join(lines))


def local_contacts(contacts: dict[str, str], *, walk_open: bool = False) -> Message:
    """Return whom to call here, as the organisation set it, and say which contacts are not set; from an open walk, the way back."""
    known = labels("local.contacts")
    said = [f"{label}: {contacts.get(name, text_of('local.not_set'))}" for name, label in known.items()]
    lines = [bold(text_of("local.title")), escape(text_of("local.always")), bullets(said)]
    if len(contacts) < len(known):
        lines.append(escape(text_of("local.some_not_set")))
    back = (((text_of("advice.go_on"), Button("go_on").encode()),),) if walk_open else ()
    return Message("\n\n".join(lines), (*back, *emergency_row()))


def numbers(contacts: Mapping[str, str], *names: str) -> str:
    """Return the contacts of these names that are set, or whom to ask when none is."""
    said = [
        text_of("advice.local_number", what=what, number=contacts[name])
        for name, what in labels("local.contacts").items()
        if name in names and name in contacts
    ]
    return " ".join(said) or text_of("advice.no_number")


def stranger() -> Message:
    """Return the one reply that anyone who is not a member gets."""
    return Message(escape(text_of("stranger")))


def paused(reason: str) -> Message:
    """Return what members get while the bot is paused."""
    reason = reason if reason.rstrip().endswith((".", "!", "?")) else f"{reason.rstrip()}."
    lines = [bold(text_of("paused.title")), escape(text_of("paused.words", reason=reason)), escape(text_of("danger"))]
    return Message("\n\n".join(lines), emergency_row())


def failed() -> Message:
    """Return what a member gets when their update is parked: they must not believe that it counted."""
    lines = [bold(text_of("failed.title")), *map(escape, lines_of("failed.lines")), escape(text_of("danger"))]
    return Message("\n\n".join(lines), emergency_row())


def not_your_role() -> Message:
    """Refuse what a member's role may not do."""
    return Message(escape(text_of("not_your_role")))


def could_not_delete() -> Message:
    """Ask the sender to delete a message with an identifier, because the bot could not."""
    return Message(escape(text_of("could_not_delete")))


def unknown_command(text: str) -> Message:
    """Answer a command that does not exist, with the emergency button: it may have been meant."""
    return Message(f"{escape(text)} {escape(text_of('danger'))}", emergency_row())


def limited() -> Message:
    """Tell a person that their messages come faster than they can be handled."""
    return Message(f"{escape(text_of('limited'))} {escape(text_of('danger'))}", emergency_row())
