"""Join the parts of a backtest: two versions of a mapping over the records of a home."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from gateway.app.base.home import OpenHome, open_home
from gateway.app.records.convert import quiet_collector
from gateway.bulk.backtest import COLUMNS, Backtest
from gateway.bulk.report import report
from gateway.convert import Program
from gateway.errors import Refused, UsageError
from gateway.ports import BatchRow
from gateway.store.journal.scratch_book import ScratchBook

__all__ = ["backtest_home"]


def backtest_home(
    root: Path, old: Program, *, new: Program, watch: Callable[[int], None] = lambda _rows: None
) -> dict[str, object]:
    """Hold two versions against the records that this home has made by the scheme of the old one.

    Raises:
        UsageError: the two are of different platforms.
        Refused: there is no record by that scheme.
        IntegrityBroken: a record file is not the one that was written.
    """
    if old.platform != new.platform:
        raise UsageError(f"{old.id} and {new.id} are mappings of different platforms")
    with ExitStack() as stack:
        opened = stack.enter_context(open_home(root))
        scratch = Path(stack.enter_context(TemporaryDirectory(prefix="tanqiao-backtest-")))
        books = [ScratchBook(scratch / name) for name in ("old", "new")]
        stack.enter_context(quiet_collector())
        backtest = Backtest(old, new, books=(books[0], books[1]))
        for batch, table in _tables(opened, old):
            accepted = datetime.strptime(batch.issued, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
            backtest.add(table, accepted)
            watch(backtest.tally.total.records)
    if not backtest.tally.total.records:
        raise Refused(
            f"this home has no record by {old.id}", remedy="convert files of that platform, or name its home"
        )
    named = {"old": f"{old.id}@{old.version}", "new": f"{new.id}@{new.version}"}
    return {**named, **report(backtest.tally)}


def _tables(opened: OpenHome, program: Program) -> Iterator[tuple[BatchRow, pa.Table]]:
    """Yield the records by a scheme, batch after batch, in the order of their leaves."""
    digests = ["sha256:" + one.digest for one in opened.journal.mappings() if one.id == program.id]
    for batch in opened.journal.batches():
        if batch.platform != program.platform:
            continue
        files = opened.journal.files(batch.number)
        tables = [opened.records.read_table(file, ["mapping", *COLUMNS]) for file in files]
        yield batch, _chosen(tables, digests)


def _chosen(tables: Sequence[pa.Table], digests: Sequence[str]) -> pa.Table:
    """Put the files of a batch together, without records by other schemes."""
    table = pa.concat_tables(tables).unify_dictionaries()
    mappings = table["mapping"].unique().to_pylist()
    if not set(mappings) <= set(digests):
        wanted = pa.array(digests)
        table = table.filter(pa.compute.is_in(table["mapping"].cast(pa.string()), value_set=wanted))
    return table.sort_by("leaf_index") if len(tables) > 1 else table
