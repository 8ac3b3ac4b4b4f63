"""Every setting, read from the environment or `.env`. Reports all missing and invalid settings in one go."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from flows import catalogue
from storage.core.engine import is_database_url, sqlite_url
from storage.core.sealing import BadKey, Keyring, key_from_file, key_from_text

#: One word with a digit in it, so that it can never be a name.
CASE_REFERENCE = r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9/_.-]{1,39}"


#: Examples that no pattern for case references may match.
NEVER_A_REFERENCE = (
    ("a phone number", "07700900123"), ("a phone number", "07700 900123"), ("a phone number", "+447700900123"),
    ("a phone number", "447700900123"), ("a phone number", "7700900123"), ("a phone number", "01632960001"),
    ("a phone number", "0113 496 0000"), ("a phone number", "07700-900-123"), ("a phone number", "07700/900/123"),
    ("an NHS number", "9434765919"), ("an NHS number", "943 476 5919"), ("an NHS number", "943-476-5919"),
    ("an NHS number", "4010232137"), ("a name", "smith"), ("a name", "Jane Smith"), ("a date", "12/03/2014"),
)  # fmt: skip
HOW_TO_MAKE = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))"'


class BadSettings(Exception):
    """One or more settings are missing or invalid; `problems` describes each.

    `store_meant`: a setting that is set is invalid, or names a store. If false, a local chat's store may be meant.
    """

    def __init__(self, problems: tuple[str, ...], *, store_meant: bool = True) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.store_meant = store_meant


class Settings(BaseSettings):
    """Settings for `sharewise serve` and for the commands that use its store."""

    model_config = SettingsConfigDict(
        env_prefix="SHAREWISE_", env_file=".env", extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    token: SecretStr | None = None
    api_base_url: str = "https://api.telegram.org/bot"
    data_dir: Path = Field(default_factory=lambda: user_data_path("sharewise"))
    database_url: SecretStr | None = None
    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    old_master_key_file: Path | None = None
    edition: str | None = None
    case_reference_pattern: str = CASE_REFERENCE
    console_url: str = ""
    clear_chats_hours: int = Field(default=0, ge=0, le=46)
    head_file: Path | None = None
    sends_per_second: int = Field(default=30, ge=0, le=1000)
    keep_questions_days: int = Field(default=90, ge=1, le=3660)
    updates_per_minute: int = Field(default=240, ge=0, le=100_000)
    webhook_secret: SecretStr | None = None
    log_format: Literal["text", "json"] = "text"

    @field_validator("case_reference_pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            pattern = re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        if value == CASE_REFERENCE:
            return value
        for kind, example in NEVER_A_REFERENCE:
            if pattern.fullmatch(example):
                raise ValueError(
                    f"would take {kind} such as {example} for a case reference, and let it through. Make it narrower: "
                    "say which letters it begins with, or how many digits it has."
                )
        return value

    @field_validator("database_url")
    @classmethod
    def _is_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        # Many hosting providers write "postgres://".
        written = re.sub(r"^postgres(ql)?(\+psycopg)?://", "postgresql://", value.get_secret_value())
        if not is_database_url(written):
            # Never quote the URL: it contains a password.
            raise ValueError(
                "must be postgresql://user:password@host:port/name; in a password write / as %2F, # as %23"
            )
        return SecretStr(written)

    @field_validator("webhook_secret")
    @classmethod
    def _is_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{32,256}", value.get_secret_value()):
            raise ValueError("must be 32 to 256 letters, digits, _ or -")
        return value

    @field_validator("console_url")
    @classmethod
    def _is_console_address(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("must start with https:// (http:// only on this machine)")
        return value.rstrip("/")

    @field_validator("api_base_url")
    @classmethod
    def _is_web_address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("must start with https:// (http:// only on this machine)")
        return value

    @cached_property
    def url(self) -> str:
        """The database URL: the one set, or else a SQLite file in the data folder."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return sqlite_url(self.data_dir / "sharewise.db")

    @property
    def names_store(self) -> bool:
        """Whether a key or a database is set."""
        return any((self.database_url, self.master_key, self.master_key_file, self.old_master_key_file))

    @property
    def on_sqlite(self) -> bool:
        """Whether the database is a SQLite file, which allows only one process."""
        return self.url.startswith("sqlite")

    @cached_property
    def case_pattern(self) -> re.Pattern[str]:
        """The pattern that a case reference must match."""
        return re.compile(self.case_reference_pattern)

    @property
    def own_reference(self) -> re.Pattern[str] | None:
        """The organisation's own pattern for case references, which screening lets through; None if not configured."""
        if self.case_reference_pattern == CASE_REFERENCE:
            return None
        # Match whole words only: part of a longer word or number is not a reference.
        return re.compile(rf"(?<![A-Za-z0-9])(?:{self.case_reference_pattern})(?![A-Za-z0-9])")

    def keys(self) -> Keyring:
        """Return the master key, with the old one during a rotation; raise BadKey if they are missing or unusable."""
        if self.master_key and self.master_key_file:
            raise BadKey("Both are set. Take one of them out.")
        if not self.master_key and not self.master_key_file:
            raise BadKey("Neither SHAREWISE_MASTER_KEY nor SHAREWISE_MASTER_KEY_FILE is set.")
        key = key_from_text(self.master_key.get_secret_value()) if self.master_key else None
        key = key or key_from_file(self.master_key_file)  # type: ignore[arg-type]
        old = key_from_file(self.old_master_key_file) if self.old_master_key_file else None
        if key == old:
            raise BadKey("SHAREWISE_OLD_MASTER_KEY_FILE holds the same key as the one of now.")
        return Keyring(key, old)


