"""The trust files of a home: the log policy and the key ring, pinned outside of the home.

A change of the key ring is announced in the log first, then pinned, then put in place; a kill
between any two steps is finished by the next command that writes. A change of the policy is pinned and
put in place; no entry announces it, because every verifier has a policy of its own.
"""

from collections.abc import Callable
from pathlib import Path

from gateway.errors import IntegrityBroken, LocalFileError
from gateway.model.canonical import digest
from gateway.signing import KeyRing
from gateway.store.files.durable import write_durably
from gateway.store.log.checkpoints import CheckpointStore, Stored

__all__ = ["TrustAltered", "TrustFiles"]


class TrustAltered(IntegrityBroken):
    """A trust file is not the one that was pinned."""

    code = "trust-altered"
    remedy = "put the pinned file back; keys change only by `tanqiao keys`, the policy by `tanqiao witness`"


class TrustFiles:
    """``trust/policy`` and ``trust/keys.json`` of one log."""

    def __init__(self, policy: Path, ring: Path, *, origin: str, store: CheckpointStore) -> None:
        self._policy = policy
        self._ring = ring
        self._next_policy = policy.with_name("policy.next")
        self._next = ring.with_name("keys.json.next")
        self._origin = origin
        self._store = store

    def policy(self) -> bytes:
        """Return the text of the log policy."""
        return _read(self._policy, "trust/policy")

    def ring_bytes(self) -> bytes:
        """Return the bytes of the key ring."""
        return _read(self._ring, "trust/keys.json")

    def ring(self) -> KeyRing:
        """Read the key ring."""
        return KeyRing.parse(self.ring_bytes())

    def require_pinned(self) -> None:
        """Compare both files with what was pinned.

        Raises:
            TrustAltered: names the file that differs.
        """
        stored = self._store.latest(self._origin) or Stored()
        pins = {"trust/policy": stored.policy_digest, "trust/keys.json": stored.keys_digest}
        for name, found in (("trust/policy", self.policy()), ("trust/keys.json", self.ring_bytes())):
            if digest(found) != pins[name]:
                raise TrustAltered(f"{name} is not the file that was pinned", field=name)

    def create(self, policy: bytes, ring: KeyRing) -> None:
        """Write both files of a new home."""
        write_durably(self._policy, policy)
        write_durably(self._ring, ring.to_bytes())

    def pin_first(self) -> None:
        """Pin the files of a new home, of whose log nothing has been signed yet."""
        if self._store.latest(self._origin) is None:
            self._pin(digest(self.policy()), digest(self.ring_bytes()))

    def replace_policy(self, policy: bytes) -> None:
        """Pin another policy and put it in place; a kill in between is finished by :meth:`settle_policy`."""
        write_durably(self._next_policy, policy)
        stored = self._store.latest(self._origin) or Stored()
        self._pin(digest(policy), stored.keys_digest)
        self.settle_policy()

    def settle_policy(self) -> None:
        """Put a staged policy in place if it is the pinned one, else drop it."""
        if not self._next_policy.exists():
            return
        staged = self._next_policy.read_bytes()
        if digest(staged) == (self._store.latest(self._origin) or Stored()).policy_digest:
            write_durably(self._policy, staged)
        self._next_policy.unlink()

    def stage(self, ring: KeyRing) -> str:
        """Write a changed key ring beside the one in force and return its digest."""
        write_durably(self._next, ring.to_bytes())
        return digest(ring.to_bytes())

    def announced(self, is_announced: Callable[[str], bool]) -> KeyRing | None:
        """Return the staged key ring if the log, or what is queued for it, announces its digest."""
        if not self._next.exists() or not is_announced(digest(self._next.read_bytes())):
            return None
        return KeyRing.parse(self._next.read_bytes())

    def settle(self, is_announced: Callable[[str], bool]) -> None:
        """Put a staged key ring in place if the log announces its digest, else drop it."""
        if not self._next.exists():
            return
        staged = digest(self._next.read_bytes())
        if not is_announced(staged):
            self._next.unlink()
            return
        stored = self._store.latest(self._origin) or Stored()
        if stored.keys_digest != staged:
            self._pin(stored.policy_digest, staged)
        write_durably(self._ring, self._next.read_bytes())
        self._next.unlink()

    def _pin(self, policy_digest: str, keys_digest: str) -> None:
        expected = self._store.latest(self._origin)
        self._store.pin(self._origin, expected=expected, policy_digest=policy_digest, keys_digest=keys_digest)


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise TrustAltered(f"{name} is missing", field=name) from error
    except OSError as error:
        raise LocalFileError(
            f"cannot read {path}: {error.strerror}", remedy="mend the permissions of the file"
        ) from error
