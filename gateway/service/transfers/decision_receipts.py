"""Prove a decision on a transfer to anybody: the decision, its way to a logged root, and the log's proof."""

from dataclasses import dataclass
from typing import Final

from gateway.errors import MalformedDocument, NotFound
from gateway.ledger import Decision
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.shape import Shape
from gateway.model.statement import TRANSFERS_TYPE
from gateway.model.strict import read_strict_object
from gateway.ports import DecisionLog, LedgerReader, Log
from gateway.service.receipts.proving import RECEIPT_BYTES_MAX, RECEIPT_TEXTS, ReceiptMismatch
from gateway.service.transfers.logging_decisions import DECISIONS_MAX, decision_leaf
from gateway.signing import KeyRing, verify_envelope
from gateway.transparency import (
    BatchTree,
    Policy,
    leaf_hash,
    read_proof,
    require_included,
    verify_checkpoint,
    verify_inclusion,
)

__all__ = ["DecisionVerifier", "make_decision_receipt"]

_TYPE: Final = "tanqiao/decision-receipt/1"


def make_decision_receipt(
    decision: Decision, *, reader: LedgerReader, batches: DecisionLog, log: Log
) -> bytes:
    """Return what proves a decision, as JSON.

    Raises:
        NotFound: it does not stand in the log yet.
        IntegrityBroken: the log does not have what the database says.
    """
    batch = batches.holding(decision.number)
    if batch is None:
        raise NotFound(
            f"the decision about {decision.transfer} does not stand in the log yet",
            field=decision.transfer,
            remedy="tanqiao transfer publish, or wait ten seconds for `tanqiao serve`",
        )
    after = batches.through(batch.sequence - 1)
    together = reader.decisions(after=after, limit=DECISIONS_MAX)
    mine = [one for one in together if one.number <= batch.through]
    tree, index = BatchTree(list(map(decision_leaf, mine))), mine.index(decision)
    return canonical_bytes(
        {
            "type": _TYPE,
            "decision": decision.document(),
            "statement": read_strict_object(log.entry(batch.position)),
            "decision_proof": {
                "index": index,
                "size": tree.size,
                "hashes": [hashed.hex() for hashed in tree.inclusion(index)],
            },
            "log_proof": log.proof_text(batch.position),
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionVerifier:
    """Verifies receipts of decisions under one policy and key ring; needs no home and no network."""

    policy: Policy
    ring: KeyRing
    receipt_shape: Shape
    statement_shape: Shape

    def verify(self, data: bytes) -> dict[str, Json]:
        """Verify one receipt and return its decision.

        1. strict parse  2. shapes  3. the decision's proof to the statement's root  4. log proof to a
        checkpoint of the policy  5. the statement's signatures at that place of the log

        Raises:
            MalformedDocument: not a receipt of a decision.
            QuorumPending: the checkpoint has too few cosignatures yet.
            NotInPolicy: the log is not one of the policy.
            IntegrityBroken: something does not hold; the message names what.
        """
        receipt = read_strict_object(data, RECEIPT_BYTES_MAX, texts=RECEIPT_TEXTS)
        self.receipt_shape.require(receipt, "decision receipt")
        decision, statement = _member(receipt, "decision"), _member(receipt, "statement")
        self.statement_shape.require(statement, "statement")
        body = _member(statement, "body")
        if body["type"] != TRANSFERS_TYPE:
            raise ReceiptMismatch(f"the statement is a {body['type']}, expected {TRANSFERS_TYPE}")
        if body["issuer"] != self.ring.issuer:
            told = f"the statement's issuer is {body['issuer']}, the trust file is of {self.ring.issuer}"
            raise ReceiptMismatch(told)
        _require_in_root(decision, _member(receipt, "decision_proof"), stated=_member(body, "decisions"))
        proof = read_proof(str(receipt["log_proof"]))
        require_included(proof, canonical_bytes(statement))
        verify_checkpoint(self.policy, proof.checkpoint)
        verify_envelope(statement, self.ring, position=proof.index)
        return decision


def _require_in_root(decision: dict[str, Json], proof: dict[str, Json], *, stated: dict[str, Json]) -> None:
    hashes, index, size = proof["hashes"], proof["index"], proof["size"]
    if not isinstance(hashes, list) or not isinstance(index, int) or not isinstance(size, int):
        raise MalformedDocument("a proof has an index, a size and hashes")
    if size != stated["size"]:
        raise ReceiptMismatch(f"the proof is for {size} decisions, the statement is of {stated['size']}")
    verify_inclusion(
        leaf_hash(canonical_bytes(decision)),
        [bytes.fromhex(str(hashed)) for hashed in hashes],
        index=index,
        size=size,
        root=bytes.fromhex(str(stated["root"])),
    )


def _member(document: dict[str, Json], name: str) -> dict[str, Json]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise MalformedDocument(f"/{name}: expected an object", field=f"/{name}")
    return value
