"""Rows that mean harm: each costs itself alone, with a stable code, and the rows around it go on."""

import csv
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.commands import tanqiao
from tests.acceptance.hostile import CSV_HEADER, act, converted, mapping_for, new_home, ride
from tests.fakes.homes import rows_of

MALFORMED, NO_DECIMAL, MISSING = "malformed-row", "not-a-decimal", "missing-field"
LIMIT = 65_536


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with new_home(tmp_path_factory.mktemp("rows")) as made:
        yield made


def number(literal: bytes) -> bytes:
    return act().replace(b'"10.574"', literal)


def padded(size: int) -> bytes:
    """Make an act of exactly that many bytes, its line end included."""
    return act(note="x" * (size - 1 - len(act(note="")) - 0))


ROWS = {
    "key twice": (act()[:-1] + b',"distance_km":"1"}', MALFORMED),
    "key twice, once escaped": (act()[:-1] + b',"distance\\u005fkm":"1"}', MALFORMED),
    "NaN": (number(b"NaN"), MALFORMED),
    "-Infinity": (number(b"-Infinity"), MALFORMED),
    "mark of byte order": (b"\xef\xbb\xbf" + act(), MALFORMED),
    "half of a pair": (number(b'"\\ud800"'), MALFORMED),
    "30,000 levels": (b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}", MALFORMED),
    "10,000 open objects": (b'{"a":' * 10_000, MALFORMED),
    "full-width digits": (act(distance_km="１０"), NO_DECIMAL),
    "Arabic digits": (act(distance_km="١٠"), NO_DECIMAL),
    "text with a huge exponent": (act(distance_km="1e999999999"), NO_DECIMAL),
    "number with a huge exponent": (number(b"1e999999999"), NO_DECIMAL),
    "5,000 digits": (act(distance_km="9" * 5000), NO_DECIMAL),
    "50,000 digits": (number(b"9" * 50_000), NO_DECIMAL),
    "plus": (act(distance_km="+1"), NO_DECIMAL),
    "space": (act(distance_km=" 1"), NO_DECIMAL),
    "underscore": (act(distance_km="1_0"), NO_DECIMAL),
    "typographic minus": (act(distance_km="\u22121"), NO_DECIMAL),
    "no width": (act(distance_km="1\u200b0"), NO_DECIMAL),
    "zero byte in a number": (act(distance_km="1\x00"), NO_DECIMAL),
    "zero bytes": (bytes(20), MALFORMED),
    "another encoding": (act(trip_type="地铁").decode().encode("gb18030"), MALFORMED),
    "array": (b"[1, 2]", MALFORMED),
    "null": (b"null", MALFORMED),
    "empty object": (b"{}", MISSING),
    "list where a text belongs": (number(b'["10.574"]'), MISSING),
    "two objects": (act() + act(), MALFORMED),
    "comment": (act() + b" // x", MALFORMED),
    "carriage return inside": (act()[:30] + b"\r" + act()[30:], MALFORMED),
    "30 February": (act(start_time="2025-02-30T07:00:00+08:00"), MALFORMED),
    "year 10000": (act(start_time="10000-01-01T00:00:00+08:00"), MALFORMED),
    "year 9999 far west": (act(start_time="9999-12-31T23:59:59-23:59"), MALFORMED),
    "offset of 99 hours": (act(start_time="2025-03-01T07:00:00+99:99"), MALFORMED),
    "code with a terminal sequence": (act(trip_type="\x1b]0;x\x07"), "unknown-code"),
    "id of 60,000 characters": (act(trip_id="x" * 60_000), MALFORMED),
    "id with a terminal sequence": (act(trip_id="\x1b[2J"), MALFORMED),
    "id with a zero byte": (act(trip_id="a\x00b"), MALFORMED),
    "id that reads backwards": (act(trip_id="\u202e1-HW"), MALFORMED),
    "id in another form": (act(trip_id="e\u0301"), MALFORMED),
    "6,000 keys": (b"{" + b",".join(b'"%d":1' % n for n in range(6000)) + b"}", MISSING),
    "key of 60,000 characters": (b'{"' + b"k" * 60_000 + b'":1}', MISSING),
    "one byte too long": (padded(LIMIT + 1), MALFORMED),
}


