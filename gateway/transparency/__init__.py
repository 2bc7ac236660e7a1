"""The transparency log's formats and proofs: C2SP texts, RFC 6962 trees, tiles; no input or output."""

from gateway.transparency.checkpoint import Checkpoint, read_checkpoint
from gateway.transparency.cosignature import cosignature_time
from gateway.transparency.keys import BadSignature, SignatureType, VerifierKey, read_vkey
from gateway.transparency.merkle import (
    BATCH_LEAVES_MAX,
    EMPTY_ROOT,
    HASH_BYTES,
    BatchTree,
    ProofInvalid,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from gateway.transparency.note import (
    NoteSignature,
    SignedNote,
    cosign_note,
    read_note,
    sign_note,
    verified_keys,
)
from gateway.transparency.policy import (
    MalformedPolicy,
    NotInPolicy,
    Policy,
    QuorumPending,
    read_policy,
    verify_checkpoint,
)
from gateway.transparency.proof import LogProof, read_proof, verify_proof
from gateway.transparency.text import MalformedLogText
from gateway.transparency.tile_names import TILE_WIDTH, TileName, read_tile_name
from gateway.transparency.tiles import (
    ENTRY_BYTES_MAX,
    Edge,
    EntryTooLarge,
    LogFileAltered,
    Reader,
    TreeReader,
    edge_names,
    grow,
    join_bundle,
    split_bundle,
    tile_width,
)

__all__ = [
    "BATCH_LEAVES_MAX",
    "EMPTY_ROOT",
    "ENTRY_BYTES_MAX",
    "HASH_BYTES",
    "TILE_WIDTH",
    "BadSignature",
    "BatchTree",
    "Checkpoint",
    "Edge",
    "EntryTooLarge",
    "LogFileAltered",
    "LogProof",
    "MalformedLogText",
    "MalformedPolicy",
    "NotInPolicy",
    "NoteSignature",
    "Policy",
    "ProofInvalid",
    "QuorumPending",
    "Reader",
    "SignatureType",
    "SignedNote",
    "TileName",
    "TreeReader",
    "VerifierKey",
    "cosign_note",
    "cosignature_time",
    "edge_names",
    "grow",
    "join_bundle",
    "leaf_hash",
    "node_hash",
    "read_checkpoint",
    "read_note",
    "read_policy",
    "read_proof",
    "read_tile_name",
    "read_vkey",
    "root_of",
    "sign_note",
    "split_bundle",
    "tile_width",
    "verified_keys",
    "verify_checkpoint",
    "verify_consistency",
    "verify_inclusion",
    "verify_proof",
]
