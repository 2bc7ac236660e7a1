"""Witnesses for tests: real processes behind real sockets, and the requests that a log sends them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.app.log.cosigning import collect
from gateway.app.log.policy import policy_status
from gateway.app.log.witness import add_log, logs, new_witness
from gateway.store.log.tiles import LogFolder
from gateway.transparency import (
    QuorumPending,
    VerifierKey,
    WitnessRequest,
    read_checkpoint,
    read_note,
    read_vkey,
)
from tests.fakes.servers import free_port
from tests.fakes.serving import kill_session

STARTED_SECONDS = 30


class RunningWitness:
    """A witness and its process."""

    def __init__(self, folder: Path, name: str, *, port: int = 0) -> None:
        self.folder = folder / name
        self.name = name
        self.key: VerifierKey = read_vkey(str(new_witness(self.folder, name=name)["vkey"]))
        self.url = f"http://127.0.0.1:{port or free_port()}"
        self.process: subprocess.Popen[bytes] | None = None

    def follow(self, *keys: VerifierKey) -> None:
        for key in keys:
            add_log(self.folder, str(key))

    def start(self) -> None:
        command = [str(Path(sys.executable).with_name("tanqiao")), "witness", "serve"]
        command += ["--home", str(self.folder), "--port", self.url.rpartition(":")[2]]
        with (self.folder.parent / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True, env=os.environ
            )
        for _ in range(STARTED_SECONDS * 20):
            try:
                httpx.get(self.url)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self.folder.parent / f"{self.name}.log").read_text())

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self.process is not None:
            kill_session(self.process)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            finally:
                kill_session(self.process)

    def add_checkpoint(self, body: bytes) -> httpx.Response:
        return httpx.post(self.url + "/add-checkpoint", content=body, timeout=30)

    def latest_size(self, origin: str) -> int:
        """Ask for the size that was cosigned last, as a client does that knows nothing."""
        found = next((log for log in self.home_logs() if log["origin"] == origin), None)
        return 0 if found is None else int(str(found["size"]))

    def home_logs(self) -> list[dict[str, object]]:
        return logs(self.folder)

    def evidence(self) -> list[Path]:
        return sorted((self.folder / "evidence").glob("*.json"))


@contextmanager
def witnessing(
    folder: Path, *names: str, keys: tuple[VerifierKey, ...] = ()
) -> Iterator[list[RunningWitness]]:
    """Run witnesses that follow some logs."""
    running = [RunningWitness(folder, name) for name in names]
    try:
        for one in running:
            one.follow(*keys)
            one.start()
        yield running
    finally:
        for one in running:
            one.stop()


def collect_until(home: Path, word: str) -> None:
    """Ask the witnesses of a home until its status has a word; the quorum is not reached meanwhile."""
    for _ in range(60):
        with pytest.raises(QuorumPending):
            collect(home, seconds=0.3)
        if word in str(policy_status(home)):
            return
    raise AssertionError(f"{word} is not in {policy_status(home)}")


def request_for(log: LogFolder, old_size: int, note: bytes = b"") -> bytes:
    """Return the request to cosign a log's checkpoint, the newest if none is named."""
    note = note or log.checkpoint
    size = read_checkpoint(read_note(note).text).tree_size
    hashes = log.consistency(old_size, size) if 0 < old_size <= size else []
    return bytes(WitnessRequest(old_size, tuple(hashes), note))
