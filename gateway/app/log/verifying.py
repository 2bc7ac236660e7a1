"""Join the parts of verifying and bundling a log."""

import io
import tarfile
from pathlib import Path

from gateway.app.base.home import open_home
from gateway.errors import IntegrityBroken, LocalFileError
from gateway.store.files.inputs import read_small
from gateway.store.log.check import check_files
from gateway.store.log.cosigned import CosignedFiles
from gateway.transparency import Checkpoint, ForkEvidence, Reader, TreeReader, read_policy, verify_checkpoint

__all__ = ["bundle_log", "verify_evidence", "verify_log"]

LOG_FILE_BYTES_MAX = 32 * 1024 * 1024  # a bundle of 256 entries of 65,535 bytes has 16.8 MB


def verify_log(folder: Path, policy: Path, *, older: Path | None = None) -> tuple[int, str]:
    """Recompute a log folder up to its checkpoint, under somebody's own policy; returns size and root.

    Raises:
        IntegrityBroken: names the file that differs, or shows that the log was forked.
        NotInPolicy, QuorumPending: the policy does not accept the checkpoint.
    """
    rules = read_policy(read_small(policy))
    checkpoint = verify_checkpoint(rules, read_small(folder / "checkpoint"))
    paths = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    check_files(_files_of(folder), checkpoint, paths=paths)
    if older is not None:
        _require_continues(folder, checkpoint, older=verify_checkpoint(rules, read_small(older)))
    return checkpoint.tree_size, checkpoint.root_hash.hex()


def verify_evidence(evidence: Path, policy: Path) -> dict[str, object]:
    """Check that a file proves a fork of a log that somebody's own policy lists.

    Raises:
        NoFork: both checkpoints may be true.
        MalformedDocument, NotInPolicy, IntegrityBroken: it proves nothing.
    """
    proof = ForkEvidence.read(read_small(evidence).rstrip(b"\n"))
    earlier, later = proof.verify(read_policy(read_small(policy)))
    return {
        "fork": True,
        "origin": earlier.origin,
        "sizes": [earlier.tree_size, later.tree_size],
        "signed_root": earlier.root_hash.hex(),
        "root_of_the_other": proof.root.hex(),
    }


def _require_continues(folder: Path, checkpoint: Checkpoint, *, older: Checkpoint) -> None:
    tree = TreeReader(_files_of(folder), checkpoint)
    if older.tree_size > checkpoint.tree_size:
        raise IntegrityBroken(
            f"the log has {checkpoint.tree_size} entries, an earlier checkpoint had {older.tree_size}"
        )
    if older.tree_size and tree.root(older.tree_size) != older.root_hash:
        raise IntegrityBroken(
            f"the log was forked: its first {older.tree_size} entries have another root than was signed",
            remedy="keep both checkpoints: together they prove the fork",
        )


def _files_of(folder: Path) -> Reader:
    def read(name: str) -> bytes:
        if not (folder / name).exists():
            raise FileNotFoundError(name)
        return read_small(folder / name, bytes_max=LOG_FILE_BYTES_MAX)

    return read


def bundle_log(root: Path, out: Path) -> int:
    """Write log, trust files and mappings into an archive; returns the number of files."""
    if out.exists():
        raise LocalFileError(f"{out} exists already", remedy="name another file")
    with open_home(root) as opened:
        opened.log.check()
        members = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for folder in (opened.home.log, opened.home.policy.parent)
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        members["log/checkpoint"] = CosignedFiles(opened.home.witnesses).published(opened.log.checkpoint)
        for mapping in opened.journal.mappings():
            members[f"mappings/{mapping.digest}.json"] = mapping.canonical
        half = out.with_name(out.name + ".half")
        with tarfile.open(half, "w:gz") as archive:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
        half.replace(out)
        return len(members)
