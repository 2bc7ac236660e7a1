"""Trust policies (C2SP tlog-policy): which logs count, and which witnesses must have seen them.

The file is octets, not characters: a name is compared byte by byte, so that no table of characters
decides what a policy means.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import ChecksFailed, Refused
from gateway.transparency.checkpoint import Checkpoint, read_checkpoint
from gateway.transparency.keys import SignatureType, VerifierKey, read_vkey
from gateway.transparency.note import read_note, verified_keys
from gateway.transparency.text import MalformedLogText

__all__ = [
    "Group",
    "LogEntry",
    "MalformedPolicy",
    "NotInPolicy",
    "Policy",
    "QuorumPending",
    "WitnessEntry",
    "read_policy",
    "verify_checkpoint",
    "verify_log_signature",
]

POLICY_BYTES_MAX: Final = 256 * 1024  # far above the limit of members below
MEMBERS_MAX: Final = 256  # of each kind; the specification asks for 32 at least
_NONE: Final = "none"
_FORBIDDEN: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_THRESHOLD: Final = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class MalformedPolicy(MalformedLogText):
    """A policy breaks the rules of its specification; the message names the line."""

    code = "malformed-policy"
    remedy = "correct the line of the policy file"


class NotInPolicy(Refused):
    """The checkpoint comes from no log that the verifier's own policy lists."""

    code = "not-in-policy"
    remedy = "check the origin; to trust the log, add its key, from a trusted source, to the policy file"


class QuorumPending(ChecksFailed):
    """All is well except that not enough witnesses have cosigned the checkpoint yet."""

    code = "quorum-pending"
    remedy = "ask the log for a proof with a later or more widely cosigned checkpoint"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A log that the policy accepts; its key's name is its origin."""

    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class WitnessEntry:
    """A witness under the name it has inside the policy."""

    name: str
    key: VerifierKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """A named set of witnesses and earlier groups, of which a number must have seen a checkpoint."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a verifier trusts; groups stand after all their members."""

    logs: tuple[LogEntry, ...]
    witnesses: tuple[WitnessEntry, ...]
    groups: tuple[Group, ...]
    quorum: str

    def is_reached_by(self, cosigners: Iterable[VerifierKey]) -> bool:
        """Tell whether these witnesses' cosignatures are enough."""
        keys = set(cosigners)
        reached = {_NONE} | {witness.name for witness in self.witnesses if witness.key in keys}
        for group in self.groups:
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(group.name)
        return self.quorum in reached

    def __bytes__(self) -> bytes:
        lines = [
            *(f"log {log.key} {log.url}" for log in self.logs),
            *(f"witness {one.name} {one.key} {one.url}" for one in self.witnesses),
            *(f"group {one.name} {one.threshold} {' '.join(one.members)}" for one in self.groups),
            f"quorum {self.quorum}",
        ]
        return "".join(f"{line.rstrip(' ')}\n" for line in lines).encode("utf-8", "surrogateescape")


def verify_checkpoint(policy: Policy, note: bytes) -> Checkpoint:
    """Verify a signed checkpoint against the policy and return what it says.

    Raises:
        MalformedLogText: the bytes are no signed checkpoint.
        NotInPolicy: no listed log of that origin has signed it.
        BadSignature: a line names a listed key, and that key did not sign this text.
        QuorumPending: only the witnesses' quorum is missing.
    """
    signed = read_note(verify_log_signature(policy, note))
    checkpoint = read_checkpoint(signed.text)
    cosigners = verified_keys(signed, [witness.key for witness in policy.witnesses])
    if not policy.is_reached_by(cosigners):
        seen = [witness.name for witness in policy.witnesses if witness.key in cosigners]
        raise QuorumPending(
            f"checkpoint {checkpoint}: expected the quorum {policy.quorum!r}, cosigned so far by"
            f" {', '.join(map(repr, seen)) or 'no listed witness'}"
        )
    return checkpoint


def verify_log_signature(policy: Policy, note: bytes) -> bytes:
    """Check that a log of the policy has signed the checkpoint, and return it; witnesses are not asked for.

    Raises:
        MalformedLogText, NotInPolicy, BadSignature: see ``verify_checkpoint``.
    """
    signed = read_note(note)
    checkpoint = read_checkpoint(signed.text)
    log_keys = [log.key for log in policy.logs if log.key.name == checkpoint.origin]
    if not verified_keys(signed, log_keys):
        raise NotInPolicy(
            f"expected the signature of a log that the policy lists, found log {checkpoint.origin!r}"
            f" signed by {', '.join(sorted({line.name for line in signed.signatures}))}"
        )
    return note


