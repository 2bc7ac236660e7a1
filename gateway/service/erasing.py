"""Forget a person on request: what tells of them goes, what proves the records stays.

A record file loses the private columns of the person's rows; the other columns still give each record's
bytes, so every root and every receipt stays valid. What is decided stands in one transaction: before it
all is old, after it all is new.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

import orjson

from gateway.convert import Converted
from gateway.errors import LocalFileError, Refused
from gateway.model.erasure import CarriedUse, Erasure, ReplacedFile
from gateway.model.statement import erasure_statement
from gateway.ports import BatchRow, Clock, Findings, Journal, Log, PrivateRow, RecordFile, RecordFiles
from gateway.service.acts.recording import document_of, frame_of
from gateway.service.converting.findings import without_place
from gateway.service.mentions import Mentions
from gateway.service.moments import instant_text
from gateway.service.publishing import PublishingRings, publish_queue
from gateway.service.receipts.cap_replay import CapBook, CapReplay
from gateway.service.receipts.replaying import Replayer
from gateway.service.transfers.moves import moves_without
from gateway.signing import KeyedIndex, Signer, seal

__all__ = [
    "Erased",
    "Erasing",
    "ErasureStore",
    "NothingFound",
    "SetAside",
    "erase_person",
]

NOTICE_BYTES: Final = 16


class NothingFound(LocalFileError):
    """Nothing in this home names the person."""

    code = "nothing-found"
    remedy = "write the account exactly as the platform does, and name the platform that it belongs to"


class ErasableFiles(RecordFiles, Protocol):
    """Record files that can be written anew."""

    def names(self, file: RecordFile, pseudonym: bytes) -> bool:
        """Tell whether some row of a file names a person or household."""
        ...

    def replace(self, file: RecordFile, *, rows: Sequence[PrivateRow]) -> RecordFile:
        """Write the rows of a file anew beside it, durably."""
        ...


class ErasureStore(Protocol):
    """What a home remembers, decides and takes away."""

    def carried(self) -> Iterable[CarriedUse]:
        """Return what erased records have used of caps."""
        ...

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """Return what each submission consists of."""
        ...

    def describe(self, submission: str, description: Mapping[str, object]) -> None:
        """Replace what is said of a submission."""
        ...

    def replace_findings(self, batch: int, lines: Sequence[bytes]) -> None:
        """Replace the findings of a batch, by as many."""
        ...

    def orders(self, platform: str, account: bytes) -> int:
        """Return how many orders of a platform still say that they linked an account, or unlinked it."""
        ...

    def forget_orders(self, platform: str, account: bytes) -> None:
        """Have them say no longer which account that was."""
        ...

    def transfers(self, platform: str) -> Iterable[tuple[str, str]]:
        """Yield the transfers of which a platform is an end: id and document."""
        ...

    def forget_transfers(self, documents: Mapping[str, str]) -> None:
        """Put these in the place of transfers' documents, and drop the requests that began them."""
        ...

    def begin(self) -> None:
        """Mark that an erasure is under way, and sweep away what killed runs have left."""
        ...

    def decide(self, erasure: Erasure) -> int:
        """Write an erasure and queue its notice in one transaction; return the notice's position."""
        ...

    def finish(self) -> None:
        """Take away everything that nobody refers to."""
        ...


