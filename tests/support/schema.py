"""The published schema of a record: what tests read out of a store is held against it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema_rs

from bot.domain.record import exported
from storage.records import Stored

SCHEMA = jsonschema_rs.validator_for(json.loads(Path("docs/record.schema.json").read_text(encoding="utf-8")))


def fits(stored: Stored) -> None:
    """Raise unless a record, as it leaves the store, is what the schema says."""
    SCHEMA.validate(json.loads(json.dumps(exported(stored))))
