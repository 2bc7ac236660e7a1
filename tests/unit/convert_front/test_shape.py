"""The schema of the format and the words in which its breaches are told."""

import pytest
from jsonschema import Draft202012Validator

from tests.unit.convert_front.documents import SCHEMA, YUNXI, edited, findings


def test_the_schema_is_valid_and_closed() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    objects = list(_objects(SCHEMA))
    assert len(objects) > 20
    assert [one for one in objects if "additionalProperties" not in one and "properties" in one] == []
    assert [
        name
        for name, one in SCHEMA["properties"].items()
        if "description" not in one and "title" not in one and "$ref" not in one
    ] == []


def _objects(node: object) -> list[dict[str, object]]:
    if isinstance(node, list):
        return [one for item in node for one in _objects(item)]
    if not isinstance(node, dict):
        return []
    own = [node] if node.get("type") == "object" else []
    return own + [one for item in node.values() for one in _objects(item)]


@pytest.mark.parametrize(
    ("edit", "pointer", "message"),
    [
        (("issuer: cn-000000/yunxi\n", "issuer: cn-000000/yunxi\nowner: me\n"), "/owner", "got 'owner'"),
        (
            ("type: instant}", "type: instant, formt: x}"),
            "/source/fields/start/formt",
            "expected one of path, column",
        ),
        (("issuer: cn-000000/yunxi\n", ""), "", "expected the member issuer, got none"),
        (
            ("status: illustrative", "status: final"),
            "/status",
            "expected one of 'official', 'press', 'study', 'unpublished', 'illustrative', got 'final'",
        ),
        (("schema: mapping/1", "schema: mapping/2"), "/schema", "expected mapping/1, got 'mapping/2'"),
        (("version: 3", "version: three"), "/version", "the form ^"),
        (("version: 3", "version: ３"), "/version", "the form ^"),
        (('max: "300"', 'max: "+300"'), "/source/fields/distance/max", "expected decimal of the form"),
        (('max: "300"', 'max: "3e2"'), "/source/fields/distance/max", "expected decimal of the form"),
        (('max: "300"', f'max: "{"3" * 41}"'), "/source/fields/distance/max", "at most 40 characters"),
        (("from: 2025-07-01", "from: 2025-7-1"), "/factors/act/values/1/from", "expected date of the form"),
        (
            ("behaviour: TRV-BUS}", "behaviour: bus}"),
            "/code_tables/mode/1/behaviour",
            "expected behaviour of the form",
        ),
        (
            ("path: /trip_id", "path: trip_id"),
            "/source/fields/event/path",
            "expected json pointer of the form",
        ),
        (("after: P1Y", "after: 1 year"), "/credit/expiry/after", "the form ^"),
        (("per: [person, local_day]", "per: [person]"), "/credit/caps/0/per", "at least 2 elements"),
        (
            ("zone: Asia/Shanghai", "zone: ../etc/localtime"),
            "/effective/zone",
            "expected time zone of the form",
        ),
        (("baseline: {unit", "Baseline: {unit"), "/factors", "expected name of the form"),
        (
            ("title: {zh: 云溪市绿色出行, en: Yunxi green travel}", "title: 云溪"),
            "/title",
            "expected a mapping, got '云溪'",
        ),
    ],
)
def test_a_breach_of_the_schema_is_told_at_its_place(
    edit: tuple[str, str], pointer: str, message: str
) -> None:
    found = findings(edited(YUNXI, edit))

    assert {(finding.pointer, finding.code) for finding in found} == {(pointer, "schema")}
    assert message in found[0].message
    assert found[0].message.startswith("expected ")


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("x" * 58, f"'{'x' * 58}'", id="60 characters with their quotes"),
        pytest.param("x" * 59, f"'{'x' * 59}…", id="61 characters are cut after 60"),
    ],
)
def test_a_long_value_is_cut_in_a_message(written: str, shown: str) -> None:
    (found,) = findings(edited(YUNXI, ("schema: mapping/1", f"schema: {written}")))

    assert found.message == f"expected mapping/1, got {shown}"
