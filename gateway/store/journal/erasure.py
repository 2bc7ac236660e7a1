"""The side of erasures that lives in the home: what is remembered, decided, and taken away.

A marker says that an erasure is under way. Before the transaction the new record files are strays, after it
the old ones are: whoever finds the marker sweeps away what no batch knows, and all is old or all is new.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from gateway.model.erasure import CarriedUse, Erasure, ErasureNotice
from gateway.ports import OperationKind
from gateway.store.files.durable import sync_folder, write_durably
from gateway.store.files.findings import NdjsonFindings
from gateway.store.files.records import ParquetRecordFiles
from gateway.store.files.set_aside import SetAsideFiles
from gateway.store.journal.decisions import SqlJournal
from gateway.store.ledger.tables import requests, transfers
from gateway.store.ledger.transfer_tables import ends
from gateway.store.serving.tables import operations
from gateway.store.sql import tables as t
from gateway.store.sql.database import Database
from gateway.store.sql.dialects import upsert
from gateway.store.sql.queueing import queue_entry

__all__ = ["HomeErasures"]


class HomeErasures:
    """The erasures of one home (:class:`gateway.service.erasing.ErasureStore`)."""

    def __init__(
        self,
        database: Database,
        marker: Path,
        *,
        journal: SqlJournal,
        records: ParquetRecordFiles,
        set_aside: SetAsideFiles,
        findings: NdjsonFindings,
    ) -> None:
        self._database = database
        self._marker = marker
        self._journal = journal
        self._records = records
        self._set_aside = set_aside
        self._findings = findings

    def notices(self) -> list[ErasureNotice]:
        """Return all erasures in the order of the log."""
        columns = [t.erasures.c[name] for name in ErasureNotice._fields]
        with self._database.read() as connection:
            rows = connection.execute(select(*columns).order_by(t.erasures.c.position))
            return [ErasureNotice(*row) for row in rows]

    def carried(self) -> Iterator[CarriedUse]:
        """Return what erased records have used of caps."""
        columns = [t.carried_usage.c[name] for name in CarriedUse._fields]
        with self._database.read() as connection:
            for row in connection.execute(select(*columns).order_by(t.carried_usage.c.key)):
                yield CarriedUse(*row)

    def descriptions(self) -> dict[str, dict[str, Any]]:
        """Return what each submission consists of."""
        with self._database.read() as connection:
            rows = connection.execute(select(t.submissions.c.id, t.submissions.c.description))
            return {name: orjson.loads(text) for name, text in rows}

    def describe(self, submission: str, description: Mapping[str, object]) -> None:
        """Replace what is said of a submission; its name stays."""
        text = orjson.dumps(description, option=orjson.OPT_SORT_KEYS).decode()
        with self._database.write() as connection:
            connection.execute(
                update(t.submissions).where(t.submissions.c.id == submission).values(description=text)
            )

    def replace_findings(self, batch: int, lines: Sequence[bytes]) -> None:
        """Replace the findings of a batch, by as many."""
        staged = self._findings.stage(batch, lines)
        with self._database.write() as connection:
            connection.execute(
                update(t.findings).where(t.findings.c.batch == batch).values(**staged._asdict())
            )
        self._findings.settle({batch: staged})

    def orders(self, platform: str, account: bytes) -> int:
        """Return how many orders of a platform still say that they linked an account, or unlinked it."""
        query = select(func.count()).select_from(operations).where(*_naming(platform, account))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def forget_orders(self, platform: str, account: bytes) -> None:
        """Have them say no longer which account that was; one that is repeated is then in conflict."""
        forgotten = update(operations).where(*_naming(platform, account))
        with self._database.write() as connection:
            connection.execute(forgotten.values(result='{"result":{}}', content_sha256=bytes(32)))

    def transfers(self, platform: str) -> Iterator[tuple[str, str]]:
        """Yield the transfers of which a platform is an end: id and document."""
        mine = select(ends.c.transfer).where(ends.c.platform == platform)
        query = select(transfers.c.id, transfers.c.document).where(transfers.c.id.in_(mine))
        with self._database.read() as connection:
            yield from ((name, document) for name, document in connection.execute(query))

    def forget_transfers(self, documents: Mapping[str, str]) -> None:
        """Put these in the place of transfers' documents, and drop the requests that began them."""
        with self._database.write() as connection:
            for name, document in documents.items():
                connection.execute(update(transfers).where(transfers.c.id == name).values(document=document))
                connection.execute(update(requests).where(requests.c.id == name).values(body=None))

    def begin(self) -> None:
        """Mark that an erasure is under way, and sweep away what killed runs have left."""
        write_durably(self._marker, b"")
        self._sweep()

    def decide(self, erasure: Erasure) -> int:
        """Write an erasure and queue its notice in one transaction; return the notice's position.

        Of each event only that it was recorded once is left: not what it said, not where its record is.
        """
        forgotten = self._journal.stage_forgotten(erasure.events)
        claims = self._journal.claims.stage_forgotten(erasure.events)
        with self._database.write() as connection:
            position = queue_entry(connection, erasure.entry)
            connection.execute(
                insert(t.erasures).values(notice=erasure.notice, position=position, records=erasure.records)
            )
            for file in erasure.files:
                connection.execute(
                    update(t.files)
                    .where(t.files.c.path == file.old)
                    .values(path=file.new, digest=file.digest)
                )
            connection.execute(delete(t.own_spans).where(t.own_spans.c.key.in_(erasure.own_acts)))
            self._journal.forget(connection, forgotten)
            self._journal.claims.forget(
                connection, claims, account=erasure.account, after=erasure.claims_after
            )
            _carry(connection, erasure)
        return position

    def finish(self) -> None:
        """Take away everything that the database does not refer to, in the index and in its own file too."""
        self._sweep()
        self._journal.scrub_index()
        self._database.scrub()
        self._marker.unlink()
        sync_folder(self._marker.parent)

    def recover(self) -> None:
        """Finish what a killed erasure has left."""
        if self._marker.exists():
            self.finish()

    def _sweep(self) -> None:
        with self._database.read() as connection:
            known = set(connection.execute(select(t.files.c.path)).scalars())
        self._records.sweep_unknown(known)
        self._set_aside.sweep()
        self._findings.settle(self._journal.finding_files())
        self._findings.sweep(self._journal.next_batch())
        self._journal.claims.sweep()


def _naming(platform: str, account: bytes) -> tuple[ColumnElement[bool], ...]:
    return (
        operations.c.platform == platform,
        operations.c.kind.in_([OperationKind.LINK, OperationKind.UNLINK]),
        operations.c.result.contains(account.hex()),
    )


def _carry(connection: Connection, erasure: Erasure) -> None:
    if erasure.carried:
        written = upsert(connection, t.carried_usage)
        added = t.carried_usage.c.used + written.excluded.used
        connection.execute(
            written.on_conflict_do_update(index_elements=["key"], set_={"used": added}),
            [use._asdict() for use in erasure.carried],
        )
