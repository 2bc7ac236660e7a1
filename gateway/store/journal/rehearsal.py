"""What a dry run remembers: the home's journal is read, and nothing of the home is written."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from gateway.ports import EventMark, NewEvents, NewSpan
from gateway.store.journal.claims import RehearsedClaims
from gateway.store.journal.decisions import SqlJournal
from gateway.store.sql.database import Database

__all__ = ["Rehearsal"]


class Rehearsal(AbstractContextManager["Rehearsal"]):
    """Events and caps of a dry run, in a temporary database over the home's journal."""

    def __init__(self, journal: SqlJournal) -> None:
        self._journal = journal

    def __enter__(self) -> Self:
        self._temporary = TemporaryDirectory(prefix="tanqiao-dry-run-")
        self._database = Database(self.scratch() / "rehearsal.db")
        self._noted = SqlJournal(self._database)
        self.claims = RehearsedClaims(self._journal.claims, self._noted.claims)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._temporary.cleanup()

    def scratch(self) -> Path:
        """Return the temporary folder, outside of the home."""
        return Path(self._temporary.name)

    def known_events(self, keys: Sequence[bytes]) -> dict[bytes, EventMark]:
        """Return the keys that have a record, or would have one by now."""
        return {**self._noted.known_events(keys), **self._journal.known_events(keys)}

    def cap_usage(self, keys: Iterable[bytes]) -> dict[bytes, int]:
        """Return what has been used of each cap, or would be by now."""
        listed = list(keys)
        return {**self._journal.cap_usage(listed), **self._noted.cap_usage(listed)}

    def own_spans(
        self, keys: Sequence[bytes], *, day: int, window: tuple[int, int]
    ) -> dict[bytes, list[tuple[int, int]]]:
        """Return when acts took place that are recorded, or would be by now."""
        found = self._journal.own_spans(keys, day=day, window=window)
        for key, spans in self._noted.own_spans(keys, day=day, window=window).items():
            found.setdefault(key, []).extend(spans)
        return found

    def note(self, events: NewEvents, usage: Mapping[bytes, int], *, spans: Sequence[NewSpan] = ()) -> None:
        """Remember what a part would have decided."""
        self._noted.note(events, usage, spans=spans)
