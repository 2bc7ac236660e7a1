"""The transparency log on disk: exactly the files that a web server may publish (C2SP tlog-tiles).

An append has five steps, and a kill between any two of them is survived: stage everything in one
durable file, compare-and-swap the signed checkpoint in the checkpoint store, publish the tiles,
publish the checkpoint, remove the stage. The swap decides: before it nothing has happened, after it
the stage is published by whoever comes next. Appending and recovering need the home's write lock.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple, Self

from gateway.errors import IntegrityBroken, InvariantBroken, LocalFileError, Refused, UsageError
from gateway.store.files.durable import remove_folder, sync_folder
from gateway.store.log.check import check_files
from gateway.store.log.checkpoints import CheckpointStore, Stored
from gateway.store.log.stage import Stage
from gateway.transparency import (
    TILE_WIDTH,
    Checkpoint,
    Edge,
    LogFileAltered,
    LogProof,
    MalformedLogText,
    TreeReader,
    grow,
    read_checkpoint,
    read_note,
)

__all__ = ["Appended", "HomeOlderThanCheckpoint", "LogFolder", "LogForked", "NoSuchEntry"]

_CHECKPOINT: Final = "checkpoint"


class HomeOlderThanCheckpoint(IntegrityBroken):
    """The home's log ends before the newest checkpoint that was ever signed: an older copy was put back."""

    code = "home-older-than-checkpoint"
    remedy = (
        "put back the newest copy of the home, or fetch the missing tiles from where the log is published"
    )


class LogForked(IntegrityBroken):
    """The home's log says something else than the newest checkpoint that was ever signed."""

    code = "log-forked"
    remedy = (
        "check that the setting names this home's checkpoint store; if it does, stop and call the auditor"
    )


class NoSuchEntry(Refused):
    """The log does not reach that far."""

    code = "no-such-entry"
    remedy = "ask for an entry below the size of the log"


class Appended(NamedTuple):
    """Where the first new entry stands, and the signed checkpoint that covers all of them."""

    first_index: int
    checkpoint_note: bytes


