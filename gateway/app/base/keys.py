"""Join the parts of key changes."""

from collections.abc import Callable
from pathlib import Path

from gateway.app.base.home import OpenHome, open_home
from gateway.errors import Refused, UsageError
from gateway.model.statement import KeyChange
from gateway.service.moments import instant_text
from gateway.service.publishing import publish_queue
from gateway.signing import KeyRing, Signer, TrustedKey, seal
from gateway.store.files.keys import create_signing_key
from gateway.transparency import SignatureType, VerifierKey

__all__ = ["end_key", "list_keys", "new_key", "rotate_record_key"]

NOTE_TYPES = {"log": SignatureType.ED25519, "witness": SignatureType.COSIGNATURE}


def new_key(out: Path, purpose: str, *, name: str = "") -> dict[str, object]:
    """Make a key pair outside of any home."""
    if purpose in NOTE_TYPES:
        if not name:
            raise UsageError(f"a {purpose} key needs the name it signs under", remedy="give --name")
        signer = create_signing_key(out, purpose)
        return {"private": str(out), "vkey": str(VerifierKey(name, NOTE_TYPES[purpose], signer.public))}
    if purpose not in ("record", "http", "recovery", "maintainer"):
        raise UsageError(
            f"no key has the purpose {purpose}", remedy="record, http, recovery, maintainer, log or witness"
        )
    signer = create_signing_key(out, purpose)
    return {"private": str(out), "id": signer.key_id, "public": signer.public.hex()}


def rotate_record_key(root: Path) -> dict[str, object]:
    """Add a record key; the statement that announces it is signed by the old keys and by the new one."""
    with open_home(root, writing=True) as opened:
        signer = create_signing_key(opened.home.next_record_key(), "record")
        _change(
            opened,
            lambda ring, position: ring.added(
                TrustedKey(purpose="record", public=signer.public, since=position)
            ),
            changed=("added", signer.key_id),
            extra=[signer],
        )
        return {"added": signer.key_id, "log_entries": opened.log.size}


def end_key(root: Path, key: str, *, action: str) -> dict[str, object]:
    """Retire or revoke a key from the entry on that announces it."""
    with open_home(root, writing=True) as opened:
        others = [signer for signer in opened.record_signers() if signer.key_id != key]
        if not others:
            raise Refused(f"{key} is the last record key", remedy="add another first: tanqiao keys rotate")
        _change(
            opened,
            lambda ring, position: ring.ended(key, position=position, action=action),
            changed=(action, key),
            extra=[],
        )
        return {action: key, "log_entries": opened.log.size}


def list_keys(root: Path) -> list[dict[str, object]]:
    """List the keys of the trust file."""
    with open_home(root) as opened:
        return [
            {
                "id": key.id,
                "purpose": key.purpose,
                "since": key.since,
                "retired": "" if key.retired is None else key.retired,
                "revoked": "" if key.revoked is None else key.revoked,
            }
            for key in opened.trust.ring().keys
        ]


def _change(
    opened: OpenHome,
    change: Callable[[KeyRing, int], KeyRing],
    *,
    changed: tuple[str, str],
    extra: list[Signer],
) -> None:
    """Stage the new ring, announce it in the log, put it in place."""
    position = opened.journal.length()
    ring = change(opened.trust.ring(), position)
    action, key = changed
    statement = KeyChange(
        issuer=opened.facts.issuer,
        action=action,
        key=key,
        purpose=ring.find(key).purpose,
        keys_digest=opened.trust.stage(ring),
        issued=instant_text(opened.clock.now()),
    )
    signers = [signer for signer in opened.record_signers() if action == "added" or signer.key_id != key]
    opened.journal.queue(seal(statement.body(), [*signers, *extra]))
    publish_queue(opened.journal, opened.log, rings=opened.publishing_rings)
    opened.trust.settle(opened.journal.announces)
