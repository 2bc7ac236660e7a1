"""A monitor follows logs over HTTP: it copies, reads, compares, and proves forks to others."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from gateway.app.base.home import open_home
from gateway.app.log.monitor import LogForkProven, monitoring
from gateway.app.log.verifying import verify_evidence, verify_log
from gateway.app.records.days import close_day_of
from gateway.cli.root import run
from gateway.errors import GatewayError, IntegrityBroken, Unreachable
from gateway.store.log.tiles import LogFolder
from gateway.transparency import NoFork, ProofInvalid
from tests.fakes.homes import convert, make_home, trips, write_trips
from tests.fakes.static import published
from tests.fakes.witnesses import request_for, witnessing
from tests.unit.store_log.logs import entries, log_of
from tests.unit.transparency.signers import log_signer

ORIGIN = "log.example/monitored"
KEY = log_signer(ORIGIN).key


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy"
    path.write_text(f"log {KEY}\nquorum none\n")
    return path


def branch(folder: Path, size: int, *, common: int = 0, word: str = "entry") -> LogFolder:
    """Return a log whose entries are the usual ones up to a number, and others after it."""
    log = log_of(folder, ORIGIN)
    log.append([*entries(common), *(f"{word} {number}".encode() for number in range(common, size))])
    return log


def look(
    folder: Path, policy: Path, *, witnesses: Sequence[str] = (), mirror: bool = False
) -> dict[str, object]:
    """Publish a log's folder, and look at it once with the monitor of the test."""
    with (
        published(folder / "home" / "log") as url,
        monitoring(policy, policy.parent / "monitor", witnesses=witnesses, mirror=mirror) as monitor,
    ):
        return monitor.look(url)


def proven(folder: Path, policy: Path, *, witnesses: Sequence[str] = (), mirror: bool = False) -> Path:
    """Look at a log that was forked; return the evidence."""
    with pytest.raises(LogForkProven) as found:
        look(folder, policy, witnesses=witnesses, mirror=mirror)
    return Path(found.value.field)


def test_monitor_copies_a_growing_log_and_adds_up_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    policy = home / "trust" / "policy"
    with (
        published(home / "log") as url,
        monitoring(policy, tmp_path / "monitor", witnesses=(), mirror=True) as monitor,
    ):
        first = monitor.look(url)
        convert(home, write_trips(tmp_path / "a.ndjson", trips(400, days=2)))
        close_day_of(home, "2025-03-10")
        second = monitor.look(url)
        again = monitor.look(url)

    (copy,) = (tmp_path / "monitor").glob("*/mirror")
    with open_home(home) as opened:
        size = opened.log.size
        stated = orjson.loads(opened.log.entry(size - 1))["body"]
    assert verify_log(copy, policy)[0] == size == second["entries"]
    assert (first["findings"], second["findings"], again["new"]) == ([], [], 0)
    assert second["new"] == size - int(str(first["entries"])) > 0
    counts = [cell["count"] for cell in stated["cells"]]
    assert second["days"] == [
        {
            "platform": "cn-420100/wuhan",
            "day": "2025-03-10",
            "count": sum(counts),
            "co2e_mg": str(sum(int(cell["co2e_mg"]) for cell in stated["cells"])),
            "points": str(sum(int(cell["points"]) for cell in stated["cells"])),
        }
    ]
    assert sum(counts) > 100


def statements(home: Path) -> list[bytes]:
    with open_home(home) as opened:
        return list(opened.log.entries(0))


def changed(entry: bytes, path: str, value: object) -> bytes:
    document = orjson.loads(entry)
    *parents, last = path.split("/")
    place = document
    for name in parents:
        place = place[int(name) if name.isdigit() else name]
    place[last] = value
    return orjson.dumps(document)


