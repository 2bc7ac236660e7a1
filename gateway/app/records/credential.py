"""Join the parts of credentials and of the keys that are published for them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway.app.base.home import OpenHome, open_home
from gateway.app.records.check import record_of, replayer_of, verifier
from gateway.errors import LocalFileError
from gateway.model.credential import CONTEXT_DOCUMENT, CONTEXT_PATH, SCHEMA_PATH, schema_url
from gateway.model.shape import Shape
from gateway.resources import schema
from gateway.service.moments import instant_text
from gateway.service.receipts.credentials import CredentialVerifier, make_credential, published_keys
from gateway.service.receipts.proving import FoundRecord, make_receipt, required_disclosure
from gateway.signing import DidDocument, Signer, did_of, key_set
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small

__all__ = ["credential_of", "credential_schema", "credential_verifier", "publish_keys", "verify_credential"]

DID_PATH = ".well-known/did.json"  # where the method did:web looks for it
KEY_SET_PATH = ".well-known/jwks.json"


def credential_of(
    root: Path, record_id: str, *, domain: str = "", disclose: Sequence[str] = (), receipt: bool = False
) -> bytes:
    """Export a record as a credential, signed by the record key that has been known for longest."""
    found = record_of(root, record_id)
    with open_home(root) as opened:
        return make_credential(
            found.document,
            [required_disclosure(found.row, field) for field in disclose],
            domain=domain or opened.facts.issuer,
            signer=_signer(opened),
            created=instant_text(opened.clock.now()),
            receipt=_receipt(opened, found) if receipt else None,
        )


def publish_keys(root: Path, out: Path, *, domain: str = "") -> dict[str, object]:
    """Write what a gateway publishes at its domain, below ``out``: keys, context and schema.

    Raises:
        UsageError: the domain is none.
    """
    with open_home(root) as opened:
        name = domain or opened.facts.issuer
        keys = published_keys(opened.trust.ring(), opened.log)
    files = {
        DID_PATH: DidDocument.of(name, keys).to_bytes(),
        KEY_SET_PATH: key_set(keys),
        CONTEXT_PATH: _text(CONTEXT_DOCUMENT),
        SCHEMA_PATH: _text(credential_schema(schema_url(name))),
    }
    for path, data in files.items():
        write_durably(out / path, data)
    return {
        "did": did_of(name),
        "asserting": [one.key.id for one in keys if not one.revoked],
        "revoked": [one.key.id for one in keys if one.revoked],
        "files": [str(out / path) for path in files],
    }


def verify_credential(
    credential: Path, did: Path, *, trust: Path | None = None, mappings: Sequence[Path] = ()
) -> dict[str, Any]:
    """Verify a credential against the DID document of its issuer; with trust files also its receipt."""
    files = None if trust is None else (read_small(trust / "policy"), read_small(trust / "keys.json"))
    checks = credential_verifier(read_small(did).rstrip(b"\n"), trust=files, mappings=mappings)
    return checks.verify(read_small(credential).rstrip(b"\n"))


def credential_verifier(
    did: bytes, *, trust: tuple[bytes, bytes] | None = None, mappings: Sequence[Path] = ()
) -> CredentialVerifier:
    """Return a verifier of one issuer's credentials; ``trust``: policy and keys, for the receipts in them."""
    return CredentialVerifier(
        did=DidDocument.parse(did),
        credential_shape=Shape(credential_schema()),
        receipts=None if trust is None else verifier(*trust),
        replayer=replayer_of(mappings),
    )


def credential_schema(url: str = "") -> dict[str, Any]:
    """Return the schema of credentials with those of record and receipt in it, at an address of its own."""
    document = schema("credential")
    parts = {name: schema(name) for name in ("record", "receipt")}
    return {**document, "$id": url or document["$id"], "$defs": {**document["$defs"], **parts}}


def _receipt(opened: OpenHome, found: FoundRecord) -> bytes:
    return make_receipt(found, [], records=opened.records, journal=opened.journal, log=opened.log)


def _signer(opened: OpenHome) -> Signer:
    """Return the oldest key that signs: during a change of keys verifiers may not have the new one yet."""
    signers = {signer.key_id: signer for signer in opened.record_signers()}
    for key in opened.trust.ring().keys:
        if key.id in signers:
            return signers[key.id]
    raise LocalFileError(
        f"none of the record keys in {opened.home.keys} is in trust/keys.json",
        remedy="put keys/ and trust/ back together, from one backup; `tanqiao keys list` shows them",
    )


def _text(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
