"""Receipts of an invented gateway, made from the formats alone: no home, as many as wanted."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.convert import Program
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.record import RecordFrame, RecordRow, record_document
from gateway.model.statement import BatchStatement
from gateway.model.strict import read_strict_object
from gateway.signing import Disclosure, KeyRing, TrustedKey, commitment, key_id, seal
from gateway.transparency import (
    BatchTree,
    Checkpoint,
    LogProof,
    SignatureType,
    VerifierKey,
    leaf_hash,
    sign_note,
)

__all__ = ["MadeReceipts", "make_receipts"]

ISSUER = "gateway.example-test"
ISSUED = "2026-11-22T00:00:00Z"
ENTRIES_BEFORE = 4096  # entries of the log before the first batch: its proofs are 13 hashes long


class MadeReceipts(NamedTuple):
    """Receipts with the trust files they hold under."""

    receipts: list[bytes]
    policy: bytes
    ring: bytes


@dataclass(frozen=True, slots=True)
class _Key:
    """A signing key that follows from a word."""

    private: Ed25519PrivateKey
    public: bytes
    key_id: str

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)


def make_receipts(program: Program, batches: int, *, each: int, batch_size: int) -> MadeReceipts:
    """Make receipts of metro rides of 10.574 km under Wuhan's second version.

    Args:
        program: that version.
        batches: how many batches, each with a statement and a checkpoint of its own.
        each: how many receipts of each batch.
        batch_size: how many records a batch has; those without a receipt are made up hashes.
    """
    record_key, log_key = _key("record"), _key("log")
    verifier = VerifierKey(ISSUER, SignatureType.ED25519, log_key.public)
    entries = [_noise("entry", number) for number in range(ENTRIES_BEFORE)]
    receipts: list[bytes] = []
    for batch in range(batches):
        records = [_record(program, f"{batch}-{number}") for number in range(each)]
        leaves = [leaf_hash(canonical_bytes(record)) for record, _ in records]
        leaves += [_noise(f"leaf {batch}", number) for number in range(each, batch_size)]
        tree = BatchTree(leaves)
        statement = seal(_statement(program, tree, sequence=batch), [record_key])
        entries[batch % ENTRIES_BEFORE] = leaf_hash(statement)
        log_proof = _log_proof(entries, batch % ENTRIES_BEFORE, key=verifier, sign=log_key.sign)
        receipts += [
            _receipt(records[number], tree, number=number, statement=statement, log_proof=log_proof)
            for number in range(each)
        ]
    trusted = TrustedKey(purpose="record", public=record_key.public, since=0)
    policy = f"log {verifier}\nquorum none\n".encode()
    return MadeReceipts(receipts, policy, KeyRing(ISSUER, (trusted,)).to_bytes())


def _key(purpose: str) -> _Key:
    private = Ed25519PrivateKey.from_private_bytes(_noise(purpose, 0))
    public = private.public_key().public_bytes_raw()
    return _Key(private, public, key_id(public, purpose))


def _noise(word: str, number: int) -> bytes:
    return hashlib.sha256(f"{word} {number}".encode()).digest()


def _record(program: Program, event: str) -> tuple[dict[str, Json], Disclosure]:
    salt = _noise("salt " + event, 0)[:16]
    frame = RecordFrame(
        issuer=ISSUER,
        platform=program.platform,
        issued=ISSUED,
        mapping_id=program.id,
        mapping_version=program.version,
        mapping_digest="sha256:" + program.digest,
        points_unit=program.unit,
        points_kind=program.kind,
    )
    row = RecordRow(
        id=_noise("id " + event, 0).hex()[:32],
        event=commitment(b"event", event.encode(), salt=salt),
        subject=_noise("subject " + event, 0).hex(),
        day="2025-03-16",
        behaviour="TRV-METRO",
        inputs={"distance": {"value": "10.574", "unit": "km"}},
        evidence="operator-record",
        ownership="personal",
        co2e_mg=829002,
        points_uncapped=829,
        points=829,
        claimed_mg=None,
        claimed_points=None,
    )
    return record_document(frame, row), Disclosure("event", salt.hex(), event)


def _statement(program: Program, tree: BatchTree, *, sequence: int) -> dict[str, Json]:
    return BatchStatement(
        issuer=ISSUER,
        platform=program.platform,
        kind="conversion",
        sequence=sequence,
        previous="" if sequence == 0 else digest(b"previous %d" % sequence),
        root=tree.root.hex(),
        size=tree.size,
        submission=digest(b"submission %d" % sequence),
        issued=ISSUED,
    ).body()


def _log_proof(
    entries: list[bytes], place: int, *, key: VerifierKey, sign: Callable[[bytes], bytes]
) -> LogProof:
    tree = BatchTree(entries)
    checkpoint = sign_note(bytes(Checkpoint(ISSUER, tree.size, tree.root)), key=key, sign=sign)
    return LogProof(place, tuple(tree.inclusion(place)), bytes(checkpoint))


def _receipt(
    record: tuple[dict[str, Json], Disclosure],
    tree: BatchTree,
    *,
    number: int,
    statement: bytes,
    log_proof: LogProof,
) -> bytes:
    document, disclosure = record
    return canonical_bytes(
        {
            "type": "tanqiao/receipt/1",
            "record": document,
            "disclosures": [disclosure.document()],
            "statement": read_strict_object(statement),
            "record_proof": {
                "index": number,
                "size": tree.size,
                "hashes": [hashed.hex() for hashed in tree.inclusion(number)],
            },
            "log_proof": str(log_proof),
        }
    )
