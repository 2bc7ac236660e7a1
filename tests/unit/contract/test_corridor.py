"""Lines of files that are carried: exact, flat, and no formula in any cell."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.contract import TASK_COLUMNS, CommonForm, as_cell, document_of, from_cell, lines_of
from gateway.model.source import Place, SourceRow

RISKY = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "＋1",
    "－1",
    "＠A",
    "'x",
    "''",
    "",
    "x",
    "1",
]
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
LOTS = st.lists(
    st.fixed_dictionaries(
        {"record": TEXTS, "points": TEXTS, "co2e_mg": TEXTS},
        optional={"event": TEXTS, "arrived": TEXTS, "valid_through": TEXTS},
    ),
    min_size=1,
    max_size=4,
)
HOLDS = st.fixed_dictionaries(
    {
        **dict.fromkeys(("id", "transfer", "account", "unit", "points", "destination"), TEXTS),
        "expected_in_s": st.integers(0, 86400),
        "lots": LOTS,
    }
)


def written(about: str, document: dict[str, Any]) -> bytes:
    lines = lines_of(about, document, digest="sha256:" + "0" * 64)
    return CommonForm().render(SourceRow(Place("", number), line) for number, line in enumerate(lines, 1))


def read(content: bytes) -> dict[str, Any]:
    rows = CommonForm().rows(io.BytesIO(content), "")
    return document_of([row.fields for row in rows])


@pytest.mark.parametrize("text", RISKY)
def test_no_cell_is_a_formula_and_every_text_comes_back(text: str) -> None:
    assert from_cell(as_cell(text)) == text
    assert not as_cell(text).startswith(tuple("=+-@＝＋－＠\t\r\n"))


@given(hold=HOLDS)
def test_a_hold_comes_back_as_it_was(hold: dict[str, Any]) -> None:
    assert read(written("hold", hold)) == hold


@given(hold=HOLDS)
def test_no_cell_of_a_file_begins_a_formula(hold: dict[str, Any]) -> None:
    head, *lines = csv.reader(io.StringIO(written("hold", hold).decode(), newline=""))

    assert tuple(head) == TASK_COLUMNS
    assert len(lines) == len(hold["lots"])
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]


def test_a_credit_and_a_decision_come_back_as_they_were() -> None:
    credit = {
        "id": "cr_1",
        "transfer": "tr_1",
        "account": "-a",
        "unit": "u",
        "points": "5",
        "co2e_mg": "70",
        "source": "cn-000000/elsewhere",
        "expected_in_s": 30,
        "lots": [{"record": "r", "points": "5", "co2e_mg": "70", "valid_through": "2027-01-01"}],
        "original": "tr_0",
    }
    decision = {
        "body": {"transfer": "tr_1", "reason": 'so, "because"'},
        "signatures": [{"key": "k", "value": "v"}],
    }

    assert read(written("credit", credit)) == credit
    assert read(written("decision", decision)) == decision
    assert json.loads(next(lines_of("decision", decision, digest=""))["decision"]) == decision


def test_a_file_is_by_rfc_4180() -> None:
    content = written("decision", {"body": {"transfer": "tr_1"}, "signatures": []})

    assert content.count(b"\r\n") == content.count(b"\n") == 2
    assert b'"{""body"":' in content
