"""Shenzhen's taps: rides made of invented taps, and documents that are refused whole."""

import io
from itertools import permutations
from pathlib import Path

import pytest

from adapters.shenzhen_transit import ShenzhenTransitAdapter
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow
from tests.platforms.cases import (
    as_json,
    case_folders,
    documents_of,
    expected_of,
    outcomes,
    source_of,
)

CSV = SourceFormat(kind="csv")
HEADER = "card_no,deal_date,deal_type,deal_value,equ_no\n"


def read(document: bytes) -> list[SourceRow | RefusedRow]:
    return list(ShenzhenTransitAdapter().rows(io.BytesIO(document), "taps", source=CSV))


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    found = outcomes(ShenzhenTransitAdapter(), documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_order_of_the_arguments_changes_nothing(case: Path, tmp_path: Path) -> None:
    orders = permutations(documents_of(case))
    found = [
        outcomes(ShenzhenTransitAdapter(), list(paths), source=CSV, scratch=tmp_path) for paths in orders
    ]

    assert all(outcome == found[0] for outcome in found)


def test_entry_and_exit_of_two_files_pair_only_when_submitted_together(tmp_path: Path) -> None:
    entry, leaving = tmp_path / "entry.csv", tmp_path / "exit.csv"
    entry.write_text(HEADER + "CARDAAAAA,2018-05-07 08:00:00,地铁入站,0,1\n", "utf-8")
    leaving.write_text(HEADER + "CARDAAAAA,2018-05-07 08:20:00,地铁出站,300,2\n", "utf-8")
    adapter = ShenzhenTransitAdapter()

    alone = [
        as_json(outcome)["refused"]
        for path in (entry, leaving)
        for outcome in outcomes(adapter, [path], source=CSV, scratch=tmp_path)
    ]
    together = outcomes(adapter, [entry, leaving], source=CSV, scratch=tmp_path)

    assert alone == ["unpaired", "unpaired"]
    assert [as_json(outcome)["rows"] for outcome in together] == [["exit.csv:1", "entry.csv:1"]]


def test_taps_of_one_second_at_two_machines_are_two_taps(tmp_path: Path) -> None:
    path = tmp_path / "taps.csv"
    path.write_text(
        HEADER + "".join(f"CARDAAAAA,2018-05-07 08:00:00,巴士,200,{n}\n" for n in (1, 2)), "utf-8"
    )

    found = outcomes(ShenzhenTransitAdapter(), [path], source=CSV, scratch=tmp_path)

    assert [as_json(outcome)["act"]["equ_no"] for outcome in found] == ["1", "2"]


def test_byte_order_mark_and_gb18030_make_no_difference() -> None:
    text = HEADER + "CARDAAAAA,2018-05-07 08:00:00,巴士,200,1\n"
    both = SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))

    plain = read(text.encode())
    marked = read(b"\xef\xbb\xbf" + text.encode())
    chinese = list(ShenzhenTransitAdapter().rows(io.BytesIO(text.encode("gb18030")), "taps", source=both))

    assert [row.fields for row in plain] == [row.fields for row in marked] == [row.fields for row in chinese]
    assert plain[0].fields["deal_type"] == "巴士"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        pytest.param(
            b"card_no,deal_date,deal_type,equ_no\nA,b,c,d\n", "deal_value", id="a column is lacking"
        ),
        pytest.param(b"1,line,1,x,0101\n1,line,2,y,0102\n", "same name", id="a table without header"),
        pytest.param(b'{"data": {"card_no": "A"}}', "a list under data", id="data is no list"),
        pytest.param(b'{"total": 3}', "a list under data", id="an answer without data"),
        pytest.param(b'{"data": [{"card_no": "A"}', "not JSON", id="an answer cut short"),
        pytest.param(b'{"data": [{"a": 1, "a": 2}]}', "twice", id="a key twice"),
        pytest.param(b'{"data": [], "x": NaN}', "NaN", id="not a number"),
        pytest.param(b'{"data": ["\xff"]}', "not text", id="bytes that are no text"),
        pytest.param(b"", "empty", id="nothing at all"),
    ],
)
def test_document_that_is_no_document_of_taps_is_refused_whole(document: bytes, said: str) -> None:
    with pytest.raises(MalformedDocument) as refused:
        read(document)

    assert said in str(refused.value)
    assert "taps" in str(refused.value)
    assert refused.value.code == "malformed-document"


def test_blank_lines_before_a_page_or_a_table_make_no_difference() -> None:
    page = b' \n{"data": [{"card_no": "A"}]}'
    table = b"\n\n" + HEADER.encode() + b"A,,,,\n"

    assert [row.fields for row in (*read(page), *read(table))] == [{"card_no": "A"}] * 2


def test_page_beyond_the_limit_is_refused_without_being_held() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub's Buffer has no len
            buffer[:] = b"{" * len(buffer)
            self.given += len(buffer)
            return len(buffer)

    source = Endless()
    with pytest.raises(MalformedDocument, match="one page"):
        list(ShenzhenTransitAdapter().rows(io.BufferedReader(source), "taps", source=CSV))

    assert source.given < 20 * 1024 * 1024


def test_tap_nested_too_deeply_is_refused_alone() -> None:
    deep = '{"data": [{"card_no": %s}, 7, null]}' % ("[" * 9 + "]" * 9)

    rows = read(deep.encode())

    assert [row.code for row in rows if isinstance(row, RefusedRow)] == ["malformed-row"] * 3
    assert [row.fields for row in rows] == [{}, {"": "7"}, {}]
