"""Every adapter that is shipped passes the checks that a city's own must pass."""

from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.conformance import CHECKS, Check, Sample, Trial
from gateway.model.source import SourceFormat
from gateway.plugins import find_adapter, list_adapters
from tests.platforms.cases import documents_of, folder_cases, source_of

HERE = Path(__file__).parent
SHIPPED = [found.name for found in list_adapters() if found.distribution == "tanqiao"]


@cache
def trial_of(name: str) -> Trial:
    """Try an adapter on the documents of all its cases, as if they were one submission."""
    samples = [
        Sample(f"{case.name}-{path.name}", path.read_bytes(), source_of(case))
        for case in folder_cases(HERE / name)
        for path in documents_of(case)
    ]
    return Trial(find_adapter(name), samples, variants=48)


def test_every_shipped_adapter_has_cases() -> None:
    assert {"bikeshare", "common", "shenzhen_transit"} <= set(SHIPPED)
    assert all(trial_of(name).samples for name in SHIPPED)


@pytest.mark.parametrize("name", SHIPPED)
@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_shipped_adapter_conforms(name: str, check: Check) -> None:
    assert check.findings(trial_of(name)) == ()


@pytest.mark.parametrize("check", CHECKS, ids=str)
def test_common_adapter_conforms_with_parquet(check: Check) -> None:
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table({"trip_id": ["T1", "T2"], "km": [12, None], "线路": ["一", "二"]}), buffer)
    document = buffer.getvalue().to_pybytes()
    trial = Trial(find_adapter("common"), [Sample("t.parquet", document, SourceFormat(kind="parquet"))])

    assert check.findings(trial) == ()
