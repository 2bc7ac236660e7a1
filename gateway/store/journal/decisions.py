"""The journal on SQLAlchemy Core: decisions in one transaction each, reads by key."""

import json
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, select, union, update

from gateway.errors import InvariantBroken, NotFound
from gateway.model.erasure import FORGOTTEN, NOWHERE
from gateway.model.packed import cut
from gateway.ports import (
    EVENT_CONTENT_BYTES,
    BatchRow,
    Begun,
    DayClosed,
    EventMark,
    FindingFile,
    NewEvents,
    NewSpan,
    PartCounts,
    PartDecision,
    PublishedMapping,
    RecordFile,
)
from gateway.store.files.keyed import KeyedFiles, StagedRun
from gateway.store.files.sorted_runs import KEY_BYTES
from gateway.store.journal.claims import SqlClaims
from gateway.store.journal.corridors import SqlCorridors
from gateway.store.journal.spans import drop_spans, read_spans, write_spans
from gateway.store.sql import tables as t
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert
from gateway.store.sql.queueing import next_number, queue_entry

__all__ = ["SqlJournal"]

NO_DAY: Final = "unreadable"  # the day of statements about rejected rows that have no readable day
_EVENT: Final = struct.Struct(f"<{EVENT_CONTENT_BYTES}sII")  # content, batch, index of the leaf
_MARK: Final = np.dtype([("content", f"V{EVENT_CONTENT_BYTES}"), ("batch", "<u4"), ("leaf_index", "<u4")])
_USED: Final = struct.Struct("<Q")


_Staged = tuple[StagedRun | None, StagedRun | None]
"""Runs of events and of caps that do not count yet."""