def read_policy(data: bytes) -> Policy:
    """Read a policy file.

    Raises:
        MalformedPolicy: names the line and what is wrong with it.
    """
    if len(data) > POLICY_BYTES_MAX:
        raise MalformedPolicy(f"policy: {len(data)} bytes, at most {POLICY_BYTES_MAX} are read")
    forbidden = _FORBIDDEN.search(data)
    if forbidden is not None:
        number = data.count(b"\n", 0, forbidden.start()) + 1
        raise MalformedPolicy(f"policy line {number}: the octet 0x{forbidden[0].hex()} is not allowed")
    if data and not data.endswith(b"\n"):
        raise MalformedPolicy("policy: the last line has no line end")
    draft = _Draft()
    for number, line in enumerate(data.split(b"\n"), start=1):
        # Every octet string survives this decoding and its inverse, so names stay opaque.
        items = [item.decode("utf-8", "surrogateescape") for item in re.split(rb"[ \t]+", line.strip(b" \t"))]
        if items[0] and not items[0].startswith("#"):
            draft.read_line(items, f"policy line {number}")
    if draft.quorum is None:
        raise MalformedPolicy("policy: expected one quorum line, found none")
    return Policy(tuple(draft.logs), tuple(draft.witnesses), tuple(draft.groups), draft.quorum)


@dataclass(slots=True)
class _Draft:
    """The lines read so far."""

    logs: list[LogEntry] = field(default_factory=list)
    witnesses: list[WitnessEntry] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: {_NONE})
    members: set[str] = field(default_factory=set)
    quorum: str | None = None

    def read_line(self, items: list[str], where: str) -> None:
        match items:
            case ["log", vkey, *url] if len(url) <= 1:
                self._add_log(LogEntry(_key(vkey, SignatureType.ED25519, where=where), *url), where)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                key = _key(vkey, SignatureType.COSIGNATURE, where=where)
                self._add_witness(WitnessEntry(name, key, *url), where)
            case ["group", name, threshold, *members] if members:
                self._add_group(_group(name, threshold, members=members, where=where), where)
            case ["quorum", name]:
                self._set_quorum(name, where)
            case _:
                raise MalformedPolicy(
                    f"{where}: expected 'log KEY [URL]', 'witness NAME KEY [URL]', 'group NAME all|any|NUMBER"
                    f" MEMBER...' or 'quorum NAME', found {' '.join(items)[:120]!r}"
                )

    def _add_log(self, log: LogEntry, where: str) -> None:
        if any(log.key.public == other.key.public for other in self.logs):
            raise MalformedPolicy(f"{where}: the public key of log {log.key.name!r} is listed twice")
        self.logs.append(log)
        _require_few(self.logs, where)

    def _add_witness(self, witness: WitnessEntry, where: str) -> None:
        if any(witness.key.public == other.key.public for other in self.witnesses):
            raise MalformedPolicy(f"{where}: the public key of witness {witness.name!r} is listed twice")
        self._define(witness.name, where)
        self.witnesses.append(witness)
        _require_few(self.witnesses, where)

    def _add_group(self, group: Group, where: str) -> None:
        for member in group.members:
            if member not in self.names or member == _NONE:
                raise MalformedPolicy(f"{where}: the member {member!r} is not defined on an earlier line")
            if member in self.members:
                raise MalformedPolicy(f"{where}: {member!r} is already a member of a group")
            self.members.add(member)
        self._define(group.name, where)
        self.groups.append(group)
        _require_few(self.groups, where)

    def _set_quorum(self, name: str, where: str) -> None:
        if self.quorum is not None:
            raise MalformedPolicy(f"{where}: a second quorum line; exactly one is allowed")
        if name not in self.names:
            raise MalformedPolicy(f"{where}: the quorum {name!r} is not defined on an earlier line")
        self.quorum = name

    def _define(self, name: str, where: str) -> None:
        if name in self.names:
            raise MalformedPolicy(f"{where}: the name {name!r} is already taken")
        self.names.add(name)


def _key(text: str, kind: SignatureType, *, where: str) -> VerifierKey:
    try:
        key = read_vkey(text)
    except MalformedLogText as error:
        raise MalformedPolicy(f"{where}: {error}") from error
    if key.kind is not kind:
        raise MalformedPolicy(f"{where}: expected a key of type 0x{kind:02x}, found 0x{key.kind:02x}")
    return key


def _group(name: str, threshold: str, *, members: list[str], where: str) -> Group:
    if threshold in {"all", "any"}:
        return Group(name, len(members) if threshold == "all" else 1, tuple(members))
    if not _THRESHOLD.fullmatch(threshold) or int(threshold) > len(members):
        raise MalformedPolicy(f"{where}: expected all, any or 1 to {len(members)}, found {threshold[:40]!r}")
    return Group(name, int(threshold), tuple(members))


def _require_few(entries: list[LogEntry] | list[WitnessEntry] | list[Group], where: str) -> None:
    if len(entries) > MEMBERS_MAX:
        raise MalformedPolicy(f"{where}: more than {MEMBERS_MAX} lines of this kind")
