"""Files that are made beforehand from an edition's ways to ask, and stand beside them: compiled.json, ranker.bin, meaning.bin.

Each begins with a line of JSON that carries the digest of what it was made from. Where that has changed, the file is not used.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any


def made_from(folder: Path) -> str:
    """Return the digest of an edition's ways to ask and of the spellings and synonyms that they are read with."""
    digest = hashlib.sha256()
    for content in ((folder / "asked.yaml").read_bytes(), files("flows").joinpath("asked", "words.yaml").read_bytes()):
        digest.update(content.replace(b"\r\n", b"\n"))
    return digest.hexdigest()


def pack(about: dict[str, Any], body: bytes = b"") -> bytes:
    """Return a file: a line of JSON, then any bytes."""
    return json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" + body


def unpack(raw: bytes) -> tuple[dict[str, Any], bytes]:
    """Return the JSON of a file and the bytes after it."""
    head, _, body = raw.partition(b"\n")
    return json.loads(head), body


def fresh(folder: Path, name: str) -> tuple[dict[str, Any], bytes] | None:
    """Return a file beside an edition's ways to ask, unpacked, or None if there is none or they have changed since."""
    path = folder / name
    if not path.is_file():
        return None
    about, body = unpack(path.read_bytes())
    return (about, body) if about["made_from"] == made_from(folder) else None
