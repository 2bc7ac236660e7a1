"""Logs made here and checked by x/mod; logs altered afterwards and refused by it."""

import os
import subprocess
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.transparency import cosign_note, read_note, read_proof
from tests.go.verifier import GoVerifier, missing_for_go
from tests.unit.store_log.logs import SIGNER, entries, files_of, log_in
from tests.unit.transparency.signers import log_signer, witness_signer

pytestmark = pytest.mark.go
VKEY = str(SIGNER.key)
ROOT = Path(__file__).resolve().parents[2]


def consistency_text(old_size: int, hashes: list[bytes]) -> str:
    return f"old {old_size}\n" + "".join(f"{b64encode(each).decode()}\n" for each in hashes) + "\n"


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 1_000, 70_000])
def test_go_accepts_the_log_its_proofs_and_its_consistency(
    go_verifier: GoVerifier, tmp_path: Path, size: int
) -> None:
    log = log_in(tmp_path)
    for until in sorted({1, size // 3 or 1, size - 1 or 1, size}):
        if until > log.size:
            log.append(entries(until, log.size))

    for index, old in [(0, 1), (size // 2, size // 2 or 1), (size - 1, size)]:
        answer = go_verifier(
            vkey=VKEY,
            log=tmp_path / "home" / "log",
            proof=(log.proof_text(index), entries(size)[index]),
            consistency=consistency_text(old, log.consistency(old)),
        )

        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.count("holds") == 2
        assert f"{size} entries" in answer.stdout


@pytest.mark.parametrize("size", [3, 257])
def test_go_refuses_every_altered_file(go_verifier: GoVerifier, tmp_path: Path, size: int) -> None:
    log_in(tmp_path).append(entries(size))
    for path in list(files_of(tmp_path)):
        data = path.read_bytes()
        for at in (0, len(data) // 2, len(data) - 1):
            path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            answer = go_verifier(vkey=VKEY, log=tmp_path / "home" / "log")
            assert answer.returncode == 1, (path, at)
            assert "logcheck:" in answer.stderr
        path.unlink()
        assert go_verifier(vkey=VKEY, log=tmp_path / "home" / "log").returncode == 1
        path.write_bytes(data)
    assert go_verifier(vkey=VKEY, log=tmp_path / "home" / "log").returncode == 0


def test_go_refuses_another_entry_key_index_or_hash(go_verifier: GoVerifier, tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(9))
    text = log.proof_text(3)
    proof = read_proof(text)
    swapped = str(replace(proof, hashes=proof.hashes[::-1]))

    assert go_verifier(vkey=VKEY, proof=(text, b"entry 3")).returncode == 0
    assert go_verifier(vkey=VKEY, proof=(text, b"entry 4")).returncode == 1
    assert go_verifier(vkey=VKEY, proof=(text.replace("index 3", "index 4"), b"entry 3")).returncode == 1
    assert go_verifier(vkey=VKEY, proof=(swapped, b"entry 3")).returncode == 1
    assert go_verifier(vkey=str(log_signer("other").key), proof=(text, b"entry 3")).returncode == 1


def test_go_refuses_a_wrong_consistency_proof(go_verifier: GoVerifier, tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(9))
    hashes = log.consistency(5)
    folder = tmp_path / "home" / "log"

    right = go_verifier(vkey=VKEY, log=folder, consistency=consistency_text(5, hashes))
    wrong = go_verifier(vkey=VKEY, log=folder, consistency=consistency_text(6, hashes))

    assert (right.returncode, wrong.returncode) == (0, 1)
    assert "consistency proof" in wrong.stderr


def test_go_passes_over_the_cosignatures_of_witnesses(go_verifier: GoVerifier, tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.append(entries(2))
    witness = witness_signer("witness.example/w1")
    note = cosign_note(read_note(log.checkpoint), key=witness.key, sign=witness.sign, timestamp=1_700_000_000)
    text = log.proof_text(1).replace(log.checkpoint.decode(), bytes(note).decode())

    assert go_verifier(vkey=VKEY, proof=(text, b"entry 1")).returncode == 0


def test_the_commands_of_the_reference_check_a_log(go_verifier: GoVerifier, tmp_path: Path) -> None:  # noqa: ARG001 - skips where Go is absent
    log = log_in(tmp_path)
    log.append(entries(300))
    (tmp_path / "proof").write_text(log.proof_text(7))
    (tmp_path / "entry").write_bytes(b"entry 7")
    text = (ROOT / "docs" / "reference" / "log.md").read_text()
    commands = text.partition("```sh\n")[2].partition("```")[0]
    names = {"OUT": "", "LOG": "home/log", "PROOF": "proof", "ENTRY": "entry"}
    settings = {name: str(tmp_path / path) for name, path in names.items()} | {"VKEY": VKEY}

    done = subprocess.run(
        ["sh", "-e"],
        input=commands,
        cwd=ROOT,
        env={**os.environ, "GOCACHE": str(tmp_path / "cache"), **settings},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("log: 300 entries")
    assert done.stdout.splitlines()[1] == "log proof: holds"


@pytest.mark.parametrize("absent", ["toolchain", "package"])
def test_a_machine_without_go_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    """The machine is the one part that cannot be handed over, so its lack of Go is patched in."""
    if absent == "toolchain":
        monkeypatch.setenv("PATH", "")
    else:
        monkeypatch.setattr("tests.go.verifier._PACKAGE", Path("/nowhere"))

    assert "make test-deps" in missing_for_go()


def test_go_accepts_the_vectors(go_verifier: GoVerifier) -> None:
    folder = ROOT / "tests" / "vectors" / "transparency"
    proof = (folder / "entry-257.tlog-proof").read_text()
    vkey = str(log_signer("log.example/vector").key)

    assert go_verifier(vkey=vkey, proof=(proof, (folder / "entry").read_bytes())).returncode == 0
