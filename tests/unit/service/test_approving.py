"""Who must sign a mapping before it is published, and what counts as a signature."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from gateway.errors import GatewayError, MalformedDocument
from gateway.model.canonical import canonical_bytes, digest
from gateway.model.statement import mapping_statement
from gateway.service.mappings.approving import (
    ApprovalRefused,
    Maintainers,
    Publication,
    QuorumMissing,
    approve,
    read_publication,
    require_approvals,
)
from gateway.signing import SignatureInvalid, key_id
from tests.fakes.serving import PlatformSigner

TEXT = b'{"mapping":"cn-000000/yunxi/metro"}'
NAMED = ("cn-000000/yunxi/metro", 3)


class MaintainerKey(PlatformSigner):
    """A maintainer's key, in memory."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.key_id = key_id(self.public, "maintainer")


LI, WANG, ZHAO, STRANGER = (MaintainerKey(seed) for seed in (1, 2, 3, 4))


def document(**changes: Any) -> dict[str, Any]:
    named = {"li": LI, "wang": WANG, "zhao": ZHAO}
    listed = [{"name": name, "public": key.public.hex()} for name, key in named.items()]
    return {"type": "tanqiao/maintainers/1", "quorum": 2, "maintainers": listed} | changes


def maintainers(**changes: Any) -> Maintainers:
    return Maintainers.parse(json.dumps(document(**changes)).encode())


def signed(*signers: MaintainerKey) -> Publication:
    data = b""
    for signer in signers:
        data = approve(TEXT, NAMED, signer=signer, before=data)
    return read_publication(data)


def test_as_many_as_must_sign_suffice_in_any_order() -> None:
    found = maintainers().require_quorum(signed(ZHAO, LI).approval)

    assert sorted(one.party for one in found) == ["li", "zhao"]
    assert len(maintainers(quorum=3).require_quorum(signed(LI, WANG, ZHAO).approval)) == 3


@pytest.mark.parametrize(("quorum", "signers"), [(2, [LI]), (3, [LI, WANG]), (2, [LI, LI, LI])])
def test_one_fewer_is_refused_and_nobody_counts_twice(quorum: int, signers: list[MaintainerKey]) -> None:
    with pytest.raises(QuorumMissing) as refused:
        maintainers(quorum=quorum).require_quorum(signed(*signers).approval)

    assert refused.value.code == "quorum-missing"
    assert f"of {quorum} of 3" in str(refused.value)


def test_one_key_that_stands_twice_in_a_file_is_refused() -> None:
    approval = dict(signed(LI).approval)
    one = signed(LI).signatures[0]

    with pytest.raises(ApprovalRefused, match="signs twice"):
        maintainers().require_quorum(approval | {"signatures": [one, one]})


def test_a_stranger_beside_enough_maintainers_is_refused() -> None:
    with pytest.raises(ApprovalRefused, match="unknown"):
        maintainers().require_quorum(signed(LI, WANG, STRANGER).approval)


def test_a_key_of_another_purpose_is_refused() -> None:
    as_platform = PlatformSigner(1)
    data = approve(TEXT, NAMED, signer=as_platform, before=signed(WANG).to_bytes())

    with pytest.raises(ApprovalRefused):
        maintainers().require_quorum(read_publication(data).approval)


def test_a_signature_over_another_body_is_refused() -> None:
    other = read_publication(approve(TEXT, ("cn-000000/yunxi/metro", 4), signer=LI))
    mixed = [*signed(WANG).signatures, *other.signatures]

    with pytest.raises(ApprovalRefused, match="does not fit"):
        maintainers().require_quorum(dict(signed(WANG).approval) | {"signatures": mixed})


@pytest.mark.parametrize("named", [("cn-000000/yunxi/metro", 4), ("cn-000000/yunxi/bus", 3)])
def test_what_was_signed_must_name_this_version(named: tuple[str, int]) -> None:
    signed(LI, WANG).require_names(*NAMED)

    with pytest.raises(ApprovalRefused):
        signed(LI, WANG).require_names(*named)


def test_another_text_under_good_signatures_is_refused() -> None:
    exchanged = Publication(TEXT + b" ", signed(LI, WANG).approval)

    with pytest.raises(ApprovalRefused):
        exchanged.require_names(*NAMED)


def test_nobody_signs_beside_signatures_over_another_text() -> None:
    with pytest.raises(ApprovalRefused, match="others have signed"):
        approve(TEXT + b" ", NAMED, signer=LI, before=signed(WANG).to_bytes())


def test_a_log_entry_shows_by_itself_who_has_signed() -> None:
    found = maintainers().require_quorum(signed(LI, WANG).approval)
    body = mapping_statement(
        "gw", (*NAMED, digest(TEXT)), status="press", issued="2026-11-22T00:00:00Z", approvals=found
    )
    changed = json.loads(canonical_bytes(body))
    changed["mapping"]["version"] = 4
    taken = json.loads(canonical_bytes(body))
    taken["approvals"][0]["public_key"] = base64.b64encode(STRANGER.public).decode()

    require_approvals(body)
    for wrong in (changed, taken):
        with pytest.raises(SignatureInvalid):
            require_approvals(wrong)


LISTED = document()["maintainers"]
WRONG: dict[str, Callable[[], dict[str, Any]]] = {
    "one suffices": lambda: document(quorum=1),
    "more than there are": lambda: document(quorum=4),
    "a quorum that is true": lambda: document(quorum=True),
    "a quorum in words": lambda: document(quorum="2"),
    "one maintainer": lambda: document(maintainers=LISTED[:1]),
    "a name twice": lambda: document(maintainers=[*LISTED, LISTED[0] | {"public": STRANGER.public.hex()}]),
    "a key twice": lambda: document(maintainers=[*LISTED, LISTED[0] | {"name": "qian"}]),
    "a key that is none": lambda: document(maintainers=[*LISTED, {"name": "qian", "public": "ab"}]),
    "a weak key": lambda: document(maintainers=[*LISTED, {"name": "qian", "public": "00" * 32}]),
    "another member": lambda: document(also=1),
    "another type": lambda: document(type="tanqiao/maintainers/2"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_list_of_maintainers_that_is_wrong_is_refused(wrong: Callable[[], dict[str, Any]]) -> None:
    maintainers()

    with pytest.raises(GatewayError):
        Maintainers.parse(json.dumps(wrong()).encode())


@pytest.mark.parametrize(
    "data", [b"{}", b'{"document":1,"approval":{}}', b'{"document":"x","approval":{"body":{}}}', b"["]
)
def test_what_is_no_publication_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        read_publication(data)
