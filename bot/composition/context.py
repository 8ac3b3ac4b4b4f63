"""Build the context that all use cases share from the settings."""

from __future__ import annotations

from importlib.metadata import version as version_of

from bot.composition.settings import Settings, read_without_key
from bot.usecases.context import Context

VERSION = version_of("sharewise")
#: The edition to use when the settings name none.
EDITION = "hmg-2015"


def context_of(settings: Settings | None = None, bot_id: int = 0) -> Context:
    """Return the context that the settings describe. The command line sends nothing, so it needs no bot id."""
    settings = settings or read_without_key()
    limited = settings.sends_per_second > 0
    return Context(
        settings.edition or EDITION, bot_id, VERSION, settings.case_pattern, settings.own_reference,
        console_url=settings.console_url, clear_chats_hours=settings.clear_chats_hours,
        keep_questions_days=settings.keep_questions_days,
        sends_per_second=settings.sends_per_second, updates_per_minute=settings.updates_per_minute if limited else 0,
    )  # fmt: skip
