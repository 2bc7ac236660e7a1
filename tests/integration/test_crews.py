"""A part that other processes finish comes out as it does here; one that vanishes is never taken for done."""

import os
from pathlib import Path

import pytest

from gateway.errors import InvariantBroken
from gateway.ports import EncodedFile, PrivateColumns
from tests.fakes.homes import audited, convert_in_parts, make_home, rows_of, trips, write_trips


def vanish(_rows: PrivateColumns) -> list[EncodedFile]:
    os._exit(9)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return make_home(tmp_path, monkeypatch)


def test_parts_finished_by_several_processes_are_decided_in_their_order(home: Path, tmp_path: Path) -> None:
    file = write_trips(tmp_path / "a.ndjson", trips(60, days=3))

    summary = convert_in_parts(home, [file], 7, worker=True)

    assert summary.counts.accepted == len(rows_of(home))
    assert summary.batches == list(range(len(summary.batches)))
    assert audited(home).differences == []


def test_a_process_that_vanishes_stops_the_run_and_the_rerun_goes_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_trips(tmp_path / "a.ndjson", trips(20))
    with monkeypatch.context() as patch:
        patch.setattr("gateway.app.base.home.encode_rows", vanish)
        with pytest.raises(InvariantBroken, match="ended without a word"):
            convert_in_parts(home, [file], 7, worker=True)

    summary = convert_in_parts(home, [file], 7)

    assert summary.counts.rows == 20
    assert audited(home).differences == []
