"""Join the parts of a monitor: follow logs of others over HTTP, and keep what proves a fork."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.errors import ChecksFailed, GatewayError, IntegrityBroken, Unreachable
from gateway.model.shape import Shape
from gateway.peers import HttpLog
from gateway.resources import schema
from gateway.service.witnesses.monitoring import StatementReader
from gateway.service.witnesses.quorum import is_witnessed
from gateway.store.files.inputs import read_small
from gateway.store.log.monitor_books import MonitorFolder, SqlMonitorBooks, VerifiedTiles
from gateway.transparency import (
    TILE_WIDTH,
    Checkpoint,
    Policy,
    Reader,
    TreeReader,
    fork_between,
    read_checkpoint,
    read_note,
    read_policy,
    verify_log_signature,
)

__all__ = ["LogForkProven", "Monitoring", "follow", "monitoring"]

BUNDLES_TOGETHER: Final = 16  # tiles of so many bundles are held before a mirror keeps them


class LogForkProven(IntegrityBroken):
    """A log has signed two checkpoints that cannot both be true; the proof is in a file."""

    code = "log-fork-proven"
    remedy = "stop trusting the log; give the file to all: `tanqiao log verify --evidence` accepts it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """How to monitor. ``witnesses`` are addresses of witnesses that are asked what they have cosigned."""

    policy: Policy
    state: Path
    http: HttpLog
    witnesses: Sequence[str] = ()
    mirror: bool = False

    def look(self, url: str) -> dict[str, object]:
        """Follow one log to its newest checkpoint.

        1. checkpoint and signature  2. against the last one  3. against the witnesses' ones
        4. its new entries  5. remember

        Raises:
            LogForkProven: it was forked; the evidence is kept.
            Unreachable: the log does not answer.
            IntegrityBroken: the log's files are not those of its checkpoint.
        """
        note = self._fetched(f"{url}/checkpoint")
        checkpoint = read_checkpoint(read_note(note).text)
        folder = MonitorFolder(self.state, checkpoint.origin)
        tiles = VerifiedTiles(folder.mirror, checkpoint.tree_size)
        read = self._reader(url, tiles)
        with folder.writing() as books:
            known = books.checkpoint()
            self._compare(known, note, read=self._of_the_larger(known, note, read=read, folder=folder))
            troubles = list(self._against_witnesses(note, read=read))
            if known and read_checkpoint(read_note(known).text).tree_size > checkpoint.tree_size:
                raise IntegrityBroken(f"{url} shows {checkpoint}, it has shown more entries before")
            before = books.entries()
            self._read_entries(books, checkpoint, read=read, tiles=tiles)
            books.advance(note, checkpoint.tree_size)
            findings = [f"entry {one.position}: {one.words}" for one in books.findings()]
            days = books.day_sums()
        if self.mirror:
            folder.keep_checkpoint(note)
        return {
            "url": url,
            "origin": checkpoint.origin,
            "entries": checkpoint.tree_size,
            "new": checkpoint.tree_size - before,
            "witnessed": is_witnessed(self.policy, note),
            "findings": findings + troubles,
            "days": days,
        }

    def _fetched(self, url: str) -> bytes:
        try:
            return verify_log_signature(self.policy, self.http.read(url))
        except FileNotFoundError as error:
            raise Unreachable(f"there is no checkpoint at {url}") from error

    def _reader(self, url: str, tiles: VerifiedTiles) -> Reader:
        def read(path: str) -> bytes:
            data = self.http.read(f"{url}/{path}")
            if self.mirror:
                tiles.note(path, data)
            return data

        return read

    def _of_the_larger(self, known: bytes, note: bytes, *, read: Reader, folder: MonitorFolder) -> Reader:
        """Return the tiles of the larger checkpoint: the log's own, or, if it went back, the mirror's."""
        if not known or _size(known) <= _size(note):
            return read
        return lambda path: (folder.mirror / path).read_bytes()

    def _compare(self, one: bytes, other: bytes, *, read: Reader) -> None:
        evidence = fork_between(one, other, read=read) if one and other else None
        if evidence is not None:
            origin = read_checkpoint(read_note(other).text).origin
            path = MonitorFolder(self.state, origin).keep_evidence(bytes(evidence))
            raise LogForkProven(f"the log {origin} was forked: {path}", field=str(path))

    def _against_witnesses(self, note: bytes, *, read: Reader) -> Iterator[str]:
        """Compare with what witnesses have cosigned; yields what keeps from comparing."""
        origin = read_checkpoint(read_note(note).text).origin
        for witness in self.witnesses:
            url = f"{witness}/{sha256(origin.encode()).hexdigest()}/checkpoint"
            try:
                seen = verify_log_signature(self.policy, self.http.read(url))
                self._compare(seen, note, read=read)
            except FileNotFoundError:
                yield f"witness {witness} has cosigned nothing of {origin}"
            except LogForkProven:
                raise
            except GatewayError as error:
                yield f"witness {witness}: {error.code}: {error}"

    def _read_entries(
        self, books: SqlMonitorBooks, checkpoint: Checkpoint, *, read: Reader, tiles: VerifiedTiles
    ) -> None:
        """Read the entries that are new, each proven, and keep the tiles that were used."""
        if not checkpoint.tree_size:
            return
        tree = TreeReader(read, checkpoint)
        reader = StatementReader(books=books, shape=Shape(schema("statement")))
        position = books.entries()
        while position < checkpoint.tree_size:
            number = position // TILE_WIDTH
            for entry in tree.bundle(number)[position % TILE_WIDTH :]:
                reader.read(position, entry)
                position += 1
            if number % BUNDLES_TOGETHER == 0:
                tiles.keep()
        tiles.keep()


def _size(note: bytes) -> int:
    return read_checkpoint(read_note(note).text).tree_size


@contextmanager
def monitoring(policy: Path, state: Path, *, witnesses: Sequence[str], mirror: bool) -> Iterator[Monitoring]:
    """Give a monitor; the witnesses of the policy that have an address are asked too."""
    rules = read_policy(read_small(policy))
    asked = [*witnesses, *(one.url for one in rules.witnesses if one.url)]
    unique = tuple(dict.fromkeys(url.rstrip("/") for url in asked))
    with HttpLog() as http:
        yield Monitoring(policy=rules, state=state, http=http, witnesses=unique, mirror=mirror)


def follow(
    urls: Sequence[str], monitor: Monitoring, *, every: int, tell: Callable[[dict[str, object]], None]
) -> None:
    """Look at each log once, or again and again until interrupted; one that fails does not stop the others.

    Raises:
        GatewayError: the gravest that was met, when each log was looked at once.
        ChecksFailed: nothing worse than findings.
    """
    failed = _look_at_each(urls, monitor, tell=tell)
    while every:
        time.sleep(every)
        _look_at_each(urls, monitor, tell=tell)
    if failed:
        raise max(failed, key=_gravity)


def _look_at_each(
    urls: Sequence[str], monitor: Monitoring, *, tell: Callable[[dict[str, object]], None]
) -> list[GatewayError]:
    failed: list[GatewayError] = []
    for url in urls:
        try:
            told = monitor.look(url.rstrip("/"))
            tell(told)
            if told["findings"]:
                failed.append(ChecksFailed(f"{url}: there are findings", remedy="look at each of them"))
        except GatewayError as error:
            tell({"url": url, "code": error.code, "error": str(error)})
            failed.append(error)
    return failed


def _gravity(error: GatewayError) -> int:
    return 2 if isinstance(error, IntegrityBroken) else 0 if isinstance(error, ChecksFailed) else 1
