"""Mapping documents, signed JSON documents, C2SP texts and receipts."""

import json
from contextlib import suppress

import rfc8785

from gateway.bulk.columns import ColumnEvaluator
from gateway.contract import NotStrictJson, flat_fields, strict_json
from gateway.convert import Interpreter, MappingRefused, SourceReader, load_program, program_from_canonical
from gateway.convert.explain import explain
from gateway.convert.outcome import Converted, Refusal
from gateway.convert.selftest import run_tests
from gateway.errors import MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.model.strict import read_strict, read_strict_object
from gateway.resources import schema, shipped_mappings
from gateway.service.receipts.proving import ReceiptVerifier
from gateway.service.receipts.replaying import Replayer
from gateway.signing import KeyRing, seal
from gateway.transparency import (
    Checkpoint,
    ForkEvidence,
    LogProof,
    MalformedLogText,
    leaf_hash,
    read_checkpoint,
    read_note,
    read_policy,
    read_proof,
    read_witness_request,
    sign_note,
    verify_checkpoint,
)
from tests.acceptance.documents import ROOT, named
from tests.unit.signing.signers import SeededSigner, trusted
from tests.unit.transparency.signers import log_signer

__all__ = ["WORKED", "read_mapping", "read_policy_file", "read_receipt", "read_signed_json", "read_texts"]

WORKED = named(ROOT / "docs/reference/worked-receipt.md")
_SCHEMA = schema("mapping")
_SIGNER = SeededSigner("fuzz")
_LOG = log_signer("fuzz.example")
_POLICY = read_policy(f"{WORKED['policy']}\nlog {_LOG.key}\n".encode())
_RING = KeyRing.parse(json.dumps(json.loads(WORKED["keys.json"])).encode()).added(trusted(_SIGNER))
_PROGRAMS = {
    "sha256:" + program.digest: program
    for program in (load_program(text, _SCHEMA, name=name) for name, text in shipped_mappings())
}
_VERIFIER = ReceiptVerifier(
    policy=_POLICY,
    ring=_RING,
    receipt_shape=Shape(schema("receipt")),
    record_shape=Shape(schema("record")),
    statement_shape=Shape(schema("statement")),
    replayer=Replayer(lambda digest: _PROGRAMS.get(digest) or next(iter(_PROGRAMS.values()))),
)
_RECORD = json.loads(WORKED["receipt.json"])["record"]
_CHECKPOINT = WORKED["checkpoint-bytes"].replace("\n", "")


def read_mapping(data: bytes) -> None:
    """Load a mapping, run its tests by every evaluator, explain each act, and load it again."""
    try:
        program = program_from_canonical(data, _SCHEMA)  # many times quicker than YAML
    except MappingRefused as refused:
        if all(finding.code != "canonical" for finding in refused.findings):
            raise
        program = load_program(data, _SCHEMA, name="f.yaml")
        again = program_from_canonical(program.canonical, _SCHEMA)
        assert (again.digest, again.canonical) == (program.digest, program.canonical)
    results = run_tests(program, Interpreter(program).convert)
    rows = [dict(act.fields) for result in results for act in result.acts]
    columns = ColumnEvaluator(program).convert_batch(rows, SourceReader(program).read_columns(rows))
    for row, quick in zip(rows, columns.outcomes(), strict=True):
        slow = Interpreter(program).convert(row)
        assert _essence(slow) == _essence(quick), (row, slow, quick)
    for row in rows[:3]:
        assert explain(program, row, lang="zh").lines()
        assert explain(program, row, lang="en").lines()


def _essence(outcome: Converted | Refusal) -> object:
    if isinstance(outcome, Refusal):
        return outcome.code, outcome.field
    return outcome.inputs, outcome.co2e_mg, outcome.points, outcome.points_exact


def read_signed_json(data: bytes) -> None:
    """Read JSON by both strict readers; what the profile admits has one canonical form."""
    try:
        fields = flat_fields(strict_json(data.decode("utf-8", "surrogateescape")))
        json.dumps(fields, ensure_ascii=False).encode("utf-8", "surrogateescape")
    except NotStrictJson:
        pass
    value = read_strict(data)
    canonical = canonical_bytes(value)
    assert canonical == rfc8785.dumps(value)
    assert read_strict(canonical, 8 * len(data)) == value == json.loads(data)


def read_texts(data: bytes) -> None:
    """Read a note, checkpoint, proof, request and evidence; what was read is written back byte for byte."""
    try:
        proof = read_proof(data.decode("utf-8", "surrogateescape"))
    except MalformedLogText:
        pass
    else:
        assert str(proof).encode("utf-8", "surrogateescape") == data
    with suppress(MalformedLogText):
        assert bytes(read_checkpoint(data)) == data
    with suppress(MalformedLogText):
        assert bytes(read_witness_request(data)) == data
    with suppress(MalformedDocument):
        evidence = ForkEvidence.read(data)
        assert ForkEvidence.read(bytes(evidence)) == evidence
        return
    note = read_note(data)
    assert bytes(note) == data
    checkpoint = verify_checkpoint(_POLICY, data)
    assert bytes(checkpoint) == note.text == bytes.fromhex(_CHECKPOINT), "a text was signed by nobody"


def read_policy_file(data: bytes) -> None:
    """Read a policy and a trust file, and ask each quorum."""
    try:
        ring = KeyRing.parse(data)
        assert KeyRing.parse(ring.to_bytes()) == ring
    except MalformedDocument:
        pass
    policy = read_policy(data)
    assert read_policy(bytes(policy)) == policy
    keys = frozenset(witness.key for witness in policy.witnesses)
    assert policy.is_reached_by(keys), "all witnesses together reach every quorum"
    assert read_policy(data) == policy
    verify_checkpoint(policy, (WORKED["checkpoint"] + "\n").encode())


def read_receipt(data: bytes) -> None:
    """Verify a receipt as it is; then, sealed anew by trusted keys, so that what stands in it is reached."""
    try:
        assert _VERIFIER.verify(data) == _RECORD, "a record was signed by nobody"
    except MalformedDocument:
        receipt = read_strict_object(data, texts=frozenset({"/log_proof"}))
    else:
        receipt = read_strict_object(data, texts=frozenset({"/log_proof"}))
    _VERIFIER.verify(canonical_bytes(_sealed(receipt)))


def _sealed(receipt: dict[str, Json]) -> dict[str, Json]:
    record, statement = receipt.get("record"), receipt.get("statement")
    body = statement.get("body") if isinstance(statement, dict) else None
    if not isinstance(record, dict) or not isinstance(body, dict):
        return receipt
    body = body | {"records": {"root": leaf_hash(canonical_bytes(record)).hex(), "size": 1}}
    entry = seal(body, [_SIGNER])
    checkpoint = Checkpoint("fuzz.example", 1, leaf_hash(entry))
    note = sign_note(bytes(checkpoint), key=_LOG.key, sign=_LOG.sign)
    return receipt | {
        "statement": read_strict_object(entry),
        "record_proof": {"index": 0, "size": 1, "hashes": []},
        "log_proof": str(LogProof(0, (), bytes(note))),
    }