class LogFolder:
    """One log: its folder, its stages, and the part of the checkpoint store that belongs to it."""

    def __init__(
        self,
        folder: Path,
        *,
        origin: str,
        staging: Path,
        store: CheckpointStore,
        sign_checkpoint: Callable[[bytes], bytes],
        after_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Take the log's parts; nothing is read or written yet.

        Args:
            folder: the folder to publish.
            origin: the log's name in its checkpoints.
            staging: a folder on the same disk that is not published.
            store: where the newest checkpoint is kept for good.
            sign_checkpoint: turns the text of a checkpoint into a signed note.
            after_step: is told the name of each step once it is durable.
        """
        self._folder = folder
        self._origin = origin
        self._staging = staging
        self._store = store
        self._sign = sign_checkpoint
        self._after_step = after_step
        self._cached: tuple[bytes, TreeReader] | None = None
        self._cosigned: Callable[[], Sequence[bytes]] = tuple

    def proving_under(self, cosigned: Callable[[], Sequence[bytes]]) -> Self:
        """Let proofs stand under the first of these checkpoints that covers the entry, if there is one."""
        self._cosigned = cosigned
        return self

    @property
    def origin(self) -> str:
        """The log's name in its checkpoints."""
        return self._origin

    @property
    def size(self) -> int:
        """The number of published entries."""
        return self._published()[1].tree_size

    @property
    def checkpoint(self) -> bytes:
        """The published signed checkpoint; empty before the first append."""
        return self._published()[0]

    def append(self, entries: Sequence[bytes]) -> Appended:
        """Sign and publish entries; once this has returned they are in the log for good.

        1. recover  2. grow and sign  3. stage  4. swap  5. publish

        Raises:
            SwapLost: another copy of the home was faster; nothing was published.
            HomeOlderThanCheckpoint, LogForked, LogFileAltered: nothing was signed.
            LocalFileError: the disk refused; if the swap was done, the next recovery finishes.
        """
        if not entries:
            raise UsageError("no entries to append")
        with self._disk():
            return self._append(entries)

    def _append(self, entries: Sequence[bytes]) -> Appended:
        stored = self._recover() or Stored()
        growth = grow(self._edge(), entries)
        checkpoint = Checkpoint(self._origin, growth.edge.size, growth.edge.root)
        stage = Stage(self._signed(checkpoint), growth.files)
        path = self._staging / f"{checkpoint.tree_size}-{checkpoint.root_hash.hex()[:16]}.zip"
        stage.write(path)
        self._after_step("staged")
        new = replace(stored, note=stage.note, size=checkpoint.tree_size, root=checkpoint.root_hash)
        self._store.swap(self._origin, expected=stored, new=new)
        self._after_step("swapped")
        self._publish(stage, path)
        return Appended(stored.size, stage.note)

    def recover(self) -> Stored | None:
        """Finish what was decided, drop what was not, and compare the log with the checkpoint store.

        Raises:
            HomeOlderThanCheckpoint: the log ends before the stored checkpoint.
            LogForked: the log lies ahead of the stored checkpoint or beside it.
        """
        with self._disk():
            return self._recover()

    def _recover(self) -> Stored | None:
        stored = self._store.latest(self._origin)
        stages = sorted(self._staging.glob("*.zip"))
        for path in stages:
            stage = Stage.read(path)
            if stage is not None and stored is not None and stage.note == stored.note:
                self._publish(stage, path)
        self._compare(stored or Stored())
        for path in [*stages, *self._staging.glob("*.half")]:
            path.unlink(missing_ok=True)  # these lost the swap, or never came to it
        return stored

    def entry(self, index: int) -> bytes:
        """Return one published entry, checked against the checkpoint."""
        tree = self._tree(index)
        return tree.bundle(index // TILE_WIDTH)[index % TILE_WIDTH]

    def entries(self, start: int) -> Iterator[bytes]:
        """Return the published entries from an index on, each checked against the checkpoint."""
        size = self.size
        while start < size:
            bundle = self._tree(start).bundle(start // TILE_WIDTH)
            taken = bundle[start % TILE_WIDTH :][: size - start]
            yield from taken
            start += len(taken)

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Build the inclusion proof of an entry, in the newest tree or in that of an earlier size."""
        tree = self._tree(index)
        return tree.inclusion(index, size=self.size if size is None else size)

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """Build the consistency proof from one size to another, or to the newest."""
        new_size = self.size if size is None else size
        return self._tree(max(new_size, 1) - 1).consistency(old_size, size=new_size)

    def proof_text(self, index: int) -> str:
        """Return the C2SP log proof of an entry, under a cosigned checkpoint where one covers it."""
        note, size = self._covering(index)
        return str(LogProof(index, tuple(self._tree(index).inclusion(index, size=size)), note))

    def _covering(self, index: int) -> tuple[bytes, int]:
        """Return a checkpoint that covers an entry; a cosigned one must be of this very log."""
        published, newest = self._published()
        for note in self._cosigned():
            checkpoint = read_checkpoint(read_note(note).text)
            if index < checkpoint.tree_size <= newest.tree_size:
                if self._tree(index).root(checkpoint.tree_size) != checkpoint.root_hash:
                    raise LogForked(
                        f"a cosigned checkpoint, {checkpoint}, is not of the log in {self._folder}"
                    )
                return note, checkpoint.tree_size
        return published, newest.tree_size

    def check(self) -> None:
        """Read every file of the log and recompute every hash up to the newest checkpoint ever signed.

        Raises:
            LogFileAltered: names the file that is missing, too much, or not what it was.
            HomeOlderThanCheckpoint, LogForked: the log is not the one of the checkpoint store.
        """
        stored = self._store.latest(self._origin) or Stored()
        self._compare(stored)
        if stored.size:
            checkpoint = read_checkpoint(read_note(stored.note).text)
            check_files(self._read, checkpoint, paths=self._paths())

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise LocalFileError(
                f"the log in {self._folder} cannot be written: {error}",
                remedy="make room or mend the permissions, then run the command again; it goes on from there",
            ) from error

    def _paths(self) -> Iterator[str]:
        for path in self._folder.rglob("*"):
            if path.is_symlink() or not path.is_dir():
                yield path.relative_to(self._folder).as_posix()

    def _edge(self) -> Edge:
        size = self.size
        return self._tree(size - 1).edge if size else Edge(0)

    def _tree(self, index: int) -> TreeReader:
        """Return the tree of the published checkpoint, which must hold the entry."""
        note, checkpoint = self._published()
        if not 0 <= index < checkpoint.tree_size:
            raise NoSuchEntry(f"entry {index} was asked for, the log has {checkpoint.tree_size} entries")
        if self._cached is None or self._cached[0] != note:
            self._cached = (note, TreeReader(self._read, checkpoint))
        return self._cached[1]

    def _published(self) -> tuple[bytes, Checkpoint]:
        try:
            note = self._read(_CHECKPOINT)
        except FileNotFoundError:
            return b"", Checkpoint(self._origin, 0, Stored().root)
        try:
            checkpoint = read_checkpoint(read_note(note).text)
        except MalformedLogText as error:
            raise LogFileAltered(_CHECKPOINT, str(error)) from error
        if checkpoint.origin != self._origin:
            raise LogFileAltered(
                _CHECKPOINT, f"expected the log {self._origin!r}, found {checkpoint.origin!r}"
            )
        return note, checkpoint

    def _compare(self, stored: Stored) -> None:
        note, found = self._published()
        words = (
            f"the newest checkpoint signed for {self._origin} has {stored.size} entries and root"
            f" {stored.root.hex()},"
            f" the log in {self._folder} has {found.tree_size} and {found.root_hash.hex()}"
        )
        if found.tree_size < stored.size:
            raise HomeOlderThanCheckpoint(words)
        if found.root_hash != stored.root:
            raise LogForked(words)
        if note != stored.note:
            raise LogFileAltered(_CHECKPOINT, "the note is not byte for byte the one that was signed last")

    def _signed(self, checkpoint: Checkpoint) -> bytes:
        note = self._sign(bytes(checkpoint))
        if read_note(note).text != bytes(checkpoint):
            raise InvariantBroken("the signer returned a note with another text")
        return note

    def _publish(self, stage: Stage, path: Path) -> None:
        """Put the staged files in place; every step may be repeated after a kill."""
        for name, data in stage.files.items():
            self._put(name, data)
            self._after_step("file published")
        self._sync_folders(stage.files)
        self._after_step("tiles published")
        self._put(_CHECKPOINT, stage.note, replaces=True)
        sync_folder(self._folder)
        self._after_step("checkpoint published")
        for name in stage.files:
            remove_folder(
                self._folder / f"{name}.p"
            )  # the full file has come: it begins with the partial ones
        self._after_step("partial files removed")
        path.unlink()
        self._after_step("stage removed")

    def _put(self, name: str, data: bytes, *, replaces: bool = False) -> None:
        """Write a file durably; one that is there already may not differ, as others hold its bytes."""
        target = self._folder / name
        if not replaces and target.exists():
            if target.read_bytes() != data:
                raise LogFileAltered(name, "the file is there with other bytes; it was not overwritten")
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        half = self._staging / "publishing.half"  # half a file must never be visible to readers
        with half.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        half.replace(target)

    def _sync_folders(self, names: dict[str, bytes]) -> None:
        folders = {parent for name in names for parent in (self._folder / name).parents}
        for folder in folders:
            if folder.is_relative_to(self._folder.parent):
                sync_folder(folder)

    def _read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()
