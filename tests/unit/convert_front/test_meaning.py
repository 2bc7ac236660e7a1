"""What a well-formed document may not mean: each edit of an example is refused at the value that is wrong.

The edits stand in ``wrong_meanings.ndjson``: a text of an example, what takes its place, and the finding.
"""

import json
from pathlib import Path

import pytest

from gateway import resources
from gateway.convert.document import MappingRefused
from gateway.convert.load import load_program
from gateway.model.behaviour import read_behaviours
from tests.unit.convert_front.documents import SCHEMA, YUNXI, edited, findings, load, shape

LINES = Path(__file__).with_name("wrong_meanings.ndjson").read_text(encoding="utf-8").splitlines()
CASES = [json.loads(line) for line in LINES]


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['code']} {case['says']}") for case in CASES])
def test_a_wrong_meaning_is_found_at_its_place(case: dict[str, str]) -> None:
    text = YUNXI if case["in"] == "yunxi" else shape(case["in"])

    found = findings(edited(text, (case["old"], case["new"])))

    matching = [
        finding for finding in found if finding.code == case["code"] and case["says"] in finding.message
    ]
    assert matching, found
    assert {finding.pointer for finding in matching} == {case.get("pointer", matching[0].pointer)}
    assert all(finding.message.startswith("expected ") for finding in found)


def test_one_reading_finds_every_fault_with_its_line() -> None:
    text = edited(
        YUNXI,
        ("code_table: mode}", "code_table: kind}"),
        ("max: 200", "max: 2.5"),
        ("after: P1Y", "after: P0D"),
    )

    found = findings(text)

    lines = text.splitlines()
    written = {finding.code: lines[finding.line - 1][finding.column - 1 :] for finding in found}
    assert written["name"].startswith("kind}")
    assert written["cap"].startswith("2.5,")
    assert written["expiry"].startswith("P0D,")


@pytest.mark.parametrize(
    "edit",
    [
        ('value: "180.125", cite: M1', 'value: "180.125"'),
        ("distance * (baseline - act)", '"max(0, distance * (baseline - act))"'),
        ("distance * (baseline - act)", "distance * (baseline - act) * 2"),
        ("distance * (baseline - act)", "distance * (baseline - 0 - act)"),
        ('{TRV-METRO: "31.900", ', "{"),
        ("reduction / 10", "reduction / 10 * 3 + 1"),
    ],
)
def test_the_nearest_thing_that_makes_sense_is_taken(edit: tuple[str, str]) -> None:
    assert load(edited(YUNXI, edit)).id == "cn-000000/yunxi/metro-bike"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            ("behaviour: USE-BAG}", "behaviour: USE-SACK}"),
            "expected a code of `tanqiao behaviours`, got USE-SACK",
        ),
        (
            ("behaviour: USE-BAG}", "behaviour: PUB-QUIZ}"),
            "expected an act that bears a reduction, got PUB-QUIZ",
        ),
        (
            ("{code: rideshare, behaviour: TRV-POOL", "{code: rideshare, behaviour: TRV-RAFT"),
            "expected a code of `tanqiao behaviours`, got TRV-RAFT",
        ),
    ],
)
def test_behaviours_of_real_platforms_are_those_of_the_taxonomy(edit: tuple[str, str], message: str) -> None:
    known = read_behaviours(resources.behaviour_table())
    text = edited(shape("unmapped"), edit).encode()

    with pytest.raises(MappingRefused) as refused:
        load_program(text, SCHEMA, behaviours=known)

    assert [(one.code, one.message) for one in refused.value.findings] == [("behaviour", message)]
    assert load_program(text.replace(b"status: press", b"status: illustrative"), SCHEMA, behaviours=known)


def test_a_figure_without_a_citation_makes_a_mapping_illustrative() -> None:
    text = shape("unmapped")
    figure = 'cite: M1, confidence: secondary, year: "2024", value: "5"'

    for without in (
        'confidence: secondary, year: "2024", ',
        'cite: M1, year: "2024", ',
        "cite: M1, confidence: secondary, ",
    ):
        uncited = edited(text, (figure, without + 'value: "5"'))
        (finding,) = findings(uncited)

        assert (finding.pointer, finding.code) == ("/factors/per_use/values/0", "cite")
        assert load(edited(uncited, ("status: press", "status: illustrative"))).status == "illustrative"
