"""Kills at random moments, and a full disk: what was decided stays, the rest is done by the next run.

``TANQIAO_KILLS`` says how many conversions are killed (12 when unset); ``TANQIAO_SEED`` repeats a run.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.root import run
from tests.fakes.homes import (
    WUHAN,
    audited,
    bytes_below,
    capped_mapping,
    convert,
    convert_in_parts,
    make_home,
    points_by_event,
    rows_of,
    trips,
    write_trips,
    yunxi_ride,
)

ROOT = Path(__file__).resolve().parents[2]
KILLS = int(os.environ.get("TANQIAO_KILLS", "12"))
SEED = int(os.environ.get("TANQIAO_SEED", random.SystemRandom().randrange(10**6)))
PARTS, PART_ROWS = 20, 12


def child(*arguments: str | Path) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tests.acceptance.converting_child", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out.decode(), err.decode()


def kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Kill a process some time from now; returns whether it was still running."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return True
    return False


def wait_for(process: "subprocess.Popen[bytes]", path: Path) -> None:
    """Wait until a process has begun to write: importing takes longer than all the rest."""
    until = time.monotonic() + 60
    while not path.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)


@pytest.fixture
def submission(tmp_path: Path) -> list[str | Path]:
    """Write a file with a cap, repetitions and bad rows: what is decided depends on what came before."""
    numbers = random.Random(7)
    rides = [
        yunxi_ride(
            f"e{numbers.randrange(170)}",
            f"u{numbers.randrange(5)}",
            f"2025-03-{10 + numbers.randrange(3)} {numbers.randrange(24):02d}:10:00",
            km=str(numbers.randrange(1, 20)) if numbers.random() > 0.05 else "x",
        )
        for _ in range(PARTS * PART_ROWS)
    ]
    mapping = capped_mapping(
        tmp_path / "yunxi.yaml",
        "name: daily, of: points, per: [person, local_day], max: 400, order: accepted_sequence,"
        " late: counts_on_activity_day, when_full: reject",
    )
    return [str(PART_ROWS), "common", mapping, write_trips(tmp_path / "rides.ndjson", rides)]


COUNTS = ("rows", "merged", "accepted", "duplicates", "rejected", "co2e_mg", "points", "parts")


def counts_of(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in COUNTS}


def test_a_conversion_killed_again_and_again_ends_as_if_it_had_never_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, submission: list[str | Path]
) -> None:
    """Each home is killed until it has run to its end; the kills of all homes together are counted."""
    moments = random.Random(SEED)
    undisturbed = make_home(tmp_path, monkeypatch, name="undisturbed")
    code, out, err = finish(child(undisturbed, *submission))
    assert code == 0, err
    expected, points = counts_of(json.loads(out)), points_by_event(undisturbed)
    assert expected["parts"] == PARTS
    took = 0.08 * PARTS
    kills = number = resumed = 0
    while kills < KILLS:
        home = make_home(tmp_path, monkeypatch, name=f"home-{number}")
        lock = home / "tmp"
        for _ in range(6):
            if kills == KILLS:
                break
            process = child(*["--worker"][: moments.randrange(2)], home, *submission)
            shutil.rmtree(lock, ignore_errors=True)
            wait_for(process, lock)
            kills += kill_after(process, moments.uniform(0, took))
        code, out, err = finish(child(home, *submission))
        assert code == 0, (SEED, number, err)
        document = json.loads(out)
        resumed += document["resumed"]
        if counts_of(document) != expected:  # it had come to its end: then everything is a repetition
            assert document["accepted"] == 0, (SEED, number, document)
        assert points_by_event(home) == points, (SEED, number)
        assert audited(home).differences == [], (SEED, number)
        assert not (home / "staging").exists() or not list((home / "staging").iterdir())
        shutil.rmtree(home)
        number += 1
    print(f"seed {SEED}: {kills} kills in {number} homes, {resumed} parts taken from killed runs")  # noqa: T201


@pytest.mark.parametrize("turn", range(3))
def test_a_killed_init_leaves_a_home_or_nothing_in_the_way_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, turn: int
) -> None:
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "state"))
    home, moments = tmp_path / "home", random.Random(SEED + turn)
    for _ in range(3):
        process = child("run", "init", "--home", home, "--profile", "test")
        wait_for(process, home / "lock")
        kill_after(process, moments.uniform(0, 0.35))
        if (home / "home.json").exists():
            break

    code, _, err = finish(child("run", "init", "--home", home, "--profile", "test"))

    assert code == 0 or "is a home already" in err, (SEED, err)
    assert convert(home, write_trips(tmp_path / "a.ndjson", trips(3))).accepted == 3
    assert audited(home).differences == [], SEED
    assert not (home / "unfinished").exists()


COMMANDS = [["statements", "close", "2025-03-10"], ["keys", "rotate"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_killed_command_is_finished_or_undone_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    moments = random.Random(SEED)
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(60, days=1, persons=30)))
    for number in range(4):
        (home / "lock").unlink()
        process = child("run", *command, "--home", home)
        wait_for(process, home / "lock")
        kill_after(process, moments.uniform(0, 0.12))
        assert (
            convert(home, write_trips(tmp_path / "b.ndjson", trips(2, first=100 + 10 * number))).accepted == 2
        )
        assert audited(home).differences == [], SEED

    code, _, err = finish(child("run", *command, "--home", home))

    assert code == 0, (SEED, err)
    assert audited(home).differences == [], SEED


def test_a_full_disk_is_said_and_the_rerun_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files may not grow beyond a limit, so that writing fails at another step each time."""
    file = write_trips(tmp_path / "a.ndjson", trips(200, days=1))
    made = make_home(tmp_path, monkeypatch, name="made")
    expected = None
    codes = set()
    for limit in (20_000, 100_000, 150_000, 250_000, 400_000):
        home = tmp_path / f"home-{limit}"
        shutil.copytree(made, home)
        shutil.copytree(tmp_path / "state", tmp_path / f"state-{limit}")
        monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / f"state-{limit}"))

        code, _, err = finish(child("--file-bytes", str(limit), home, "25", "common", WUHAN, file))

        assert "Traceback" not in err, (limit, err)
        if code != 0:
            assert code == 3, (limit, err)
            assert "local-file" in err
            assert str(home) in err or "state-" in err, (limit, err)
        codes.add(code)
        summary = convert_in_parts(home, [file], 25)
        counts = summary.counts
        assert counts.accepted + counts.duplicates == counts.rows == 200
        expected = expected or points_by_event(home)
        assert points_by_event(home) == expected
        assert audited(home).differences == []
    assert 3 in codes


