"""Reversals are written straight to the bytes that their documents have."""

import json
from pathlib import Path

import pytest

from gateway.app.base.home import open_home
from gateway.errors import IntegrityBroken
from gateway.model.canonical import canonical_bytes
from gateway.ports import ClaimDecision, ClaimState, ReversalRow
from gateway.service.claims.claiming import Reversed
from gateway.service.claims.reversing import read_reversals, state_after
from tests.fakes.homes import make_home

ISSUED = "2026-11-22T05:00:00Z"
FOUND = [
    Reversed(bytes([1]) * 16, 7, False, "already-claimed", bytes([9]) * 16, 8),
    Reversed(bytes([2]) * 16, 7, True, "claim-free"),
    Reversed(bytes([3]) * 16, 8, False, "withdrawn"),
]
PLATFORMS = {7: "cn-000000/one", 8: "cn-000000/two"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def written(home: Path) -> list[ReversalRow]:
    with open_home(home, writing=True) as opened:
        batches = opened.reversing().write(FOUND, platforms=PLATFORMS, issued=ISSUED)
        opened.journal.claims.decide(ClaimDecision(reversals=batches))
        return opened.journal.claims.reversals()


def test_reversals_are_in_canonical_bytes_one_batch_for_each_platform(home: Path) -> None:
    rows = written(home)
    lines = [
        line for path in sorted((home / "reversals").iterdir()) for line in path.read_bytes().splitlines()
    ]

    assert [(row.platform, row.size) for row in rows] == [("cn-000000/one", 2), ("cn-000000/two", 1)]
    for line, one in zip(lines, FOUND, strict=True):
        stated = json.loads(line)
        assert canonical_bytes(stated["document"]) in line
        assert stated["document"]["record"] == one.record.hex()
        assert set(stated["document"]) == {
            "effect", "id", "issued", "issuer", "platform", "reason", "record", "type",
        }  # fmt: skip
        assert stated["by"] == one.by.hex()
        assert one.by.hex() not in json.dumps(stated["document"]) or not one.by


def test_what_is_read_back_is_held_to_the_signed_root(home: Path) -> None:
    first, _ = written(home)
    with open_home(home) as opened:
        kept = read_reversals(first, opened.reversals)
        with pytest.raises(IntegrityBroken):
            read_reversals(first._replace(root=bytes(32)), opened.reversals)

    assert [state_after(one.document) for one in kept] == [ClaimState.SET_OFF, ClaimState.HOLDS]
    assert (kept[0].by, kept[0].by_platform) == ("09" * 16, "cn-000000/two")


@pytest.mark.parametrize(
    ("effect", "reason"), [("restored", "withdrawn"), ("reversed", "claim-free"), ("gone", "withdrawn")]
)
def test_an_effect_that_its_reason_does_not_give_is_refused(effect: str, reason: str) -> None:
    with pytest.raises(IntegrityBroken):
        state_after({"effect": effect, "reason": reason})
