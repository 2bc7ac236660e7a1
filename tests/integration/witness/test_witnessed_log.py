"""A gateway whose log is witnessed: pending and witnessed receipts, dead witnesses, the stop rule."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from gateway.app.base.home import open_home
from gateway.app.log.cosigning import collect
from gateway.app.log.policy import policy_status, replace_policy, set_quorum, trust_witness
from gateway.app.log.verifying import bundle_log
from gateway.app.records.check import receipt_of, trusting, verify_receipt
from gateway.client import GatewayClient, RequestFailed
from gateway.errors import HomeBusy, Refused, UsageError
from gateway.store.log.tiles import LogForked
from gateway.store.log.trust import TrustAltered
from gateway.transparency import (
    BadSignature,
    NoteSignature,
    QuorumPending,
    SignedNote,
    VerifierKey,
    read_note,
    read_policy,
    read_proof,
)
from tests.fakes.homes import WUHAN, audited, convert, make_home, rows_of, trip, trips, write_trips
from tests.fakes.servers import free_port
from tests.fakes.serving import Served, enrolled, served
from tests.fakes.witnesses import RunningWitness, collect_until, witnessing
from tests.go.verifier import GoVerifier, go_verifier
from tests.unit.transparency.signers import witness_signer

__all__ = ["go_verifier"]  # a fixture

NAMES = ("a.example", "b.example", "c.example")
pytestmark = pytest.mark.xdist_group("witnessed")


@pytest.fixture(scope="module")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RunningWitness]]:
    with witnessing(tmp_path_factory.mktemp("witnesses"), *NAMES) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_home(tmp_path, monkeypatch)
    convert(made, write_trips(tmp_path / "a.ndjson", trips(5)))
    return made


def log_key_of(home: Path) -> VerifierKey:
    return read_policy((home / "trust" / "policy").read_bytes()).logs[0].key


def trust_all(home: Path, witnesses: list[RunningWitness], rule: str) -> None:
    for one in witnesses:
        trust_witness(home, one.name, vkey=str(one.key), url=one.url)
    set_quorum(home, rule, names=[])


def when_free(change: Callable[[], object]) -> None:
    """Change the policy of a served home once its sequencer has let go of it."""

    def is_done() -> bool:
        try:
            change()
        except HomeBusy:
            return False
        return True

    wait_until(is_done)


def receipt_in(home: Path) -> Path:
    path = home.parent / "receipt.json"
    path.write_bytes(receipt_of(home, rows_of(home)[0].id, disclose=[]) + b"\n")
    return path


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that within 30 seconds")


def test_receipt_waits_for_two_of_three_and_then_verifies_offline(
    home: Path, witnesses: list[RunningWitness], go_verifier: GoVerifier
) -> None:
    trust_all(home, witnesses, "2")
    with pytest.raises(QuorumPending):
        verify_receipt(receipt_in(home), trusting(home / "trust"))

    witnesses[0].follow(log_key_of(home))
    collect_until(home, "'cosigned': 4")
    with pytest.raises(QuorumPending, match=r"cosigned so far by 'a\.example'"):
        verify_receipt(receipt_in(home), trusting(home / "trust"))

    witnesses[1].follow(log_key_of(home))
    assert collect(home, seconds=30)["witnessed"] is True
    receipt = receipt_in(home)
    verify_receipt(receipt, trusting(home / "trust"))
    proof = str(json.loads(receipt.read_bytes())["log_proof"])
    with open_home(home) as opened:
        entry = opened.log.entry(read_proof(proof).index)
    assert len(read_note(read_proof(proof).checkpoint).signatures) == 3
    assert go_verifier(vkey=str(log_key_of(home)), proof=(proof, entry)).returncode == 0
    assert audited(home).differences == []


@pytest.mark.parametrize("line", [1, 2])
def test_receipt_with_an_altered_cosignature_is_refused(
    home: Path, witnesses: list[RunningWitness], line: int
) -> None:
    trust_all(home, witnesses, "2")
    for one in witnesses[:2]:
        one.follow(log_key_of(home))
    collect(home, seconds=30)
    receipt = receipt_in(home)
    document = json.loads(receipt.read_bytes())
    proof = read_proof(document["log_proof"])
    note = read_note(proof.checkpoint)
    lines = list(note.signatures)
    old = lines[line]
    lines[line] = NoteSignature(old.name, old.key_id, old.signature[:-1] + bytes([old.signature[-1] ^ 1]))
    altered = bytes(SignedNote(note.text, tuple(lines))).decode()
    document["log_proof"] = document["log_proof"].replace(proof.checkpoint.decode(), altered)
    receipt.write_text(json.dumps(document, ensure_ascii=False) + "\n")

    with pytest.raises(BadSignature):
        verify_receipt(receipt, trusting(home / "trust"))


def test_what_comes_after_the_quorum_is_pending_and_what_came_before_stays_witnessed(
    home: Path, witnesses: list[RunningWitness]
) -> None:
    trust_all(home, witnesses[:1], "all")
    witnesses[0].follow(log_key_of(home))
    collect(home, seconds=30)
    first = rows_of(home)[0].id
    convert(home, write_trips(home.parent / "b.ndjson", trips(5, first=100)))
    last = rows_of(home)[-1].id
    path = home.parent / "one.json"

    path.write_bytes(receipt_of(home, first, disclose=[]))
    verify_receipt(path, trusting(home / "trust"))
    path.write_bytes(receipt_of(home, last, disclose=[]))
    with pytest.raises(QuorumPending):
        verify_receipt(path, trusting(home / "trust"))
    collect(home, seconds=30)
    path.write_bytes(receipt_of(home, last, disclose=[]))
    verify_receipt(path, trusting(home / "trust"))


def test_a_log_that_was_put_back_is_told_by_its_witness(
    home: Path, witnesses: list[RunningWitness], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checkpoint store was put back too, so that nothing else could tell."""
    import shutil

    trust_all(home, witnesses[:1], "all")
    witnesses[0].follow(log_key_of(home))
    shutil.copytree(home, tmp_path / "older")
    shutil.copytree(tmp_path / "state", tmp_path / "older-state")
    convert(home, write_trips(tmp_path / "b.ndjson", trips(5, first=100)))
    collect(home, seconds=30)
    monkeypatch.setenv("TANQIAO_STATE", str(tmp_path / "older-state"))

    collect_until(tmp_path / "older", "witness-contradicts")


