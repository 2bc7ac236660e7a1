"""Make receipts, and verify them with nothing but the receipt and the verifier's own trust files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from typing import Final

from gateway.convert import expires_on
from gateway.errors import IntegrityBroken, LocalFileError, MalformedDocument, NotFound
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.record import RECORD_BYTES_MAX
from gateway.model.shape import Shape
from gateway.model.statement import BATCH_TYPE
from gateway.model.strict import read_strict_object
from gateway.ports import BatchRow, Journal, Log, PrivateRow, RecordFiles
from gateway.service.acts.recording import document_of, frame_of
from gateway.service.receipts.replaying import Replayer
from gateway.signing import Disclosure, KeyRing, verify_envelope
from gateway.transparency import (
    BatchTree,
    Checkpoint,
    Policy,
    leaf_hash,
    read_proof,
    require_included,
    verify_checkpoint,
    verify_inclusion,
)

__all__ = [
    "RECEIPT_BYTES_MAX",
    "RECEIPT_TEXTS",
    "BatchProofs",
    "FoundRecord",
    "ReceiptMismatch",
    "ReceiptVerifier",
    "disclosure_of",
    "find_record",
    "make_receipt",
    "receipt_with",
    "required_disclosure",
]

RECEIPT_TYPE: Final = "tanqiao/receipt/1"
RECEIPT_BYTES_MAX: Final = 64 * 1024  # a record of 4 KiB, its proofs, a checkpoint with many cosignatures
RECEIPT_TEXTS: Final = frozenset({"/log_proof"})  # members of several lines
REMEMBERED_MAX: Final = 512  # statements, each with its proof: and notes: at most 48 MiB


class ReceiptMismatch(IntegrityBroken):
    """Two parts of a receipt do not belong together."""

    code = "receipt-mismatch"
    remedy = "ask the issuer for the receipt again; if it fails again, keep it: it is evidence"


@dataclass(frozen=True, slots=True)
class FoundRecord:
    """A record of this home: its document, private row and batch, and the last day of its points, if any."""

    document: dict[str, Json]
    row: PrivateRow
    batch: BatchRow
    expires: date | None


def find_record(
    record_id: str,
    *,
    records: RecordFiles,
    journal: Journal,
    replayer: Replayer,
    issuer: str,
    batch: int | None = None,
) -> FoundRecord:
    """Find a record by its id; whoever knows its batch need not have every file searched.

    Raises:
        NotFound: this home has no such record.
        IntegrityBroken: its file is not the one that was written.
    """
    number = records.find(record_id) if batch is None else batch
    if number is None:
        raise NotFound(
            f"there is no record {record_id} in this home",
            field=record_id,
            remedy="find its id by the platform's own id of the event: tanqiao record find",
        )
    found = journal.batch(number)
    rows = (row for file in journal.files(number) for row in records.read(file))
    row = next((row for row in rows if row.id == record_id), None)
    if row is None and batch is not None:
        raise NotFound(f"batch {batch} has no record {record_id}", field=record_id)
    if row is None:
        raise IntegrityBroken(f"record {record_id} stands in a file that batch {number} does not have")
    program = replayer.program(row.mapping)
    document = document_of(row, frame_of(program, issuer=issuer, issued=found.issued))
    return FoundRecord(document, row, found, expires_on(program.expiry, date.fromisoformat(row.day)))


def make_receipt(
    found: FoundRecord, disclose: Sequence[str], *, records: RecordFiles, journal: Journal, log: Log
) -> bytes:
    """Return the receipt of a record as JSON, with the named commitments opened.

    Raises:
        LocalFileError: what should be disclosed has been erased.
    """
    proofs = BatchProofs.of(found.batch, records=records, journal=journal, log=log)
    return receipt_with(found, disclose, proofs=proofs)


def receipt_with(found: FoundRecord, disclose: Sequence[str], *, proofs: "BatchProofs") -> bytes:
    """Return the receipt of a record whose batch is proved already.

    Raises:
        LocalFileError: what should be disclosed has been erased.
    """
    opened = [required_disclosure(found.row, field) for field in disclose]
    return proofs.receipt(found.document, opened, leaf_index=found.row.leaf_index)


@dataclass(frozen=True, slots=True)
class BatchProofs:
    """What the receipts of one batch have in common."""

    tree: BatchTree
    statement: dict[str, Json]
    log_proof: str

    @classmethod
    def of(cls, batch: BatchRow, *, records: RecordFiles, journal: Journal, log: Log) -> "BatchProofs":
        """Make the tree of a batch's records, and prove the batch.

        Raises:
            IntegrityBroken: they are not as many as it was decided with.
        """
        files = journal.files(batch.number)
        leaves = {row.leaf_index: row.leaf for file in files for row in records.read(file)}
        if sorted(leaves) != list(range(batch.size)):
            raise IntegrityBroken(
                f"batch {batch.number} has {len(leaves)} records here, expected {batch.size}"
            )
        statement = read_strict_object(log.entry(batch.position))
        tree = BatchTree([leaves[index] for index in range(batch.size)])
        return cls(tree, statement, log.proof_text(batch.position))

    def receipt(
        self, document: dict[str, Json], disclosures: Sequence[Disclosure], *, leaf_index: int
    ) -> bytes:
        """Return the receipt of one record of the batch."""
        receipt: dict[str, Json] = {
            "type": RECEIPT_TYPE,
            "record": document,
            "disclosures": [disclosure.document() for disclosure in disclosures],
            "statement": self.statement,
            "record_proof": {
                "index": leaf_index,
                "size": self.tree.size,
                "hashes": [hashed.hex() for hashed in self.tree.inclusion(leaf_index)],
            },
            "log_proof": self.log_proof,
        }
        return canonical_bytes(receipt)


def disclosure_of(row: PrivateRow, field: str) -> Disclosure | None:
    """Return the opening of a row's commitment, or None where it was erased."""
    openings = {
        "event": (row.event_salt, row.event),
        "subject": (row.subject_salt, None if row.person is None else row.person.hex()),
    }
    salt, value = openings[field]
    return None if salt is None or value is None else Disclosure(field, salt.hex(), value)


