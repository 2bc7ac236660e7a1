"""Commitments: a value named by a hash that tells nothing until its salt is shown.

Erasing a person means deleting salts: the commitment stays, and with it every root above it, but
nobody can link it to a value any more.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, NamedTuple

from gateway.errors import IntegrityBroken, MalformedDocument
from gateway.model.canonical import Json

__all__ = ["SALT_BYTES", "CommitmentMismatch", "Disclosure", "commitment", "commitments"]

SALT_BYTES: Final = 16
_DOMAIN: Final = b"tanqiao/commit/1\x00"


class CommitmentMismatch(IntegrityBroken):
    """A disclosed value is not the one that was committed to."""

    code = "commitment-mismatch"


def commitment(field: bytes, value: bytes, *, salt: bytes) -> str:
    """Return lower hex SHA-256 of ``tanqiao/commit/1``, 0x00, field name, 0x00, 16-byte salt, UTF-8 value."""
    return hashlib.sha256(_DOMAIN + field + b"\x00" + salt + value).hexdigest()


def commitments(field: bytes, values: Iterable[bytes], *, salts: Iterable[bytes]) -> list[str]:
    """Return many commitments to values of one field."""
    fresh = hashlib.sha256(_DOMAIN + field + b"\x00").copy
    found = []
    for value, salt in zip(values, salts, strict=True):
        hashed = fresh()
        hashed.update(salt + value)
        found.append(hashed.hexdigest())
    return found


class Disclosure(NamedTuple):
    """The opening of one commitment of a record: ``field`` is the record's member name."""

    field: str
    salt: str
    value: str

    def document(self) -> dict[str, Json]:
        """Return the disclosure as it stands in a receipt."""
        return {"field": self.field, "salt": self.salt, "value": self.value}

    @classmethod
    def parse(cls, entry: Json) -> "Disclosure":
        """Read a disclosure from a receipt."""
        if not isinstance(entry, dict) or set(entry) != {"field", "salt", "value"}:
            raise MalformedDocument("a disclosure has exactly field, salt and value")
        return cls(str(entry["field"]), str(entry["salt"]), str(entry["value"]))

    def require_opens(self, record: dict[str, Json]) -> None:
        """Check that the disclosure opens the record's commitment of that name."""
        if self.field not in ("event", "subject", "claim"):
            raise CommitmentMismatch(f"{self.field} is not a committed member of a record")
        try:
            salt = bytes.fromhex(self.salt)
        except ValueError as error:
            raise MalformedDocument("a salt is 32 hexadecimal digits") from error
        if len(salt) != SALT_BYTES or self.salt != salt.hex():
            raise MalformedDocument("a salt is 32 lower hexadecimal digits")
        if commitment(self.field.encode(), self.value.encode(), salt=salt) != record.get(self.field):
            raise CommitmentMismatch(f"the disclosed {self.field} is not the one the record commits to")
