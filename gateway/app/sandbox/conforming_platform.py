"""Join the parts of a conformance run against a platform, and make the keys that it is run with."""

import base64
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import orjson

from gateway.app.base.clock import SystemClock
from gateway.conformance.platform import CASES, PlatformTrial, Speaker, read_samples
from gateway.errors import UsageError
from gateway.model.ed25519 import require_sound_key
from gateway.signing import KeyRing, TrustedKey, key_id
from gateway.store.files.durable import write_durably
from gateway.store.files.inputs import read_small
from gateway.store.files.keys import FileSigner, create_signing_key

__all__ = ["ConformancePlan", "conformance_keys", "run_cases", "write_report"]

KEYS: Final = (("http.key", "http"), ("record.key", "record"))
SECONDS_MAX: Final = 5.0  # for an answer: a resident waits for it
STRANGER: Final = "stranger.key"
_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConformancePlan:
    """What to run against. ``keys`` is the folder that :func:`conformance_keys` made."""

    url: str
    keys: Path
    samples: Path
    platform_key: str
    only: tuple[str, ...] = ()


def conformance_keys(folder: Path) -> dict[str, str]:
    """Make the keys of a gateway that is run for conformance only; the platform under test trusts them."""
    folder.mkdir(parents=True, exist_ok=True)
    signers = [(purpose, create_signing_key(folder / name, purpose)) for name, purpose in KEYS]
    create_signing_key(folder / STRANGER, "http")
    ring = KeyRing(
        "conformance-run",
        tuple(TrustedKey(purpose=purpose, public=signer.public, since=0) for purpose, signer in signers),
    )
    write_durably(folder / "keys.json", ring.to_bytes())
    return {"trust": str(folder / "keys.json")} | {purpose: signer.key_id for purpose, signer in signers}


def run_cases(plan: ConformancePlan, *, seconds: float = SECONDS_MAX) -> Iterator[dict[str, Any]]:
    """Run the cases one after the other and yield how each ended.

    Raises:
        UsageError: there is no such case, or the platform's key is none.
        LocalFileError: keys or samples cannot be read.
    """
    chosen = [case for case in CASES if not plan.only or case.name in plan.only]
    if len(chosen) < len(plan.only):
        raise UsageError("there is no such case", remedy=f"one of: {', '.join(case.name for case in CASES)}")
    with httpx.Client(timeout=seconds, trust_env=False) as http:
        trial = _trial(plan, http)
        for case in chosen:
            yield case.run(trial)


def write_report(path: Path, results: Sequence[Mapping[str, Any]]) -> None:
    """Write how each case ended, with every request and its answer."""
    write_durably(path, orjson.dumps(results, option=orjson.OPT_INDENT_2))


def _trial(plan: ConformancePlan, http: httpx.Client) -> PlatformTrial:
    speaking, deciding = (FileSigner(plan.keys / name, purpose) for name, purpose in KEYS)
    public = _public(plan.platform_key)
    return PlatformTrial(
        speaker=Speaker(
            url=plan.url.rstrip("/"),
            signer=speaking,
            keys={key_id(public, "http"): public},
            now=SystemClock().now,
            new_nonce=lambda: secrets.token_urlsafe(16),
            http=http,
        ),
        decider=deciding,
        stranger=FileSigner(plan.keys / STRANGER, "http"),
        samples=read_samples(read_small(plan.samples)),
        new_id=lambda prefix: f"{prefix}_" + "".join(secrets.choice(_CROCKFORD) for _ in range(26)),
        pause=time.sleep,
    )


def _public(text: str) -> bytes:
    try:
        public = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise UsageError("the platform's key is 32 bytes in base64", field="platform-key") from error
    require_sound_key(public)
    return public
