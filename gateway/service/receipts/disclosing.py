"""Disclose chosen fields of records to an auditor: a heading, then one receipt a line.

Each line verifies by itself like any other receipt; the heading says for whom, which fields and how many
records, and is a label that nothing rests on. What is not disclosed stays a commitment.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gateway.errors import GatewayError, IntegrityBroken, NotFound, UsageError
from gateway.model.canonical import Json, canonical_bytes, require_text
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import BatchRow, Journal, Log, PrivateRow, RecordFile, RecordFiles
from gateway.service.acts.recording import document_of, frame_of
from gateway.service.receipts.proving import RECEIPT_TEXTS, BatchProofs, ReceiptVerifier, disclosure_of
from gateway.service.receipts.replaying import Replayer
from gateway.signing import Disclosure

__all__ = [
    "DayScope",
    "Disclosing",
    "DisclosureMismatch",
    "RecordScope",
    "Scope",
    "Verified",
    "disclose",
    "verify_disclosures",
]

DISCLOSURE_TYPE: Final = "tanqiao/disclosure/1"
AUDITOR_MAX: Final = 200  # as the schema of the heading has it


class DisclosureMismatch(IntegrityBroken):
    """A file for an auditor does not hold what its heading says."""

    code = "disclosure-mismatch"
    remedy = "ask the gateway's operator for the file again; each line may still be verified as a receipt"


class RecordScope(NamedTuple):
    """One record, by its id."""

    record: str

    def document(self) -> dict[str, Json]:
        """Return the scope as the heading states it."""
        return {"record": self.record}

    def reads(self, _file: RecordFile) -> bool:
        """Tell whether a file of a batch that has records of the scope may hold one."""
        return True

    def has(self, row: PrivateRow) -> bool:
        """Tell whether a record is of the scope."""
        return row.id == self.record


class DayScope(NamedTuple):
    """All records of a platform's day."""

    platform: str
    day: str

    def document(self) -> dict[str, Json]:
        """Return the scope as the heading states it."""
        return {"platform": self.platform, "day": self.day}

    def reads(self, file: RecordFile) -> bool:
        """Tell whether a file of a batch that has records of the scope may hold one."""
        return file.day == self.day

    def has(self, row: PrivateRow) -> bool:
        """Tell whether a record of the platform is of the scope."""
        return row.day == self.day


Scope = RecordScope | DayScope


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosing:
    """What a disclosure is read from."""

    issuer: str
    journal: Journal
    records: RecordFiles
    log: Log
    replayer: Replayer


def disclose(
    scope: Scope, fields: Sequence[str], *, auditor: str, made: str, parts: Disclosing
) -> Iterator[bytes]:
    """Yield the lines of a disclosure: its heading, then one receipt for each record of the scope.

    A commitment whose salt was erased stays closed; the record is there all the same.

    Raises:
        UsageError: the auditor's name is empty or too long.
        NotFound: there is no record in the scope.
    """
    require_text(auditor, "/auditor")
    if not 1 <= len(auditor) <= AUDITOR_MAX:
        raise UsageError(
            f"an auditor's name has 1 to {AUDITOR_MAX} characters, this has {len(auditor)}",
            remedy="give --auditor a shorter name",
        )
    wanted = sorted(set(fields))
    batches = list(_batches(scope, parts))
    if not batches:
        raise NotFound(
            f"this home has no record of {' on '.join(scope)}",
            remedy="name a platform and a day of which this home has records",
        )
    heading: dict[str, Json] = {
        "type": DISCLOSURE_TYPE,
        "issuer": parts.issuer,
        "auditor": auditor,
        "fields": [*wanted],
        "made": made,
        "scope": scope.document(),
        "records": sum(count for _, count in batches),
    }
    yield canonical_bytes(heading)
    for batch, _ in batches:
        yield from _receipts(batch, scope, fields=wanted, parts=parts)


