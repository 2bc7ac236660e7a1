"""Export records as W3C Verifiable Credentials 2.0, and verify such a credential from its DID document."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import IntegrityBroken, MalformedDocument
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.credential import context_url, credential_document, schema_url
from gateway.model.record import RECORD_BYTES_MAX
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.ports import Log
from gateway.service.receipts.proving import RECEIPT_BYTES_MAX, RECEIPT_TEXTS, ReceiptVerifier
from gateway.service.receipts.replaying import Replayer
from gateway.signing import (
    DidDocument,
    Disclosure,
    KeyRing,
    PublishedKey,
    Signer,
    add_proof,
    did_of,
    domain_of,
    verify_proof,
)

__all__ = ["CredentialMismatch", "CredentialVerifier", "make_credential", "published_keys"]

CREDENTIAL_BYTES_MAX: Final = 2 * RECEIPT_BYTES_MAX  # the record, and a receipt as evidence
_TEXTS: Final = frozenset(f"/evidence/0/receipt{pointer}" for pointer in RECEIPT_TEXTS)


class CredentialMismatch(IntegrityBroken):
    """Two parts of a credential, or a credential and its issuer's DID document, do not belong together."""

    code = "credential-mismatch"
    remedy = "ask the issuer for the credential again; if it fails again, keep it: it is evidence"


def published_keys(ring: KeyRing, log: Log) -> list[PublishedKey]:
    """Return the record keys in the order they were added, with the moments at which the log ended them."""

    def moment(position: int | None) -> str:
        if position is None:
            return ""
        body = read_strict_object(log.entry(position)).get("body")
        return str(body["issued"]) if isinstance(body, dict) else ""

    return [
        PublishedKey(key, moment(key.retired), moment(key.revoked))
        for key in ring.keys
        if key.purpose == "record"
    ]


def make_credential(
    record: dict[str, Json],
    disclosures: Sequence[Disclosure],
    *,
    domain: str,
    signer: Signer,
    created: str,
    receipt: bytes | None = None,
) -> bytes:
    """Return a record as a credential in canonical bytes, issued by the DID of a domain.

    Args:
        record: the conversion record.
        disclosures: the openings that the credential shows.
        domain: where the gateway publishes its DID document.
        signer: a record key of that document.
        created: the moment of signing.
        receipt: the record's receipt, to ride along as evidence.
    """
    did = did_of(domain)
    document = credential_document(
        record,
        did=did,
        domain=domain,
        disclosures=[disclosure.document() for disclosure in disclosures],
        receipt=None if receipt is None else read_strict_object(receipt, texts=RECEIPT_TEXTS),
    )
    return canonical_bytes(add_proof(document, signer, method=f"{did}#{signer.key_id}", created=created))


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialVerifier:
    """Verifies credentials of one issuer. ``receipts`` None: a receipt that rides along is not looked at.

    ``replayer`` None: quantities are not recomputed.
    """

    did: DidDocument
    credential_shape: Shape
    receipts: ReceiptVerifier | None = None
    replayer: Replayer | None = None

    def verify(self, data: bytes) -> dict[str, Json]:
        """Verify one credential and return it.

        1. strict parse  2. the issuer is the one of the DID document  3. the proof, by a key that counts
        4. shape  5. issuer, dates, context and schema agree  6. disclosures  7. the receipt
        8. quantities recomputed, with the mapping at hand

        Raises:
            MalformedDocument: not a credential of a conversion record.
            QuorumPending: the receipt's checkpoint has too few cosignatures yet.
            NotInPolicy: the receipt's log is not one of the policy.
            IntegrityBroken: something does not hold; the message names what.
        """
        credential = read_strict_object(data, CREDENTIAL_BYTES_MAX, texts=_TEXTS)
        issuer = credential.get("issuer")
        if issuer != self.did.did:
            raise CredentialMismatch(
                f"the credential's issuer is {str(issuer)[:261]}, the DID document is of {self.did.did}"
            )
        _, proof = verify_proof(credential, self.did.require_asserting)
        self.credential_shape.require(credential, "credential")
        subject = _member(credential, "credentialSubject")
        record = _member(subject, "record")
        self._require_agreement(credential, record, created=str(proof["created"]))
        disclosures = subject.get("disclosures", [])
        for entry in disclosures if isinstance(disclosures, list) else []:
            Disclosure.parse(entry).require_opens(record)
        self._verify_evidence(credential, record)
        if self.replayer is not None:
            self.replayer.recompute(record)
        return credential

    def _require_agreement(
        self, credential: dict[str, Json], record: dict[str, Json], *, created: str
    ) -> None:
        domain, schema = domain_of(self.did.did), _member(credential, "credentialSchema")
        contexts = credential["@context"]
        stated = {
            "context": (contexts[1] if isinstance(contexts, list) else "", context_url(domain)),
            "credentialSchema": (schema["id"], schema_url(domain)),
            "validFrom": (credential["validFrom"], record["issued"]),
        }
        for name, (found, expected) in stated.items():
            if found != expected:
                raise CredentialMismatch(f"the credential's {name} is {found}, expected {expected}")
        if created < str(record["issued"]):
            raise CredentialMismatch(
                f"the proof was made at {created}, before the record of {record['issued']}"
            )
        if len(canonical_bytes(record)) > RECORD_BYTES_MAX:
            raise MalformedDocument(f"the record has more than {RECORD_BYTES_MAX} bytes")

    def _verify_evidence(self, credential: dict[str, Json], record: dict[str, Json]) -> None:
        evidence = credential.get("evidence")
        if not isinstance(evidence, list) or not isinstance(evidence[0], dict):
            return
        receipt = _member(evidence[0], "receipt")
        if receipt["record"] != record:
            raise CredentialMismatch("the receipt in the credential is that of another record")
        if self.receipts is not None:
            self.receipts.verify(canonical_bytes(receipt))


def _member(document: dict[str, Json], name: str) -> dict[str, Json]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise MalformedDocument(f"/{name}: expected an object", field=f"/{name}")
    return value
