"""Two versions compared by meaning: nothing is missed, and what changes acts is never called editorial."""

import os
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from gateway.convert import Program
from gateway.convert.document import MappingRefused, Value, canonical_bytes, from_canonical, leaves
from gateway.convert.interpret import Interpreter
from gateway.convert.load import load_program, program_from_canonical
from gateway.convert.mutate import mutants
from gateway.convert.selftest import run_tests
from gateway.resources import schema, shipped_mappings
from gateway.review.diff import Change, compare_documents, sentence
from gateway.review.diff.tree import differences
from tests.fakes.changes import some_of

SCHEMA = schema("mapping")
TEXTS = dict(shipped_mappings()) | {
    path.name: path.read_bytes()
    for path in sorted((Path(__file__).parents[2] / "mappings").rglob("*.v[0-9]*.yaml"))
}
YUNXI = TEXTS["yunxi.v3.yaml"].decode()
LATER = date(2027, 1, 1)
CAP = "max: 200"
CHANGES = int(os.environ.get("TANQIAO_DIFF_CHANGES", "16"))  # of each document; 0: all, and of all documents
SOME = sorted(name for name in TEXTS if not CHANGES or "/" not in name or "wuhan/travel" in name)


def load(text: str | bytes) -> Program:
    return load_program(text.encode() if isinstance(text, str) else text, SCHEMA)


def edited(*edits: tuple[str, str], text: str = YUNXI) -> Program:
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
        text = text.replace(old, new)
    return load(text)


def told(new: Program, *, as_of: date = LATER, old: Program | None = None) -> list[tuple[str, str]]:
    changes = compare_documents(old or load(YUNXI), new, as_of=as_of)
    return [(change.effect, sentence(change, "en")) for change in changes]


def put(value: Value, pointer: str, new: str) -> Value:
    """Return a copy with one leaf replaced."""
    head, _, rest = pointer[1:].partition("/")
    key = head.replace("~1", "/").replace("~0", "~")
    below = "/" + rest if rest else ""
    if isinstance(value, list):
        at = int(key)
        return [*value[:at], put(value[at], below, new) if below else new, *value[at + 1 :]]
    assert isinstance(value, dict)
    return {**value, key: put(value[key], below, new) if below else new}


@pytest.mark.parametrize("name", SOME)
def test_a_change_of_any_leaf_is_accounted_for(name: str) -> None:
    program = load(TEXTS[name])
    document = from_canonical(program.canonical).value

    for pointer, text in some_of(list(leaves(document)), CHANGES):
        changed = put(document, pointer, text + "x")
        other = replace(program, canonical=canonical_bytes(changed))

        for old, new in ((program, other), (other, program)):
            changes = compare_documents(old, new, as_of=LATER)

            assert changes, pointer
            assert _accounted(pointer, changes), (pointer, changes)


def _accounted(pointer: str, changes: list[Change]) -> bool:
    """Tell whether some change names the leaf, or what it stands in: an item that got another name is two."""
    stated = {one for change in changes for one in change.pointers}
    return any(pointer == one or pointer.startswith(one + "/") for one in stated)


