"""The taxonomy of low-carbon acts is whole, and kinds of act lie inside each other as it says."""

import csv

import pytest

from gateway import resources
from gateway.errors import InvariantBroken
from gateway.model.behaviour import BEHAVIOUR_CLASSES, contains, read_behaviours
from tests.real_data import shared_folder

KNOWN = read_behaviours(resources.behaviour_table())


def test_each_behaviour_has_both_names_a_class_and_units() -> None:
    assert len(KNOWN) == resources.behaviour_table().count("\n") - 1
    for one in KNOWN.values():
        assert one.zh.strip()
        assert one.en.isascii()
        assert all(one.units)
    assert {one.of_class for one in KNOWN.values()} == set(BEHAVIOUR_CLASSES)


def test_a_metro_ride_is_public_transport_and_not_the_other_way_round() -> None:
    assert contains(KNOWN, "TRV-PUBLIC", code="TRV-METRO")
    assert contains(KNOWN, "TRV-METRO", code="TRV-METRO")
    assert not contains(KNOWN, "TRV-METRO", code="TRV-PUBLIC")
    assert not contains(KNOWN, "TRV-PUBLIC", code="TRV-BIKE")
    assert not contains(KNOWN, "TRV-PUBLIC", code="XXX-OTHER")


def test_kinds_that_contain_each_other_in_a_circle_do_not_keep_us_for_ever() -> None:
    circle = KNOWN | {"TRV-PUBLIC": KNOWN["TRV-PUBLIC"]._replace(parent="TRV-METRO")}

    assert not contains(circle, "TRV-BIKE", code="TRV-METRO")


@pytest.mark.parametrize(
    ("old", "new"),
    [(",travel,act,TRV-PUBLIC,", ",travel,act,TRV-NOTHING,"), (",travel,", ",space,"), (",yes", ",perhaps")],
)
def test_a_table_that_contradicts_itself_is_refused(old: str, new: str) -> None:
    with pytest.raises(InvariantBroken, match="the taxonomy of behaviours has a wrong row"):
        read_behaviours(resources.behaviour_table().replace(old, new, 1))


@pytest.mark.real_data
def test_every_code_that_was_gathered_is_in_the_taxonomy() -> None:
    folder = shared_folder()
    path = None if folder is None else folder / "domain" / "behaviours.csv"
    if path is None or not path.is_file():
        pytest.skip("the gathered behaviours are not here: set TANQIAO_TEST_DATA to their folder")
    with path.open(encoding="utf-8", newline="") as stream:
        gathered = {row["code"]: row for row in csv.DictReader(stream)}

    assert gathered.keys() <= KNOWN.keys()
    assert {code: row["zh"] for code, row in gathered.items()} == {code: KNOWN[code].zh for code in gathered}