class SqlJournal:
    """The journal of one home (:class:`gateway.ports.Journal`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._events = KeyedFiles(database, "events", width=_EVENT.size)
        self._caps = KeyedFiles(database, "caps", width=_USED.size)
        self.claims = SqlClaims(database)
        self.corridors = SqlCorridors(database)

    def known_events(self, keys: Sequence[bytes]) -> dict[bytes, EventMark]:
        """Return those of the keys that have a record already."""
        found = self._events.find(b"".join(keys))
        return {key: EventMark._make(_EVENT.unpack(value)) for key, value in found.items()}

    def cap_usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """Return what has been used of each cap."""
        found = self._caps.find(b"".join(keys))
        return {key: _USED.unpack(value)[0] for key, value in found.items()}

    def store_cap_usage(self, usage: Mapping[bytes, int]) -> None:
        """Replace what has been used of some caps; for the books of an audit."""
        self.note(NewEvents(b"", b""), usage)

    def own_spans(
        self, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
    ) -> dict[bytes, list[tuple[int, int]]]:
        """Return when persons' acts took place: those remembered on a day, that reach into the window."""
        with self._database.read() as connection:
            return read_spans(connection, keys, day=day, window=window)

    def drop_spans(self, day: int) -> None:
        """Forget when acts took place that need not be remembered on a day."""
        with self._database.write() as connection:
            drop_spans(connection, day)

    def note(self, events: NewEvents, usage: Mapping[bytes, int], *, spans: Sequence[NewSpan] = ()) -> None:
        """Remember events, caps and times without a batch; for dry runs."""
        staged = self._stage_events(events, batch=NOWHERE), self._stage_usage(usage)
        with self._database.write() as connection:
            self._adopt(connection, staged)
            write_spans(connection, spans)
        self._tidy()

    def series_head(self, platform: str, kind: str) -> tuple[int, str]:
        """Return the next sequence number of a series and the digest of its newest entry."""
        query = (
            select(t.batches.c.series, t.batches.c.entry_digest)
            .where(t.batches.c.platform == platform, t.batches.c.kind == kind)
            .order_by(t.batches.c.series.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).first()
        return (row.series + 1, row.entry_digest) if row else (0, "")

    def next_batch(self) -> int:
        """Return the number that the next batch will get."""
        with self._database.read() as connection:
            return next_number(connection, t.batches.c.number)

    def parts(self, submission: str) -> dict[int, PartCounts]:
        """Return the counts of the parts that an unfinished run of this submission has decided."""
        query = (
            select(t.parts.c.number, t.parts.c.counts)
            .join(t.submissions, t.submissions.c.id == t.parts.c.submission)
            .where(t.parts.c.submission == submission, t.submissions.c.finished == 0)
        )
        with self._database.read() as connection:
            return {number: PartCounts(**json.loads(text)) for number, text in connection.execute(query)}

    def begin(self, submission: str, description: Mapping[str, object], *, part_rows: int) -> Begun:
        """Note that a submission begins or goes on; it is always cut into parts as it was the first time."""
        self._events.sweep()
        self._caps.sweep()
        self.claims.sweep()
        with self._database.write() as connection:
            row = connection.execute(select(t.submissions).where(t.submissions.c.id == submission)).first()
            if row is not None:
                return Begun(json.loads(row.description)["part_rows"], interrupted=row.finished == 0)
            noted = {**description, "part_rows": part_rows}
            text = json.dumps(noted, ensure_ascii=False, sort_keys=True)
            connection.execute(insert(t.submissions).values(id=submission, description=text, finished=0))
        return Begun(part_rows, interrupted=False)

    def finish(self, submission: str) -> None:
        """Note that all parts of a submission are decided."""
        with self._database.write() as connection:
            connection.execute(
                update(t.submissions).where(t.submissions.c.id == submission).values(finished=1)
            )

    def decide(self, decision: PartDecision) -> int:
        """Write a part's decision and queue its log entry in one transaction; return the batch number.

        Raises:
            InvariantBroken: one of its events has a record already.
        """
        keys = cut(decision.events.keys, KEY_BYTES)
        if len(set(keys)) != len(keys) or self.known_events(keys):
            raise InvariantBroken(f"an event of part {decision.number} would be recorded twice")
        batch = self.next_batch()
        staged = self._stage_events(decision.events, batch=batch), self._stage_usage(decision.cap_usage)
        claims = self.claims.stage(decision.claims)
        with self._database.write() as connection:
            if decision.entry:
                _write_batch(connection, decision, batch=batch)
                self._adopt(connection, staged)
                self.claims.adopt(connection, claims)
            _write_part(connection, decision)
        self._tidy()
        self.claims.tidy()
        return batch

    def publish_mapping(self, mapping: PublishedMapping, entry: bytes) -> None:
        """Store a mapping version and queue its log entry in one transaction."""
        with self._database.write() as connection:
            position = queue_entry(connection, entry)
            connection.execute(insert(t.mappings).values(**{**mapping._asdict(), "position": position}))

    def queue(self, entry: bytes) -> int:
        """Queue another log entry and return its position."""
        with self._database.write() as connection:
            return queue_entry(connection, entry)

    def close_day(self, closed: DayClosed, entry: bytes) -> None:
        """Store a day statement and queue its log entry in one transaction."""
        with self._database.write() as connection:
            position = queue_entry(connection, entry)
            connection.execute(insert(t.days).values(**{**closed._asdict(), "position": position}))
            day = "" if closed.day == NO_DAY else closed.day
            open_ones = t.rejections.c.supplement.is_(None)
            mine = update(t.rejections).where(_of_day(closed.platform, day), open_ones)
            connection.execute(mine.values(supplement=closed.supplement))

    def queued(self, start: int, limit: int) -> list[bytes]:
        """Return queued entries from a position of the log on."""
        query = select(t.queue.c.entry).where(t.queue.c.position >= start).order_by(t.queue.c.position)
        with self._database.read() as connection:
            return list(connection.execute(query.limit(limit)).scalars())

    def length(self) -> int:
        """Return how many entries were ever queued: the log's length once all are published."""
        with self._database.read() as connection:
            return next_number(connection, t.queue.c.position)

    def announces(self, digest: str) -> bool:
        """Tell whether some queued entry names this digest; asked only after a kill in a change of keys."""
        entries = select(t.queue.c.entry).order_by(t.queue.c.position.desc())
        with self._database.read() as connection:
            return any(digest.encode() in entry for entry in connection.execute(entries).scalars())

    def mappings(self) -> list[PublishedMapping]:
        """Return all published mappings in the order of publication."""
        columns = [t.mappings.c[name] for name in PublishedMapping._fields]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(t.mappings.c.position))
            return [PublishedMapping(*row) for row in rows]

    def platforms(self) -> list[str]:
        """Return the platforms that have batches or rejected rows."""
        query = union(select(t.batches.c.platform), select(t.rejections.c.platform))
        with self._database.read() as connection:
            return sorted(connection.execute(query).scalars())

    def batches(self) -> Iterator[BatchRow]:
        """Return all batches in order."""
        query = _batch_query().order_by(t.batches.c.number)
        with self._database.read() as connection:
            for row in connection.execute(query):
                yield BatchRow(*row)

    def batch(self, number: int) -> BatchRow:
        """Return one batch."""
        with self._database.read() as connection:
            row = connection.execute(_batch_query().where(t.batches.c.number == number)).first()
        if row is None:
            raise NotFound(
                f"there is no batch {number} in this home",
                remedy="`tanqiao audit` tells which batches the log has; is this the right --home?",
            )
        return BatchRow(*row)

    def files(self, batch: int) -> list[RecordFile]:
        """Return the record files of one batch."""
        columns = [t.files.c[name] for name in RecordFile._fields]
        query = select(*columns).where(t.files.c.batch == batch).order_by(t.files.c.path)
        with self._database.read() as connection:
            return [RecordFile(*row) for row in connection.execute(query)]

    def finding_files(self) -> dict[int, FindingFile]:
        """Return the finding files by batch."""
        query = select(t.findings.c.batch, t.findings.c.digest, t.findings.c.size)
        with self._database.read() as connection:
            return {batch: FindingFile(digest, size) for batch, digest, size in connection.execute(query)}

    def event_count(self) -> int:
        """Return how many events the index holds."""
        return self._events.count()

    def all_cap_usage(self) -> Iterator[tuple[bytes, int]]:
        """Return every cap usage, by key."""
        for key, value in self._caps.items():
            yield key, _USED.unpack(value)[0]

    def index_holds(self, keys: bytes, contents: bytes, *, batch: int) -> bool:
        """Tell whether the index leads from each event to its content and place in a batch, leaf by leaf."""
        return self._events.holds(keys, _marks(contents, batch=batch))

    def require_index(self) -> None:
        """Check the files of events and caps; raises IntegrityBroken naming the file."""
        self._events.require_whole()
        self._caps.require_whole()

    def days_closed(self, platform: str | None = None) -> list[DayClosed]:
        """Return the day statements made so far, in order."""
        columns = [t.days.c[name] for name in DayClosed._fields]
        query = select(*columns).order_by(t.days.c.position)
        if platform is not None:
            query = query.where(t.days.c.platform == platform)
        with self._database.read() as connection:
            return [DayClosed(*row) for row in connection.execute(query)]

    def rejected(self, platform: str, day: str | None, *, supplement: int | None) -> dict[str, int]:
        """Return the counts of rejected rows of a day by code: those of one statement, or of none yet."""
        query = (
            select(t.rejections.c.code, func.sum(t.rejections.c.count))
            .where(_of_day(platform, day or ""), t.rejections.c.supplement.is_not_distinct_from(supplement))
            .group_by(t.rejections.c.code)
        )
        with self._database.read() as connection:
            return {code: int(count) for code, count in connection.execute(query)}

    def stage_forgotten(self, keys: Sequence[bytes]) -> StagedRun | None:
        """Write a run in which events have neither content nor record; :meth:`forget` makes it count."""
        mark = _EVENT.pack(FORGOTTEN, NOWHERE, NOWHERE)
        return self._events.stage(b"".join(keys), mark * len(keys))

    def forget(self, connection: Connection, staged: StagedRun | None) -> None:
        """Let a staged run take the place of what is remembered of its events, inside a transaction."""
        self._events.adopt(connection, staged)

    def scrub_index(self) -> None:
        """Leave nothing of what was remembered of events and caps before; only the writer may."""
        self._events.compact()
        self._caps.compact()

    def _stage_events(self, events: NewEvents, *, batch: int) -> StagedRun | None:
        return self._events.stage(events.keys, _marks(events.contents, batch=batch))

    def _stage_usage(self, usage: Mapping[bytes, int]) -> StagedRun | None:
        return self._caps.stage(b"".join(usage), np.fromiter(usage.values(), "<u8", len(usage)).tobytes())

    def _adopt(self, connection: Connection, staged: _Staged) -> None:
        self._events.adopt(connection, staged[0])
        self._caps.adopt(connection, staged[1])

    def _tidy(self) -> None:
        self._events.tidy()
        self._caps.tidy()


