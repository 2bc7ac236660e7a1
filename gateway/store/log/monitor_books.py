"""A monitor's folder of one log: its books, the forks that it can prove, and perhaps a copy of it."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from gateway.errors import LocalFileError
from gateway.ports import SeriesHead, StatedDay
from gateway.store.files.durable import write_durably
from gateway.transparency import tile_width
from gateway.transparency.tile_names import TileName, read_tile_name

__all__ = ["Finding", "MonitorFolder", "SqlMonitorBooks"]

_BUSY_SECONDS: Final = 10
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY, note BLOB NOT NULL, entries INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS series
    (platform TEXT, kind TEXT, sequence INTEGER, digest TEXT, PRIMARY KEY (platform, kind));
CREATE TABLE IF NOT EXISTS batches (platform TEXT, root TEXT, size INTEGER);
CREATE INDEX IF NOT EXISTS batches_by_root ON batches (root);
CREATE TABLE IF NOT EXISTS mappings (digest TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS days
    (platform TEXT, day TEXT, supplement INTEGER, through INTEGER, count TEXT, co2e_mg TEXT, points TEXT);
CREATE INDEX IF NOT EXISTS days_by_name ON days (platform, day);
CREATE TABLE IF NOT EXISTS findings (position INTEGER, words TEXT);
"""


class Finding(NamedTuple):
    """What people should look at: the entry, and why."""

    position: int
    words: str


class SqlMonitorBooks:
    """Books in SQLite (:class:`gateway.ports.MonitorBooks`), written inside one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def checkpoint(self) -> bytes:
        """Return the last checkpoint that was found consistent; empty at first."""
        row = self._row("SELECT note FROM state")
        return bytes(row[0]) if row else b""

    def entries(self) -> int:
        """Return how many entries were read."""
        row = self._row("SELECT entries FROM state")
        return int(row[0]) if row else 0

    def advance(self, note: bytes, entries: int) -> None:
        """Note a checkpoint that was found consistent, and how many entries were read under it."""
        self._run("INSERT OR REPLACE INTO state VALUES (1, ?, ?)", note, entries)

    def series(self, platform: str, kind: str) -> SeriesHead | None:
        """Return the last batch of a series."""
        row = self._row("SELECT sequence, digest FROM series WHERE platform = ? AND kind = ?", platform, kind)
        return SeriesHead(*row) if row else None

    def add_batch(self, platform: str, kind: str, *, head: SeriesHead, root: str, size: int) -> None:
        """Note a batch."""
        self._run("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", platform, kind, *head)
        self._run("INSERT INTO batches VALUES (?, ?, ?)", platform, root, size)

    def batch_sizes(self, platform: str, root: str) -> list[int]:
        """Return the sizes of a platform's batches with that root."""
        found = self._run("SELECT size FROM batches WHERE platform = ? AND root = ?", platform, root)
        return [int(size) for (size,) in found]

    def add_mapping(self, digest: str) -> None:
        """Note a published mapping."""
        self._run("INSERT OR IGNORE INTO mappings VALUES (?)", digest)

    def knows_mapping(self, digest: str) -> bool:
        """Tell whether a mapping was published."""
        return bool(self._row("SELECT 1 FROM mappings WHERE digest = ?", digest))

    def day(self, platform: str, day: str) -> StatedDay | None:
        """Return the last statement of a day."""
        row = self._row(
            "SELECT supplement, through FROM days WHERE platform = ? AND day = ? ORDER BY rowid DESC",
            platform,
            day,
        )
        return StatedDay(*row) if row else None

    def add_day(self, platform: str, day: str, *, stated: StatedDay, sums: Mapping[str, int]) -> None:
        """Note a day statement and what its cells add up to; sums as text, for they pass 64 bits together."""
        values = [str(sums[name]) for name in ("count", "co2e_mg", "points")]
        self._run("INSERT INTO days VALUES (?, ?, ?, ?, ?, ?, ?)", platform, day, *stated, *values)

    def day_sums(self) -> list[dict[str, object]]:
        """Return what each platform's day adds up to, all its statements together."""
        found: dict[tuple[str, str], list[int]] = {}
        for platform, day, *values in self._run("SELECT platform, day, count, co2e_mg, points FROM days"):
            sums = found.setdefault((platform, day), [0, 0, 0])
            found[platform, day] = [one + int(value) for one, value in zip(sums, values, strict=True)]
        return [
            {"platform": platform, "day": day, "count": count, "co2e_mg": str(mg), "points": str(points)}
            for (platform, day), (count, mg, points) in sorted(found.items())
        ]

    def add_finding(self, position: int, words: str) -> None:
        """Note something that people should look at."""
        self._run("INSERT INTO findings VALUES (?, ?)", position, words)

    def findings(self) -> list[Finding]:
        """Return everything that was found so far."""
        return [Finding(*row) for row in self._run("SELECT position, words FROM findings ORDER BY rowid")]

    def _run(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._run(statement, *values).fetchone()
        return row


class MonitorFolder:
    """What a monitor keeps of one log, below a folder named by the SHA-256 of its origin."""

    def __init__(self, state: Path, origin: str) -> None:
        self.root = state / sha256(origin.encode()).hexdigest()
        self.mirror = self.root / "mirror"
        self._evidence = self.root / "evidence"

    @contextmanager
    def writing(self) -> Iterator[SqlMonitorBooks]:
        """Give the books for writing: all of it is kept, or nothing.

        Raises:
            LocalFileError: they cannot be written, or another monitor is at work on them.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with closing(
                sqlite3.connect(self.root / "books.db", timeout=_BUSY_SECONDS, isolation_level=None)
            ) as connection:
                connection.executescript(_SCHEMA)
                connection.execute("BEGIN IMMEDIATE")
                yield SqlMonitorBooks(connection)
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise LocalFileError(
                f"the monitor's books in {self.root} cannot be used: {error}",
                remedy="let one monitor use the folder at a time; make room, or mend its permissions",
            ) from error

    def keep_evidence(self, data: bytes) -> Path:
        """Keep the proof of a fork in a file named by its digest."""
        path = self._evidence / f"fork-{sha256(data).hexdigest()[:32]}.json"
        if not path.exists():
            write_durably(path, data)
        return path

    def evidence(self) -> list[Path]:
        """Return the files that prove forks."""
        return sorted(self._evidence.glob("fork-*.json"))

    def keep_checkpoint(self, note: bytes) -> None:
        """Put the checkpoint of the mirror in place, once all that it covers is there."""
        write_durably(self.mirror / "checkpoint", note)


class VerifiedTiles:
    """Files that were read and are not kept yet: a mirror keeps them once they are verified."""

    def __init__(self, folder: Path, size: int) -> None:
        self._folder = folder
        self._size = size
        self._read: dict[str, bytes] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is None:
            self.keep()

    def note(self, path: str, data: bytes) -> None:
        """Remember a file."""
        self._read[path] = data

    def keep(self) -> None:
        """Write what was read so far; a file of another size of the log is left out."""
        for path, data in self._read.items():
            name = read_tile_name(path)
            target = self._folder / path
            if name is not None and self._is_current(name) and not target.exists():
                write_durably(target, data)
        self._read.clear()

    def _is_current(self, name: TileName) -> bool:
        return tile_width(self._size, level=name.level or 0, index=name.index) == name.width