@pytest.fixture(scope="module")
def answer(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Convert every bad row in one file, each with a good row before it and behind it."""
    file = tmp_path_factory.mktemp("bad") / "bad.ndjson"
    file.write_bytes(act() + b"\n" + b"".join(bad + b"\n" + act() + b"\n" for bad, _ in ROWS.values()))
    return converted(file, home)


def test_rows_around_bad_ones_go_on(answer: dict[str, object]) -> None:
    assert (answer["rows"], answer["accepted"]) == (2 * len(ROWS) + 1, len(ROWS) + 1)
    assert answer["rejected"] == Counter(code for _, code in ROWS.values())


@pytest.mark.parametrize("name", ROWS)
def test_bad_row_is_set_aside_at_its_place_with_its_code(name: str, answer: dict[str, object]) -> None:
    place = 2 * list(ROWS).index(name) + 2

    found = [row for row in answer["kept"] if row["row"] == place]

    assert [row["code"] for row in found] == [ROWS[name][1]]


NAUGHTY = {
    "SQL": "'; DROP TABLE events;--",
    "HTML": "<script>alert(1)</script>",
    "shell": "$(touch x)`touch x`;|&",
    "path": "../../../etc/passwd",
    "format": "%s%n{0}{__class__}",
    "formula": '=HYPERLINK("x")',
    "emoji": "👨\u200d👩\u200d👧",
    "beyond the basic plane": "𠀀",
    "markup of a table": "[bold][/x]",
    "number": "1e400",
    "longest": "汉" * 512,
}


def test_naughty_ids_are_ids_like_others(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "naughty.ndjson"
    file.write_bytes(b"".join(act(trip_id=text) + b"\n" for text in NAUGHTY.values()))

    assert converted(file, home)["accepted"] == len(NAUGHTY)
    assert {str(row.event) for row in rows_of(home)} >= set(NAUGHTY.values())
    for text in NAUGHTY.values():
        found = json.loads(tanqiao("record", "find", text, "--home", home).stdout)
        receipt = tanqiao("receipt", "show", found[0]["id"], "--home", home, "--disclose", "event").stdout
        (tmp_path / "receipt.json").write_text(receipt, "utf-8")
        done = tanqiao("receipt", "verify", tmp_path / "receipt.json", "--trust", home / "trust")
        assert done.returncode == 0, text
        assert json.loads(receipt)["disclosures"][0]["value"] == text


def test_row_at_the_limit_is_converted(home: Path, tmp_path: Path) -> None:
    row = padded(LIMIT)
    assert len(row) == LIMIT - 1
    (tmp_path / "limit.ndjson").write_bytes(row + b"\n")

    assert converted(tmp_path / "limit.ndjson", home)["accepted"] == 1


TABLES = {
    "ragged": ["a,b\n", "a,b,c,d,e,f,g\n", ",,,,,,\n"],
    "text behind a quote": ['"R"x,u,地铁,10,2025\n'],
    "quote inside a cell": ['R,u"x"y,地铁,10,2025\n'],
    "line ended by a carriage return": ["R,u,地铁,10,2025\rR,u,地铁,10,2025\n"],
    "form feed": ["\x0c\n"],
    "row of 100,000 bytes": ["x" * 100_000 + "\n"],
    "quoted cell of 100,000 lines": ['"' + "x\n" * 100_000 + '",u,地铁,10,2025\n'],
}


def test_bad_rows_of_a_table_are_set_aside_alone(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    bad = [row for rows in TABLES.values() for row in rows]
    text = (CSV_HEADER + ride() + "".join(row + ride() for row in bad)).encode()
    file.write_bytes(text + ride().encode("gb18030") + ride().encode())

    answer = converted(
        file, home, mapping=mapping_for("csv, encoding: [utf-8, gb18030]", tmp_path / "m.yaml")
    )

    assert (answer["accepted"], answer["rejected"]) == (len(bad) + 2, {MALFORMED: len(bad) + 1})
    assert [row["row"] for row in answer["kept"]] == [2 * n for n in range(1, len(bad) + 2)]


FORMULAS = [
    "=1+1",
    "+1+cmd|' /C calc'!A0",
    "-1+2",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "x,=1+1",
    "x;=1|@y",
]
HARMLESS = ["-5", "+0.5", "-", "2025-03-16", "a=b"]


def test_quarantine_holds_no_formula_and_says_what_the_row_said(home: Path, tmp_path: Path) -> None:
    """A line opened as a table would be cut at commas: no cell of it may begin like a formula."""
    file = tmp_path / "formula.ndjson"
    texts = [*FORMULAS, *HARMLESS, "\u202e", "\x9b2J"]
    file.write_bytes(b"".join(act(user_id=text, distance_km="x") + b"\n" for text in texts))

    answer = converted(file, home)
    folder = home / "quarantine" / str(answer["submission"])
    written = "".join(part.read_text("utf-8") for part in folder.iterdir())

    assert [row["fields"]["/user_id"] for row in answer["kept"]] == texts
    for delimiter in ",;|\t":
        cells = [cell for row in csv.reader(written.splitlines(), delimiter=delimiter) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "\t", "\r"))]
    for text in HARMLESS:
        assert f'"{text}"' in written
    assert not set("\u202e\x9b") & set(written)


def test_explaining_a_row_shows_its_controls_and_does_not_send_them(tmp_path: Path) -> None:
    file = tmp_path / "a.ndjson"
    file.write_bytes(act(trip_type="\x1b[2J\u202e\x9b") + b"\n")

    done = tanqiao(
        "adapter", "explain", file, "--row", "1", "--mapping", "cn-420100/wuhan/travel", "--lang", "en"
    )

    assert done.returncode == 0
    assert "unknown-code" in done.stdout
    assert not set("\x1b\u202e\x9b") & set(done.stdout)