def test_cosigned_checkpoint_of_another_log_is_not_proved_under(
    home: Path, witnesses: list[RunningWitness]
) -> None:
    trust_all(home, witnesses[:1], "all")
    witnesses[0].follow(log_key_of(home))
    collect(home, seconds=30)
    kept = home / "witnesses" / "checkpoint"
    note = kept.read_bytes()
    root = note.split(b"\n")[2]
    kept.write_bytes(note.replace(root, b"A" * 43 + b"="))

    with pytest.raises(LogForked):
        receipt_of(home, rows_of(home)[0].id, disclose=[])


def test_bundle_for_an_auditor_carries_the_cosignatures(
    home: Path, witnesses: list[RunningWitness], tmp_path: Path
) -> None:
    import tarfile

    from gateway.app.log.verifying import verify_log

    trust_all(home, witnesses[:1], "all")
    witnesses[0].follow(log_key_of(home))
    collect(home, seconds=30)
    bundle_log(home, tmp_path / "audit.tar.gz")
    with tarfile.open(tmp_path / "audit.tar.gz") as archive:
        archive.extractall(tmp_path / "out", filter="data")

    size, _ = verify_log(tmp_path / "out" / "log", tmp_path / "out" / "trust" / "policy")

    assert size > 0
    with pytest.raises(QuorumPending):
        verify_log(home / "log", home / "trust" / "policy")


def test_policy_changes_only_by_its_commands(home: Path, witnesses: list[RunningWitness]) -> None:
    policy = home / "trust" / "policy"
    trust_all(home, witnesses, "2")
    changed = policy.read_bytes()

    assert [one["witness"] for one in policy_status(home)] == list(NAMES)
    policy.write_bytes(changed.replace(b"group quorum 2", b"group quorum 1"))
    with pytest.raises(TrustAltered), open_home(home, writing=True):
        pass
    policy.write_bytes(changed)
    with pytest.raises(UsageError):
        set_quorum(home, "4", names=[])
    with pytest.raises(Refused, match="another key"):
        trust_witness(home, NAMES[0], vkey=str(witnesses[1].key), url="")
    for name in ("a b", "x\nquorum none\n#"):
        with pytest.raises(Refused):
            trust_witness(home, name, vkey=str(witness_signer("d.example").key), url="")
    with pytest.raises(Refused):
        trust_witness(home, "d", vkey=str(witness_signer("d.example").key), url="http://x\nquorum none")
    assert policy.read_bytes() == changed
    assert set_quorum(home, "2", names=[])["quorum"] == f"2 of {', '.join(NAMES)}"
    file = home.parent / "policy"
    file.write_bytes(b"quorum none\n")
    with pytest.raises(Refused, match="does not list this home's log"):
        replace_policy(home, file)
    file.write_bytes(f"log {log_key_of(home)}\nquorum none\n".encode())
    assert replace_policy(home, file) == {"witnesses": [], "quorum": "none", "witnessed": True}
    assert policy.read_bytes() == file.read_bytes()


