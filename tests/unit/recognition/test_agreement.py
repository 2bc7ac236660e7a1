"""Agreements taken up from their documents, and what they may not say."""

from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from gateway.errors import MalformedDocument
from gateway.model.shape import Shape
from gateway.model.strict import read_strict_object
from gateway.recognition import AgreementRefused, agreement_of, day_of
from gateway.resources import schema
from tests.fakes.moving import agreement, signed

DIGEST = "sha256:" + "1" * 64


def test_an_agreement_is_taken_up_in_every_member() -> None:
    body = agreement(
        basis="reference:cn-000002/shanyang/rides",
        valid={"from": "2025-04-01", "until": "2026-04-01"},
        version=2,
        previous="sha256:" + "2" * 64,
    )

    made = agreement_of(body, DIGEST)

    assert made.corridor == ("cn-000000/yunxi", "cn-000001/haimen")
    assert (made.version, made.previous, made.digest) == (2, "sha256:" + "2" * 64, DIGEST)
    assert made.basis == "cn-000002/shanyang/rides"
    assert made.behaviours == {"TRV-BIKE": "cn-000001/haimen/rides"}
    assert made.methodologies == {"cn-000000/yunxi/rides"}
    assert made.factors == {"operator-record": 1, "device": Fraction(9, 10)}
    assert (made.oldest, made.dispute_days) == (date(2025, 1, 1), 30)
    assert (made.caps.person_mg, made.caps.corridor_mg, made.caps.platform_mg) == (9_000_000,) * 3
    assert (made.minimum_mg, made.net_debit_cap_mg, made.cover_mg) == (1_000, 9_000_000_000, 9_000_000_000)
    assert (made.effective_from, made.effective_until) == (date(2025, 4, 1), date(2026, 4, 1))
    assert agreement_of(agreement(), DIGEST).basis == ""
    assert agreement_of(agreement(), DIGEST).effective_until is None


RIDES = {"behaviour": "TRV-BIKE", "mapping": "cn-000001/haimen/rides"}
OWN = {"behaviour": "TRV-BIKE", "mapping": "cn-000000/yunxi/rides"}
DEVICE = {"grade": "device", "factor": "1"}


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("/destination", {"destination": "cn-000000/yunxi", "behaviours": [OWN]}),
        ("/behaviours", {"behaviours": [RIDES, RIDES]}),
        ("/behaviours", {"behaviours": [OWN]}),
        ("/evidence", {"evidence": [DEVICE, DEVICE | {"factor": "0.5"}]}),
        ("/evidence", {"evidence": [{"grade": "device", "factor": "0.0"}]}),
        ("/evidence", {"evidence": [{"grade": "device", "factor": "1.1"}]}),
        ("/oldest_day", {"oldest_day": "2025-02-30"}),
        ("/valid/from", {"valid": {"from": "2025-02-30"}}),
        ("/valid/until", {"valid": {"from": "2025-04-01", "until": "2025-04-01"}}),
    ],
)  # fmt: skip
def test_an_agreement_that_contradicts_itself_is_refused(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(AgreementRefused) as refused:
        agreement_of(agreement(**changes), DIGEST)

    assert refused.value.field == field


@pytest.mark.parametrize(
    "changes",
    [
        {"basis": "sender"},
        {"basis": "reference:"},
        {"evidence": [{"grade": "device", "factor": "1.1"}]},
        {"evidence": [{"grade": "hearsay", "factor": "1"}]},
        {"minimum_mg": 1000},
        {"minimum_mg": "-1"},
        {"minimum_mg": "01"},
        {"version": 0},
        {"behaviours": []},
        {"surprise": "1"},
        {"previous": "sha256:1"},
        {"coordinator": "key"},
    ],
    ids=str,
)
def test_a_document_without_the_form_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument):
        signed(agreement(**changes))


def test_a_good_document_has_the_form() -> None:
    Shape(schema("agreement")).require(read_strict_object(signed(agreement())), "agreement")


def test_versions_follow_each_other() -> None:
    first = agreement_of(agreement(), DIGEST)
    second = agreement_of(agreement(version=2, previous=DIGEST, valid={"from": "2025-03-21"}), DIGEST)

    first.require_succeeds(None)
    second.require_succeeds(first)
    for wrong in (
        {"version": 3, "previous": DIGEST, "valid": {"from": "2025-03-21"}},
        {"version": 2, "previous": "sha256:" + "3" * 64, "valid": {"from": "2025-03-21"}},
        {"version": 2, "previous": DIGEST, "valid": {"from": "2025-03-20"}},
    ):
        with pytest.raises(AgreementRefused):
            agreement_of(agreement(**wrong), DIGEST).require_succeeds(first)
    with pytest.raises(AgreementRefused):
        second.require_succeeds(None)


def test_the_days_of_an_agreement_begin_at_midnight_in_china() -> None:
    assert day_of(datetime(2025, 3, 19, 15, 59, 59, tzinfo=UTC)) == date(2025, 3, 19)
    assert day_of(datetime(2025, 3, 19, 16, 0, 0, tzinfo=UTC)) == date(2025, 3, 20)
