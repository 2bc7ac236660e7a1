"""Signed notes: what is read, what is refused, and what each byte of one is good for."""

import pytest

from gateway.errors import InvariantBroken
from gateway.transparency import (
    BadSignature,
    MalformedLogText,
    NoteSignature,
    SignedNote,
    cosign_note,
    cosignature_time,
    read_note,
    read_vkey,
    sign_note,
    verified_keys,
)
from gateway.transparency.note import NOTE_BYTES_MAX, SIGNATURES_MAX
from tests.unit.transparency.signers import log_signer, witness_signer
from tests.unit.transparency.test_keys import EXAMPLE

EXAMPLE_NOTE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()

LOG = log_signer()
WITNESS = witness_signer("witness.example/w1")
NOTE = sign_note(b"log.example/one\n0\nroot\n", key=LOG.key, sign=LOG.sign)
LINE = str(NOTE.signatures[0]).encode()


def test_the_note_of_the_specification_verifies() -> None:
    key = read_vkey(EXAMPLE)
    note = read_note(EXAMPLE_NOTE)

    assert note.text == b"This is an example message.\n"
    assert bytes(note) == EXAMPLE_NOTE
    assert verified_keys(note, [key]) == {key}


def test_a_signed_note_is_read_back_and_verifies() -> None:
    assert read_note(bytes(NOTE)) == NOTE
    assert verified_keys(NOTE, [LOG.key, WITNESS.key]) == {LOG.key}


def test_every_altered_byte_of_a_note_is_refused_or_leaves_no_verified_key() -> None:
    whole = bytes(NOTE)
    for at in range(len(whole)):
        for flip in (0x01, 0x80):
            altered = whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :]
            try:
                keys = verified_keys(read_note(altered), [LOG.key])
            except (MalformedLogText, BadSignature):
                continue
            assert keys == frozenset(), at


@pytest.mark.parametrize(
    "text", ["\n", "a\n", "a\n\nb\n", "\n\n\n", "\u2014 a b\n", "碳普惠\n", "a\n\n\u2014 x AAAAAAA=\n"]
)
def test_any_text_that_ends_in_a_newline_can_be_signed(text: str) -> None:
    note = sign_note(text.encode(), key=LOG.key, sign=LOG.sign)

    assert read_note(bytes(note)).text == text.encode()


@pytest.mark.parametrize("text", [b"", b"no line end", b"a\tb\n", b"a\r\n", b"\x00\n", b"\xff\n"])
def test_a_text_that_no_note_may_have_is_not_signed(text: bytes) -> None:
    with pytest.raises(MalformedLogText):
        sign_note(text, key=LOG.key, sign=LOG.sign)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        b"text" + LINE,
        b"text\n" + LINE,
        b"text\n\n" + LINE[:-1],
        b"text\n\n" + LINE + b"\n",
        b"text\n\n" + LINE + b"more\n",
        b"text\n\n" + LINE.replace(b"\n", b"\r\n"),
        b"te\x1fxt\n\n" + LINE,
        b"te\xc0\x80xt\n\n" + LINE,
        b"text\n\n" + LINE.replace("\u2014 ".encode(), b"- "),
        b"text\n\n" + LINE.replace("\u2014 ".encode(), "\u2014".encode()),
        b"text\n\n" + LINE.replace(b"log.example/one ", b""),
        b"text\n\n" + LINE.replace(b"log.example/one", b""),
        b"text\n\n" + LINE.replace(b"log.example/one", b"log+example"),
        b"text\n\n" + LINE.replace(b"log.example/one", "log\u00a0example".encode()),
        b"text\n\n" + LINE.replace(b"=", b""),
        b"text\n\n\xe2\x80\x94 log.example/one AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 log.example/one AAAAAAB=\n",
        b"text\n\n\xe2\x80\x94 log.example/one AAAA AAA=\n",
        b"text\n\n\xe2\x80\x94 log.example/one \n",
    ],
)
def test_bytes_that_are_no_note_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedLogText):
        read_note(data)


def test_sixteen_and_more_signatures_are_read_and_too_many_refused() -> None:
    allowed = b"text\n\n" + LINE * SIGNATURES_MAX

    assert len(read_note(allowed).signatures) == SIGNATURES_MAX >= 16
    with pytest.raises(MalformedLogText, match="signatures"):
        read_note(allowed + LINE)


