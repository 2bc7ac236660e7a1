"""What docs/reference/mapping.md says about the format is so."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import get_args

import yaml

from gateway.convert.program import RoundingMode
from gateway.convert.rational import round_quotient
from gateway.model.codes import EVIDENCE_GRADES, OWNERSHIPS
from tests.unit.convert_front.documents import SCHEMA

HERE = Path(__file__).resolve()
REFERENCE = (HERE.parents[3] / "docs" / "reference" / "mapping.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## \d\. ([^\n]+)\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL))


def test_the_table_of_roundings_is_right() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| (.+) \|$", SECTIONS["Formula"], re.MULTILINE)
    values = [Fraction("2.5"), Fraction("-2.5"), Fraction("2.4"), Fraction("-2.4")]

    assert {mode for mode, _ in rows} == set(get_args(RoundingMode))
    for mode, cells in rows:
        stated = [int(cell.strip().replace("−", "-")) for cell in cells.split("|")]
        assert stated == [round_quotient(v.numerator, v.denominator, mode=mode) for v in values], mode


def test_every_finding_code_is_explained() -> None:
    lines = (HERE.parent / "wrong_meanings.ndjson").read_text(encoding="utf-8").splitlines()
    used = {json.loads(line)["code"] for line in lines} | {"yaml", "schema", "canonical", "scheme"}

    explained = set(re.findall(r"`([a-z-]+)`(?=[^|]*\| )", SECTIONS["Codes of findings"]))

    assert used <= explained


def test_every_key_of_a_field_is_explained() -> None:
    text = SECTIONS["Source: how rows become acts"]

    missing = [
        key for key in SCHEMA["$defs"]["field"]["properties"] if key != "note" and f"`{key}`" not in text
    ]

    assert missing == []
    assert all(word in text for word in (*EVIDENCE_GRADES, *OWNERSHIPS))


def test_the_examples_are_yaml() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)

    assert len(examples) >= 7
    for example in examples:
        assert set(yaml.load(example, Loader=yaml.BaseLoader)) <= SCHEMA["properties"].keys()  # noqa: S506
