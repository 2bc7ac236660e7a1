"""Commitments: the bytes that are hashed, and every way in which an opening may not fit."""

from hashlib import sha256

import pytest

from gateway.errors import GatewayError, MalformedDocument
from gateway.model.canonical import Json
from gateway.signing import CommitmentMismatch, Disclosure, commitment, commitments

SALT = bytes(range(16))
VALUE = "WH-地铁-1"


def record(field: str = "event", value: str = VALUE) -> dict[str, Json]:
    return {field: commitment(field.encode(), value.encode(), salt=SALT)}


def test_a_commitment_is_the_hash_of_domain_field_salt_and_value() -> None:
    by_hand = sha256(b"tanqiao/commit/1\0event\0" + SALT + "WH-地铁-1".encode()).hexdigest()

    assert commitment(b"event", VALUE.encode(), salt=SALT) == by_hand


def test_field_salt_and_value_each_change_the_commitment() -> None:
    made = {
        commitment(b"event", b"a", salt=SALT),
        commitment(b"subject", b"a", salt=SALT),
        commitment(b"event", b"a", salt=SALT[::-1]),
        commitment(b"event", b"b", salt=SALT),
    }

    assert len(made) == 4


def test_many_commitments_are_those_of_each_value() -> None:
    values, salts = [b"a", b"", VALUE.encode()], [SALT, SALT[::-1], bytes(16)]

    assert commitments(b"event", values, salts=salts) == [
        commitment(b"event", value, salt=salt) for value, salt in zip(values, salts, strict=True)
    ]


def test_an_opening_that_fits_is_accepted() -> None:
    for field in ("event", "subject", "claim"):
        Disclosure(field, SALT.hex(), VALUE).require_opens(record(field))


@pytest.mark.parametrize("place", range(len(VALUE)))
def test_an_opening_with_a_letter_of_the_value_changed_is_refused(place: int) -> None:
    changed = VALUE[:place] + chr(ord(VALUE[place]) ^ 1) + VALUE[place + 1 :]

    with pytest.raises(CommitmentMismatch):
        Disclosure("event", SALT.hex(), changed).require_opens(record())


@pytest.mark.parametrize("place", range(32))
def test_an_opening_with_a_digit_of_the_salt_changed_is_refused(place: int) -> None:
    salt = SALT.hex()
    changed = salt[:place] + ("0" if salt[place] != "0" else "1") + salt[place + 1 :]

    with pytest.raises(CommitmentMismatch):
        Disclosure("event", changed, VALUE).require_opens(record())


@pytest.mark.parametrize(
    "salt",
    ["", SALT.hex()[:-2], SALT.hex() + "00", SALT.hex().upper(), " " + SALT.hex(), SALT.hex() + "\n",
     "zz" * 16, SALT.hex()[:16] + " " + SALT.hex()[16:]],
    ids=["none", "short", "long", "upper case", "space before", "line end", "no digits", "space inside"],
)  # fmt: skip
def test_a_salt_is_written_in_one_way_only(salt: str) -> None:
    with pytest.raises(MalformedDocument):
        Disclosure("event", salt, VALUE).require_opens(record())


def test_an_opening_of_another_member_is_refused() -> None:
    with pytest.raises(CommitmentMismatch):
        Disclosure("subject", SALT.hex(), VALUE).require_opens(record())
    with pytest.raises(CommitmentMismatch, match="not a committed member"):
        Disclosure("day", SALT.hex(), VALUE).require_opens({"day": "2025-03-16"})


def test_bytes_cannot_be_moved_from_the_value_into_the_salt() -> None:
    moved: dict[str, Json] = {"event": commitment(b"event", b"xyz", salt=SALT)}

    with pytest.raises(GatewayError):
        Disclosure("event", (SALT + b"x").hex(), "yz").require_opens(moved)


@pytest.mark.parametrize(
    "entry",
    [[], "x", {}, {"field": "event", "salt": "0"}, {"field": "event", "salt": "", "value": "", "x": 1}],
)
def test_what_is_no_disclosure_is_not_read_as_one(entry: Json) -> None:
    with pytest.raises(MalformedDocument):
        Disclosure.parse(entry)


def test_a_disclosure_reads_back_as_it_was_written() -> None:
    made = Disclosure("event", SALT.hex(), VALUE)

    assert Disclosure.parse(made.document()) == made
