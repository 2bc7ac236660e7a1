"""Tables of banks: what is handed over, and tables that contradict their own foot."""

import io
from pathlib import Path

import pytest

from adapters.bank_acts import BankActsAdapter
from gateway.errors import MalformedDocument
from gateway.model.source import RefusedRow, SourceFormat, SourceRow
from tests.platforms.cases import as_json, case_folders, documents_of, expected_of, outcomes, source_of

GB18030 = SourceFormat(kind="csv", encodings=("gb18030",))
MONTH = (Path(__file__).parent / "cases/month-of-a-branch/acts.csv").read_text("gb18030")


def read(text: str) -> list[SourceRow | RefusedRow]:
    return list(BankActsAdapter().rows(io.BytesIO(text.encode("gb18030")), "acts.csv", source=GB18030))


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    found = outcomes(BankActsAdapter(), documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


def test_full_width_texts_stay_as_they_are_and_amounts_lose_their_separators() -> None:
    row = read(MONTH)[2]

    assert row.fields["摘要"] == "工资代发，共１０２４笔"
    assert (row.fields["笔数"], row.fields["金额（元）"]) == ("1024", "1234567.89")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("合计,4,", "合计,5,", "客户号", id="a row more than there is"),
        pytest.param('"1,028"', '"1,029"', "笔数", id="another number of transactions"),
        pytest.param('"1,246,567.89"', '"1,246,567.88"', "金额", id="one fen less"),
        pytest.param('"1,246,567.89"', "一百万", "金额", id="a sum in words"),
        pytest.param("合计,", "小计,", "no line of sums", id="no sum"),
        pytest.param("流水号", "编号", "none of the first", id="another heading"),
        pytest.param("制表：示例　复核：示例", "QZ0009,C1,x,y,1,2,z", "behind", id="an act behind the sum"),
        pytest.param("QZ0002,", "合计,", "behind", id="a sum in the middle"),
    ],
)
def test_table_that_contradicts_its_foot_is_refused_before_its_first_row(
    old: str, new: str, said: str
) -> None:
    text = MONTH.replace(old, new, 1)
    assert text != MONTH

    with pytest.raises(MalformedDocument) as refused:
        BankActsAdapter().rows(io.BytesIO(text.encode("gb18030")), "acts.csv", source=GB18030)

    assert said in str(refused.value)
    assert refused.value.remedy


def test_table_cut_off_anywhere_before_its_sums_gives_no_row() -> None:
    for end in range(MONTH.index("合计,")):
        with pytest.raises(MalformedDocument):
            read(MONTH[:end])


def test_sums_are_left_alone_where_a_row_states_no_number() -> None:
    """A row that cannot be read costs itself; the number of rows must be right even so."""
    text = MONTH.replace("QZ0004,C100003,2025-03-05 08:00:00,柜面取款,1,-500.00,冲正", "QZ0004,C100003")

    rows = read(text)

    assert [type(row) for row in rows] == [SourceRow, SourceRow, SourceRow, RefusedRow]
    with pytest.raises(MalformedDocument):
        read(text.replace("合计,4,", "合计,3,"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("titles", ["", "标题\n", "标题\n\n" * 9])
def test_title_encoding_and_byte_order_mark_make_no_difference(encoding: str, titles: str) -> None:
    source = SourceFormat(kind="csv", encodings=("utf-8", "gb18030"))
    text = titles + MONTH[MONTH.index("流水号") :]

    found = BankActsAdapter().rows(io.BytesIO(text.encode(encoding)), "acts.csv", source=source)

    assert [row.fields for row in found] == [row.fields for row in read(MONTH)]


def test_heading_below_twenty_lines_is_not_looked_for() -> None:
    with pytest.raises(MalformedDocument, match="none of the first 20 lines"):
        read("标题\n" * 20 + MONTH)