def required_disclosure(row: PrivateRow, field: str) -> Disclosure:
    """Return the opening of a row's commitment.

    Raises:
        LocalFileError: it was erased.
    """
    disclosure = disclosure_of(row, field)
    if disclosure is None:
        raise LocalFileError(
            f"the {field} of record {row.id} was erased with its person",
            field=field,
            remedy="leave out --disclose: the record is still proved, but no longer whose it is",
        )
    return disclosure


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptVerifier:
    """Verifies receipts under one policy and key ring. ``replayer`` None: quantities are not recomputed.

    A verifier remembers statements and checkpoints that held, by their exact bytes, so that the receipts of
    one batch cost its signatures once. What it remembers is its own and dies with it: another policy or ring
    is another verifier. What did not hold is never remembered, and a record is checked anew each time.
    """

    policy: Policy
    ring: KeyRing
    receipt_shape: Shape
    record_shape: Shape
    statement_shape: Shape
    replayer: Replayer | None = None
    _require_logged: Callable[[bytes, str], None] = field(init=False, repr=False, compare=False)
    _verify_checkpoint: Callable[[bytes], Checkpoint] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        remember = lru_cache(maxsize=REMEMBERED_MAX)  # returns are remembered, errors are not
        object.__setattr__(self, "_verify_checkpoint", remember(partial(verify_checkpoint, self.policy)))
        object.__setattr__(self, "_require_logged", remember(self._verify_statement))

    def verify(self, data: bytes) -> dict[str, Json]:
        """Verify one receipt and return its record.

        1. strict parse  2. shapes  3. record hash and proof to the statement's root  4. disclosures
        5. log proof to a checkpoint of the policy  6. the statement's signatures at that place of the
        log  7. issuer, platform and kind agree  8. quantities recomputed, with the mapping at hand

        Raises:
            MalformedDocument: not a receipt.
            QuorumPending: the checkpoint has too few cosignatures yet.
            NotInPolicy: the log is not one of the policy.
            IntegrityBroken: something does not hold; the message names what.
        """
        receipt = read_strict_object(data, RECEIPT_BYTES_MAX, texts=RECEIPT_TEXTS)
        if receipt.keys() >= {"code", "request_id"}:
            raise MalformedDocument(f"this is no receipt but a gateway's refusal of one: {receipt['code']}")
        self.receipt_shape.require(receipt, "receipt")
        record, statement = _member(receipt, "record"), _member(receipt, "statement")
        self.record_shape.require(record, "record")
        self.statement_shape.require(statement, "statement")
        body = _member(statement, "body")
        self._verify_record(record, _member(receipt, "record_proof"), body=body)
        disclosures = receipt["disclosures"]
        for entry in disclosures if isinstance(disclosures, list) else []:
            Disclosure.parse(entry).require_opens(record)
        self._require_logged(canonical_bytes(statement), str(receipt["log_proof"]))
        _require_agreement(record, body, ring=self.ring)
        if self.replayer is not None:
            self.replayer.recompute(record)
        return record

    def _verify_record(
        self, record: dict[str, Json], proof: dict[str, Json], *, body: dict[str, Json]
    ) -> None:
        data = canonical_bytes(record)
        if len(data) > RECORD_BYTES_MAX:
            raise MalformedDocument(f"the record has {len(data)} bytes, at most {RECORD_BYTES_MAX}")
        if body["type"] != BATCH_TYPE:
            raise ReceiptMismatch(f"the statement is a {body['type']}, expected {BATCH_TYPE}")
        stated = _member(body, "records")
        if proof["size"] != stated["size"]:
            raise ReceiptMismatch(f"the proof is for {proof['size']} records, the batch has {stated['size']}")
        hashes, index, size = proof["hashes"], proof["index"], proof["size"]
        if not isinstance(hashes, list) or not isinstance(index, int) or not isinstance(size, int):
            raise MalformedDocument("a record proof has an index, a size and hashes")
        verify_inclusion(
            leaf_hash(data),
            [bytes.fromhex(str(hashed)) for hashed in hashes],
            index=index,
            size=size,
            root=bytes.fromhex(str(stated["root"])),
        )

    def _verify_statement(self, statement: bytes, log_proof: str) -> None:
        """Check steps 5 and 6: nothing but these bytes, the policy and the ring decides."""
        proof = read_proof(log_proof)
        require_included(proof, statement)
        self._verify_checkpoint(proof.checkpoint)
        verify_envelope(read_strict_object(statement), self.ring, position=proof.index)


def _require_agreement(record: dict[str, Json], body: dict[str, Json], *, ring: KeyRing) -> None:
    for member in ("issuer", "platform"):
        if record[member] != body[member]:
            raise ReceiptMismatch(
                f"the record's {member} is {record[member]}, the statement's {body[member]}"
            )
    if body["issuer"] != ring.issuer:
        raise ReceiptMismatch(
            f"the statement's issuer is {body['issuer']}, the trust file is of {ring.issuer}"
        )
    if record["type"] != f"tanqiao/{body['kind']}/1":
        raise ReceiptMismatch(f"a record of type {record['type']} in a batch of kind {body['kind']}")


def _member(document: dict[str, Json], name: str) -> dict[str, Json]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise MalformedDocument(f"/{name}: expected an object", field=f"/{name}")
    return value
