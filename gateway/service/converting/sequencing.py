"""Convert what was submitted: one sequencer takes operations in their order and writes down their results.

Everything goes the way of files: rows of many requests are joined in one spooled document, converted as any
other submission is, and each request gets the outcomes of its rows. So a killed sequencer goes on where it
was, and what was counted once is not counted again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import orjson

from gateway.contract import PlatformAdapter
from gateway.errors import (
    GatewayError,
    HomeBusy,
    IntegrityBroken,
    LocalFileError,
    NotFound,
    Refused,
    Unreachable,
)
from gateway.ports import Clock, Operation, OperationKind, Operations, OperationState, Spool
from gateway.service.acts.origins import Stated
from gateway.service.acts.scheme import Scheme
from gateway.service.acts.submission import InputDocument, Submission, summary_document
from gateway.service.converting.outcomes import RowOutcome, SetAside, outcomes_of_rows
from gateway.service.converting.parts import Converting
from gateway.service.converting.pipeline import convert_submission
from gateway.service.faults import problem_document
from gateway.service.moments import instant_text
from gateway.service.submitting.ordering import Orders

__all__ = ["Sequencer", "Spools"]

ROWS_TOGETHER: Final = 32_768  # as many as are decided at once
CRASHES_MAX: Final = 3


class NotConverted(Refused):
    """The program fails on this submission, by a fault of its own."""

    code = "not-converted"
    remedy = "tell the gateway's operator the id of the operation: the log says where it failed"


class Spools(Protocol):
    """Where the rows of operations wait as files until they are converted."""

    def write(self, name: str, contents: Sequence[bytes]) -> None:
        """Write a spool durably."""
        ...

    def document(self, spool: Spool) -> InputDocument:
        """Return a spool, or the file that was uploaded under that name."""
        ...

    def drop(self, name: str) -> None:
        """Remove a spool: it holds personal data."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequencer:
    """Converts operations, one spool after the other. ``parts`` gives the parts for a file's size.

    A submission is converted by the versions of its mapping that there were when it was taken, also if it
    takes two sequencers: by others it would be another submission, which repeats what this one has recorded.
    """

    operations: Operations
    orders: Orders
    spools: Spools
    set_aside: SetAside
    scheme: Callable[[str], Scheme]
    adapter: Callable[[str], PlatformAdapter]
    parts: Callable[[int], Converting]
    require_unchanged: Callable[[Scheme], None]
    new_name: Callable[[], str]
    log_size: Callable[[], int]
    clock: Clock

    def resume(self) -> int:
        """Finish what an earlier sequencer has left; returns how many spools that were."""
        left = self.operations.spooled()
        for spool in left:
            self._convert(spool)
        return len(left)

    def step(self) -> list[Operation]:
        """Convert the oldest operations that are waiting; returns them."""
        spool = self.operations.take(
            rows=ROWS_TOGETHER, write=self.spools.write, name=self.new_name(), versions=self._versions
        )
        if spool is None:
            return []
        self._convert(spool)
        return spool.operations

    def _convert(self, spool: Spool) -> None:
        """Convert one spool and write down each operation's result.

        What is wrong with a submission is its result; what is wrong with this home, its disk, its database
        or its writer stops the sequencer, and the next one goes on with the submission. A submission on
        which the program crashes again and again fails, so that those behind it are converted.
        """
        try:
            if max(operation.crashes for operation in spool.operations) >= CRASHES_MAX:
                raise NotConverted(f"the program crashed {CRASHES_MAX} times on this submission")
            results = self._results(spool) if _converted(spool) else self._carried_out(spool)
        except (NotConverted, NotFound) as error:
            results = _failed(spool, error)
        except (IntegrityBroken, Unreachable, HomeBusy, LocalFileError):
            raise
        except GatewayError as error:
            results = _failed(spool, error)
        except Exception:
            self.operations.crashed(spool.name)
            raise
        self.operations.finish(results, now=instant_text(self.clock.now()), log_size=self.log_size())
        self.spools.drop(spool.name)

    def _versions(self, mapping: str) -> list[str]:
        """Return the digests of a mapping's versions; none where there is no such mapping."""
        try:
            return [program.digest for program in self.scheme(mapping).programs] if mapping else []
        except Exception:  # noqa: BLE001 - it is met again, and counted, where the submission is converted
            return []

    def _carried_out(self, spool: Spool) -> list[tuple[str, OperationState, str]]:
        """Carry out orders: they come one by one, and no spool was written for them."""
        return [
            (one.id, OperationState.DONE, orjson.dumps({"result": done}).decode())
            for one in spool.operations
            for done in [self.orders.carry_out(one, self.operations.content(one))]
        ]

    def _results(self, spool: Spool) -> list[tuple[str, OperationState, str]]:
        scheme, adapter = self.scheme(spool.mapping).only(spool.versions), self.adapter(spool.adapter)
        document = self.spools.document(spool)
        self.require_unchanged(scheme)
        submission = Submission(adapter=adapter, scheme=scheme, documents=[document])
        if spool.operations[0].kind is OperationKind.FILE:
            result = {"summary": summary_document(convert_submission(submission, self.parts(document.size)))}
            return [(spool.operations[0].id, OperationState.DONE, orjson.dumps(result).decode())]
        parts = self.parts(0)  # rows that were joined are mostly one part, at which nobody could help
        told: list[Stated] = []
        named = convert_submission(submission, parts, tell=told.append).submission
        outcomes = outcomes_of_rows(told, named, kept=(parts.journal, parts.records, self.set_aside))
        return [
            (one.id, OperationState.DONE, _result(one, outcomes, submission=named))
            for one in spool.operations
        ]


def _converted(spool: Spool) -> bool:
    return spool.operations[0].kind in (OperationKind.ROWS, OperationKind.FILE)


def _failed(spool: Spool, error: GatewayError) -> list[tuple[str, OperationState, str]]:
    problem = orjson.dumps(problem_document(error)).decode()
    return [(operation.id, OperationState.FAILED, problem) for operation in spool.operations]


def _result(operation: Operation, outcomes: Mapping[int, RowOutcome], *, submission: str) -> str:
    first = operation.first_row
    documents = [outcomes[row].document(first) for row in range(first, first + operation.rows)]
    return orjson.dumps({"submission": submission, "outcomes": documents}).decode()
