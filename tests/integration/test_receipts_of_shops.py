"""Shop receipts: a receipt alone is no low-carbon act, and says so to who submits it.

What should come out is counted again with json and fractions alone.
"""

import json
import re
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli.root import root
from tests.fakes.exports import by_event, edited_mapping, export_mapping, home, require_sound, set_aside
from tests.fakes.homes import convert
from tests.real_data import real_data

__all__ = ["home"]

pytestmark = pytest.mark.real_data


@pytest.fixture
def file() -> Path:
    return real_data("retail-receipts-sroie") / "receipts.jsonl"


@pytest.fixture
def receipts(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def day_first(text: str, *, guess: bool) -> date | None:
    """Read D/M/YYYY; without guessing only what means no other day with day and month exchanged."""
    match = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    if match is None:
        return None
    day, month, year = map(int, match.groups())
    if not guess and day <= 12 and day != month:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def fates(
    receipts: list[dict[str, str]], *, guess: bool
) -> tuple[dict[str, tuple[str, int, int]], dict[str, int]]:
    """Return the accepted receipts, and how many are rejected for what."""
    accepted, rejected = {}, dict.fromkeys(("malformed-row", "not-a-decimal", "out-of-bounds"), 0)
    for receipt in receipts:
        day = day_first(receipt["date"], guess=guess)
        if day is None:
            rejected["malformed-row"] += 1
        elif not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d{1,2})?", receipt["total"]):
            rejected["not-a-decimal"] += 1
        elif Fraction(receipt["total"]) < 0:
            rejected["out-of-bounds"] += 1
        else:
            accepted[receipt["receipt_no"]] = (day.isoformat(), 0, int(Fraction(receipt["total"]) / 10))
    return accepted, {code: count for code, count in rejected.items() if count}


def test_a_receipt_alone_is_no_takeaway_without_cutlery(home: Path, file: Path) -> None:
    counts = convert(home, file, mapping=export_mapping("receipts_no_cutlery"))

    require_sound(home, counts)
    assert (counts.rows, counts.accepted) == (423, 0)
    assert counts.rejected == {"missing-field": 423}
    assert {line["field"] for line in set_aside(home)} == {"behaviour"}


def test_who_submits_receipts_is_told_what_is_missing(home: Path, file: Path) -> None:
    mapping = str(export_mapping("receipts_no_cutlery"))
    told = CliRunner().invoke(root, ["convert", str(file), "--home", str(home), "--mapping", mapping])
    explained = {
        lang: CliRunner().invoke(
            root, ["adapter", "explain", str(file), "--row", "1", "--mapping", mapping, "--lang", lang]
        )
        for lang in ("en", "zh")
    }

    assert told.exit_code == 0, told.output
    assert "423 set aside, each with its reason" in told.output
    assert "not converted: a needed field is absent (missing-field, behaviour)" in explained["en"].output
    assert "未换算：缺少必需的字段（missing-field，behaviour）" in explained["zh"].output


def test_a_receipt_can_give_points_that_stand_for_no_reduction(
    home: Path, file: Path, receipts: list[dict[str, str]]
) -> None:
    accepted, rejected = fates(receipts, guess=False)

    counts = convert(home, file, mapping=export_mapping("receipts_engagement"))

    require_sound(home, counts)
    assert (counts.co2e_mg, counts.duplicates) == (0, 0)
    assert counts.rejected == rejected
    assert by_event(home) == accepted


def test_a_day_that_may_be_another_is_read_only_by_a_mapping_that_says_how(
    home: Path, file: Path, receipts: list[dict[str, str]], tmp_path: Path
) -> None:
    strict, _ = fates(receipts, guess=False)
    stated, rejected = fates(receipts, guess=True)
    mapping = edited_mapping("receipts_engagement", tmp_path, (", ambiguous: reject", ""))

    counts = convert(home, file, mapping=mapping)

    require_sound(home, counts)
    assert counts.rejected == rejected
    assert by_event(home) == stated
    assert len(stated) > len(strict)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ""),
        ({"total": "RM9.00"}, "not-a-decimal"),
        ({"total": "RM 9.00"}, "not-a-decimal"),
        ({"total": "$9.00"}, "not-a-decimal"),
        ({"total": "1,007.50"}, "not-a-decimal"),
        ({"total": "-1.73"}, "out-of-bounds"),
        ({"date": "03/04/2018"}, "malformed-row"),
        ({"date": "04/04/2018"}, ""),
        ({"date": "2018-10-19"}, "malformed-row"),
        ({"date": "19-10-18"}, "malformed-row"),
        ({"date": "29 MAR 2018"}, "malformed-row"),
        ({"date": "20181019"}, "malformed-row"),
    ],
    ids=lambda value: next(iter(value.values()), "as it should be") if isinstance(value, dict) else value,
)
def test_each_shape_that_was_seen_has_one_answer(
    home: Path, tmp_path: Path, *, change: dict[str, str], code: str
) -> None:
    receipt = {"receipt_no": "1", "date": "19/10/2018", "total": "9.00"} | change
    file = tmp_path / "one.jsonl"
    file.write_text(json.dumps(receipt) + "\n", "utf-8")

    counts = convert(home, file, mapping=export_mapping("receipts_engagement"))

    assert counts.rejected == ({code: 1} if code else {})
