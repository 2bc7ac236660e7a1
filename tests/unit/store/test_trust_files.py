"""Trust files: pinned outside of the home, changed by announcement only."""

from pathlib import Path

import pytest

from gateway.model.canonical import digest
from gateway.signing import KeyRing
from gateway.store.log.checkpoints import CheckpointFile
from gateway.store.log.trust import TrustAltered, TrustFiles
from tests.unit.signing.signers import SeededSigner, ring_of, trusted

FIRST = ring_of(trusted(SeededSigner("old")))
SECOND = FIRST.added(trusted(SeededSigner("new"), since=5))


@pytest.fixture
def files(tmp_path: Path) -> TrustFiles:
    store = CheckpointFile(tmp_path / "state" / "checkpoints.db")
    made = TrustFiles(tmp_path / "policy", tmp_path / "keys.json", origin="log.example", store=store)
    made.create(b"quorum none\n", FIRST)
    made.pin_first()
    return made


def test_pinned_files_are_accepted_and_pinned_once(files: TrustFiles, tmp_path: Path) -> None:
    files.require_pinned()
    (tmp_path / "policy").write_bytes(b"quorum any\n")
    files.pin_first()

    with pytest.raises(TrustAltered, match="trust/policy"):
        files.require_pinned()


@pytest.mark.parametrize(("name", "said"), [("policy", "trust/policy"), ("keys.json", "trust/keys.json")])
def test_a_changed_or_missing_file_is_named(files: TrustFiles, tmp_path: Path, name: str, said: str) -> None:
    data = (tmp_path / name).read_bytes()
    for changed in (data + b"\n", data[:-1], b""):
        (tmp_path / name).write_bytes(changed)
        with pytest.raises(TrustAltered, match=said):
            files.require_pinned()
    (tmp_path / name).unlink()
    with pytest.raises(TrustAltered, match=f"{said} is missing"):
        files.require_pinned()


def test_a_staged_ring_counts_once_it_is_announced(files: TrustFiles, tmp_path: Path) -> None:
    staged = files.stage(SECOND)
    assert files.ring() == FIRST
    assert staged == digest(SECOND.to_bytes())

    files.settle(lambda announced: announced == staged)

    assert files.ring() == SECOND
    files.require_pinned()
    assert not (tmp_path / "keys.json.next").exists()


def test_a_staged_ring_that_was_never_announced_is_dropped(files: TrustFiles, tmp_path: Path) -> None:
    files.stage(SECOND)

    files.settle(lambda _: False)

    assert files.ring() == FIRST
    files.require_pinned()
    assert not (tmp_path / "keys.json.next").exists()


def test_nothing_staged_is_nothing_to_settle(files: TrustFiles) -> None:
    files.settle(lambda _: True)

    assert files.ring() == FIRST
    assert KeyRing.parse(files.ring_bytes()) == FIRST