@pytest.mark.parametrize("name", ["records", "quarantine", "staging", "log/tile/0", "tmp"])
def test_a_place_that_cannot_be_written_is_named_and_the_rerun_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    """A file stands where a folder is needed: unlike permissions, that stops every user."""
    home = make_home(tmp_path, monkeypatch)
    place, kept = home / name, tmp_path / "kept"
    if place.exists():
        place.rename(kept)
    place.write_text("in the way")
    rows = [*trips(20), {**trips(1)[0], "trip_id": "bad", "distance_km": "x"}]
    file = write_trips(tmp_path / "a.ndjson", rows)

    code = run(["convert", "--home", str(home), "--mapping", WUHAN, str(file)])

    said = capsys.readouterr().err
    if code != 0:  # a temporary folder in the way is replaced
        assert code in (3, 6), said
        assert place.name in said
        assert "remedy:" in said
        place.unlink()
        if kept.exists():
            kept.rename(place)
    assert "Traceback" not in said
    counts = convert(home, file)
    assert counts.accepted + counts.duplicates == 20
    assert len(points_by_event(home)) == 20
    assert audited(home).differences == []


def test_a_home_audits_after_a_full_disk_before_anything_else_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    convert(home, write_trips(tmp_path / "a.ndjson", trips(20, days=1)))
    before = bytes_below(home / "log", home / "records", home / "trust")

    code, _, err = finish(
        child("--file-bytes", "0", "run", "convert", "--home", home, "--mapping", WUHAN,
              write_trips(tmp_path / "b.ndjson", trips(20, first=100)))
    )  # fmt: skip

    assert code == 3, err
    assert "Traceback" not in err
    assert bytes_below(home / "log", home / "records", home / "trust") == before
    assert audited(home).differences == []
    assert len(rows_of(home)) == 20


def test_an_interrupt_leaves_with_130_and_the_rerun_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, submission: list[str | Path]
) -> None:
    home = make_home(tmp_path, monkeypatch)
    file = write_trips(tmp_path / "a.ndjson", trips(60_000))
    process = child("run", "convert", "--home", home, "--mapping", WUHAN, file)
    wait_for(process, home / "tmp")
    process.send_signal(signal.SIGINT)

    code, out, err = finish(process)

    assert (code, out) == (130, ""), err
    assert "Traceback" not in err
    finished, _, err = finish(child(home, *submission))
    assert finished == 0, err
    assert audited(home).differences == []
