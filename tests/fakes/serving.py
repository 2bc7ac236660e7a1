"""A served home for tests: real processes behind a real socket, and keys for platforms."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.app.base.keys import new_key
from gateway.app.serving.platforms import invite
from gateway.client import GatewayClient
from gateway.errors import HomeBusy
from gateway.service.audit import AuditReport
from gateway.signing import Signer, key_id
from gateway.store.files.keys import FileSigner
from tests.fakes.homes import audited
from tests.fakes.servers import free_port

T = TypeVar("T")
STARTED_SECONDS = 30
WUHAN_PLATFORM = "cn-420100/wuhan"


class PlatformSigner:
    """A platform's key, in memory."""

    def __init__(self, seed: int = 1) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id(self.public, "http")

    def sign(self, message: bytes) -> bytes:
        return self._private.sign(message)


class Served:
    """A running service and its processes."""

    def __init__(self, home: Path, *, workers: int, arguments: Sequence[str] = ()) -> None:
        self.home = home
        self.arguments = arguments
        self.url = f"http://127.0.0.1:{free_port()}"
        self.workers = workers
        self.closing = ExitStack()
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [str(Path(sys.executable).with_name("tanqiao")), "serve", "--home", str(self.home)]
        command += ["--port", self.url.rpartition(":")[2], "--workers", str(self.workers), *self.arguments]
        environment = {"TANQIAO_DRAIN_SECONDS": "1", **os.environ}
        with (self.home.parent / "served.log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=environment)

    def wait_until_ready(self) -> None:
        for _ in range(STARTED_SECONDS * 20):
            try:
                if httpx.get(self.url + "/v1/ready").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError((self.home.parent / "served.log").read_text())

    def children(self) -> list[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "spawn_main"], capture_output=True, text=True
        )
        return [int(line) for line in found.stdout.split()]

    def restart(self) -> None:
        self.process = self._start()
        self.wait_until_ready()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        finally:
            kill_session(self.process)

    def client(self, signer: Signer | None = None) -> GatewayClient:
        client = GatewayClient(url=self.url, signer=signer)
        self.closing.enter_context(client)
        return client


def kill_session(process: "subprocess.Popen[bytes]") -> None:
    """End a process and all that it has started, as kill -9 does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def served(home: Path, *, workers: int = 1, arguments: Sequence[str] = ()) -> Iterator[Served]:
    running = Served(home, workers=workers, arguments=arguments)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.closing.close()
        if running.process.poll() is None:
            running.stop()


def once_free(work: Callable[[], T]) -> T:
    """Work on a home as soon as the sequencer, which has nothing to do, lets go of it."""
    for _ in range(STARTED_SECONDS * 10):
        with suppress(HomeBusy):
            return work()
        time.sleep(0.1)
    raise AssertionError("the sequencer does not let go of the home")


def audited_once_free(home: Path) -> AuditReport:
    """Audit a home as soon as the sequencer lets go of it."""
    return once_free(lambda: audited(home))


def enrolled(running: Served, seed: int = 1, *, platform: str = WUHAN_PLATFORM) -> GatewayClient:
    """Invite a platform and hand in its key."""
    client = running.client(PlatformSigner(seed))
    client.enrol(platform, invite(running.home, platform)["code"])
    return client


def enrolled_key(running: Served, path: Path, *, platform: str = WUHAN_PLATFORM) -> Path:
    """Make a platform's key in a file, and have it invited and hand the key in."""
    new_key(path, "http", name="")
    running.client(FileSigner(path, "http")).enrol(platform, invite(running.home, platform)["code"])
    return path
