"""A conversion record as a W3C Verifiable Credential 2.0, before a proof is added to it.

The context and the schema it names are published by the gateway at its own domain, like its keys. The
terms lie under the reserved top-level name ``invalid``: they claim no place in a published vocabulary.
"""

from collections.abc import Sequence
from typing import Final

from gateway.model.canonical import Json

__all__ = [
    "CONTEXT_DOCUMENT",
    "CONTEXT_PATH",
    "SCHEMA_PATH",
    "context_url",
    "credential_document",
    "schema_url",
]

CONTEXT_PATH: Final = "contexts/conversion-credential-1.jsonld"
SCHEMA_PATH: Final = "schemas/conversion-credential-1.json"
_TYPE: Final = "TanqiaoConversionCredential"
_EVIDENCE: Final = "TanqiaoReceipt"
_TERMS: Final = "https://tanqiao.invalid/terms#"
_NAME: Final[list[Json]] = [
    {"@language": "en", "@value": "Conversion record of a low-carbon act"},
    {"@language": "zh", "@value": "低碳行为换算记录"},
]
_DESCRIPTION: Final[list[Json]] = [
    {
        "@language": "en",
        "@value": "States what one recorded low-carbon act counts as by the mapping that it names. "
        "Not an official certificate and no carbon credit; it does not prove that the act happened.",
    },
    {
        "@language": "zh",
        "@value": "说明一次低碳行为记录按所列映射规则换算的结果。"
        "非官方证书，不是碳信用，也不证明该行为确实发生。",
    },
]


def _as_json(term: str) -> dict[str, Json]:
    """Define a term whose value is one JSON literal, so that nothing inside of it needs a term."""
    return {"@id": _TERMS + term, "@type": "@json"}


CONTEXT_DOCUMENT: Final[dict[str, Json]] = {
    "@context": {
        "@protected": True,
        _TYPE: _TERMS + _TYPE,
        _EVIDENCE: _TERMS + _EVIDENCE,
        "disclosures": _as_json("disclosures"),
        "receipt": _as_json("receipt"),
        "record": _as_json("record"),
    }
}


def context_url(domain: str) -> str:
    """Return where a gateway publishes the context of its credentials."""
    return f"https://{domain}/{CONTEXT_PATH}"


def schema_url(domain: str) -> str:
    """Return where a gateway publishes the schema of its credentials."""
    return f"https://{domain}/{SCHEMA_PATH}"


def credential_document(
    record: dict[str, Json],
    *,
    did: str,
    domain: str,
    disclosures: Sequence[dict[str, Json]],
    receipt: dict[str, Json] | None,
) -> dict[str, Json]:
    """Put a credential together; what is not disclosed and a receipt that is not wanted are left out."""
    subject: dict[str, Json] = {"record": record}
    if disclosures:
        subject["disclosures"] = list(disclosures)
    document: dict[str, Json] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", context_url(domain)],
        "type": ["VerifiableCredential", _TYPE],
        "issuer": did,
        "name": _NAME,
        "description": _DESCRIPTION,
        "validFrom": record["issued"],
        "credentialSchema": {"id": schema_url(domain), "type": "JsonSchema"},
        "credentialSubject": subject,
    }
    if receipt is not None:
        document["evidence"] = [{"type": [_EVIDENCE], "receipt": receipt}]
    return document
