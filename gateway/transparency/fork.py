"""Evidence of a fork: two checkpoints that a log has signed and that cannot both be true of one log."""

from dataclasses import dataclass
from typing import Final, Self

from gateway.errors import MalformedDocument, Refused
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.strict import read_strict_object
from gateway.transparency.checkpoint import Checkpoint, read_checkpoint
from gateway.transparency.merkle import verify_consistency
from gateway.transparency.note import read_note
from gateway.transparency.policy import NotInPolicy, Policy, verify_log_signature
from gateway.transparency.text import read_base64, write_base64
from gateway.transparency.tiles import Reader, TreeReader

__all__ = ["FORK_BYTES_MAX", "ForkEvidence", "NoFork", "fork_between"]

FORK_TYPE: Final = "tanqiao/log-fork/1"
FORK_BYTES_MAX: Final = 1024 * 1024  # two of the largest notes, written as JSON
HASHES_MAX: Final = 63
_TEXTS: Final = frozenset({"/earlier", "/later"})  # members of several lines
_MEMBERS: Final = frozenset({"type", "earlier", "later", "root", "hashes"})


def fork_between(one: bytes, other: bytes, *, read: Reader) -> "ForkEvidence | None":
    """Compare two signed checkpoints of a log with the tiles of the larger; None where it goes on.

    Raises:
        LogFileAltered: the tiles are not those of the larger checkpoint, so nothing can be said.
    """
    earlier, later = sorted((one, other), key=lambda note: _checkpoint(note).tree_size)
    before, after = _checkpoint(earlier), _checkpoint(later)
    hashes: tuple[bytes, ...] = ()
    if before.tree_size in {0, after.tree_size}:
        root = (after if before.tree_size else before).root_hash
    else:
        tree = TreeReader(read, after)
        root = tree.root(before.tree_size)
        hashes = tuple(tree.consistency(before.tree_size, size=after.tree_size))
    return None if root == before.root_hash else ForkEvidence(earlier, later, root, hashes)


def _checkpoint(note: bytes) -> Checkpoint:
    return read_checkpoint(read_note(note).text)


class NoFork(Refused):
    """The two checkpoints may both be true of one log: they prove nothing against it."""

    code = "no-fork"
    remedy = "keep both checkpoints, and compare the log with them later: tanqiao log verify --older"


@dataclass(frozen=True, slots=True)
class ForkEvidence:
    """Proof that a log was forked.

    ``hashes`` prove that the log of the later checkpoint had, at the size of the earlier one, the root
    ``root``; the earlier checkpoint has another root there. Both notes are signed by the log.
    """

    earlier: bytes
    later: bytes
    root: bytes
    hashes: tuple[bytes, ...] = ()

    def __bytes__(self) -> bytes:
        document: dict[str, Json] = {
            "type": FORK_TYPE,
            "earlier": self.earlier.decode(),
            "later": self.later.decode(),
            "root": write_base64(self.root),
            "hashes": [write_base64(each) for each in self.hashes],
        }
        return canonical_bytes(document)

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Read evidence without verifying it.

        Raises:
            MalformedDocument: it is not evidence of a fork.
        """
        document = read_strict_object(data, FORK_BYTES_MAX, texts=_TEXTS)
        hashes = document.get("hashes")
        if document.get("type") != FORK_TYPE or set(document) != _MEMBERS or not isinstance(hashes, list):
            raise MalformedDocument(f"expected {FORK_TYPE} with {', '.join(sorted(_MEMBERS))}")
        if len(hashes) > HASHES_MAX:
            raise MalformedDocument(f"{len(hashes)} hashes, at most {HASHES_MAX} are read")
        return cls(
            str(document["earlier"]).encode(),
            str(document["later"]).encode(),
            read_base64(str(document["root"]), "root"),
            tuple(read_base64(str(each), "hash") for each in hashes),
        )

    def verify(self, policy: Policy) -> tuple[Checkpoint, Checkpoint]:
        """Check that a log of the policy was forked; returns both checkpoints.

        Raises:
            NotInPolicy, BadSignature: not both are signed by one log of the policy.
            ProofInvalid: the hashes do not lead to the later checkpoint.
            NoFork: both checkpoints may be true.
        """
        earlier, later = (
            _checkpoint(verify_log_signature(policy, note)) for note in (self.earlier, self.later)
        )
        if earlier.origin != later.origin:
            raise NotInPolicy(f"the checkpoints are of two logs: {earlier.origin!r} and {later.origin!r}")
        verify_consistency(
            self.hashes,
            old_size=earlier.tree_size,
            old_root=self.root,
            size=later.tree_size,
            root=later.root_hash,
        )
        if self.root == earlier.root_hash:
            raise NoFork(f"{later} continues {earlier}")
        return earlier, later
