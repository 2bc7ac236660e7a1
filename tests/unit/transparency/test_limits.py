"""Each limit holds at its very number: the largest is read, one more is refused."""

from hashlib import sha256

import pytest

from gateway.errors import InvariantBroken
from gateway.transparency import (
    BatchTree,
    Checkpoint,
    LogProof,
    MalformedLogText,
    MalformedPolicy,
    NoteSignature,
    ProofInvalid,
    SignedNote,
    cosign_note,
    leaf_hash,
    read_note,
    read_policy,
    read_proof,
    sign_note,
    verified_keys,
    verify_consistency,
)
from gateway.transparency.merkle import consistency_proof, fold_level, inclusion_proof
from gateway.transparency.text import read_count
from tests.unit.transparency.signers import log_signer, signer, witness_signer

COUNT_MAX = 9_223_372_036_854_775_807
ROOT = leaf_hash(b"one")
LOG = log_signer()
NOTE = bytes(sign_note(bytes(Checkpoint(LOG.key.name, 1, ROOT)), key=LOG.key, sign=LOG.sign))
LINE = NoteSignature("log.example", b"\0\0\0\1", b"s")


def note_of(size: int, *lines: NoteSignature) -> bytes:
    empty = bytes(SignedNote(b"\n", lines))
    return bytes(SignedNote(b"x" * (size - len(empty)) + b"\n", lines))


def test_a_note_has_at_most_262144_bytes() -> None:
    assert len(read_note(note_of(262_144, LINE)).text) > 262_000

    with pytest.raises(MalformedLogText, match="262145 bytes"):
        read_note(note_of(262_145, LINE))


def test_a_note_has_at_most_100_signatures() -> None:
    assert len(read_note(bytes(SignedNote(b"x\n", (LINE,) * 100))).signatures) == 100

    with pytest.raises(MalformedLogText, match="101 signatures"):
        read_note(bytes(SignedNote(b"x\n", (LINE,) * 101)))


def test_a_signature_has_at_least_one_byte_after_the_key_id() -> None:
    assert read_note(bytes(SignedNote(b"x\n", (LINE,)))).signatures == (LINE,)

    with pytest.raises(MalformedLogText, match="leave no room"):
        read_note(bytes(SignedNote(b"x\n", (NoteSignature("log.example", b"\0\0\0\1", b""),))))


def test_a_count_goes_up_to_what_63_bits_hold() -> None:
    assert read_count(str(COUNT_MAX), "size") == COUNT_MAX

    with pytest.raises(MalformedLogText, match="at most 9223372036854775807"):
        read_count(str(COUNT_MAX + 1), "size")


def test_a_checkpoint_goes_up_to_what_63_bits_hold() -> None:
    assert Checkpoint("log.example", COUNT_MAX, ROOT).tree_size == COUNT_MAX

    with pytest.raises(MalformedLogText, match="outside of 0"):
        Checkpoint("log.example", COUNT_MAX + 1, ROOT)


def test_a_line_of_a_checkpoint_may_have_spaces_and_no_other_control_characters() -> None:
    assert Checkpoint("log example", 1, ROOT, ("an extension",)).extensions == ("an extension",)

    with pytest.raises(MalformedLogText, match="non-empty line"):
        Checkpoint("log.example", 1, ROOT, ("a\x1fb",))


def test_the_time_of_a_cosignature_goes_up_to_what_63_bits_hold() -> None:
    witness = witness_signer("witness.example/w1")

    latest = cosign_note(read_note(NOTE), key=witness.key, sign=witness.sign, timestamp=COUNT_MAX)

    assert verified_keys(latest, [witness.key]) == {witness.key}
    with pytest.raises(MalformedLogText, match="outside of 0"):
        cosign_note(read_note(NOTE), key=witness.key, sign=witness.sign, timestamp=COUNT_MAX + 1)


@pytest.mark.parametrize("surrogate", ["\ud800", "\udc80", "\udfff"])  # noqa: PT014  # they differ
def test_a_key_name_with_a_lone_surrogate_is_refused(surrogate: str) -> None:
    for good in ("log\ud7ff", "log\ue000"):
        assert signer(good).key.name == good

    with pytest.raises(MalformedLogText, match="expected a key name"):
        signer(f"log{surrogate}", seed="any")