def _batches(scope: Scope, parts: Disclosing) -> Iterator[tuple[BatchRow, int]]:
    """Yield the batches that have records of the scope, and how many."""
    if isinstance(scope, RecordScope):
        number = parts.records.find(scope.record)
        if number is not None:
            yield parts.journal.batch(number), 1
        return
    for batch in parts.journal.batches():
        if batch.platform == scope.platform:
            rows = sum(file.rows for file in parts.journal.files(batch.number) if scope.reads(file))
            if rows:
                yield batch, rows


def _receipts(batch: BatchRow, scope: Scope, *, fields: Sequence[str], parts: Disclosing) -> Iterator[bytes]:
    proofs = BatchProofs.of(batch, records=parts.records, journal=parts.journal, log=parts.log)
    files = (file for file in parts.journal.files(batch.number) if scope.reads(file))
    for row in (row for file in files for row in parts.records.read(file)):
        if scope.has(row):
            program = parts.replayer.program(row.mapping)
            document = document_of(row, frame_of(program, issuer=parts.issuer, issued=batch.issued))
            opened = [disclosure for name in fields if (disclosure := disclosure_of(row, name))]
            yield proofs.receipt(document, opened, leaf_index=row.leaf_index)


@dataclass(slots=True)
class Verified:
    """What a disclosure that holds adds up to."""

    heading: dict[str, Json]
    disclosed: dict[str, int]
    ids: set[str] = field(default_factory=set)
    co2e_mg: int = 0
    points: int = 0

    def add(self, fields: Sequence[str], record: dict[str, Json]) -> None:
        """Count the record of one verified receipt, which discloses these fields.

        Raises:
            DisclosureMismatch: it is not what the heading says, or the record was there before.
        """
        scope = self.heading["scope"]
        found = {"record": record["id"], "platform": record["platform"], "day": record["day"]}
        if not isinstance(scope, dict) or any(found[name] != value for name, value in scope.items()):
            raise DisclosureMismatch(f"record {record['id']} is outside of what the heading says")
        if str(record["id"]) in self.ids:
            raise DisclosureMismatch(f"record {record['id']} stands there twice")
        self.ids.add(str(record["id"]))
        if len(set(fields)) != len(fields) or not set(fields) <= set(self.disclosed):
            raise DisclosureMismatch(f"record {record['id']} discloses {fields}, against the heading")
        for name in fields:
            self.disclosed[name] += 1
        self.co2e_mg += _whole(record["reduction"], "co2e_mg")
        self.points += _whole(record["points"], "amount")


def verify_disclosures(lines: Iterable[bytes], verifier: ReceiptVerifier, *, shape: Shape) -> Verified:
    """Verify a disclosure line by line; the errors of a line say which one it is.

    Raises:
        MalformedDocument: not a disclosure.
        DisclosureMismatch: the receipts are not those of the heading.
        GatewayError: what :meth:`ReceiptVerifier.verify` raises for one of the receipts.
    """
    numbered = enumerate(lines, 1)
    _, first = next(numbered, (0, b""))
    heading = read_strict_object(first.rstrip(b"\n"))
    shape.require(heading, "heading")
    fields = heading["fields"]
    found = Verified(heading, {str(name): 0 for name in fields} if isinstance(fields, list) else {})
    for number, line in numbered:
        try:
            record = verifier.verify(line.rstrip(b"\n"))
            found.add(_fields_of(line), record)
        except GatewayError as error:
            error.field = f"line {number} {error.field}".rstrip()
            raise
    if heading["issuer"] != verifier.ring.issuer or heading["records"] != len(found.ids):
        raise DisclosureMismatch(
            f"the heading says {heading['records']} records of {heading['issuer']},"
            f" there are {len(found.ids)} of {verifier.ring.issuer}"
        )
    return found


def _fields_of(receipt: bytes) -> list[str]:
    """Return which fields a receipt discloses; it has been verified, so its shape is known."""
    disclosures = read_strict_object(receipt, texts=RECEIPT_TEXTS)["disclosures"]
    return [Disclosure.parse(entry).field for entry in disclosures] if isinstance(disclosures, list) else []


def _whole(value: Json, name: str) -> int:
    return int(str(value[name])) if isinstance(value, dict) else 0
