"""The common adapter: what it hands over of CSV, NDJSON and Parquet, and what it refuses."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adapters.common import CommonAdapter
from gateway.errors import MalformedDocument
from gateway.model.source import SourceFormat
from tests.platforms.cases import (
    as_json,
    case_folders,
    documents_of,
    expected_of,
    outcomes,
    source_of,
)


@pytest.mark.parametrize("case", case_folders(__file__), ids=lambda case: case.name)
def test_case_gives_the_outcomes_that_stand_beside_it(case: Path, tmp_path: Path) -> None:
    found = outcomes(CommonAdapter(), documents_of(case), source=source_of(case), scratch=tmp_path)

    assert [as_json(outcome) for outcome in found] == expected_of(case)["outcomes"]


def test_parquet_is_read_when_the_mapping_says_so() -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"trip_id": ["T1"]}), buffer)
    buffer.seek(0)

    (row,) = CommonAdapter().rows(buffer, "t.parquet", source=SourceFormat(kind="parquet"))

    assert row.fields == {"trip_id": "T1"}


def test_document_of_another_kind_is_refused_whole() -> None:
    with pytest.raises(MalformedDocument) as refused:
        list(CommonAdapter().rows(io.BytesIO(b"a,b\n1,2\n"), "t.csv", source=SourceFormat(kind="ndjson")))

    assert refused.value.code == "malformed-document"
    assert "t.csv" in str(refused.value)
