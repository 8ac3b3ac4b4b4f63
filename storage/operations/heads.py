"""Signed heads of the ledger. Stored where nobody can change them, they reveal whether the ledger was cut or rewritten.

A line is JSON: the time, the number and hash of the last entry, the public key, and an Ed25519 signature over time and
head. The signing key is derived from the master key. `sharewise head` shows the public key, to be kept apart from the
lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from storage.core import ledger, locks
from storage.core.ledger import Broken
from storage.core.unit import Unit


class BadLine(Exception):
    """A line is not a signed head."""


def signed(unit: Unit, at: str) -> str:
    """Return the current head of the ledger as a signed line, without a newline."""
    seq, hashed = ledger.head(unit)
    head, key = f"{seq}:{hashed}", unit.keys.signer.public_key().public_bytes_raw().hex()
    signature = unit.keys.signer.sign(_words(at, head)).hex()
    return json.dumps({"at": at, "head": head, "key": key, "signature": signature})


def write_daily(unit: Unit, path: Path, at: str) -> bool:
    """Append today's signed head to a file, unless today's is there; raise OSError or ValueError.

    Return whether the head was appended.
    """
    if not locks.acquire(unit, "heads", 0):
        return False  # another worker is writing it
    lines = path.read_text(encoding="ascii").splitlines() if path.exists() else []
    is_there = bool(lines) and lines[-1].startswith(json.dumps({"at": at[:10]})[:-2])
    if not is_there:
        with path.open("a", encoding="ascii") as file:
            file.write(signed(unit, at) + "\n")
    locks.release(unit, "heads", [0])
    return not is_there


def check(unit: Unit, lines: Iterable[str], keys: frozenset[str]) -> tuple[int, Broken | None]:
    """Check that each line was signed with one of these keys and still matches the ledger; raise BadLine.

    `keys` are public keys; if there are none, use the store's own. Return how many lines are good, and the first broken
    place, if any.
    """
    known = keys or frozenset((unit.keys.signer.public_key().public_bytes_raw().hex(),))
    good = 0
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        try:
            said = json.loads(line)
            at, head, key, signature = said["at"], said["head"], said["key"], bytes.fromhex(said["signature"])
            seq, hashed = int(head.partition(":")[0]), head.partition(":")[2]
            public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadLine(f"{where} is no signed head of the ledger.") from error
        try:
            public.verify(signature, _words(at, head))
        except InvalidSignature:
            return good, Broken(where, "was not signed like this")
        if key not in known:
            return good, Broken(where, "was signed with another key than the ones known (--key)")
        broken = ledger.check_head(unit, seq, hashed)
        if broken:
            return good, broken
        good += 1
    return good, None


def _words(at: str, head: str) -> bytes:
    return f"sharewise ledger head {at} {head}".encode()