@pytest.mark.parametrize("name", SOME)
def test_what_changes_a_result_of_a_test_is_not_editorial(name: str) -> None:
    program = load(TEXTS[name])
    before = _outcomes(program, program)

    tried = list(mutants(from_canonical(program.canonical).value))
    for mutant in some_of(tried, CHANGES // 4):
        try:
            other = program_from_canonical(canonical_bytes(mutant.document), SCHEMA)
        except MappingRefused:
            continue
        if _outcomes(other, program) != before:
            effects = {change.effect for change in compare_documents(program, other, as_of=LATER)}
            assert effects != {"editorial"}, mutant.description


def _outcomes(program: Program, tests: Program) -> list[object]:
    held = replace(program, tests=tests.tests)
    results = run_tests(held, Interpreter(held).convert)
    acts = [act for result in results for act in result.acts]
    return [
        (
            act.granted and act.granted.points,
            getattr(act.outcome, "points_exact", None),
            getattr(act.outcome, "co2e_mg", None),
            getattr(act.outcome, "code", None),
        )
        for act in acts
    ]


def test_equal_documents_do_not_differ() -> None:
    assert told(load(YUNXI)) == []


def test_order_of_members_is_no_difference_and_that_of_named_items_is_one() -> None:
    caps = [{"name": "a", "max": "1"}, {"name": "b", "max": "2"}]

    assert not list(differences({"x": "1", "y": "2"}, {"y": "2", "x": "1"}))
    assert [one.path for one in differences({"caps": caps}, {"caps": caps[::-1]})] == [("caps", "(order)")]


def test_shipped_wuhan_versions_differ_as_the_press_says() -> None:
    old, new = (load(TEXTS[f"cn-420100-wuhan/travel.v{version}.yaml"]) for version in (1, 2))

    said = told(new, as_of=date(2024, 8, 1), old=old)

    assert ("forward-only", "factor per_km TRV-BIKE: 40 → 93.3 gCO2e/km, from 2024-09-02") in said
    assert ("forward-only", "factor per_km TRV-METRO: new, 78.4 gCO2e/km, from 2024-09-02") in said
    assert {effect for effect, _ in said} == {"forward-only", "editorial"}


def test_a_version_published_after_its_first_day_is_retroactive_between_the_two() -> None:
    old, new = (load(TEXTS[f"cn-420100-wuhan/travel.v{version}.yaml"]) for version in (1, 2))

    changes = compare_documents(old, new, as_of=date(2024, 10, 1))

    retroactive = [change for change in changes if change.effect == "retroactive"]
    assert {change.about for change in retroactive} == {("per_km", "TRV-BIKE"), ("per_trip",)}
    assert {change.past for change in retroactive} == {(date(2024, 9, 2), date(2024, 10, 1))}
    assert "2024-09-02 至 2024-09-30" in sentence(retroactive[0], "zh")


@pytest.mark.parametrize(
    ("edit", "effect", "words"),
    [
        (
            ('value: "180.125"', 'value: "181.125"'),
            "retroactive",
            "factor baseline: 180.125 → 181.125",
        ),
        (("mode: half_up", "mode: floor"), "retroactive", "rounding reduction: half_up → floor"),
        ((CAP, "max: 150"), "retroactive", "cap daily max: 200 → 150"),
        (("after: P1Y", "after: P2Y"), "retroactive", "expiry expiry after: P1Y → P2Y"),
        (('max: "300"', 'max: "200"'), "retroactive", "bounds distance max: 300 → 200"),
        (("expr: reduction / 10", "expr: reduction/10"), "editorial", "formula points: written otherwise"),
        (("expr: reduction / 10", "expr: reduction / 20"), "retroactive", "formula points: reduction / 10"),
        (('edition: "2024"', 'edition: "2025"'), "editorial", "source M1: edition 2024 → edition 2025"),
        (('clause: "表3"', 'clause: "表5"'), "editorial", "source baseline 2024-01-01 clause: 表3 → 表5"),
        (("en: Yunxi green travel", "en: Yunxi travel"), "editorial", "text title en"),
        (('value: "180.125"', 'value: "180.1250"'), "editorial", "factor baseline: written otherwise"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_change_is_told_with_its_effect(edit: tuple[str, str], effect: str, words: str) -> None:
    (found,) = [one for one in told(edited(edit)) if one[1].startswith(words)]

    assert found[0] == effect


def test_a_new_code_counts_only_what_was_refused_and_a_removed_one_is_retroactive() -> None:
    row = '{code: "03", behaviour: TRV-EBIKE}'
    more = edited((row, row + ', {code: "04", behaviour: TRV-BUS}'))

    added, removed = (
        [one for one in told(new, old=old) if one[1].startswith("code")]
        for old, new in ((load(YUNXI), more), (more, load(YUNXI)))
    )

    assert added == [("forward-only", "code mode 04: new, TRV-BUS, from 2025-03-01")]
    assert removed[0][0] == "retroactive"
    assert "code mode 04: removed, was TRV-BUS, from 2025-03-01" in removed[0][1]


def test_a_figure_of_days_that_the_version_does_not_cover_is_editorial() -> None:
    text = YUNXI.replace("effective: {from: 2025-03-01", "effective: {from: 2025-08-01")
    new = text.replace('TRV-METRO: "36.253"', 'TRV-METRO: "36.254"')
    assert new != text
    old = replace(load(YUNXI), effective_from=date(2025, 8, 1))
    other = replace(edited(('TRV-METRO: "36.253"', 'TRV-METRO: "36.254"')), effective_from=date(2025, 8, 1))

    assert [effect for effect, _ in told(other, old=old)] == ["editorial"]


def test_cutting_days_off_is_retroactive_and_adding_days_is_not() -> None:
    until = ("effective: {from: 2025-03-01", "effective: {from: 2025-03-01, until: 2026-01-01")

    cut = told(edited(until))
    added = told(load(YUNXI), old=edited(until))

    assert cut[0][0] == "retroactive"
    assert cut[0][1].endswith(
        "acts of 2026-01-01 to 2026-12-31, which the old version counts, would count otherwise"
    )
    assert [effect for effect, _ in added] == ["forward-only"]


def test_a_factor_may_be_called_like_a_note() -> None:
    text = YUNXI.replace("baseline", "note")
    old, new = load(text), load(text.replace('"180.125"', '"181.125"'))

    assert told(new, old=old)[0][0] == "retroactive"


def test_a_code_whose_figure_is_withdrawn_is_no_longer_counted() -> None:
    unmapped = TEXTS["unmapped.v1.yaml"].decode()
    program = load(unmapped)
    counted = replace(program, unmapped={})

    assert [effect for effect, _ in told(program, old=counted)] == []  # the same document
    document = from_canonical(program.canonical).value
    table = document["code_tables"]  # type: ignore[call-overload,index]  # a mapping
    rows = [(name, n) for name, listed in table.items() for n, one in enumerate(listed) if "unmapped" in one]
    name, at = rows[0]
    without = put(document, f"/code_tables/{name}/{at}/unmapped/zh", "另一个理由")
    other = replace(program, canonical=canonical_bytes(without))
    assert {change.effect for change in compare_documents(program, other, as_of=LATER)} == {"editorial"}
    before = replace(counted, canonical=canonical_bytes(without))
    assert {change.effect for change in compare_documents(before, program, as_of=LATER)} == {"retroactive"}


def test_a_mapping_with_steps_is_compared_with_one_that_has_none() -> None:
    steps = load(TEXTS["cn-000000-antforest/energy.v1.yaml"])
    taken_over = load(TEXTS["cn-110000-jingjinji/travel.v1.yaml"])

    for old, new, word in ((steps, taken_over, "removed"), (taken_over, steps, "new")):
        changes = told(new, old=old)
        assert [effect for effect, words in changes if f"formula steps: {word}" in words] == ["retroactive"]
