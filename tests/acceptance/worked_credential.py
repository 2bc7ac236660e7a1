"""Every intermediate value of a credential, computed without the gateway's code.

``python -m tests.acceptance.worked_credential`` makes a new home and writes a new example into the page.
"""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import rfc8785

from tests.acceptance import worked
from tests.acceptance.documents import ROOT, named

__all__ = ["PAGE", "shown", "values"]

PAGE = ROOT / "docs/reference/credential.md"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
SHOWN_EVENT = "W4"


def values(credential: dict[str, Any], *, did: dict[str, Any]) -> dict[str, str]:
    """Return every value that the page shows, by its name there, beside the two documents."""
    document = {name: value for name, value in credential.items() if name != "proof"}
    options = {name: value for name, value in credential["proof"].items() if name != "proofValue"}
    url = options["verificationMethod"]
    method = next(method for method in did["verificationMethod"] if method["id"] == url)
    return {
        "multikey": worked.wrapped(_base58(method["publicKeyMultibase"])),
        "proof-bytes": worked.wrapped(rfc8785.dumps(options)),
        "proof-hash": hashlib.sha256(rfc8785.dumps(options)).hexdigest(),
        "document-bytes": worked.wrapped(rfc8785.dumps(document)),
        "document-hash": hashlib.sha256(rfc8785.dumps(document)).hexdigest(),
        "signature": worked.wrapped(_base58(credential["proof"]["proofValue"])),
    }


def _base58(text: str) -> bytes:
    number = 0
    for letter in text.removeprefix("z"):
        number = number * 58 + BASE58.index(letter)
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def shown() -> dict[str, str]:
    """Return the values as the page shows them."""
    return named(PAGE)


def main() -> None:
    """Make a home, export one credential of it, and put all its values into the page."""
    with tempfile.TemporaryDirectory() as folder:
        tanqiao = worked.filled_home(Path(folder))
        (found,) = json.loads(tanqiao("record", "find", SHOWN_EVENT))
        tanqiao("keys", "publish", "--out", "public")
        credential = json.loads(tanqiao("credential", "export", found["id"], "--disclose", "event"))
        did = json.loads((Path(folder) / "public/.well-known/did.json").read_bytes())
    texts = {
        "credential.json": json.dumps(credential, indent=1, ensure_ascii=False),
        "did.json": json.dumps(did, indent=1),
    }
    worked.write_into(PAGE, {**texts, **values(credential, did=did)})


if __name__ == "__main__":
    main()
