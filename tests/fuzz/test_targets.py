"""The fuzzer's targets hold on their seeds, on changed seeds and on bytes of nothing."""

import os
import random

import pytest

from gateway.errors import GatewayError
from tests.fuzz.seeds import seeds, words
from tests.fuzz.targets import TARGETS, TREES, run
from tests.fuzz.trees import changed

TRIES = int(os.environ.get("TANQIAO_FUZZ_TRIES", "40"))


def changed_bytes(data: bytes, chance: random.Random, *, target: str) -> bytes:
    """Cut, repeat or overwrite a piece, or put in a word."""
    at = chance.randrange(len(data) + 1)
    upto = min(len(data), at + chance.randrange(40))
    piece = chance.choice([b"", data[at:upto] * 2, chance.randbytes(3), chance.choice(words(target))])
    return data[:at] + piece + data[upto:]


@pytest.mark.parametrize("target", TARGETS)
def test_seed_and_what_it_is_changed_into_is_read_or_refused(target: str) -> None:
    chance = random.Random(target)
    outcomes = [run(target, seed) for seed in seeds(target)]
    for number in range(TRIES):
        seed = chance.choice(seeds(target))
        made = changed(seed, 1 << 16, seed=number) if target in TREES and number % 2 else None
        outcomes.append(run(target, made or changed_bytes(seed, chance, target=target)))

    assert None in outcomes, "a target that refuses everything tests nothing"
    assert any(isinstance(outcome, GatewayError) for outcome in outcomes)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\xff" * 9, b"[" * 9000, b"\n" * 9000], ids=lambda data: repr(data[:4])
)
def test_bytes_of_nothing_are_read_or_refused(target: str, data: bytes) -> None:
    run(target, data)
