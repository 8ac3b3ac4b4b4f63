"""The bot's own words, from texts.<language>.yaml beside this file."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml
from pydantic import BaseModel, ConfigDict

LANGUAGE = "en"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CommandWords(_Closed):
    """What is typed behind a command, and what it does."""

    does: str
    takes: str = ""


class HelpWords(_Closed):
    """The words around the list of commands in /help."""

    title: str
    ask: str
    in_group: str
    hint: str


class Texts(_Closed):
    """All words of one language."""

    commands: dict[str, CommandWords]
    help: HelpWords


@cache
def texts(language: str = LANGUAGE) -> Texts:
    """Return the words of a language; raise FileNotFoundError if there is no such file."""
    file = resources.files("bot.messages").joinpath(f"texts.{language}.yaml")
    return Texts.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
