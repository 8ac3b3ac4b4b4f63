"""The published schema of a record, which tests compare every record with."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs

from bot.domain.record import exported
from storage.records import Stored

SCHEMA = jsonschema_rs.validator_for(json.loads(Path("docs/record.schema.json").read_text(encoding="utf-8")))


def fits(stored: Stored) -> None:
    """Raise unless an exported record fits the schema."""
    SCHEMA.validate(json.loads(json.dumps(exported(stored))))
