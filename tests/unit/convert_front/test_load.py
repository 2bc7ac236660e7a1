"""Making a program of a document, and the versions of one scheme held against each other."""

import pytest

from gateway.convert.load import check_scheme, program_from_canonical
from tests.unit.convert_front.documents import SCHEMA, YUNXI, edited, findings, load, shape

FOURTH = edited(
    YUNXI,
    ("version: 3\n", "version: 4\n"),
    ("supersedes: 2\n", "supersedes: 3\n"),
    ("from: 2025-03-01, basis", "from: 2025-03-02, basis"),
)
BUS = '{code: "02", behaviour: TRV-BUS}'


@pytest.mark.parametrize(
    ("version", "supersedes", "said"),
    [
        ("1", "", []),
        ("1", "1", ["expected no supersedes for version 1, got 1"]),
        ("1", "2", ["expected no supersedes for version 1, got 2"]),
        ("2", "", ["expected supersedes for a version above 1, got none"]),
        ("2", "1", []),
        ("2", "2", ["expected a version below 2, got 2"]),
        ("3", "1", []),
        ("3", "4", ["expected a version below 3, got 4"]),
    ],
)
def test_each_version_but_the_first_supersedes_a_lower_one(
    version: str, supersedes: str, said: list[str]
) -> None:
    line = f"supersedes: {supersedes}\n" if supersedes else ""
    text = edited(YUNXI, ("version: 3\n", f"version: {version}\n"), ("supersedes: 2\n", line))

    found = findings(text) if said else ()

    assert [finding.message for finding in found] == said
    assert {finding.code for finding in found} <= {"version"}
    assert said or load(text).version == int(version)


@pytest.mark.parametrize(
    ("until", "said"),
    [
        ("2025-02-28", ["expected a day after 2025-03-01, got 2025-02-28"]),
        ("2025-03-01", ["expected a day after 2025-03-01, got 2025-03-01"]),
        ("2025-03-02", []),
    ],
)
def test_a_mapping_is_in_force_for_a_day_or_more(until: str, said: list[str]) -> None:
    text = edited(YUNXI, ("from: 2025-03-01, basis", f"from: 2025-03-01, until: {until}, basis"))

    found = findings(text) if said else ()

    assert [(finding.pointer, finding.message) for finding in found] == [
        ("/effective/until", m) for m in said
    ]
    assert said or str(load(text).effective_until) == until


def test_a_document_is_told_what_is_wrong_with_its_shape_before_its_meaning() -> None:
    meaning = ("max: 200", "max: 2.5")
    misshapen = ("status: illustrative", "status: final")

    assert [one.code for one in findings(edited(YUNXI, meaning))] == ["cap"]
    assert [one.code for one in findings(edited(YUNXI, meaning, misshapen))] == ["schema"]


def test_what_a_document_is_called_and_whose_it_is_are_read_from_its_name() -> None:
    program = load(YUNXI)

    assert (program.id, program.platform) == ("cn-000000/yunxi/metro-bike", "cn-000000/yunxi")
    assert (program.title_zh, program.title_en) == ("云溪市绿色出行", "Yunxi green travel")
    assert (program.unit, program.kind, program.reversible) == ("cn-000000/yunxi-point", "gram", True)
    assert program_from_canonical(program.canonical, SCHEMA) == program


def test_a_platform_without_figures_gives_no_points_that_could_be_final() -> None:
    program = load(shape("unpublished"))

    assert (program.unit, program.kind, program.reversible) == ("", "unpublished", True)


def succession(*texts: str) -> list[tuple[str, str]]:
    """Return where the versions of a scheme do not follow each other, and what is said of it."""
    found = check_scheme([load(text) for text in texts])
    assert {(finding.line, finding.column, finding.code) for finding in found} <= {(1, 1, "scheme")}
    return [(finding.pointer, finding.message) for finding in found]


def test_versions_in_a_chain_follow_each_other_in_whatever_order_they_are_given() -> None:
    fifth = edited(
        FOURTH,
        ("version: 4\n", "version: 5\n"),
        ("supersedes: 3\n", "supersedes: 4\n"),
        ("from: 2025-03-02, basis", "from: 2025-04-01, basis"),
    )

    assert succession(YUNXI) == []
    assert succession(YUNXI, FOURTH, fifth) == []
    assert succession(fifth, YUNXI, FOURTH) == []
    assert succession(YUNXI, fifth) == [("/supersedes", "expected supersedes 3 in version 5, got 4")]


@pytest.mark.parametrize(
    ("edit", "pointer", "message"),
    [
        (
            ("mapping: cn-000000/yunxi/metro-bike", "mapping: cn-000000/yunxi/metro"),
            "/mapping",
            "expected cn-000000/yunxi/metro-bike in version 4, got cn-000000/yunxi/metro",
        ),
        (
            ("supersedes: 3", "supersedes: 2"),
            "/supersedes",
            "expected supersedes 3 in version 4, got 2",
        ),
        (
            ("from: 2025-03-02", "from: 2025-03-01"),
            "/effective/from",
            "expected a day after 2025-03-01 in version 4, got 2025-03-01",
        ),
        (
            ("path: /distance_km", "path: /km"),
            "/source",
            "expected the source of version 3 in version 4, got another one",
        ),
        (
            (BUS, '{code: "02", behaviour: TRV-METRO}, {code: "04", behaviour: TRV-BUS}'),
            "/code_tables/mode",
            "expected the meaning of version 3 for code '02' in version 4, got another or none",
        ),
        (
            (BUS, '{code: "04", behaviour: TRV-BUS}'),
            "/code_tables/mode",
            "expected the meaning of version 3 for code '02' in version 4, got another or none",
        ),
    ],
    ids=["another name", "a gap", "no later day", "other rows", "a code of other meaning", "a code lost"],
)
def test_a_version_that_does_not_follow_is_told_why(
    edit: tuple[str, str], pointer: str, message: str
) -> None:
    fourth = edited(FOURTH, edit)
    if pointer == "/source":
        fourth = fourth.replace("distance_km:", "km:")

    assert succession(YUNXI, fourth) == [(pointer, message)]


def test_a_new_version_may_add_codes() -> None:
    added = edited(FOURTH, (BUS, f'{BUS}, {{code: "04", behaviour: TRV-BUS}}'))

    assert succession(YUNXI, added) == []


def test_no_version_follows_one_whose_programme_is_closed() -> None:
    first = shape("unmapped")
    second = edited(
        first,
        ("version: 1\n", "version: 2\nsupersedes: 1\n"),
        ("from: 2025-01-01, until: 2026-01-01", "from: 2025-01-02, until: 2026-01-01"),
        ('  - {name: first day, given: {act: bag, day: "2025-01-01"}, expect: {reduction: "5"}}\n', ""),
    )
    still_open = edited(
        first, ('closed: {on: 2025-12-31, snapshot: "云溪平台停止运营, 未公布余额 (虚构)"}\n', "")
    )

    assert succession(first, second) == [
        ("/version", "expected no version after 1, whose programme is closed, got 2")
    ]
    assert succession(still_open, second) == []
