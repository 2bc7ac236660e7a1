"""Agreements, pauses and their ends over real homes: who signs, what follows, what the log says."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.app.base.home import open_home
from gateway.app.transfers.agreements import agreeing
from gateway.errors import GatewayError
from gateway.model.canonical import Json, canonical_bytes, digest
from gateway.model.ed25519 import UnsoundKey
from gateway.model.strict import read_strict_object
from gateway.ports import CorridorDocument, CorridorKind
from gateway.recognition import AgreementRefused
from gateway.service.acts.scheme import MappingNotAdmitted
from gateway.service.agreements.agreeing import AgreementConflict, PauseRefused, receive_document
from gateway.service.agreements.book import AgreementBook
from gateway.service.agreements.drafts import pause_body, resume_body
from gateway.service.moments import instant_text
from gateway.service.transfers.quoting import TransferRefused
from gateway.signing import SignatureInvalid
from gateway.store.serving.platforms import SqlPlatforms
from tests.fakes.claims import PLATFORMS, At, seen
from tests.fakes.homes import audited, change_database
from tests.fakes.moving import AFTER, KEYS, agree, agreement, copied, moving_home, quote, signed, versions
from tests.fakes.serving import PlatformSigner

YUNXI, HAIMEN, SHANYANG = PLATFORMS
CORRIDOR = (YUNXI, HAIMEN)
COORDINATOR = PlatformSigner(77)
NAMED = base64.b64encode(COORDINATOR.public).decode()
UNTIL = instant_text(AFTER + timedelta(days=3))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        yield moving_home(tmp_path_factory.mktemp("agreements"), patch, [seen("e-1", "an", 0, 20)])


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return copied(made, tmp_path, monkeypatch)


def entries(home: Path) -> list[dict[str, Any]]:
    """Return the bodies of all entries of the log."""
    with open_home(home) as opened:
        return [json.loads(entry)["body"] for entry in opened.log.entries(0)]


def in_force(home: Path, days: int = 0) -> int:
    """Return the version in force so many days later, 0 for none."""
    with open_home(home) as opened:
        book = AgreementBook(opened.journal.corridors)
        found = book.in_force(*CORRIDOR, now=AFTER + timedelta(days=days))
        return 0 if found is None else found.version


def pause(by: str = HAIMEN, **changes: Json) -> dict[str, Json]:
    return pause_body(CORRIDOR, by=by, reason="figures under review", until=UNTIL, now=AFTER) | changes


def resume(paused: CorridorDocument, by: str = HAIMEN) -> dict[str, Json]:
    return resume_body(CORRIDOR, by=by, pause=paused.digest, now=AFTER)


def test_an_agreement_is_announced_with_both_signatures_after_the_rules_it_names(home: Path) -> None:
    kept = agree(home, signed(agreement(basis=f"reference:{SHANYANG}/rides")))

    *_, first, second, published = entries(home)
    assert {first["mapping"]["id"], second["mapping"]["id"]} == {f"{HAIMEN}/rides", f"{SHANYANG}/rides"}
    assert published["type"] == "tanqiao/agreement-published/1"
    assert published["agreement"] == {
        "source": YUNXI,
        "destination": HAIMEN,
        "version": 1,
        "digest": kept.digest,
    }
    assert [one["platform"] for one in published["signatures"]] == [YUNXI, HAIMEN]
    for one in published["signatures"]:
        assert base64.b64decode(one["public_key"]) == KEYS[one["platform"]].public
    assert audited(home).differences == []


def test_the_same_agreement_again_is_answered_like_the_first_time(home: Path) -> None:
    data = signed(agreement())
    first = agree(home, data)
    entries_before = len(entries(home))

    assert agree(home, data) == first
    assert agree(home, signed(agreement(), KEYS[HAIMEN], KEYS[YUNXI])) == first
    assert len(entries(home)) == entries_before


def test_a_successor_ends_its_predecessor_on_its_first_day(home: Path) -> None:
    first = agree(home, signed(agreement()))
    agree(home, signed(agreement(version=2, previous=first.digest, valid={"from": "2025-03-22"})))

    assert [in_force(home, days) for days in (-1, 0, 1, 2, 9)] == [0, 1, 1, 2, 2]


def test_nothing_is_in_force_after_the_end_of_the_last_version(home: Path) -> None:
    """A predecessor does not come back when its successor ends."""
    first = agree(home, signed(agreement()))
    valid: dict[str, Json] = {"from": "2025-03-21", "until": "2025-03-23"}
    agree(home, signed(agreement(version=2, previous=first.digest, valid=valid)))

    assert [in_force(home, days) for days in range(5)] == [1, 2, 2, 0, 0]


def test_an_agreement_counts_once_it_stands_in_the_log(home: Path) -> None:
    kept = agree(home, signed(agreement()), announced=False)

    assert kept.position is None
    assert in_force(home) == 0
    agree(home, signed(agreement((0, 2))))
    assert in_force(home) == 1


def refused(home: Path, data: bytes) -> GatewayError:
    """Hand in what must be refused; nothing of it is kept."""
    with open_home(home) as opened:
        before = (len(opened.journal.corridors.of()), opened.journal.length())
    with pytest.raises(GatewayError) as found:
        agree(home, data)
    with open_home(home) as opened:
        assert (len(opened.journal.corridors.of()), opened.journal.length()) == before
    return found.value


@pytest.mark.parametrize(
    "keys",
    [(KEYS[YUNXI],), (KEYS[HAIMEN],), (KEYS[YUNXI], KEYS[SHANYANG])],
    ids=["source only", "destination only", "another for one"],
)
def test_an_agreement_needs_the_signatures_of_both_and_of_nobody_else(
    home: Path, keys: tuple[PlatformSigner, ...]
) -> None:
    assert isinstance(refused(home, signed(agreement(), *keys)), AgreementRefused)


def test_two_signatures_of_one_side_are_not_those_of_both(home: Path) -> None:
    from gateway.ports import PlatformKey

    second = PlatformSigner(78)
    with open_home(home) as opened:
        SqlPlatforms(opened.database).add_key(PlatformKey(second.key_id, YUNXI, second.public, "2025", None))

    assert isinstance(refused(home, signed(agreement(), KEYS[YUNXI], second)), AgreementRefused)


def test_a_key_that_is_unknown_or_revoked_signs_nothing(home: Path) -> None:
    assert isinstance(refused(home, signed(agreement(), KEYS[YUNXI], PlatformSigner(5))), SignatureInvalid)
    with open_home(home) as opened:
        SqlPlatforms(opened.database).revoke_key(KEYS[HAIMEN].key_id, now="2025-03-20T00:00:00Z")

    assert isinstance(refused(home, signed(agreement())), SignatureInvalid)


def test_an_agreement_that_waits_is_announced_though_its_key_was_revoked_since(home: Path) -> None:
    agree(home, signed(agreement()), announced=False)
    with open_home(home) as opened:
        SqlPlatforms(opened.database).revoke_key(KEYS[HAIMEN].key_id, now="2025-03-20T00:00:00Z")

    agree(home, signed(agreement()))

    assert in_force(home) == 1
    assert audited(home).differences == []


def test_what_was_changed_after_signing_is_refused(home: Path) -> None:
    data = signed(agreement()).replace(b'"minimum_mg":"1000"', b'"minimum_mg":"1001"')

    assert isinstance(refused(home, data), SignatureInvalid)


def test_another_agreement_of_the_same_version_is_refused(home: Path) -> None:
    agree(home, signed(agreement()))

    assert isinstance(refused(home, signed(agreement(minimum_mg="2000"))), AgreementConflict)


@pytest.mark.parametrize(
    "change",
    [
        lambda first: {"version": 3, "previous": first},
        lambda _: {"version": 2, "previous": "sha256:" + "5" * 64},
        lambda _: {"version": 2},
        lambda first: {"version": 2, "previous": first, "valid": {"from": "2025-03-20"}},
    ],
    ids=["a number left out", "of another", "of nothing", "from the same day"],
)
def test_a_version_that_does_not_follow_is_refused(
    home: Path, change: Callable[[str], dict[str, Json]]
) -> None:
    first = agree(home, signed(agreement()))
    body = agreement(**{"valid": {"from": "2025-03-21"}, **change(first.digest)})

    assert isinstance(refused(home, signed(body)), AgreementRefused)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"valid": {"from": "2025-03-19"}}, AgreementRefused),
        ({"behaviours": [{"behaviour": "TRV-BIKE", "mapping": f"{HAIMEN}/nothing"}]}, AgreementRefused),
        ({"behaviours": [{"behaviour": "TRV-WALK", "mapping": f"{HAIMEN}/rides"}]}, AgreementRefused),
        ({"basis": "reference:cn-999999/nobody/rides"}, AgreementRefused),
        ({"coordinator": base64.b64encode(bytes(32)).decode()}, UnsoundKey),
    ],
    ids=["backwards", "no such mapping", "no figure", "no such reference", "unsound key"],
)
def test_an_agreement_that_this_gateway_cannot_carry_out_is_refused(
    home: Path, changes: dict[str, Json], kind: type[GatewayError]
) -> None:
    assert isinstance(refused(home, signed(agreement(**changes))), kind)


def test_illustrative_rules_are_agreed_upon_in_test_homes_only(home: Path) -> None:
    with open_home(home) as opened:
        parts = replace(agreeing(opened, versions(home.parent)), clock=At(AFTER), profile="default")

        with pytest.raises(MappingNotAdmitted):
            receive_document(signed(agreement()), parts)


@pytest.mark.parametrize(
    ("by", "key"), [(YUNXI, KEYS[YUNXI]), (HAIMEN, KEYS[HAIMEN]), ("coordinator", COORDINATOR)]
)
def test_a_corridor_is_paused_and_resumed_by_either_platform_or_the_coordinator(
    home: Path, by: str, key: PlatformSigner
) -> None:
    agree(home, signed(agreement(coordinator=NAMED)))
    paused = agree(home, signed(pause(by), key))

    with pytest.raises(TransferRefused) as found:
        quote(home, points=10)
    assert found.value.code == "corridor-paused"
    assert f"paused by {by} until {UNTIL}: figures under review" in str(found.value)
    assert quote(home, points=10, now=AFTER + timedelta(days=3)).quote.amounts.points_out == 10
    agree(home, signed(resume(paused, by), key))
    assert quote(home, points=10).quote.amounts.points_out == 10
    told = [(one["action"], one["by"], one["digest"]) for one in entries(home)[-2:]]
    assert told[0] == ("paused", by, paused.digest)
    assert told[1][:2] == ("resumed", by)
    assert audited(home).differences == []


def test_a_pause_counts_before_it_stands_in_the_log(home: Path) -> None:
    agree(home, signed(agreement()))
    agree(home, signed(pause(), KEYS[HAIMEN]), announced=False)

    with pytest.raises(TransferRefused):
        quote(home, points=10)


def test_who_did_not_pause_a_corridor_does_not_resume_it(home: Path) -> None:
    agree(home, signed(agreement(coordinator=NAMED)))
    paused = agree(home, signed(pause(), KEYS[HAIMEN]))

    assert isinstance(refused(home, signed(resume(paused, YUNXI), KEYS[YUNXI])), PauseRefused)
    assert isinstance(refused(home, signed(resume(paused, "coordinator"), COORDINATOR)), PauseRefused)
    assert isinstance(refused(home, signed(resume(paused), KEYS[YUNXI])), AgreementRefused)


def test_two_pauses_are_ended_one_by_one(home: Path) -> None:
    agree(home, signed(agreement()))
    first = agree(home, signed(pause(), KEYS[HAIMEN]))
    second = agree(home, signed(pause(YUNXI), KEYS[YUNXI]))
    agree(home, signed(resume(first), KEYS[HAIMEN]))

    with pytest.raises(TransferRefused):
        quote(home, points=10)
    agree(home, signed(resume(second, YUNXI), KEYS[YUNXI]))
    assert quote(home, points=10)


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (pause(SHANYANG), KEYS[SHANYANG]),
        (pause("coordinator"), PlatformSigner(79)),
        (pause(until=instant_text(AFTER)), KEYS[HAIMEN]),
        (pause(until=instant_text(AFTER + timedelta(days=367))), KEYS[HAIMEN]),
        (pause(source=SHANYANG), KEYS[HAIMEN]),
    ],
    ids=["a third platform", "no coordinator", "over already", "for ever", "no agreement"],
)
def test_a_pause_that_nobody_may_make_is_refused(
    home: Path, body: dict[str, Json], key: PlatformSigner
) -> None:
    agree(home, signed(agreement()))

    assert isinstance(refused(home, signed(body, key)), PauseRefused | SignatureInvalid)


def test_a_pause_that_ended_is_not_ended_again(home: Path) -> None:
    agree(home, signed(agreement()))
    paused = agree(home, signed(pause(), KEYS[HAIMEN]))
    agree(home, signed(resume(paused), KEYS[HAIMEN]))

    later = resume(paused) | {"made": instant_text(AFTER + timedelta(seconds=1))}
    assert isinstance(refused(home, signed(later, KEYS[HAIMEN])), PauseRefused)


def test_the_audit_finds_an_agreement_that_was_changed_or_taken_away(home: Path) -> None:
    kept = agree(home, signed(agreement()))
    assert audited(home).differences == []
    changed = kept.document.replace(b'"minimum_mg":"1000"', b'"minimum_mg":"1001"')
    change_database(home, "UPDATE corridor_documents SET document = ?", changed)
    assert any("document of a corridor" in one for one in map(str, audited(home).differences))
    change_database(home, "UPDATE corridor_documents SET document = ?", kept.document)
    change_database(home, "UPDATE corridor_documents SET position = 0")
    assert audited(home).differences


def test_the_kept_document_is_the_signed_one(home: Path) -> None:
    data = signed(agreement())
    kept = agree(home, data)

    assert kept.document == data
    assert kept.kind is CorridorKind.AGREEMENT
    assert kept.digest == digest(canonical_bytes(read_strict_object(data)["body"]))
