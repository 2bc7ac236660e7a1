"""A sequencer in this process, and operations for it: conversions that can be killed anywhere."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from gateway.app.base.home import open_home
from gateway.app.base.mappings import program_from_file, shipped_programs
from gateway.app.reviewing.publications import approved_at
from gateway.app.reviewing.schemes import Schemes
from gateway.app.serving.serve import sequencer_of
from gateway.ports import Clock, NewOperation, OperationKind, OperationState
from gateway.service.converting.parts import PART_ROWS, Converting
from gateway.service.converting.sequencing import Sequencer
from gateway.store.serving.operations import SqlOperations
from gateway.store.serving.platforms import SqlPlatforms
from gateway.store.sql.group_commit import GroupCommit
from tests.fakes.homes import WUHAN
from tests.fakes.serving import WUHAN_PLATFORM

__all__ = ["Killed", "Sequencing", "sequencing"]


class Killed(BaseException):
    """Stands for a kill: nothing may catch it."""


class Sequencing(NamedTuple):
    """A sequencer that holds a home, and the operations that it takes."""

    sequencer: Sequencer
    operations: SqlOperations
    platforms: SqlPlatforms

    def enrol(self, platform: str) -> None:
        """Let a platform submit."""
        self.platforms.invite(platform, code_hash=b"", expires="", now="")

    def submit(
        self,
        name: str,
        rows: Sequence[Mapping[str, str]],
        *,
        mapping: str = WUHAN,
        platform: str = WUHAN_PLATFORM,
    ) -> None:
        """Have rows wait, as a worker does."""
        content = _lines(rows)
        self.operations.receive(
            NewOperation(
                id=name, kind=OperationKind.ROWS, platform=platform, key=name,
                content_sha256=hashlib.sha256(content).digest(), mapping=mapping, adapter="common", name="",
                rows=len(rows), content=content, created="2026-11-22T08:00:00Z",
            )
        )  # fmt: skip

    def upload(self, name: str, rows: Sequence[Mapping[str, str]]) -> None:
        """Have a file wait, as a worker does."""
        self.sequencer.spools.write(name, [_lines(rows)])
        self.operations.receive(
            NewOperation(
                id=name, kind=OperationKind.FILE, platform=WUHAN_PLATFORM, key=name, content_sha256=bytes(32),
                mapping=WUHAN, adapter="common", name="trips.ndjson", rows=0, content=None,
                created="2026-11-22T08:00:00Z",
            )
        )  # fmt: skip

    def summary(self, name: str) -> dict[str, Any]:
        """Return the summary of a file."""
        found = self.operations.operation(name)
        assert found is not None
        summary: dict[str, Any] = orjson.loads(found.result)["summary"]
        return summary

    def outcomes(self, name: str) -> list[dict[str, Any]]:
        """Return the outcomes of a submission's rows."""
        found = self.operations.operation(name)
        assert found is not None
        assert found.state is OperationState.DONE, found
        outcomes: list[dict[str, Any]] = orjson.loads(found.result)["outcomes"]
        assert [one["row"] for one in outcomes] == list(range(1, found.rows + 1))
        return outcomes


@contextmanager
def sequencing(
    home: Path, *, part_rows: int = PART_ROWS, mappings: Sequence[Path] = (), clock: Clock | None = None
) -> Iterator[Sequencing]:
    """Hold a home with a sequencer that decides so many rows at once."""
    programs = [program_from_file(path) for path in mappings] or shipped_programs()
    with open_home(home, writing=True) as opened, GroupCommit(opened.database) as writes:
        operations = SqlOperations(opened.database, writes)
        made = sequencer_of(opened, Schemes(programs, approved_at(opened)), operations=operations)

        def parts(size: int) -> Converting:
            return replace(made.parts(size), part_rows=part_rows, clock=clock or opened.clock)

        yield Sequencing(replace(made, parts=parts), operations, SqlPlatforms(opened.database))


def _lines(rows: Sequence[Mapping[str, str]]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
