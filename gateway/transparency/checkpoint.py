"""Checkpoints (C2SP tlog-checkpoint): how large a log is and the root over all its entries."""

from dataclasses import dataclass

from gateway.transparency.merkle import EMPTY_ROOT, HASH_BYTES
from gateway.transparency.text import COUNT_MAX, MalformedLogText, read_base64, read_count, write_base64

__all__ = ["Checkpoint", "read_checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log at one size."""

    origin: str
    tree_size: int
    root_hash: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.tree_size <= COUNT_MAX:
            raise MalformedLogText(f"checkpoint: the size {self.tree_size} lies outside of 0 to {COUNT_MAX}")
        if len(self.root_hash) != HASH_BYTES:
            raise MalformedLogText(
                f"checkpoint: a root of {len(self.root_hash)} bytes, expected {HASH_BYTES}"
            )
        if self.tree_size == 0 and self.root_hash != EMPTY_ROOT:
            raise MalformedLogText(f"checkpoint: expected root {EMPTY_ROOT.hex()} of the empty log")
        for line in (self.origin, *self.extensions):
            if not line or any(c < " " for c in line):
                raise MalformedLogText(f"checkpoint: expected a non-empty line of text, found {line[:80]!r}")

    def __bytes__(self) -> bytes:
        lines = (self.origin, str(self.tree_size), write_base64(self.root_hash), *self.extensions)
        return "".join(f"{line}\n" for line in lines).encode()

    def __str__(self) -> str:
        return f"{self.origin} at {self.tree_size} entries, root {self.root_hash.hex()}"


def read_checkpoint(text: bytes) -> Checkpoint:
    """Read the note text of a checkpoint.

    Raises:
        MalformedLogText: the text is no checkpoint.
    """
    try:
        lines = text.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedLogText(f"checkpoint: byte {error.start} is not UTF-8") from error
    if len(lines) < 4 or lines.pop() != "":
        raise MalformedLogText("checkpoint: expected the lines origin, size and root, each with its line end")
    origin, size, root, *extensions = lines
    return Checkpoint(
        origin,
        read_count(size, "checkpoint size"),
        read_base64(root, "checkpoint root"),
        tuple(extensions),
    )
