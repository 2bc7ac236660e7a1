"""Join the parts of changing a home's policy: which witnesses count, and how many of them."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from gateway.app.base.home import OpenHome, log_key, open_home
from gateway.app.log.cosigning import cosigned_of, quorum_of
from gateway.errors import Refused, UsageError
from gateway.service.witnesses.quorum import is_witnessed
from gateway.store.files.inputs import read_small
from gateway.store.files.keys import FileSigner
from gateway.transparency import Group, Policy, WitnessEntry, read_policy, read_vkey

__all__ = ["policy_status", "replace_policy", "set_quorum", "trust_witness"]

GROUP: Final = "quorum"


def trust_witness(root: Path, name: str, *, vkey: str, url: str) -> dict[str, object]:
    """List a witness in the policy; whether it counts is said by the quorum."""
    with open_home(root, writing=True) as opened:
        policy = read_policy(opened.trust.policy())
        listed = [one for one in policy.witnesses if one.name != name]
        witness = WitnessEntry(name, read_vkey(vkey), url)
        if any(one.name == name and one.key != witness.key for one in policy.witnesses):
            raise Refused(
                f"the policy lists another key as {name!r}",
                remedy="choose another name; to take a witness out: tanqiao witness policy",
            )
        return _put(opened, replace(policy, witnesses=(*listed, witness)))


def set_quorum(root: Path, rule: str, *, names: list[str]) -> dict[str, object]:
    """Let a number of the named witnesses, or of all, be enough; replaces every group of the policy."""
    with open_home(root, writing=True) as opened:
        policy = read_policy(opened.trust.policy())
        if rule == "none":
            return _put(opened, replace(policy, groups=(), quorum="none"))
        members = tuple(names or [one.name for one in policy.witnesses])
        threshold = {"all": str(len(members)), "any": "1"}.get(rule, rule)
        if not threshold.isdecimal() or not 1 <= int(threshold) <= len(members):
            raise UsageError(
                f"expected all, any, none or 1 to {len(members)}, found {rule!r}",
                remedy="list witnesses first: tanqiao witness trust",
            )
        group = Group(GROUP, int(threshold), members)
        return _put(opened, replace(policy, groups=(group,), quorum=GROUP))


def replace_policy(root: Path, file: Path) -> dict[str, object]:
    """Put a whole policy in place: for groups of groups, or to take a witness out."""
    with open_home(root, writing=True) as opened:
        return _put(opened, read_policy(read_small(file)), written=read_small(file))


def policy_status(root: Path) -> list[dict[str, object]]:
    """List the witnesses of the policy, with what is known of each."""
    with open_home(root) as opened:
        policy = read_policy(opened.trust.policy())
        status = cosigned_of(opened).status()
        states = {} if status is None else {one.name: one for one in status.witnesses}
        found: list[dict[str, object]] = []
        for one in policy.witnesses:
            state = states.get(one.name)
            found.append(
                {
                    "witness": one.name,
                    "url": one.url,
                    "cosigned": 0 if state is None else state.size,
                    "failures": 0 if state is None else state.failures,
                    "trouble": "" if state is None else state.trouble,
                    "quorum_missing_seconds": int(quorum_of(opened).missing_for().total_seconds()),
                }
            )
        return found


def _put(opened: OpenHome, policy: Policy, *, written: bytes = b"") -> dict[str, object]:
    """Pin a policy and put it in place, if it reads back as it was meant and lists the home's own log.

    The first log line stays as it is: a home checks it against its own key.
    """
    data = written or bytes(policy)
    checked = read_policy(data)
    if checked != policy:
        raise Refused("a name or an address breaks the lines of a policy", remedy="write it without spaces")
    own = log_key(opened.facts.origin, FileSigner(opened.home.keys / "log", "log"))
    if f"log {own}".encode() not in data.splitlines():
        raise Refused(f"the policy does not list this home's log: log {own}", remedy="add that line to it")
    opened.trust.replace_policy(data)
    note = cosigned_of(opened).published(opened.log.checkpoint)
    return {
        "witnesses": [one.name for one in checked.witnesses],
        "quorum": _in_words(checked),
        "witnessed": is_witnessed(checked, note),
    }


def _in_words(policy: Policy) -> str:
    """Return who must have seen a checkpoint, such as `2 of wuhan, shenzhen, coordinator`."""
    group = next((one for one in policy.groups if one.name == policy.quorum), None)
    return policy.quorum if group is None else f"{group.threshold} of {', '.join(group.members)}"
