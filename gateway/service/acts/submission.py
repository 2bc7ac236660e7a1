"""A submission: the files that are converted together, and what became of them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple

import orjson

from gateway.contract import PlatformAdapter
from gateway.ports import PartCounts
from gateway.service.acts.scheme import Scheme

__all__ = ["InputDocument", "Submission", "Summary", "summary_document"]


class InputDocument(NamedTuple):
    """One file of a submission: its name in places, its digest, its size, how to open it.

    ``require_whole`` refuses a file that is damaged or cut short, before anything of it is used.
    """

    name: str
    digest: str
    size: int
    open: Callable[[], AbstractContextManager[BinaryIO]]
    require_whole: Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What is to be converted: by which adapter and scheme, which files, and whether to keep it."""

    adapter: PlatformAdapter
    scheme: Scheme
    documents: Sequence[InputDocument]
    dry_run: bool = False

    def id(self) -> str:
        """Return the submission's name: the same files under the same rules are the same submission."""
        described = self.description()
        return hashlib.sha256(orjson.dumps(described, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def description(self) -> dict[str, object]:
        """Return what the submission consists of."""
        return {
            "adapter": self.adapter.name,
            "scheme": self.scheme.id,
            "mappings": [program.digest for program in self.scheme.programs],
            "files": [[document.name, document.digest] for document in self.documents],
        }


@dataclass(slots=True)
class Summary:
    """What became of a submission. ``resumed`` parts were decided by an earlier, interrupted run."""

    submission: str
    mapping: str
    counts: PartCounts = field(default_factory=PartCounts)
    batches: list[int] = field(default_factory=list)
    parts: int = 0
    resumed: int = 0
    checkpoint: str = ""
    dry_run: bool = False

    def add(self, counts: PartCounts) -> None:
        """Add one part's counts."""
        mine = self.counts
        self.parts += 1
        self.counts = PartCounts(
            rows=mine.rows + counts.rows,
            merged=mine.merged + counts.merged,
            accepted=mine.accepted + counts.accepted,
            duplicates=mine.duplicates + counts.duplicates,
            rejected=dict(Counter(mine.rejected) + Counter(counts.rejected)),
            claims_differ=mine.claims_differ + counts.claims_differ,
            findings=dict(Counter(mine.findings) + Counter(counts.findings)),
            co2e_mg=mine.co2e_mg + counts.co2e_mg,
            points=mine.points + counts.points,
        )


def summary_document(summary: Summary) -> dict[str, object]:
    """Return a summary as it is printed and sent."""
    counts = summary.counts
    return {
        "submission": summary.submission,
        "mapping": summary.mapping,
        "rows": counts.rows,
        "merged": counts.merged,
        "accepted": counts.accepted,
        "duplicates": counts.duplicates,
        "rejected": {str(code): count for code, count in sorted(counts.rejected.items())},
        "claims_differ": counts.claims_differ,
        "findings": dict(sorted(counts.findings.items())),
        "co2e_mg": str(counts.co2e_mg),
        "points": str(counts.points),
        "batches": summary.batches,
        "parts": summary.parts,
        "resumed": summary.resumed,
        "checkpoint": summary.checkpoint,
        "dry_run": summary.dry_run,
    }