class SetAside(Protocol):
    """Files of rows that were set aside."""

    def empty(
        self,
        concerns: Callable[[str], bool],
        names: Callable[[Collection[str]], bool],
        *,
        dry_run: bool = False,
    ) -> tuple[int, int]:
        """Empty the rows that name somebody; returns how many rows, in how many files."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """What erasing needs; joined by ``gateway.app``."""

    issuer: str
    journal: Journal
    records: ErasableFiles
    set_aside: SetAside
    findings: Findings
    store: ErasureStore
    log: Log
    index: KeyedIndex
    replayer: Replayer
    caps: CapBook
    signers: Sequence[Signer]
    rings: Callable[[], PublishingRings]
    clock: Clock
    random_bytes: Callable[[int], bytes]


@dataclass(slots=True)
class Erased:
    """What was found of a person and, unless it was a dry run, erased."""

    records: int = 0
    record_files: int = 0
    rows_set_aside: int = 0
    files_set_aside: int = 0
    file_names: int = 0
    log_entry: int | None = None
    findings: int = 0
    links: int = 0
    orders: int = 0
    transfers: int = 0


class _Found(NamedTuple):
    """A record file, and those of its rows that name the person, also as a household."""

    batch: BatchRow
    file: RecordFile
    rows: list[PrivateRow]


@dataclass(slots=True)
class _Carrying:
    """Adds up what the records that are about to be erased have used of caps."""

    uses: dict[bytes, CarriedUse] = field(default_factory=dict)

    def add(self, use: CarriedUse) -> None:
        before = self.uses.get(use.key)
        self.uses[use.key] = use._replace(used=use.used + (before.used if before else 0))


def erase_person(
    person: str,
    platform: str,
    *,
    parts: Erasing,
    dry_run: bool = False,
    watch: Callable[[int], None] = lambda _rows: None,
) -> Erased:
    """Erase a person, named by the platform's own account id.

    1. sweep away what killed runs have left  2. find the person's rows by their pseudonym  3. empty the
    rows that were set aside and the findings, and forget names of files  4. write the record files anew
    beside the old  5. decide  6. take the old away  7. publish. A run that was killed is finished by the
    same command.

    Raises:
        NothingFound: nothing in this home names the person.
        TransfersUnderWay: points of the person are moving; what carries them needs to name the account.
        Refused: a file that nobody knows lies where personal data may be.
    """
    moves = moves_without(person, parts.store.transfers(platform), platform=platform)
    if not dry_run:
        parts.store.begin()
    _require_no_strays(parts)
    pseudonym = parts.index.pseudonym(platform, person)
    found = list(_search(platform, pseudonym, parts=parts))
    theirs = [row for one in found for row in one.rows if row.person == pseudonym]
    events = [row.event for row in theirs if row.event is not None]
    mentions = Mentions(person, pseudonym=pseudonym, events=events)
    erased = Erased(records=len(theirs), record_files=len(found))
    erased.links = len(parts.journal.claims.links([pseudonym]))
    erased.orders = parts.store.orders(platform, pseudonym)
    erased.transfers = len(moves)
    _empty_set_aside(platform, mentions, erased=erased, parts=parts, dry_run=dry_run)
    ids = {row.id for row in theirs}
    erased.findings = _empty_findings(platform, mentions, records=ids, parts=parts, dry_run=dry_run)
    if not dry_run:
        if found:
            keys = [parts.index.event(platform, event) for event in events]
            schemes = {parts.replayer.program(row.mapping).id for row in theirs}
            own = [parts.index.own_acts(scheme, [pseudonym.hex()]) for scheme in sorted(schemes)]
            carried = _carried(platform, pseudonym, found=found, parts=parts, watch=watch)
            erased.log_entry = _decide(
                found, pseudonym, events=keys, own_acts=own, carried=carried, parts=parts
            )
        elif erased.links:
            parts.journal.claims.unlink(pseudonym)
        parts.store.forget_orders(platform, pseudonym)
        parts.store.forget_transfers(moves)
        parts.store.finish()
        publish_queue(parts.journal, parts.log, rings=parts.rings)
    besides = (erased.rows_set_aside, erased.file_names, erased.findings, erased.links, erased.orders)
    if not (found or moves or any(besides)):
        raise NothingFound("nothing in this home names that person at that platform")
    return erased


def _require_no_strays(parts: Erasing) -> None:
    known = {file.path for batch in parts.journal.batches() for file in parts.journal.files(batch.number)}
    strays = [f"records/{path}" for path in parts.records.strays(known)]
    strays += [f"findings/{name}" for name in parts.findings.strays(set(parts.journal.finding_files()))]
    for path in strays:
        raise Refused(
            f"{path} belongs to no batch: whom it names cannot be told",
            remedy="move it out of the home, and erase the person there too",
        )


def _search(platform: str, pseudonym: bytes, *, parts: Erasing) -> Iterator[_Found]:
    for batch in _batches(parts.journal, platform):
        for file in parts.journal.files(batch.number):
            if parts.records.names(file, pseudonym):
                rows = parts.records.read(file)
                yield _Found(batch, file, [row for row in rows if pseudonym in (row.person, row.household)])


def _batches(journal: Journal, platform: str) -> Iterator[BatchRow]:
    return (batch for batch in journal.batches() if batch.platform == platform)


def _empty_set_aside(
    platform: str, mentions: Mentions, *, erased: Erased, parts: Erasing, dry_run: bool
) -> None:
    """Empty rows of the platform's submissions; an account of that name at another platform is another's."""
    described = parts.store.descriptions()
    others = {name for name, said in described.items() if str(said["scheme"]).rpartition("/")[0] != platform}
    erased.rows_set_aside, erased.files_set_aside = parts.set_aside.empty(
        lambda submission: submission not in others, mentions.named_by, dry_run=dry_run
    )
    for name in described.keys() - others:
        files = [
            ["" if mentions.in_text(file) else file, digest] for file, digest in described[name]["files"]
        ]
        if files != described[name]["files"]:
            erased.file_names += sum(not file for file, _ in files)
            if not dry_run:
                parts.store.describe(name, {**described[name], "files": files})


def _empty_findings(
    platform: str, mentions: Mentions, *, records: Collection[str], parts: Erasing, dry_run: bool
) -> int:
    """Take from findings where the person's acts stood, and names of files that name the person."""
    emptied = 0
    files = parts.journal.finding_files()
    for number in [batch.number for batch in _batches(parts.journal, platform) if batch.number in files]:
        lines = parts.findings.read(number, files[number])
        places = [
            place
            for place, line in enumerate(map(orjson.loads, lines))
            if "file" in line and (line["record"] in records or mentions.in_text(line["file"]))
        ]
        emptied += len(places)
        if places and not dry_run:
            for place in places:
                lines[place] = without_place(lines[place])
            parts.store.replace_findings(number, lines)
    return emptied