def test_statements_that_do_not_fit_each_other_are_found(
    tmp_path: Path, policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = make_home(tmp_path, monkeypatch)
    for number in range(2):
        file = write_trips(tmp_path / f"{number}.ndjson", trips(100, number, days=1, first=1000 * number))
        convert(home, file)
    close_day_of(home, "2025-03-10")
    told = statements(home)
    kinds = [orjson.loads(entry)["body"]["type"] for entry in told]
    batch, day = kinds.index("tanqiao/batch/1"), kinds.index("tanqiao/day/1")
    mapping = kinds.index("tanqiao/mapping-published/1")
    cases = {
        "good": (told, ""),
        "a batch left out": ([*told[:batch], *told[batch + 1 :]], "does not follow on the last one"),
        "a batch not there": ([*told[:batch], *told[batch + 1 :]], "not in the log before it"),
        "too many": ([*told[:day], changed(told[day], "body/cells/0/count", 201)], "its batches have 200"),
        "another number": ([*told[:day], changed(told[day], "body/supplement", 1)], "statement before it"),
        "no mapping": ([*told[:mapping], *told[mapping + 1 :]], "which was not published before"),
        "no statement": ([*told, b"{}"], "no statement"),
    }
    for number, (name, (listed, words)) in enumerate(cases.items()):
        log_of(tmp_path / str(number), ORIGIN).append(listed)
        shutil.rmtree(tmp_path / "monitor", ignore_errors=True)

        findings = str(look(tmp_path / str(number), policy)["findings"])

        assert words in findings, name
        assert bool(words) is (findings != "[]"), (name, findings)


def test_one_size_with_two_roots_is_proven_and_the_proof_refused_when_altered(
    tmp_path: Path, policy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    branch(tmp_path / "a", 5)
    branch(tmp_path / "b", 5, common=3, word="other")
    look(tmp_path / "a", policy)

    evidence = proven(tmp_path / "b", policy)

    assert run(["log", "verify", "--evidence", str(evidence), "--policy", str(policy)]) == 0
    assert json.loads(capsys.readouterr().out)["sizes"] == [5, 5]
    _require_refused_when_altered(evidence, policy)


@pytest.mark.parametrize(("size", "other"), [(5, 9), (4, 9), (255, 300), (256, 257), (1, 600)])
def test_a_log_that_grew_from_another_beginning_is_proven(
    tmp_path: Path, policy: Path, size: int, other: int
) -> None:
    branch(tmp_path / "a", size)
    branch(tmp_path / "b", other, common=size - 1, word="other")
    look(tmp_path / "a", policy)

    evidence = proven(tmp_path / "b", policy)

    assert verify_evidence(evidence, policy)["sizes"] == [size, other]
    _require_refused_when_altered(evidence, policy)


def _require_refused_when_altered(evidence: Path, policy: Path) -> None:
    document = json.loads(evidence.read_bytes())
    earlier, later = document["earlier"], document["later"]
    altered = evidence.with_name("altered.json")
    changes = [
        {"earlier": later},
        {"later": earlier},
        {"root": "A" * 43 + "="},
        {"root": earlier.split("\n")[2]},
        {"earlier": earlier.replace("\n\n", "\nmore\n\n")},
        {"later": later[:-3] + "A=\n" if later[-3] != "A" else later[:-3] + "B=\n"},
        {"hashes": [*document["hashes"], "A" * 43 + "="]},
        {"type": "tanqiao/log-fork/2"},
        *({"hashes": document["hashes"][1:]} for _ in document["hashes"][:1]),
    ]
    for change in changes:
        altered.write_text(json.dumps(document | change))
        with pytest.raises(GatewayError):
            verify_evidence(altered, policy)
    stranger = evidence.with_name("stranger")
    stranger.write_text(f"log {log_signer('stranger.example').key}\nquorum none\n")
    with pytest.raises(GatewayError):
        verify_evidence(evidence, stranger)


def test_a_log_that_continues_is_no_fork_whatever_the_file_says(tmp_path: Path, policy: Path) -> None:
    log = branch(tmp_path, 5)
    early = log.checkpoint
    root = early.decode().split("\n")[2]
    log.append(entries(9, 5))
    evidence = tmp_path / "evidence.json"
    hashes = [__import__("base64").b64encode(one).decode() for one in log.consistency(5)]
    document = {"type": "tanqiao/log-fork/1", "earlier": early.decode(), "later": log.checkpoint.decode()}

    evidence.write_text(json.dumps(document | {"root": root, "hashes": hashes}))
    with pytest.raises(NoFork):
        verify_evidence(evidence, policy)
    evidence.write_text(json.dumps(document | {"root": "A" * 43 + "=", "hashes": hashes}))
    with pytest.raises(ProofInvalid):
        verify_evidence(evidence, policy)


def test_a_log_that_goes_back_is_told_and_proven_where_a_mirror_has_its_tiles(
    tmp_path: Path, policy: Path
) -> None:
    branch(tmp_path / "a", 300)
    branch(tmp_path / "shorter", 100)
    branch(tmp_path / "other", 100, common=50, word="other")
    look(tmp_path / "a", policy, mirror=True)

    with pytest.raises(IntegrityBroken, match="has shown more entries before"):
        look(tmp_path / "shorter", policy, mirror=True)
    evidence = proven(tmp_path / "other", policy, mirror=True)

    assert verify_evidence(evidence, policy)["sizes"] == [100, 300]
    assert verify_log(*_mirror(tmp_path, policy))[0] == 300


def _mirror(tmp_path: Path, policy: Path) -> tuple[Path, Path]:
    (copy,) = (tmp_path / "monitor").glob("*/mirror")
    return copy, policy


def test_fork_that_two_witnesses_were_shown_is_proven_by_the_monitor(tmp_path: Path, policy: Path) -> None:
    """Each witness has seen one log only, and is content; only who compares them sees both."""
    shown = branch(tmp_path / "a", 5)
    hidden = branch(tmp_path / "b", 9, common=2, word="other")
    with witnessing(tmp_path, "one.example", "two.example", keys=(KEY,)) as (one, two):
        assert one.add_checkpoint(request_for(shown, 0)).status_code == 200
        assert two.add_checkpoint(request_for(hidden, 0)).status_code == 200
        assert look(tmp_path / "a", policy, witnesses=[one.url])["entries"] == 5
        shown.append(entries(12, 5))

        evidence = proven(tmp_path / "a", policy, witnesses=[one.url, two.url])

    assert run(["log", "verify", "--evidence", str(evidence), "--policy", str(policy)]) == 0
    assert verify_evidence(evidence, policy)["sizes"] == [9, 12]
    _require_refused_when_altered(evidence, policy)


def test_exit_code_says_what_was_met(tmp_path: Path, policy: Path) -> None:
    branch(tmp_path / "a", 5)
    branch(tmp_path / "b", 5, word="other")
    arguments = ["--policy", str(policy), "--state", str(tmp_path / "monitor")]
    with published(tmp_path / "a" / "home" / "log") as url:
        assert run(["log", "monitor", url, *arguments]) == 1  # its entries are no statements
        assert run(["log", "monitor", url, "http://127.0.0.1:1", *arguments]) == 5
    with published(tmp_path / "b" / "home" / "log") as url:
        assert run(["log", "monitor", url, "http://127.0.0.1:1", *arguments]) == 6
    assert run(["log", "verify", "--policy", str(policy)]) == 2


def test_altered_tile_is_refused_and_not_copied(tmp_path: Path, policy: Path) -> None:
    branch(tmp_path / "a", 300)
    tile = tmp_path / "a" / "home" / "log" / "tile" / "entries" / "000"
    data = tile.read_bytes()
    tile.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(IntegrityBroken, match="tile/entries/000"):
        look(tmp_path / "a", policy, mirror=True)

    assert not list((tmp_path / "monitor").rglob("entries/*"))
    with pytest.raises(Unreachable):
        look(tmp_path / "nothing", policy)