@pytest.mark.parametrize("pinned", [True, False])
def test_change_of_policy_that_was_killed_is_finished_if_it_was_pinned(home: Path, pinned: bool) -> None:
    policy = home / "trust" / "policy"
    old = policy.read_bytes()
    new = b"# changed\n" + old
    with open_home(home, writing=True) as opened:
        opened.trust.replace_policy(new)
    policy.write_bytes(old)
    if not pinned:
        policy.write_bytes(new)
        policy.with_name("policy.next").write_bytes(old)
    else:
        policy.with_name("policy.next").write_bytes(new)

    with open_home(home, writing=True):
        pass

    assert policy.read_bytes() == new
    assert not policy.with_name("policy.next").exists()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANQIAO_WITNESS_ALARM_SECONDS", "1")
        patch.setenv("TANQIAO_WITNESS_STOP_SECONDS", "3")
        home = make_home(tmp_path_factory.mktemp("witnessed"), patch)
        with served(home) as one:
            yield one


def submitted(client: GatewayClient, number: int) -> tuple[bytes, str]:
    """Submit one act; return its receipt and whether it says that it is witnessed."""
    (outcome,) = client.submit(WUHAN, [trip(number)])["outcomes"]
    answer = client.request("GET", f"/v1/receipts/{outcome['record']}?batch={outcome['batch']}")
    return answer.content, answer.headers["Tanqiao-Witnessed"]


def test_served_log_is_witnessed_though_one_witness_is_dead_and_one_never_answers(
    running: Served, witnesses: list[RunningWitness]
) -> None:
    home = running.home
    client = enrolled(running)
    assert submitted(client, 500)[1] == "true"  # nobody is asked for: the quorum is none
    dead = f"http://127.0.0.1:{free_port()}"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        urls = [witnesses[0].url, dead, f"http://127.0.0.1:{silent.getsockname()[1]}"]
        for one, url in zip(witnesses, urls, strict=True):
            when_free(partial(trust_witness, home, one.name, vkey=str(one.key), url=url))
        witnesses[0].follow(log_key_of(home))
        when_free(lambda: set_quorum(home, "any", names=[]))
        for number in range(501, 504):
            submitted(client, number)
        wait_until(lambda: httpx.get(running.url + "/log/checkpoint").headers["Tanqiao-Witnessed"] == "true")

        (outcome,) = client.submit(WUHAN, [trip(503)])["outcomes"]
        receipt = client.receipt(outcome["record"], batch=outcome["batch"])
        (home.parent / "r.json").write_bytes(receipt)
        verify_receipt(home.parent / "r.json", trusting(home / "trust"))
        note = read_note(httpx.get(running.url + "/log/checkpoint").content)
        assert [line.name for line in note.signatures] == [log_key_of(home).name, "a.example"]
        wait_until(lambda: "b.example" in httpx.get(running.url + "/v1/ready").text)
        assert httpx.get(running.url + "/v1/ready").json()["ready"] is True


def test_submissions_stop_when_the_quorum_is_missing_and_go_on_when_it_is_back(
    running: Served, tmp_path: Path
) -> None:
    home = running.home
    client = enrolled(running, 2)
    client.pause = lambda _seconds: None
    late = RunningWitness(tmp_path, "late.example")
    late.follow(log_key_of(home))
    when_free(lambda: trust_witness(home, late.name, vkey=str(late.key), url=late.url))
    when_free(lambda: set_quorum(home, "all", names=[late.name]))

    wait_until(lambda: httpx.get(running.url + "/v1/ready").status_code == 503)
    with pytest.raises(RequestFailed) as refused:
        client.submit(WUHAN, [trip(600)])
    assert (refused.value.status, refused.value.problem["code"]) == (503, "unwitnessed")
    assert httpx.get(running.url + "/log/checkpoint").headers["Tanqiao-Witnessed"] == "false"

    late.start()
    try:
        wait_until(lambda: httpx.get(running.url + "/v1/ready").status_code == 200)
        assert client.submit(WUHAN, [trip(600)])["outcomes"][0]["outcome"] == "accepted"
    finally:
        late.stop()