def _decide(
    found: Sequence[_Found],
    pseudonym: bytes,
    *,
    events: Sequence[bytes],
    own_acts: Sequence[bytes],
    carried: Sequence[CarriedUse],
    parts: Erasing,
) -> int:
    files = []
    for _, file, _ in found:
        emptied = [_emptied(row, pseudonym) for row in parts.records.read(file)]
        written = parts.records.replace(file, rows=emptied)
        files.append(ReplacedFile(file.path, written.path, written.digest))
    notice = parts.random_bytes(NOTICE_BYTES).hex()
    issued = instant_text(parts.clock.now())
    return parts.store.decide(
        Erasure(
            notice=notice,
            entry=seal(erasure_statement(parts.issuer, notice, issued=issued), parts.signers),
            records=sum(row.person == pseudonym for one in found for row in one.rows),
            files=files,
            events=events,
            own_acts=own_acts,
            carried=carried,
            account=pseudonym,
            claims_after=parts.clock.now().toordinal() + 1,  # it may be tomorrow in some zone already
        )
    )


def _emptied(row: PrivateRow, pseudonym: bytes) -> PrivateRow:
    """Return a row without what tells of the person; a household may go by one member's account."""
    if row.person == pseudonym:
        return row._replace(event=None, event_salt=None, person=None, subject_salt=None, household=None)
    return row._replace(household=None) if row.household == pseudonym else row


def _carried(
    platform: str,
    pseudonym: bytes,
    *,
    found: Sequence[_Found],
    parts: Erasing,
    watch: Callable[[int], None],
) -> list[CarriedUse]:
    """Return what the records that will be nobody's have used of each cap, by replaying the caps.

    Caps per person concern this person's records alone; others concern those of everybody.
    """
    programs = {row.mapping: parts.replayer.program(row.mapping) for one in found for row in one.rows}
    caps = [cap for program in programs.values() for cap in program.caps]
    if not caps:
        return []
    replay = CapReplay(index=parts.index, replayer=parts.replayer, book=parts.caps)
    replay.carry(parts.store.carried())
    only = pseudonym if all(cap.whom == "person" for cap in caps) else None
    carrying, done = _Carrying(), 0
    for batch in _batches(parts.journal, platform):
        rows = _rows(batch, found, only=only, parts=parts)
        accepted = datetime.strptime(batch.issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        for one in replay.replay([(row, _converted(row, batch, parts=parts)) for row in rows], accepted):
            emptied = _emptied(one.row, pseudonym)
            if not one.known or replay.counts_for_somebody(emptied, accepted):
                continue
            for use in one.uses:
                used = one.row.points if use.of == "points" else use.counted
                if used:
                    name = parts.index.caps(one.scheme, [use.key])
                    carrying.add(CarriedUse(name, one.scheme, use.key.cap, use.key.period, used))
        done += len(rows)
        watch(done)
    return list(carrying.uses.values())


def _rows(
    batch: BatchRow, found: Sequence[_Found], *, only: bytes | None, parts: Erasing
) -> list[PrivateRow]:
    """Return rows of a batch in their order: all of them, or those of one person."""
    if only is None:
        return sorted(row for file in parts.journal.files(batch.number) for row in parts.records.read(file))
    mine = (one for one in found if one.batch.number == batch.number)
    return sorted(row for one in mine for row in one.rows if row.person == only)


def _converted(row: PrivateRow, batch: BatchRow, *, parts: Erasing) -> Converted:
    frame = frame_of(parts.replayer.program(row.mapping), issuer=parts.issuer, issued=batch.issued)
    return parts.replayer.recompute(document_of(row, frame))
