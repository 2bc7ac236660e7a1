"""Statements: the public, signed entries of the log.

Each is a body of a closed type inside an envelope with one or more signatures. What stands here
builds bodies; ``gateway.signing`` puts them into envelopes and takes them out again.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from gateway.model.canonical import Json, canonical_bytes, digest

__all__ = [
    "AGREEMENT_PUBLISHED_TYPE",
    "BATCH_TYPE",
    "CORRIDOR_TYPE",
    "DAY_TYPE",
    "ERASURE_TYPE",
    "KEYS_TYPE",
    "MAPPING_APPROVAL_TYPE",
    "MAPPING_TYPE",
    "REVERSAL_KIND",
    "STATEMENT_TYPES",
    "TRANSFERS_TYPE",
    "BatchStatement",
    "KeyChange",
    "PartySignature",
    "ReversalStatement",
    "TransfersStatement",
    "agreement_statement",
    "corridor_statement",
    "erasure_statement",
    "mapping_statement",
]

AGREEMENT_PUBLISHED_TYPE: Final = "tanqiao/agreement-published/1"
BATCH_TYPE: Final = "tanqiao/batch/1"
CORRIDOR_TYPE: Final = "tanqiao/corridor/1"
DAY_TYPE: Final = "tanqiao/day/1"
ERASURE_TYPE: Final = "tanqiao/erasure/1"
KEYS_TYPE: Final = "tanqiao/keys-change/1"
REVERSAL_KIND: Final = "reversal"
MAPPING_TYPE: Final = "tanqiao/mapping-published/1"
MAPPING_APPROVAL_TYPE: Final = "tanqiao/mapping-approval/1"
TRANSFERS_TYPE: Final = "tanqiao/transfers/1"
STATEMENT_TYPES: Final = (
    AGREEMENT_PUBLISHED_TYPE,
    BATCH_TYPE,
    CORRIDOR_TYPE,
    DAY_TYPE,
    ERASURE_TYPE,
    KEYS_TYPE,
    MAPPING_TYPE,
    TRANSFERS_TYPE,
)


class BatchStatement(NamedTuple):
    """One batch of records of one platform: their Merkle root, never their sums.

    ``sequence`` counts the batches of the series (issuer, platform, kind) from 0 and ``previous`` is
    the digest of the series' previous entry, empty for the first, so that none can be left out.
    """

    issuer: str
    platform: str
    kind: str
    sequence: int
    previous: str
    root: str
    size: int
    submission: str
    issued: str

    def body(self) -> dict[str, Json]:
        """Return the statement's body."""
        body: dict[str, Json] = {
            "type": BATCH_TYPE,
            "issuer": self.issuer,
            "platform": self.platform,
            "kind": self.kind,
            "sequence": self.sequence,
            "records": {"root": self.root, "size": self.size},
            "submission": self.submission,
            "issued": self.issued,
        }
        if self.previous:
            body["previous"] = self.previous
        return body


class ReversalStatement(NamedTuple):
    """One batch of reversals of one platform's records: a series of its own, linked like conversions."""

    issuer: str
    platform: str
    sequence: int
    previous: str
    root: str
    size: int
    issued: str

    def body(self) -> dict[str, Json]:
        """Return the statement's body."""
        body: dict[str, Json] = {
            "type": BATCH_TYPE,
            "issuer": self.issuer,
            "platform": self.platform,
            "kind": REVERSAL_KIND,
            "sequence": self.sequence,
            "records": {"root": self.root, "size": self.size},
            "issued": self.issued,
        }
        if self.previous:
            body["previous"] = self.previous
        return body


class TransfersStatement(NamedTuple):
    """Some decisions on transfers that follow one another: their Merkle root and the last one's digest.

    They are one series for all platforms, linked like conversions. Neither platforms nor amounts are told.
    """

    issuer: str
    sequence: int
    previous: str
    root: str
    size: int
    chain: str
    issued: str

    def body(self) -> dict[str, Json]:
        """Return the statement's body."""
        body: dict[str, Json] = {
            "type": TRANSFERS_TYPE,
            "issuer": self.issuer,
            "sequence": self.sequence,
            "decisions": {"root": self.root, "size": self.size},
            "chain": self.chain,
            "issued": self.issued,
        }
        if self.previous:
            body["previous"] = self.previous
        return body


class KeyChange(NamedTuple):
    """A change of the trust file ``keys.json``: what was done to which key, and the file's new digest."""

    issuer: str
    action: str  # added, retired or revoked
    key: str
    purpose: str
    keys_digest: str
    issued: str

    def body(self) -> dict[str, Json]:
        """Return the statement's body."""
        return {
            "type": KEYS_TYPE,
            "issuer": self.issuer,
            "action": self.action,
            "key": self.key,
            "purpose": self.purpose,
            "keys_digest": self.keys_digest,
            "issued": self.issued,
        }


class PartySignature(NamedTuple):
    """A signature of somebody else than the gateway, with the key that was theirs when it was checked."""

    party: str
    key: str
    public_key: str
    value: str

    def document(self) -> dict[str, Json]:
        """Return the signature without whose it is."""
        return {"key": self.key, "public_key": self.public_key, "value": self.value}


def mapping_statement(
    issuer: str,
    identity: tuple[str, int, str],
    *,
    status: str,
    issued: str,
    approvals: Sequence[PartySignature] = (),
) -> dict[str, Json]:
    """Return the body that publishes one mapping version (id, version, digest), with who has approved it."""
    mapping_id, version, mapping_digest = identity
    body: dict[str, Json] = {
        "type": MAPPING_TYPE,
        "issuer": issuer,
        "mapping": {"id": mapping_id, "version": version, "digest": mapping_digest},
        "status": status,
        "issued": issued,
    }
    if approvals:
        body["approvals"] = [{"maintainer": one.party, **one.document()} for one in approvals]
    return body


def erasure_statement(issuer: str, notice: str, *, issued: str) -> dict[str, Json]:
    """Return the body of an erasure notice: that a person was forgotten; never whom, where or how much."""
    return {"type": ERASURE_TYPE, "issuer": issuer, "notice": notice, "issued": issued}


def agreement_statement(
    issuer: str,
    identity: tuple[str, str, int, str],
    *,
    signatures: Sequence[PartySignature],
    issued: str,
) -> dict[str, Json]:
    """Return the body that publishes one agreement (source, destination, version, digest)."""
    source, destination, version, agreement_digest = identity
    return {
        "type": AGREEMENT_PUBLISHED_TYPE,
        "issuer": issuer,
        "agreement": {
            "source": source,
            "destination": destination,
            "version": version,
            "digest": agreement_digest,
        },
        "signatures": [{"platform": one.party, **one.document()} for one in signatures],
        "issued": issued,
    }


def corridor_statement(
    issuer: str, document: Mapping[str, Json], *, signature: PartySignature, issued: str
) -> dict[str, Json]:
    """Return the body that publishes a pause of a corridor, or its end, as the signed document says."""
    body: dict[str, Json] = {
        "type": CORRIDOR_TYPE,
        "issuer": issuer,
        "action": "paused" if "reason" in document else "resumed",
        "source": document["source"],
        "destination": document["destination"],
        "by": signature.party,
        "digest": digest(canonical_bytes(dict(document))),
        "signature": signature.document(),
        "issued": issued,
    }
    return body | {name: document[name] for name in ("reason", "until") if name in document}
