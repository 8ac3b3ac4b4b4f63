"""Why typed words were not kept, and what to say instead. A refusal names the kind of identifier, never the identifier."""

from __future__ import annotations

from bot.messages.texts import text_of
from flows.screening import PERSON, IdentifierFound, NotScreened, ScreeningFailed
from storage.core.faults import NotAllowed

#: What a person may say about words that were taken for an identifier.
OVERRIDES = ("!notaperson", "!areference")


def override_label(override: str) -> str:
    """Return the label of the button that says so."""
    return text_of(f"refusals.overrides.{override.removeprefix('!')}")


def override_for(error: NotScreened, *, is_reference: bool) -> str:
    """Return what the person may say about the words; nothing if they cannot be anything else."""
    if is_reference and isinstance(error, IdentifierFound) and set(error.kinds) <= {PERSON, "nhs_number"}:
        return "!areference"
    return "!notaperson" if is_name_only(error) and not is_reference else ""


def is_name_only(error: NotScreened) -> bool:
    """Say whether only names were found, so that the person may know better."""
    return isinstance(error, IdentifierFound) and error.kinds == (PERSON,)


def not_allowed(error: NotAllowed) -> str:
    """Say which rule forbids what a person asked for."""
    return text_of(f"not_allowed.{error.reason}", **error.values)


def kinds_seen(error: IdentifierFound) -> str:
    """Name the kinds of identifiers that were found."""
    return text_of("refusals.and").join(text_of(f"refusals.kinds.{kind}.name") for kind in error.kinds)


def refusal(error: NotScreened, kept_out: str = "") -> str:
    """Say why typed words were not kept (`kept_out`: what was not saved), and what to say instead."""
    kept_out = kept_out or text_of("refusals.nothing_saved")
    if isinstance(error, ScreeningFailed):
        return text_of("refusals.not_checked", kept_out=kept_out)
    if not isinstance(error, IdentifierFound):
        return text_of("refusals.too_long", why=error, kept_out=kept_out)
    instead = "; ".join(
        text_of(
            "refusals.say",
            name=text_of(f"refusals.kinds.{kind}.name"),
            instead=text_of(f"refusals.kinds.{kind}.instead"),
        )
        for kind in error.kinds
    )
    return text_of("refusals.identifier", kinds=kinds_seen(error), kept_out=kept_out, instead=instead)
