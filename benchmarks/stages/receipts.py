"""Verifying receipts: each with a checkpoint of its own, and many of one batch."""

from collections.abc import Iterator

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.made_receipts import MadeReceipts, make_receipts
from benchmarks.measure import Bench, Figure, cpu_seconds, figure
from benchmarks.wuhan import WUHAN_FILE, wuhan
from gateway.app.records.check import verifier
from gateway.transparency import BATCH_LEAVES_MAX

__all__ = ["measure"]

COLD_MAX, SHARED_MAX = 300, 10_000
ROUNDS = 3


def measure(bench: Bench) -> Iterator[Figure]:
    """Compare with the signatures alone: two for each statement and checkpoint, however many receipts."""
    program = wuhan()
    count = max(1, min(bench.rows, COLD_MAX))
    cold = make_receipts(program, count, each=1, batch_size=256)
    one = _verify_alone()
    ours = figure(
        "receipts", "each with its own checkpoint", role="ours", items=count, cpu=_seconds(cold, True)
    )
    yield ours
    yield figure("receipts", "two Ed25519 verifications", role="bound", items=1, cpu=2 * one, ours=ours)
    yield figure(
        "receipts", "its own checkpoint, not recomputed", role="ours", items=count, cpu=_seconds(cold, False)
    )
    count = min(bench.rows, SHARED_MAX)
    shared = make_receipts(program, 1, each=count, batch_size=BATCH_LEAVES_MAX)
    ours = figure("receipts", "of one batch", role="ours", items=count, cpu=_seconds(shared, True))
    yield ours
    yield figure("receipts", "one Ed25519 verification", role="bound", items=1, cpu=one, ours=ours)
    yield figure(
        "receipts", "of one batch, not recomputed", role="ours", items=count, cpu=_seconds(shared, False)
    )


def _seconds(made: MadeReceipts, recomputed: bool) -> float:
    """Verify all with a new verifier each time, so that nothing is remembered from the run before."""
    mappings = [WUHAN_FILE] if recomputed else []
    checks = iter([verifier(made.policy, made.ring, mappings=mappings) for _ in range(ROUNDS)])

    def verify() -> None:
        one = next(checks)
        for receipt in made.receipts:
            one.verify(receipt)

    return cpu_seconds(verify, ROUNDS)


def _verify_alone() -> float:
    key = Ed25519PrivateKey.generate()
    public, message = key.public_key(), b"x" * 700
    signature = key.sign(message)
    times = 500
    return cpu_seconds(lambda: [public.verify(signature, message) for _ in range(times)]) / times
