"""Dumps of pages: acts over page borders, and dumps that are not whole."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.paged_dump import PagedDumpAdapter
from gateway.errors import MalformedDocument
from gateway.model.source import SourceFormat
from tests.platforms.cases import as_json, case_folders, documents_of, expected_of, outcomes, source_of

DUMP = (Path(__file__).parent / "cases/act-on-two-pages/dump.ndjson").read_text("utf-8")
PAGES = DUMP.splitlines()


def refused(*pages: str) -> str:
    """Read pages that must be refused before the first row; return what is said."""
    document = io.BytesIO("".join(page + "\n" for page in pages).encode())
    with pytest.raises(MalformedDocument) as refusal:
        PagedDumpAdapter().rows(document, "dump.ndjson", source=SourceFormat())
    assert "dump.ndjson" in str(refusal.value)
    return str(refusal.value)


def changed(page: str, **changes: Any) -> str:
    answer = json.loads(page)
    answer["data"].update(changes)
    return json.dumps(answer, ensure_ascii=False)


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    found = outcomes(PagedDumpAdapter(), documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        pytest.param(PAGES[1:], "page 1 is not the first", id="first page missing"),
        pytest.param([PAGES[0], PAGES[2]], "page 2 does not follow", id="middle page missing"),
        pytest.param(PAGES[:2], "there is another", id="last page missing"),
        pytest.param([PAGES[0], PAGES[0], *PAGES[1:]], "page 2 does not follow", id="a page twice"),
        pytest.param([*PAGES, PAGES[1]], "page 4 does not follow", id="a page behind the last"),
        pytest.param([PAGES[0], PAGES[2], PAGES[1]], "page 2 does not follow", id="out of order"),
        pytest.param([*PAGES[:2], changed(PAGES[2], total=6)], "page 3 states another", id="another total"),
        pytest.param([*PAGES[:2], changed(PAGES[2], list=[])], "4 different acts", id="an act missing"),
        pytest.param([changed(PAGES[0], list=None), *PAGES[1:]], "expected under data", id="no list"),
        pytest.param([changed(PAGES[0], next=["c2"])], "expected under data", id="a list for a cursor"),
        pytest.param(['{"code": 401, "msg": "expired"}'], "expected code 0", id="an error for a page"),
        pytest.param([PAGES[0][:-5]], "cannot be read", id="cut off"),
        pytest.param([], "first line|no page", id="nothing at all"),
    ],
)
def test_dump_that_is_not_whole_is_refused_before_its_first_row(pages: list[str], said: str) -> None:
    message = refused(*pages)

    assert any(words in message for words in said.split("|"))


def test_page_and_dump_beyond_their_limits_are_refused() -> None:
    long = changed(PAGES[0], list=[{"id": "x" * (1024 * 1024)}])
    many = json.dumps({"code": 0, "data": {"total": 1, "next": "n", "list": [{}] * 200_001}})

    assert "page 1 has more than 1048576 bytes" in refused(long)
    assert "more than 200000 acts" in refused(many.replace(" ", ""))


def test_entries_without_an_id_count_each() -> None:
    page = changed(PAGES[0], list=[{}, {"id": ""}, {"id": "A"}, {"id": "A"}], total=3, next=None)

    rows = PagedDumpAdapter().rows(io.BytesIO(page.encode()), "dump.ndjson", source=SourceFormat())

    assert [row.fields for row in rows] == [{}, {"/id": ""}, {"/id": "A"}, {"/id": "A"}]