def read(*, serving: bool = False, webhook: bool = False, **given: Any) -> Settings:
    """Read the settings; raise BadSettings with every problem.

    `serving`, `webhook`: also require what serving, or serving by webhook, needs.
    """
    settings, problems = _validated(given)
    store_meant = bool(problems) or settings.names_store
    try:
        settings.keys()
    except BadKey as error:
        problems.append(f"SHAREWISE_MASTER_KEY or SHAREWISE_MASTER_KEY_FILE: {error}")
    if serving:
        problems += _serving(settings)
    if webhook and settings.webhook_secret is None and not any("WEBHOOK_SECRET" in problem for problem in problems):
        problems.append(f"SHAREWISE_WEBHOOK_SECRET: is missing. Make one: {HOW_TO_MAKE}")
    if problems:
        raise BadSettings(tuple(problems), store_meant=store_meant)
    return settings


def read_without_key() -> Settings:
    """Return what is set, which need not name a store; raise BadSettings with every invalid value."""
    settings, problems = _validated({})
    if problems:
        raise BadSettings(tuple(problems))
    return settings


def _validated(given: dict[str, Any]) -> tuple[Settings, list[str]]:
    """Return the settings, with defaults in place of invalid values, and what is wrong with these."""
    try:
        return Settings(**given), []
    except ValidationError as error:
        problems = []
        for item in error.errors():
            name = f"SHAREWISE_{'_'.join(str(part) for part in item['loc']).upper()}"
            problems.append(f"{name}: {item['msg'].removeprefix('Value error, ')}")
        wrong = {str(item["loc"][0]) for item in error.errors() if item["loc"]}
        defaults = {name: Settings.model_fields[name].get_default(call_default_factory=True) for name in wrong}
        return Settings(**{**given, **defaults}), problems


#: Endings of variables that container schedulers add to the environment.
OF_SCHEDULERS = ("_HOST", "_PORT", "_PROTO", "_ADDR", "_TCP", "_UDP")


def misspelt() -> list[tuple[str, list[str]]]:
    """Return variables in the environment and `.env` that look like misspelt settings, each with the nearest names."""
    known = [f"SHAREWISE_{name.upper()}" for name in Settings.model_fields]
    given = {name.upper() for name in (*os.environ, *dotenv_values(".env")) if name.upper().startswith("SHAREWISE_")}
    others = sorted(name for name in given.difference(known) if not name.endswith(OF_SCHEDULERS))
    return [(name, near) for name in others if (near := get_close_matches(name, known, 2, 0.85))]


def _serving(settings: Settings) -> list[str]:
    problems: list[str] = []
    token = settings.token.get_secret_value() if settings.token else ""
    if not re.fullmatch(r"\d+:[A-Za-z0-9_-]{20,}", token):
        problems.append("SHAREWISE_TOKEN: is missing or is no bot token. @BotFather gives one.")
    if settings.edition is None:
        known = ", ".join(catalogue.ids())
        problems.append(f"SHAREWISE_EDITION: is missing. Name the edition to use; known: {known}.")
    elif settings.edition not in catalogue.ids():
        problems.append(
            f"SHAREWISE_EDITION: there is no edition {settings.edition!r}. Known: {', '.join(catalogue.ids())}."
        )
    return problems
