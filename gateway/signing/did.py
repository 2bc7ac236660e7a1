"""DID documents of the method ``did:web``, and JSON Web Key Sets: record keys as the web knows them.

A DID document has no log, so where the trust file names positions it has moments. A retired key keeps
its place with the moment after which it signs nothing; a revoked key stays listed, but asserts nothing.
Sources: W3C "Decentralized Identifiers v1.0", "Controlled Identifiers v1.0" (Multikey), the did:web method.
"""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from gateway.errors import MalformedDocument, UsageError
from gateway.model.canonical import Json, canonical_bytes
from gateway.model.ed25519 import require_sound_key
from gateway.model.strict import read_strict_object
from gateway.signing.keys import SignatureInvalid, TrustedKey
from gateway.signing.multibase import multibase, read_multibase

__all__ = ["DidDocument", "PublishedKey", "did_of", "domain_of", "key_set"]

_METHOD: Final = "did:web:"
_LABEL: Final = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN: Final = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)+{_LABEL}")
_ED25519: Final = b"\xed\x01"  # multicodec ed25519-pub
_ED25519_TEXT: Final = "z6Mk"  # how each of them begins in multibase
_KEY_BYTES: Final = 32
_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_CONTEXTS: Final[list[Json]] = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]


def did_of(domain: str) -> str:
    """Return the DID of a domain name.

    Raises:
        UsageError: it is not a domain name.
    """
    if not _DOMAIN.fullmatch(domain):
        raise UsageError(
            f"{domain!r} is not a domain name in lower case, such as gateway.example",
            remedy="give --domain the name under which your web server publishes; other scripts as xn--…",
        )
    return _METHOD + domain


def domain_of(did: str) -> str:
    """Return the domain name of a DID."""
    return did.removeprefix(_METHOD)


class PublishedKey(NamedTuple):
    """A record key and, where it has ended, the moments at which the log says so."""

    key: TrustedKey
    retired: str = ""
    revoked: str = ""


class _Method(NamedTuple):
    public: bytes
    asserts: bool
    expires: str
    revoked: str


@dataclass(frozen=True, slots=True)
class DidDocument:
    """The keys that one issuer asserts things with, by the URL of each."""

    did: str
    methods: dict[str, _Method]

    @classmethod
    def of(cls, domain: str, keys: Sequence[PublishedKey]) -> "DidDocument":
        """Make the document of a domain."""
        did = did_of(domain)
        methods = {
            f"{did}#{one.key.id}": _Method(one.key.public, not one.revoked, one.retired, one.revoked)
            for one in keys
        }
        return cls(did, methods)

    def to_bytes(self) -> bytes:
        """Write the document: canonical, one line."""
        asserting: list[Json] = [url for url, method in self.methods.items() if method.asserts]
        return canonical_bytes(
            {
                "@context": _CONTEXTS,
                "id": self.did,
                "verificationMethod": [self._listed(url, method) for url, method in self.methods.items()],
                "assertionMethod": asserting,
            }
        )

    def _listed(self, url: str, method: _Method) -> dict[str, Json]:
        listed: dict[str, Json] = {
            "id": url,
            "type": "Multikey",
            "controller": self.did,
            "publicKeyMultibase": multibase(_ED25519 + method.public),
        }
        if method.expires:
            listed["expires"] = method.expires
        if method.revoked:
            listed["revoked"] = method.revoked
        return listed

    @classmethod
    def parse(cls, data: bytes) -> "DidDocument":
        """Read a document; of its keys those that are an Ed25519 Multikey, whatever else it has."""
        document = read_strict_object(data)
        did, listed, asserting = (
            document.get(name) for name in ("id", "verificationMethod", "assertionMethod")
        )
        if not (isinstance(did, str) and did.startswith(_METHOD) and _DOMAIN.fullmatch(domain_of(did))):
            raise MalformedDocument("not a DID document of a domain: its id is not did:web:…", field="/id")
        if not isinstance(listed, list) or not isinstance(asserting, list):
            raise MalformedDocument("a DID document lists verificationMethod and assertionMethod")
        methods: dict[str, _Method] = {}
        for index, entry in enumerate(listed):
            where = f"/verificationMethod/{index}"
            if (
                not isinstance(entry, dict)
                or entry.get("type") != "Multikey"
                or entry.get("controller") != did
            ):
                continue
            if not str(entry.get("publicKeyMultibase")).startswith(_ED25519_TEXT):
                continue
            url = str(entry.get("id"))
            if url in methods:
                raise MalformedDocument(f"{where}: {url} stands there twice", field=where)
            methods[url] = _parse_method(entry, where, asserts=url in asserting)
        return cls(did, methods)

    def require_asserting(self, url: str, moment: str) -> TrustedKey:
        """Return the key of that URL, if what it signed at the moment counts.

        Raises:
            SignatureInvalid: it is unknown, revoked, no assertion method, or had ended before.
        """
        method = self.methods.get(url)
        if method is None:
            raise SignatureInvalid(f"{url[:300]} is not a key of the DID document of {self.did}")
        if method.revoked:
            raise SignatureInvalid(f"key {url} was revoked at {method.revoked}; nothing it signed counts")
        if not method.asserts:
            raise SignatureInvalid(f"key {url} is not among the assertion methods of {self.did}")
        if not _MOMENT.fullmatch(moment):
            raise SignatureInvalid(f"the proof was made at {moment[:40]!r}, which is no moment in UTC")
        if method.expires and moment > method.expires:
            raise SignatureInvalid(f"key {url} ended at {method.expires}; the proof says {moment}")
        return TrustedKey(purpose="record", public=method.public, since=0)


def key_set(keys: Sequence[PublishedKey]) -> bytes:
    """Write the JSON Web Key Set (RFC 7517, RFC 8037) of the keys that count: canonical, one line."""
    listed: list[Json] = [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": base64.urlsafe_b64encode(one.key.public).rstrip(b"=").decode(),
            "kid": one.key.id,
            "use": "sig",
        }
        for one in keys
        if not one.revoked
    ]
    return canonical_bytes({"keys": listed})


def _parse_method(entry: dict[str, Json], where: str, *, asserts: bool) -> _Method:
    public = read_multibase(str(entry["publicKeyMultibase"]), len(_ED25519) + _KEY_BYTES)[len(_ED25519) :]
    require_sound_key(public)
    ends = {name: str(entry.get(name, "")) for name in ("expires", "revoked")}
    for name, moment in ends.items():
        if moment and not _MOMENT.fullmatch(moment):
            raise MalformedDocument(f"{where}/{name}: not a moment in UTC", field=f"{where}/{name}")
    return _Method(public, asserts, ends["expires"], ends["revoked"])
