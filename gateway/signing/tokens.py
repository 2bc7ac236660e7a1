"""Access tokens of an OpenID Connect provider: JWTs with an asymmetric signature (RFC 7519, RFC 9068).

What a token says of itself is looked at only as far as is needed to find the key; keys, addresses and
extensions that it brings along are refused. What decides is fixed here: the algorithms, the bounds of its
size, how long it may be valid. Keys and the time come in as arguments.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.errors import MalformedDocument, Refused
from gateway.signing.requests import SKEW

if TYPE_CHECKING:
    from joserfc.jws import JWSRegistry

__all__ = ["Expected", "SigningKey", "TokenRefused", "key_of_token", "read_key_set", "verify_token"]

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "EdDSA",
    "Ed25519",
)
TOKEN_CHARACTERS_MAX: Final = 16 * 1024  # as long as a head of a request may be that has little else
HEADER_CHARACTERS_MAX: Final = 2048
KEYS_MAX: Final = 100  # of a provider; large ones have a handful
VALID_FOR: Final = timedelta(days=1)  # nobody can revoke such a token: it must end by itself
RSA_BITS_MIN: Final = 2048
_TYPES: Final = ("JWT", "AT+JWT", "APPLICATION/AT+JWT")
_BROUGHT: Final = ("jku", "jwk", "x5u", "x5c", "crit", "b64")
SigningKey = Any  # a key of joserfc, whose modules are imported where they are needed


class TokenRefused(Refused):
    """A request of an operator carries no token that holds."""

    code = "token-refused"
    remedy = "send `Authorization: Bearer TOKEN`; tanqiao operator token makes one"


class Expected(NamedTuple):
    """Whose tokens are taken: the issuer, whom they are for, and where it is named by which client."""

    issuer: str
    audience: str
    client: str = ""


def key_of_token(token: str) -> str:
    """Return the id of the key that a token claims to be signed with; nothing is proved yet.

    Raises:
        TokenRefused: it is too long, no JWT, or says of itself what is never taken.
    """
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact

    if len(token) > TOKEN_CHARACTERS_MAX or token.find(".") > HEADER_CHARACTERS_MAX:
        raise _refused("the token is longer than any that is taken")
    try:
        header = extract_compact(token.encode("ascii"), registry=_registry()).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _refused("the token is no JWT") from error
    if header.get("alg") not in ALGORITHMS:
        raise _refused(f"the token's alg is none of {', '.join(ALGORITHMS)}")
    if str(header.get("typ", "JWT")).upper() not in _TYPES or set(_BROUGHT) & set(header):
        raise _refused("the token's header is not one of an access token")
    name = header.get("kid")
    if not isinstance(name, str) or not name:
        raise _refused("the token names no key: it has no kid")
    return name


def verify_token(token: str, key: SigningKey, *, expected: Expected, now: datetime) -> Mapping[str, object]:
    """Return what a token says, once its signature and all that binds it to this gateway hold.

    Raises:
        TokenRefused: says which of them does not.
    """
    from joserfc.errors import JoseError
    from joserfc.jwt import JWTClaimsRegistry, decode

    try:
        said = decode(token, key, algorithms=ALGORITHMS, registry=_registry()).claims
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise _refused("the token's signature does not hold") from error
    rules = JWTClaimsRegistry(
        now=int(now.timestamp()),
        leeway=int(SKEW.total_seconds()),
        iss={"essential": True, "value": expected.issuer},
        aud={"essential": True, "value": expected.audience},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        rules.validate(said)
    except JoseError as error:
        raise _refused(f"the token does not hold: {_words(error)}") from error
    _require_bounds(said)
    if expected.client and said.get("azp", said.get("client_id")) != expected.client:
        raise _refused("the token was issued to another client")
    return said


def read_key_set(document: bytes) -> dict[str, SigningKey]:
    """Return the keys for signatures of a JSON Web Key Set by their ids; others are left out.

    Raises:
        MalformedDocument: it is no key set, has too many keys, or none that can be used.
    """
    from joserfc.errors import JoseError
    from joserfc.jwk import import_key

    found: dict[str, SigningKey] = {}
    for entry in _entries(document):
        public = entry if isinstance(entry, dict) else {}
        name = public.get("kid")
        usable = public.get("kty") in ("RSA", "EC", "OKP") and public.get("use", "sig") == "sig"
        if not usable or not isinstance(name, str) or not name:
            continue
        try:
            key = import_key(public)
            strong = key.key_type != "RSA" or key.public_key.key_size >= RSA_BITS_MIN  # type: ignore[union-attr]  # an RSA key has a size
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # RFC 7517, section 5: what is not understood is ignored
        if name in found:
            raise MalformedDocument(f"the key set has two keys of the id {name[:100]!r}")
        if strong:
            found[name] = key
    if not found:
        raise MalformedDocument("the key set has no key that can be used")
    return found


def _entries(document: bytes) -> list[object]:
    try:
        read = json.loads(document)
    except (ValueError, RecursionError) as error:
        raise MalformedDocument("the key set is no JSON") from error
    entries = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(entries, list) or len(entries) > KEYS_MAX:
        raise MalformedDocument(f"expected a key set of at most {KEYS_MAX} keys")
    return entries


def _require_bounds(said: Mapping[str, Any]) -> None:
    """Refuse times that are no whole seconds (infinity is none), and a token that is valid too long."""
    issued, expires = said["iat"], said["exp"]
    if type(issued) is not int or type(expires) is not int:
        raise _refused("the token's exp and iat are not whole seconds")
    if expires - issued > VALID_FOR.total_seconds():
        raise _refused("the token is valid for longer than a day")
    if not isinstance(said["sub"], str) or not 0 < len(said["sub"]) <= 255:  # OpenID Connect Core, section 2
        raise _refused("the token's sub is not 1 to 255 characters")


def _registry() -> "JWSRegistry":
    from joserfc.jws import JWSRegistry

    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = HEADER_CHARACTERS_MAX
    return registry


def _words(error: Exception) -> str:
    """Return which claim is wrong, in the library's words; a value is never among them."""
    return str(error).partition("\n")[0][:200]


def _refused(message: str) -> TokenRefused:
    return TokenRefused(message, field="Authorization", remedy="get a new token from the identity provider")
