"""How points are granted is read as it is written."""

import pytest

from tests.unit.convert_front.documents import YUNXI, edited, load

UNIT = "  unit: cn-000000/yunxi-point\n"


@pytest.mark.parametrize(("written", "reversible"), [("", True), ('"true"', True), ('"false"', False)])
def test_points_can_be_taken_back_unless_the_document_says_otherwise(
    written: str, *, reversible: bool
) -> None:
    line = f"  reversible: {written}\n" if written else ""

    assert load(edited(YUNXI, (UNIT, UNIT + line))).reversible is reversible
