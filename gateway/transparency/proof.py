"""Log proofs (C2SP tlog-proof): an entry's place, its inclusion proof and a checkpoint, in one text."""

from dataclasses import dataclass
from typing import Final

from gateway.transparency.checkpoint import Checkpoint, read_checkpoint
from gateway.transparency.merkle import HASH_BYTES, leaf_hash, verify_inclusion
from gateway.transparency.note import read_note
from gateway.transparency.policy import Policy, verify_checkpoint
from gateway.transparency.text import MalformedLogText, read_base64, read_count, write_base64

__all__ = ["LogProof", "read_proof", "require_included", "verify_proof"]

PROOF_CHARACTERS_MAX: Final = 512 * 1024  # the largest note, the largest path and room for extra data
HASHES_MAX: Final = 63  # a path in the largest tree
_HEADER: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class LogProof:
    """Everything a verifier needs beside the entry itself and the verifier's own policy."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __str__(self) -> str:
        extra = [] if self.extra is None else [f"extra {write_base64(self.extra)}"]
        lines = [_HEADER, *extra, f"index {self.index}", *map(write_base64, self.hashes), ""]
        return "".join(f"{line}\n" for line in lines) + self.checkpoint.decode()


def read_proof(text: str) -> LogProof:
    """Read a log proof without verifying it.

    Raises:
        MalformedLogText: the text is no log proof.
    """
    if len(text) > PROOF_CHARACTERS_MAX:
        raise MalformedLogText(f"log proof: {len(text)} characters, at most {PROOF_CHARACTERS_MAX} are read")
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != _HEADER:
        raise MalformedLogText(f"log proof: expected the first line {_HEADER}, found {lines[0][:40]!r}")
    extra = None
    if len(lines) > 1 and lines[1].startswith("extra "):
        extra = read_base64(lines.pop(1).removeprefix("extra "), "log proof extra data")
    if len(lines) < 2 or not lines[1].startswith("index "):
        raise MalformedLogText("log proof: expected the line 'index NUMBER'")
    hashes = tuple(_read_hash(line) for line in lines[2 : HASHES_MAX + 3])
    if len(hashes) > HASHES_MAX:
        raise MalformedLogText(f"log proof: more than {HASHES_MAX} hashes")
    index = read_count(lines[1].removeprefix("index "), "log proof index")
    return LogProof(index, hashes, _checkpoint_bytes(checkpoint), extra)


def verify_proof(proof: LogProof, entry: bytes, *, policy: Policy) -> Checkpoint:
    """Verify that the entry is in a log that the policy trusts, and return the checkpoint that says so.

    The inclusion is checked first, so that a pending quorum means that nothing else is missing.

    Raises:
        ProofInvalid: the entry is not at that place of that tree.
        NotInPolicy, BadSignature, QuorumPending: see ``verify_checkpoint``.
    """
    require_included(proof, entry)
    return verify_checkpoint(policy, proof.checkpoint)


def require_included(proof: LogProof, entry: bytes) -> None:
    """Check the entry's path to the proof's own checkpoint; whether that holds is another question.

    Raises:
        ProofInvalid: the entry is not at that place of that tree.
    """
    claimed = read_checkpoint(read_note(proof.checkpoint).text)
    verify_inclusion(
        leaf_hash(entry),
        proof.hashes,
        index=proof.index,
        size=claimed.tree_size,
        root=claimed.root_hash,
    )


def _read_hash(line: str) -> bytes:
    data = read_base64(line, "log proof hash")
    if len(data) != HASH_BYTES:
        raise MalformedLogText(f"log proof: a hash of {len(data)} bytes, expected {HASH_BYTES}")
    return data


def _checkpoint_bytes(text: str) -> bytes:
    """Read the checkpoint once, so that a proof that was read can always be written again."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedLogText("log proof: the checkpoint holds lone surrogates") from error
    read_checkpoint(read_note(data).text)
    return data
