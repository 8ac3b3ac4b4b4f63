"""An edition's ways to ask in the form that the search index needs, made beforehand: reading them anew takes a second.

`python -m tests.training compiled` writes compiled.json beside asked.yaml. It carries the digest of what it was made from; where
that has changed since, asked.yaml is read instead.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from flows.search import Row

NAME = "compiled.json"


def made_from(folder: Path) -> str:
    """Return the digest of an edition's ways to ask and of the spellings and synonyms that they are read with."""
    digest = hashlib.sha256()
    for content in ((folder / "asked.yaml").read_bytes(), files("flows").joinpath("asked", "words.yaml").read_bytes()):
        digest.update(content.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def pack(folder: Path, about: Mapping[str, Any], rows: list[Row], vocabulary: list[str]) -> str:
    """Return the file. `about`: what asked.yaml says besides ways to ask."""
    terms = sorted({term for _, row in rows for term in row})
    keys = sorted({key for key, _ in rows})
    place, at = {term: number for number, term in enumerate(terms)}, {key: number for number, key in enumerate(keys)}
    packed = {
        "made_from": made_from(folder), "about": about, "vocabulary": vocabulary, "terms": terms, "keys": keys,
        "rows": [[at[key], *(place[term] for term in row)] for key, row in rows],
    }  # fmt: skip
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":")) + "\n"


def unpack(folder: Path) -> tuple[Mapping[str, Any], list[Row], list[str]] | None:
    """Return what `pack` was given, or None if there is no such file or it is not of the ways to ask beside it."""
    path = folder / NAME
    if not path.is_file():
        return None
    raw = json.loads(path.read_bytes())
    if raw["made_from"] != made_from(folder):
        return None
    terms, keys = raw["terms"], raw["keys"]
    rows = [(keys[row[0]], tuple(terms[number] for number in row[1:])) for row in raw["rows"]]
    return raw["about"], rows, raw["vocabulary"]
