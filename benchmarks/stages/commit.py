"""From rows to what is signed: roles, rule and names; commitments, canonical bytes, leaves and the tree."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.stages.acts import preparer_of, source_rows
from gateway.service.acts.preparing import Part
from gateway.service.acts.recording import frame_of, make_records
from gateway.service.converting.parts import PART_ROWS
from gateway.transparency import BATCH_LEAVES_MAX, BatchTree

__all__ = ["measure"]

ACCEPTED = datetime(2026, 11, 22, tzinfo=UTC)
ISSUED = "2026-11-22T00:00:00Z"
RECORD_BYTES = 800  # a usual canonical record
COMMITMENT_BYTES = 70  # domain, field, salt and value


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure preparing, and compare records with SHA-256 alone over as many bytes in as many calls."""
    preparer = preparer_of(bench)
    outcomes = source_rows(bench)

    def prepared() -> list[Part]:
        starts = range(0, len(outcomes), PART_ROWS)
        return [
            preparer.prepare(number, [outcomes[start : start + PART_ROWS]], accepted=ACCEPTED)
            for number, start in enumerate(starts)
        ]

    yield measured("commit", "before it: roles, rule, names", items=len(outcomes), work=prepared)
    acts = [part.prepared.acts for part in prepared()]
    frame = frame_of(preparer.evaluator.scheme.programs[0], issuer="gateway.example-test", issued=ISSUED)
    frames = {frame.mapping_digest: frame}
    count = sum(len(some.day) for some in acts)
    ours = measured(
        "commit",
        "commitments, canonical bytes, leaf",
        items=count,
        work=lambda: [make_records(a, a.points, frames=frames, random_bytes=os.urandom) for a in acts],
    )
    yield ours
    hashing = cpu_seconds(lambda: _hash_alone(count))
    yield figure("commit", "hashlib alone, the same bytes", role="bound", items=count, cpu=hashing, ours=ours)
    leaves = [number.to_bytes(32, "big") for number in range(min(count, BATCH_LEAVES_MAX))]
    tree = measured("commit", "Merkle tree", items=len(leaves), work=lambda: BatchTree(leaves).root)
    yield tree
    pairs = cpu_seconds(lambda: [hashlib.sha256(b"\x01" + leaf + leaf).digest() for leaf in leaves])
    yield figure(
        "commit", "hashlib alone, as many nodes", role="bound", items=len(leaves), cpu=pairs, ours=tree
    )


def _hash_alone(count: int) -> None:
    record, value = b"x" * RECORD_BYTES, b"x" * COMMITMENT_BYTES
    for _ in range(count):
        hashlib.sha256(record).digest()
        hashlib.sha256(value).digest()
        hashlib.sha256(value).digest()
