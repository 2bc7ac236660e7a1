"""The journal of decisions, and record files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from gateway.ports.claims import ClaimDecision, ClaimStore
from gateway.ports.corridors import CorridorDocuments
from gateway.ports.memory import Memory, NewEvents
from gateway.ports.plausible import FindingFile, NewSpan

__all__ = [
    "BatchRow",
    "Begun",
    "DayClosed",
    "EncodedFile",
    "Journal",
    "KeptColumns",
    "PartCounts",
    "PartDecision",
    "PrivateColumns",
    "PrivateRow",
    "PublishedMapping",
    "RecordFile",
    "RecordFiles",
]


class PrivateRow(NamedTuple):
    """One record as it is kept: everything its bytes are made of, and what only its owner may see.

    ``event``, ``event_salt``, ``person``, ``subject_salt`` and ``household`` are the private columns:
    erasing a person empties them, and the commitments beside them keep the record's hash valid.
    """

    leaf_index: int
    id: str
    leaf: bytes
    day: str
    behaviour: str
    inputs: str
    evidence: str
    ownership: str
    mapping: str
    co2e_mg: int
    points_uncapped: int
    points: int
    claimed_mg: int | None
    claimed_points: int | None
    event_commitment: bytes
    subject_commitment: bytes
    event: str | None
    event_salt: bytes | None
    person: bytes | None
    subject_salt: bytes | None
    household: bytes | None


class KeptColumns(NamedTuple):
    """The rows of a record file, column by column: the members of :class:`PrivateRow`."""

    leaf_index: list[int]
    id: list[str]
    leaf: list[bytes]
    day: list[str]
    behaviour: list[str]
    inputs: list[str]
    evidence: list[str]
    ownership: list[str]
    mapping: list[str]
    co2e_mg: list[int]
    points_uncapped: list[int]
    points: list[int]
    claimed_mg: list[int | None]
    claimed_points: list[int | None]
    event_commitment: list[bytes]
    subject_commitment: list[bytes]
    event: list[str | None]
    event_salt: list[bytes | None]
    person: list[bytes | None]
    subject_salt: list[bytes | None]
    household: list[bytes | None]


class PrivateColumns(NamedTuple):
    """The rows of a batch, column by column, in the order of its leaves: the members of :class:`PrivateRow`.

    What has a fixed length is packed without anything between.
    """

    id: bytes
    leaf: bytes
    day: list[str]
    behaviour: list[str]
    inputs: list[str]
    evidence: list[str]
    ownership: list[str]
    mapping: list[str]
    co2e_mg: list[int]
    points_uncapped: list[int]
    points: list[int]
    claimed_mg: list[int | None]
    claimed_points: list[int | None]
    event_commitment: bytes
    subject_commitment: bytes
    event: list[str]
    event_salt: bytes
    person: bytes
    subject_salt: bytes
    household: list[bytes | None]


class EncodedFile(NamedTuple):
    """The rows of one day of a batch as the bytes of a record file, and their digest."""

    day: str
    rows: int
    digest: str
    data: bytes


class RecordFile(NamedTuple):
    """A file of private rows: its path below ``records/``, its digest, its day and its number of rows."""

    path: str
    digest: str
    day: str
    rows: int


class PartCounts(NamedTuple):
    """What became of one part of a submission; ``rejected`` is per code, sums are of accepted acts.

    ``rows`` counts rows of the input; ``merged`` those of them that are the other half of an act
    (the entry tap of a trip), so rows = accepted + duplicates + rejected + merged. ``claims_differ`` counts
    accepted acts for which the platform's own figure is further from ours than the mapping tolerates;
    ``findings`` counts by rule what people should look at of accepted acts.
    """

    rows: int = 0
    merged: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: Mapping[str, int] = MappingProxyType({})
    claims_differ: int = 0
    findings: Mapping[str, int] = MappingProxyType({})
    co2e_mg: int = 0
    points: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDecision:
    """Everything that one part of a submission changes, written in one transaction.

    ``entry`` is the signed batch statement, empty where the part accepted nothing. ``rejected_by_day``
    counts rejected rows by readable day (None: no readable day) and code.
    """

    submission: str
    number: int
    counts: PartCounts
    platform: str
    kind: str
    series: int
    entry: bytes
    entry_digest: str
    root: bytes
    size: int
    issued: str
    files: Sequence[RecordFile]
    events: NewEvents
    cap_usage: Mapping[bytes, int]
    rejected_by_day: Mapping[tuple[str | None, str], int] = field(default_factory=dict)
    findings: FindingFile | None = None
    spans: Sequence[NewSpan] = ()
    claims: ClaimDecision | None = None


class BatchRow(NamedTuple):
    """One batch as the journal knows it. ``number`` counts all batches of the home, ``series`` its own."""

    number: int
    platform: str
    kind: str
    series: int
    entry_digest: str
    root: bytes
    size: int
    submission: str
    part: int
    position: int
    issued: str


class Begun(NamedTuple):
    """How a submission is run: the rows of a part, and whether an earlier run was interrupted."""

    part_rows: int
    interrupted: bool


class PublishedMapping(NamedTuple):
    """A mapping version that this home has published in its log at ``position``."""

    id: str
    version: int
    digest: str
    canonical: bytes
    position: int


class DayClosed(NamedTuple):
    """A day statement that was made: it covers the batches after ``after`` up to ``through``."""

    platform: str
    day: str
    supplement: int
    after: int
    through: int
    position: int


class Journal(Memory, Protocol):
    """The database of decisions. A decision is made when its transaction commits, and only then."""

    @property
    def claims(self) -> ClaimStore:
        """Return the claims of the home."""
        ...

    @property
    def corridors(self) -> CorridorDocuments:
        """Return what platforms have signed about their corridors."""
        ...

    def platforms(self) -> list[str]:
        """Return the platforms that the home has something of."""
        ...

    def drop_spans(self, day: int) -> None:
        """Forget when acts took place that need not be remembered on a day."""
        ...

    def finding_files(self) -> dict[int, FindingFile]:
        """Return the finding files by batch."""
        ...

    def series_head(self, platform: str, kind: str) -> tuple[int, str]:
        """Return the next sequence number of a series and the digest of its newest entry."""
        ...

    def next_batch(self) -> int:
        """Return the number that the next batch will get."""
        ...

    def parts(self, submission: str) -> dict[int, PartCounts]:
        """Return the counts of the parts that an unfinished run of this submission has decided."""
        ...

    def begin(self, submission: str, description: Mapping[str, object], *, part_rows: int) -> Begun:
        """Note that a submission begins or goes on; it is always cut into parts as it was the first time."""
        ...

    def finish(self, submission: str) -> None:
        """Note that all parts of a submission are decided."""
        ...

    def decide(self, decision: PartDecision) -> int:
        """Write a part's decision and queue its log entry in one transaction; return the batch number."""
        ...

    def publish_mapping(self, mapping: PublishedMapping, entry: bytes) -> None:
        """Store a mapping version and queue its log entry in one transaction."""
        ...

    def queue(self, entry: bytes) -> int:
        """Queue another log entry and return its position."""
        ...

    def close_day(self, closed: DayClosed, entry: bytes) -> None:
        """Store a day statement and queue its log entry in one transaction."""
        ...

    def queued(self, start: int, limit: int) -> list[bytes]:
        """Return queued entries from a position of the log on."""
        ...

    def length(self) -> int:
        """Return how many entries were ever queued: the log's length once all are published."""
        ...

    def mappings(self) -> list[PublishedMapping]:
        """Return all published mappings in the order of publication."""
        ...

    def batches(self) -> Iterator[BatchRow]:
        """Return all batches in order."""
        ...

    def batch(self, number: int) -> BatchRow:
        """Return one batch."""
        ...

    def files(self, batch: int) -> list[RecordFile]:
        """Return the record files of one batch."""
        ...

    def event_count(self) -> int:
        """Return how many events the index holds."""
        ...

    def index_holds(self, keys: bytes, contents: bytes, *, batch: int) -> bool:
        """Tell whether the index leads from each event to its content and place in a batch, leaf by leaf."""
        ...

    def require_index(self) -> None:
        """Check the files of events and caps; raises IntegrityBroken naming the file."""
        ...

    def all_cap_usage(self) -> Iterator[tuple[bytes, int]]:
        """Return every cap usage, by key."""
        ...

    def days_closed(self, platform: str | None = None) -> list[DayClosed]:
        """Return the day statements made so far, in order."""
        ...

    def rejected(self, platform: str, day: str | None, *, supplement: int | None) -> dict[str, int]:
        """Return the counts of rejected rows of a day by code: those of one statement, or of none yet."""
        ...


class RecordFiles(Protocol):
    """The private record files of a home."""

    def write(self, platform: str, batch: int, *, files: Sequence[EncodedFile]) -> list[RecordFile]:
        """Write a batch's files durably; replaces what a killed run has left."""
        ...

    def read(self, file: RecordFile) -> list[PrivateRow]:
        """Read one file after checking its digest; raises IntegrityBroken naming the file."""
        ...

    def read_columns(self, file: RecordFile) -> KeptColumns:
        """Do the same as :meth:`read`, column by column."""
        ...

    def ids(self, file: RecordFile) -> dict[int, str]:
        """Return the ids of a file's records by the index of their leaves, after checking its digest."""
        ...

    def find(self, record_id: str) -> int | None:
        """Return the number of the batch that has the record; the row is believed after `read` only."""
        ...

    def strays(self, known: set[str]) -> list[str]:
        """Return paths below ``records/`` that the journal does not know."""
        ...

    def sweep(self, batch: int) -> None:
        """Remove what a killed run has written of a batch that was never decided."""
        ...