def _write_batch(connection: Connection, decision: PartDecision, *, batch: int) -> None:
    position = queue_entry(connection, decision.entry)
    connection.execute(
        insert(t.batches).values(
            number=batch,
            platform=decision.platform,
            kind=decision.kind,
            series=decision.series,
            entry_digest=decision.entry_digest,
            root=decision.root,
            size=decision.size,
            submission=decision.submission,
            part=decision.number,
            position=position,
            issued=decision.issued,
        )
    )
    connection.execute(insert(t.files), [{**file._asdict(), "batch": batch} for file in decision.files])
    write_spans(connection, decision.spans)
    if decision.findings is not None:
        connection.execute(insert(t.findings).values(batch=batch, **decision.findings._asdict()))


def _write_part(connection: Connection, decision: PartDecision) -> None:
    """Note the part's counts; a finished submission that is run again adds no second row."""
    plain = {"rejected": dict(decision.counts.rejected), "findings": dict(decision.counts.findings)}
    counts = json.dumps({**decision.counts._asdict(), **plain})
    values = {"submission": decision.submission, "number": decision.number, "counts": counts}
    unless_known = upsert(connection, t.parts).values(**values).on_conflict_do_nothing()
    if connection.execute(unless_known.returning(t.parts.c.number)).first() is None:
        return
    rejected = [
        {
            "submission": decision.submission,
            "part": decision.number,
            "platform": decision.platform,
            "day": day or "",
            "code": code,
            "count": count,
        }
        for (day, code), count in sorted(decision.rejected_by_day.items(), key=str)
    ]
    if rejected:
        connection.execute(insert(t.rejections), rejected)


def _batch_query() -> Select[Any]:
    return select(*[t.batches.c[name] for name in BatchRow._fields])


def _of_day(platform: str, day: str) -> ColumnElement[bool]:
    return and_(t.rejections.c.platform == platform, t.rejections.c.day == day)


def _marks(contents: bytes, *, batch: int) -> bytes:
    """Pack what is remembered of the events of a batch, in the order of its leaves."""
    marks = np.empty(len(contents) // EVENT_CONTENT_BYTES, _MARK)
    marks["content"] = np.frombuffer(contents, f"V{EVENT_CONTENT_BYTES}")
    marks["batch"], marks["leaf_index"] = batch, np.arange(len(marks))
    return marks.tobytes()