def test_a_note_larger_than_its_limit_is_refused() -> None:
    with pytest.raises(MalformedLogText, match="bytes"):
        read_note(b"x" * NOTE_BYTES_MAX + b"\n\n" + LINE)


def test_lines_of_unknown_keys_are_passed_over() -> None:
    same_name = NoteSignature(LOG.key.name, b"\0\0\0\0", bytes(64))
    same_id = NoteSignature("other.example", LOG.key.key_id, bytes(64))
    note = NOTE.with_signature(same_name).with_signature(same_id)

    assert verified_keys(note, [LOG.key]) == {LOG.key}
    assert verified_keys(note, []) == frozenset()


def test_one_wrong_line_of_a_known_key_spoils_the_note_even_beside_a_right_one() -> None:
    wrong = NoteSignature(LOG.key.name, LOG.key.key_id, bytes(64))

    with pytest.raises(BadSignature):
        verified_keys(NOTE.with_signature(wrong), [LOG.key])


def test_a_cosignature_covers_text_and_time() -> None:
    note = cosign_note(NOTE, key=WITNESS.key, sign=WITNESS.sign, timestamp=1_679_315_147)
    line = note.signatures[1]

    assert verified_keys(read_note(bytes(note)), [LOG.key, WITNESS.key]) == {LOG.key, WITNESS.key}
    assert cosignature_time(line.signature) == 1_679_315_147
    for at in range(len(line.signature)):
        altered = line.signature[:at] + bytes([line.signature[at] ^ 1]) + line.signature[at + 1 :]
        forged = NOTE.with_signature(NoteSignature(line.name, line.key_id, altered))
        with pytest.raises(BadSignature):
            verified_keys(forged, [WITNESS.key])
    with pytest.raises(BadSignature):
        verified_keys(SignedNote(NOTE.text + b"x\n", note.signatures[1:]), [WITNESS.key])


@pytest.mark.parametrize("signature", [b"x", bytes(64), bytes(71), bytes(73)])
def test_a_cosignature_of_another_length_is_refused(signature: bytes) -> None:
    forged = NOTE.with_signature(NoteSignature(WITNESS.key.name, WITNESS.key.key_id, signature))

    with pytest.raises(BadSignature, match="not a time and a signature"):
        verified_keys(forged, [WITNESS.key])


def test_a_cosignature_with_a_time_beyond_its_bounds_is_refused_though_it_was_signed() -> None:
    signature = WITNESS.sign(b"cosignature/v1\ntime 9223372036854775808\n" + NOTE.text)
    line = NoteSignature(WITNESS.key.name, WITNESS.key.key_id, (2**63).to_bytes(8, "big") + signature)

    with pytest.raises(BadSignature):
        verified_keys(NOTE.with_signature(line), [WITNESS.key])


def test_a_note_without_its_last_line_end_is_refused_for_that_reason() -> None:
    with pytest.raises(MalformedLogText, match="line end"):
        read_note(bytes(NOTE)[:-1])


def test_the_signed_message_of_a_cosignature_is_the_one_of_the_specification() -> None:
    signed: list[bytes] = []

    def sign(message: bytes) -> bytes:
        signed.append(message)
        return WITNESS.sign(message)

    cosign_note(NOTE, key=WITNESS.key, sign=sign, timestamp=7)

    assert signed == [b"cosignature/v1\ntime 7\n" + NOTE.text]


@pytest.mark.parametrize("timestamp", [-1, 2**63])
def test_a_time_beyond_its_bounds_is_not_signed(timestamp: int) -> None:
    with pytest.raises(MalformedLogText):
        cosign_note(NOTE, key=WITNESS.key, sign=WITNESS.sign, timestamp=timestamp)


def test_a_signer_that_does_not_fit_its_key_is_found_before_anything_is_published() -> None:
    with pytest.raises(InvariantBroken):
        sign_note(b"text\n", key=LOG.key, sign=WITNESS.sign)
    with pytest.raises(InvariantBroken):
        cosign_note(NOTE, key=WITNESS.key, sign=LOG.sign, timestamp=1)


def test_a_key_serves_one_purpose() -> None:
    with pytest.raises(InvariantBroken, match="not notes"):
        sign_note(b"text\n", key=WITNESS.key, sign=WITNESS.sign)
    with pytest.raises(InvariantBroken, match="not one of a witness"):
        cosign_note(NOTE, key=LOG.key, sign=LOG.sign, timestamp=1)