def proof_of_size(size: int) -> str:
    """Make a proof of so many characters with extra data; an index of more digits takes what is left."""
    empty = {index: len(str(LogProof(index, (), NOTE, b""))) for index in (0, 10, 100, 1000)}
    index = next(index for index, length in empty.items() if (size - length) % 4 == 0)
    return str(LogProof(index, (), NOTE, bytes((size - empty[index]) // 4 * 3)))


def test_a_proof_has_at_most_524288_characters() -> None:
    assert read_proof(proof_of_size(524_288)).checkpoint == NOTE

    with pytest.raises(MalformedLogText, match="524289 characters"):
        read_proof(proof_of_size(524_289))


def test_a_proof_has_at_most_63_hashes() -> None:
    assert len(read_proof(str(LogProof(0, (bytes(32),) * 63, NOTE))).hashes) == 63

    with pytest.raises(MalformedLogText, match="more than 63"):
        read_proof(str(LogProof(0, (bytes(32),) * 64, NOTE)))


POLICY = f"log {LOG.key}\nquorum none\n"


def test_a_policy_has_at_most_262144_bytes() -> None:
    comment = "#" * (262_143 - len(POLICY)) + "\n"
    assert read_policy((comment + POLICY).encode()).quorum == "none"

    with pytest.raises(MalformedPolicy, match="262145 bytes"):
        read_policy(("#" + comment + POLICY).encode())


def test_the_line_of_a_forbidden_octet_is_counted_from_the_first_line_end() -> None:
    with pytest.raises(MalformedPolicy, match="policy line 2: the octet 0x00"):
        read_policy(b"\n\0\n")


@pytest.mark.parametrize("line", [f"log {LOG.key} u v", f"witness w {witness_signer('w').key} u v"])
def test_a_member_of_a_policy_has_at_most_one_address(line: str) -> None:
    with pytest.raises(MalformedPolicy, match="line 1: expected 'log KEY"):
        read_policy(f"{line}\nquorum none\n".encode())


def test_a_batch_has_at_most_131072_records() -> None:
    assert BatchTree([bytes(32)] * 131_072).size == 131_072

    with pytest.raises(InvariantBroken, match="131073 leaves"):
        BatchTree([bytes(32)] * 131_073)


@pytest.mark.parametrize("width", [0, 1, 2, 3, 127, 128, 129, 256])
def test_a_level_is_folded_in_pairs_and_an_odd_last_hash_is_left_out(width: int) -> None:
    hashes = [sha256(bytes([n])).digest() for n in range(width)]
    pairs = zip(hashes[::2], hashes[1::2], strict=False)

    assert fold_level(b"".join(hashes)) == b"".join(
        sha256(b"\x01" + left + right).digest() for left, right in pairs
    )


@pytest.mark.parametrize(("place", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_no_inclusion_proof_is_made_of_a_leaf_that_is_not_there(place: int, size: int) -> None:
    with pytest.raises(InvariantBroken, match="was asked for"):
        inclusion_proof(lambda _level, _index: bytes(32), place, size=size)


@pytest.mark.parametrize("old_size", [-1, 4])
def test_no_consistency_proof_is_made_from_a_size_that_never_was(old_size: int) -> None:
    with pytest.raises(InvariantBroken, match="was asked for"):
        consistency_proof(lambda _level, _index: bytes(32), old_size, size=3)


def test_a_consistency_proof_with_hashes_to_spare_is_called_too_long() -> None:
    tree, older = BatchTree([ROOT] * 5), BatchTree([ROOT] * 3)
    proof = consistency_proof(tree.node, 3, size=5)
    verify_consistency(proof, old_size=3, old_root=older.root, size=5, root=tree.root)

    with pytest.raises(ProofInvalid, match="are too many"):
        verify_consistency([*proof, ROOT], old_size=3, old_root=older.root, size=5, root=tree.root)
