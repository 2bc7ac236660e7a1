"""Approvals of mappings: who the maintainers are, what each of them signs, and how many must.

A publication has the canonical text of a mapping version, and an envelope over what names it. Whoever has
the log can put the signed text together from the entry alone.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple, cast

from gateway.errors import MalformedDocument, Refused
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.ed25519 import require_sound_key
from gateway.model.statement import MAPPING_APPROVAL_TYPE, PartySignature
from gateway.model.strict import read_strict_object
from gateway.signing import SignatureInvalid, Signer, key_id, seal, verify_parties

__all__ = [
    "MAINTAINER",
    "PUBLICATION_BYTES_MAX",
    "ApprovalRefused",
    "Maintainers",
    "Publication",
    "QuorumMissing",
    "approve",
    "approving_body",
    "read_publication",
    "require_approvals",
]

MAINTAINER: Final = "maintainer"  # the purpose of their keys
MAINTAINERS_TYPE: Final = "tanqiao/maintainers/1"
PUBLICATION_BYTES_MAX: Final = 1 << 20  # the largest mapping here has 20 KiB
QUORUM_MIN: Final = 2  # one lost key publishes nothing
MAINTAINERS_MAX: Final = 8  # an envelope has as many signatures at most
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")
_KEY: Final = re.compile(r"[0-9a-f]{64}")


class ApprovalRefused(Refused):
    """A signature of a publication does not hold, is by nobody who may, or is over something else."""

    code = "approval-refused"
    remedy = "have the maintainers sign this very file: tanqiao mapping sign"


class QuorumMissing(Refused):
    """Fewer maintainers have signed than must."""

    code = "quorum-missing"
    remedy = "have more maintainers sign: tanqiao mapping sign"


@dataclass(frozen=True, slots=True)
class Maintainers:
    """Those who approve mappings: public keys by name, and how many of them must sign."""

    quorum: int
    keys: Mapping[str, bytes]

    @classmethod
    def parse(cls, data: bytes) -> "Maintainers":
        """Read the document that the operator keeps.

        Raises:
            MalformedDocument: it has not the form, one is named twice, or the quorum is none.
            UnsoundKey: a key is weak.
        """
        document = read_strict_object(data)
        listed, quorum = document.get("maintainers"), document.get("quorum")
        if (
            set(document) != {"type", "quorum", "maintainers"}
            or document["type"] != MAINTAINERS_TYPE
            or not isinstance(listed, list)
        ):
            raise MalformedDocument(f"expected type {MAINTAINERS_TYPE}, quorum and maintainers, nothing else")
        found = [_maintainer(one, number) for number, one in enumerate(listed)]
        keys = dict(found)
        if len(keys) != len(found) or len(set(keys.values())) != len(found):
            raise MalformedDocument("a name or a key stands twice", field="/maintainers")
        if not QUORUM_MIN <= len(keys) <= MAINTAINERS_MAX:
            raise MalformedDocument(
                f"expected {QUORUM_MIN} to {MAINTAINERS_MAX} maintainers, got {len(keys)}",
                field="/maintainers",
            )
        if type(quorum) is not int or not QUORUM_MIN <= quorum <= len(keys):  # True is an int, too
            raise MalformedDocument(
                f"expected a whole number from {QUORUM_MIN} to {len(keys)}, got {quorum!r}", field="/quorum"
            )
        return cls(quorum, MappingProxyType(keys))

    @property
    def key_ids(self) -> dict[str, str]:
        """Return the name of each maintainer by the id of their key."""
        return {key_id(public, MAINTAINER): name for name, public in self.keys.items()}

    def require_signatures(self, approval: Mapping[str, Json]) -> list[PartySignature]:
        """Check that one maintainer or more have signed, and nobody else; return whose signatures there are.

        Raises:
            ApprovalRefused: a signature does not hold, or is by nobody who may.
        """
        names = self.key_ids
        ids = {key: self.keys[name] for key, name in names.items()}
        try:
            _, signed = verify_parties(dict(approval), ids.get)
        except SignatureInvalid as error:
            raise ApprovalRefused(str(error), field="/approval/signatures") from error
        values = {str(one["key"]): str(one["value"]) for one in _signatures(approval)}
        return [
            PartySignature(names[key], key, base64.b64encode(ids[key]).decode(), values[key])
            for key in signed
        ]

    def require_quorum(self, approval: Mapping[str, Json]) -> list[PartySignature]:
        """Check that enough maintainers have signed, and nobody else; return whose signatures there are.

        Raises:
            ApprovalRefused: a signature does not hold, or is by nobody who may.
            QuorumMissing: there are too few.
        """
        signed = self.require_signatures(approval)
        if len(signed) < self.quorum:
            raise QuorumMissing(
                f"expected signatures of {self.quorum} of {len(self.keys)} maintainers, got {len(signed)}",
                field="/approval/signatures",
            )
        return signed


class Publication(NamedTuple):
    """A mapping version to be published: its canonical text, and the envelope over what names it."""

    canonical: bytes
    approval: dict[str, Json]

    @property
    def signatures(self) -> list[dict[str, Json]]:
        """Return the signatures so far."""
        return _signatures(self.approval)

    @property
    def digest(self) -> str:
        """Return the digest of the canonical text."""
        return digest(self.canonical)

    def to_bytes(self) -> bytes:
        """Return the document."""
        return canonical_bytes({"document": self.canonical.decode(), "approval": self.approval})

    def require_names(self, mapping: str, version: int) -> None:
        """Check that what was signed is this version of this mapping, and its text.

        Raises:
            ApprovalRefused: it is another.
        """
        if self.approval["body"] != approving_body(mapping, version, digest_name=self.digest):
            raise ApprovalRefused(
                f"what was signed is not {mapping} version {version} with {self.digest}",
                field="/approval/body",
            )


def approving_body(mapping: str, version: int, *, digest_name: str) -> dict[str, Json]:
    """Return what a maintainer signs."""
    return {
        "type": MAPPING_APPROVAL_TYPE,
        "mapping": {"id": mapping, "version": version, "digest": digest_name},
    }


def require_approvals(statement: Mapping[str, Json]) -> None:
    """Check the signatures of maintainers that a log entry has, by the keys that stand beside them.

    Whether those were the maintainers' is for the reader to know; the gateway checked it when they came.

    Raises:
        SignatureInvalid: one does not hold, or is not by the key that it names.
    """
    listed = statement.get("approvals", [])
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not entries:
        return
    keys = {str(one["key"]): base64.b64decode(str(one["public_key"])) for one in entries}
    known = {name: public for name, public in keys.items() if key_id(public, MAINTAINER) == name}
    body: dict[str, Json] = {"type": MAPPING_APPROVAL_TYPE, "mapping": statement["mapping"]}
    signatures: list[Json] = [{"key": one["key"], "value": one["value"]} for one in entries]
    verify_parties({"body": body, "signatures": signatures}, known.get)


def read_publication(data: bytes) -> Publication:
    """Read a publication; what its parts say is checked by others.

    Raises:
        MalformedDocument: it has not the form.
    """
    document = read_strict_object(data, PUBLICATION_BYTES_MAX)
    text, approval = document.get("document"), document.get("approval")
    if set(document) != {"document", "approval"} or not isinstance(text, str):
        raise MalformedDocument("expected exactly `document`, a text, and `approval`", field="/document")
    if not isinstance(approval, dict) or set(approval) != {"body", "signatures"}:
        raise MalformedDocument("expected exactly a body and signatures", field="/approval")
    return Publication(text.encode(), approval)


def approve(canonical: bytes, identity: tuple[str, int], *, signer: Signer, before: bytes = b"") -> bytes:
    """Sign a version; a signature by the same key gives way, those of others are kept.

    Raises:
        ApprovalRefused: what others have signed before is not this.
    """
    body = approving_body(*identity, digest_name=digest(canonical))
    kept: list[dict[str, Json]] = []
    if before:
        signed = read_publication(before)
        if signed.canonical != canonical:
            raise ApprovalRefused(
                f"others have signed {signed.digest}, this is {digest(canonical)}", field="/document"
            )
        signed.require_names(*identity)
        kept = [one for one in signed.signatures if one.get("key") != signer.key_id]
    mine = read_strict_object(seal(body, [signer]))
    signatures: list[Json] = [*kept, *cast("list[Json]", mine["signatures"])]  # of our own making
    return Publication(canonical, {"body": body, "signatures": signatures}).to_bytes()


def _maintainer(entry: Json, number: int) -> tuple[str, bytes]:
    place = f"/maintainers/{number}"
    if not isinstance(entry, dict) or set(entry) != {"name", "public"}:
        raise MalformedDocument("expected exactly `name` and `public`", field=place)
    name, public = entry["name"], entry["public"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise MalformedDocument("expected a name of a-z, 0-9, . and -", field=f"{place}/name")
    if not isinstance(public, str) or not _KEY.fullmatch(public):
        raise MalformedDocument("expected 64 hexadecimal digits", field=f"{place}/public")
    raw = bytes.fromhex(public)
    require_sound_key(raw)
    return name, raw


def _signatures(approval: Mapping[str, Json]) -> list[dict[str, Json]]:
    listed = approval["signatures"]
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
