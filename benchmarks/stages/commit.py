"""From converted acts to what is signed: commitments, canonical bytes, leaves and the tree."""

import hashlib
import os
from collections.abc import Iterator

from benchmarks.measure import Bench, Figure, cpu_seconds, figure, measured
from benchmarks.stages.acts import Acts, acts_of
from gateway.service.recording import RecordMaker, event_text
from gateway.signing import KeyedIndex
from gateway.transparency import BATCH_LEAVES_MAX, BatchTree

__all__ = ["measure"]

RECORD_BYTES = 800  # a usual canonical record
COMMITMENT_BYTES = 70  # domain, field, salt and value


def measure(bench: Bench) -> Iterator[Figure]:
    """Compare with SHA-256 alone over as many bytes in as many calls."""
    acts = acts_of(bench)
    count = len(acts.acts)
    ours = measured("commit", "commitments, canonical bytes, leaf", items=count, work=lambda: _rows(acts))
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


def _rows(acts: Acts) -> object:
    index = KeyedIndex(bytes(32))
    maker = RecordMaker("gateway.example-test", "2026-11-22T00:00:00Z", os.urandom)
    named = [
        (
            acts.program,
            roles._replace(person=index.pseudonym("cn-000000/yunxi", roles.person or "").hex()),
            done,
        )
        for roles, done in acts.acts
    ]
    return maker.rows(named, [event_text(roles.event) for _, roles, _ in named])


def _hash_alone(count: int) -> None:
    record, value = b"x" * RECORD_BYTES, b"x" * COMMITMENT_BYTES
    for _ in range(count):
        hashlib.sha256(record).digest()
        hashlib.sha256(value).digest()
        hashlib.sha256(value).digest()
        hashlib.blake2b(value, digest_size=32).digest()
