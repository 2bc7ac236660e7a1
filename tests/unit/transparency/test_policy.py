"""Trust policies: the grammar line by line, and which cosignatures are enough."""

from collections.abc import Iterable

import pytest

from gateway.errors import ChecksFailed, Refused
from gateway.transparency import (
    BadSignature,
    Checkpoint,
    MalformedLogText,
    MalformedPolicy,
    NoteSignature,
    NotInPolicy,
    QuorumPending,
    VerifierKey,
    cosign_note,
    leaf_hash,
    read_note,
    read_policy,
    sign_note,
    verify_checkpoint,
)
from gateway.transparency.policy import MEMBERS_MAX
from tests.unit.transparency.signers import LogSigner, log_signer, signer, witness_signer

LOG = log_signer()
W = {name: witness_signer(f"witness.example/{name}") for name in ("X1", "X2", "X3", "Y1", "Y2", "Y3")}
WITNESSES = "".join(f"witness {name} {witness.key}\n" for name, witness in W.items())
SPEC = (
    f"log {LOG.key}\n{WITNESSES}"
    "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)
CHECKPOINT = Checkpoint(LOG.key.name, 1, leaf_hash(b"one"))


def signed(*witnesses: str, log: LogSigner = LOG) -> bytes:
    note = sign_note(bytes(CHECKPOINT), key=log.key, sign=log.sign)
    for name in witnesses:
        note = cosign_note(note, key=W[name].key, sign=W[name].sign, timestamp=1_700_000_000)
    return bytes(note)


def keys(names: Iterable[str]) -> list[VerifierKey]:
    return [W[name].key for name in names]


@pytest.mark.parametrize("cosigners", ["X1 X2 Y1", "X1 X3 Y3", "X2 X3 Y2", "X1 X2 X3 Y1 Y2 Y3"])
def test_a_quorum_of_the_specifications_policy_is_enough(cosigners: str) -> None:
    policy = read_policy(SPEC.encode())

    assert policy.is_reached_by(keys(cosigners.split()))
    assert verify_checkpoint(policy, signed(*cosigners.split())) == CHECKPOINT


@pytest.mark.parametrize("cosigners", ["", "X1 X2", "X1 X2 X3", "Y1 Y2 Y3", "X1 Y1", "X3 Y1 Y2 Y3"])
def test_less_than_the_quorum_is_pending_and_names_who_has_cosigned(cosigners: str) -> None:
    policy = read_policy(SPEC.encode())

    with pytest.raises(QuorumPending) as pending:
        verify_checkpoint(policy, signed(*cosigners.split()))

    assert isinstance(pending.value, ChecksFailed)
    assert pending.value.code == "quorum-pending"
    assert all(repr(name) in str(pending.value) for name in cosigners.split())


def test_one_witness_cosigning_twice_counts_once() -> None:
    policy = read_policy(SPEC.encode())

    with pytest.raises(QuorumPending):
        verify_checkpoint(policy, signed("X1", "X1", "Y1"))


def test_a_policy_without_witnesses_asks_for_none() -> None:
    assert verify_checkpoint(read_policy(f"log {LOG.key}\nquorum none\n".encode()), signed()) == CHECKPOINT


def test_a_checkpoint_of_a_log_that_is_not_listed_is_refused() -> None:
    policy = read_policy(f"log {log_signer('other.example').key}\nquorum none\n".encode())

    with pytest.raises(NotInPolicy, match=r"log\.example/one") as refused:
        verify_checkpoint(policy, signed())

    assert isinstance(refused.value, Refused)
    assert refused.value.code == "not-in-policy"


def test_a_listed_key_speaks_only_for_the_origin_that_is_its_name() -> None:
    other = log_signer("other.example")
    policy = read_policy(f"log {LOG.key}\nlog {other.key}\nquorum none\n".encode())

    with pytest.raises(NotInPolicy):
        verify_checkpoint(policy, signed(log=other))


def test_a_policy_without_logs_accepts_no_checkpoint() -> None:
    with pytest.raises(NotInPolicy):
        verify_checkpoint(read_policy(b"quorum none\n"), signed())


def test_the_same_name_with_another_key_is_not_the_log() -> None:
    impostor = signer(LOG.key.name, seed="impostor")

    with pytest.raises(NotInPolicy):
        verify_checkpoint(read_policy(SPEC.encode()), signed(log=impostor))


def test_a_wrong_cosignature_of_a_listed_witness_spoils_the_checkpoint() -> None:
    key = W["Y3"].key
    note = read_note(signed("X1", "X2", "Y1")).with_signature(NoteSignature(key.name, key.key_id, bytes(72)))

    with pytest.raises(BadSignature):
        verify_checkpoint(read_policy(SPEC.encode()), bytes(note))


def test_a_signed_text_that_is_no_checkpoint_is_refused() -> None:
    note = bytes(sign_note(b"not a checkpoint\n", key=LOG.key, sign=LOG.sign))

    with pytest.raises(MalformedLogText):
        verify_checkpoint(read_policy(SPEC.encode()), note)


@pytest.mark.parametrize(
    "text",
    [
        "quorum none\n",
        "\n \t\n# a comment\n\t # 中文\nquorum none\n",
        " \tquorum \t none\t \n",
        f"log {LOG.key} https://log.example/\nquorum none\n",
        f"{WITNESSES}quorum X1\nlog {LOG.key}\n",
        f"witness 武汉 {W['X1'].key} https://w.example\nquorum 武汉\n",
        f"witness all {W['X1'].key}\ngroup 1 all all\nquorum 1\n",
        f"{WITNESSES}group g 6 X1 X2 X3 Y1 Y2 Y3\nquorum g\n",
        f"log {LOG.key}\nwitness w {signer('w', W['X1'].key.kind, seed=LOG.key.name).key}\nquorum w\n",
    ],
)
def test_what_the_specification_allows_is_read(text: str) -> None:
    read_policy(text.encode())


def test_octets_that_are_not_utf8_may_stand_in_names_and_stay_distinct() -> None:
    text = b"witness \xff %s\nwitness \\xff %s\ngroup \xfe 2 \xff \\xff\nquorum \xfe\n"
    policy = read_policy(text % (str(W["X1"].key).encode(), str(W["X2"].key).encode()))

    assert policy.is_reached_by(keys(["X1", "X2"]))
    assert not policy.is_reached_by(keys(["X1"]))


REFUSED = {
    "no quorum": ("log {log}\n", "quorum"),
    "empty file": ("", "quorum"),
    "second quorum": ("quorum none\nquorum none\n", "line 2"),
    "unknown quorum": ("\nquorum nobody\n", "line 2"),
    "quorum before its witness": ("quorum a\nwitness a {x1}\n", "line 1"),
    "quorum of two names": ("quorum none none\n", "line 1"),
    "unknown word": ("quorum none\nwitnes a {x1}\n", "line 2"),
    "word in capitals": ("Quorum none\n", "line 1"),
    "log without key": ("log\nquorum none\n", "line 1"),
    "log with too many items": ("log {log} https://a b\nquorum none\n", "line 1"),
    "log with a witness's key": ("log {x1}\nquorum none\n", "line 1"),
    "log listed twice": ("log {log}\nlog {renamed}\nquorum none\n", "line 2"),
    "log with a broken key": ("log log.example+00000000+AAAA\nquorum none\n", "line 1"),
    "witness with a log's key": ("witness a {log}\nquorum none\n", "line 1"),
    "witness key listed twice": ("witness a {x1}\nwitness b {x1}\nquorum none\n", "line 2"),
    "witness named twice": ("witness a {x1}\nwitness a {x2}\nquorum none\n", "line 2"),
    "witness named none": ("witness none {x1}\nquorum none\n", "line 1"),
    "group named like a witness": ("witness a {x1}\ngroup a any a\nquorum a\n", "line 2"),
    "group named none": ("witness a {x1}\ngroup none any a\nquorum none\n", "line 2"),
    "group without members": ("group g any\nquorum none\n", "line 1"),
    "group of itself": ("group g any g\nquorum none\n", "line 1"),
    "group of a later witness": ("group g any a\nwitness a {x1}\nquorum g\n", "line 1"),
    "group with none": ("witness a {x1}\ngroup g any a none\nquorum g\n", "line 2"),
    "member twice in one group": ("witness a {x1}\ngroup g any a a\nquorum g\n", "line 2"),
    "member of two groups": ("witness a {x1}\ngroup g any a\ngroup h any a\nquorum g\n", "line 3"),
    "threshold zero": ("witness a {x1}\ngroup g 0 a\nquorum g\n", "line 2"),
    "threshold above members": ("witness a {x1}\ngroup g 2 a\nquorum g\n", "line 2"),
    "threshold with a sign": ("witness a {x1}\ngroup g +1 a\nquorum g\n", "line 2"),
    "threshold in hex": ("witness a {x1}\ngroup g 0x1 a\nquorum g\n", "line 2"),
    "threshold full width": ("witness a {x1}\ngroup g １ a\nquorum g\n", "line 2"),
    "carriage return": ("# a\nquorum none\r\n", "line 2"),
    "null octet": ("quorum none\n#\0\n", "line 2"),
    "delete octet": ("quorum none\n\x7f\n", "line 2"),
    "no last line end": ("quorum none", "line end"),
    "no-break space is part of a name": ("quorum\u00a0none\n", "line 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_breaks_the_grammar_is_refused_with_its_line(case: str) -> None:
    text, place = REFUSED[case]
    renamed = signer("renamed.example", seed=LOG.key.name).key
    filled = text.format(log=LOG.key, x1=W["X1"].key, x2=W["X2"].key, renamed=renamed)

    with pytest.raises(MalformedPolicy, match=place) as refused:
        read_policy(filled.encode())

    assert refused.value.code == "malformed-policy"


@pytest.mark.parametrize(("count", "is_allowed"), [(32, True), (MEMBERS_MAX, True), (MEMBERS_MAX + 1, False)])
def test_many_logs_witnesses_and_groups_are_read_up_to_a_limit(count: int, is_allowed: bool) -> None:
    witnesses = [witness_signer(f"w{number}") for number in range(count)]
    lines = [f"witness w{number} {witness.key}" for number, witness in enumerate(witnesses)]
    lines += [f"group g{number} any w{number}" for number in range(count)]
    lines += [f"log {log_signer(f'log{number}').key}" for number in range(count)]
    text = "\n".join([*lines, "quorum none", ""]).encode()

    if is_allowed:
        assert len(read_policy(text).groups) == count
    else:
        with pytest.raises(MalformedPolicy, match="line 257"):
            read_policy(text)


def test_a_policy_file_beyond_its_size_is_refused() -> None:
    with pytest.raises(MalformedPolicy, match="bytes"):
        read_policy(b"#" * 300_000 + b"\nquorum none\n")
