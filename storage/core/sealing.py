"""Sealing: AES-256-GCM, with one key per record, wrapped by a master key that is kept outside the database.

The associated data names where a value belongs (table, row, column), so that sealed values cannot be swapped.
"""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from storage.core.json_bytes import dumps, loads

NONCE = 12
KEY = 32
KEY_ID = 4


class SealBroken(Exception):
    """A sealed value cannot be opened: the key is wrong, or the value was changed or moved."""


class BadKey(Exception):
    """The master key is missing or is not 32 bytes of base64 or hex."""


@dataclass(frozen=True)
class Sealer:
    """Encrypts and decrypts with one key, which its repr never shows."""

    _key: bytes
    _random: Callable[[int], bytes] = secrets.token_bytes
    #: Opens what was sealed before the master key was changed.
    _older: Sealer | None = None

    def __repr__(self) -> str:
        return "Sealer(…)"

    def seal(self, plain: bytes, associated_data: str) -> bytes:
        """Seal bytes, bound to their associated data. Sealing the same bytes again gives a different result."""
        nonce = self._random(NONCE)
        return nonce + AESGCM(self._key).encrypt(nonce, plain, associated_data.encode())

    def open(self, sealed: bytes, associated_data: str) -> bytes:
        """Open bytes that were sealed with this associated data; raise SealBroken."""
        try:
            return AESGCM(self._key).decrypt(sealed[:NONCE], sealed[NONCE:], associated_data.encode())
        except (InvalidTag, ValueError) as error:
            if self._older is not None:
                return self._older.open(sealed, associated_data)
            raise SealBroken(f"The seal of {associated_data} is broken.") from error

    def seal_value(self, value: Any, associated_data: str) -> bytes:
        """Seal a plain value, bound to its associated data."""
        return self.seal(dumps(value), associated_data)

    def open_value(self, sealed: bytes, associated_data: str) -> Any:
        """Open a value that was sealed with this associated data; raise SealBroken."""
        return loads(self.open(sealed, associated_data))


#: Replaces a record's wrapped key when it is destroyed; the content can then never be opened again.
DESTROYED = b""


class Keyring:
    """The master key, from which one key per purpose is derived, and which wraps one key per record."""

    def __init__(self, master: bytes, old_master: bytes | None = None) -> None:
        """Take the master key and, during rotation, the old one, which opens values but seals none."""
        if len(master) != KEY or (old_master is not None and len(old_master) != KEY):
            raise BadKey("The master key must be 32 bytes.")
        old = old_master if old_master != master else None
        self._wrapper = _sealer(master, old, "wrap")
        self.mailbox = _sealer(master, old, "mailbox")
        self.questions = _sealer(master, old, "questions")
        self.members = _sealer(master, old, "members")
        #: Signs the head of the ledger.
        self.signer = Ed25519PrivateKey.from_private_bytes(_derived(master, "head"))
        #: Encrypts backups, which are whole files.
        self.backup = _derived(master, "backup")
        self._lookups = [_derived(key, "lookup") for key in (master, old) if key is not None]
        self.key_id = _id_of(master)
        self._known = {_id_of(key) for key in (master, old) if key is not None}

    def __repr__(self) -> str:
        return f"Keyring({self.key_id.hex()})"

    def new_key(self, associated_data: str) -> tuple[bytes, Sealer]:
        """Make a key for one record; return it wrapped, to store in the row, and ready to use."""
        key = secrets.token_bytes(KEY)
        return self.key_id + self._wrapper.seal(key, associated_data), Sealer(key)

    def unwrap(self, wrapped: bytes, associated_data: str) -> Sealer:
        """Return a record's key ready to use; raise SealBroken."""
        return Sealer(self._unwrapped(wrapped, associated_data))

    def rewrap(self, wrapped: bytes, associated_data: str) -> bytes:
        """Return a record's key wrapped with the current master key; raise SealBroken."""
        return self.key_id + self._wrapper.seal(self._unwrapped(wrapped, associated_data), associated_data)

    def _unwrapped(self, wrapped: bytes, associated_data: str) -> bytes:
        if wrapped[:KEY_ID] not in self._known:
            raise SealBroken(f"{associated_data} was sealed with another master key")
        return self._wrapper.open(wrapped[KEY_ID:], associated_data)

    def knows(self, key_id: bytes) -> bool:
        """Return whether this is the id of the current master key or of the old one, if given."""
        return key_id in self._known

    def lookup(self, value: str) -> bytes:
        """Return the keyed hash by which a value can be found but not read."""
        return self.lookups(value)[0]

    def lookups(self, value: str) -> list[bytes]:
        """Return the keyed hashes by which a value may be indexed: under the current master key and any old one."""
        return [hmac.digest(key, value.encode(), "sha256") for key in self._lookups]


def _sealer(master: bytes, old: bytes | None, purpose: str) -> Sealer:
    older = Sealer(_derived(old, purpose)) if old is not None else None
    return Sealer(_derived(master, purpose), _older=older)


def _id_of(master: bytes) -> bytes:
    return sha256(b"sharewise key id" + master).digest()[:KEY_ID]


def _derived(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=f"sharewise {purpose}".encode()).derive(master)


def key_from_text(text: str) -> bytes:
    """Read a master key written as 64 hex digits or as base64; raise BadKey."""
    import base64
    import binascii

    plain = text.strip()
    try:
        key = bytes.fromhex(plain) if len(plain) == 2 * KEY else base64.b64decode(plain, validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadKey("The master key must be written as 64 hex digits or as base64.") from error
    if len(key) != KEY:
        raise BadKey("The master key must be 32 bytes long.")
    return key


def key_from_file(path: Path) -> bytes:
    """Read a master key from a file that only its owner may read; raise BadKey."""
    try:
        if path.stat().st_mode & 0o077:
            raise BadKey(f"The key file {path} can be read by others. Run: chmod 600 {path}")
        return key_from_text(path.read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadKey(f"The key file {path} cannot be read: {error.__class__.__name__}.") from error


def make_key_file(path: Path) -> bytes:
    """Create a key file that only its owner can read, and return the key. If the file exists, read it instead."""
    if path.exists():
        return key_from_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    key = secrets.token_bytes(KEY)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    # The rename is atomic: if the process is killed, the file holds the whole key or does not exist.
    os.replace(draft, path)
    return key
