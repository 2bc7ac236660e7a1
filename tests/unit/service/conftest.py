"""A document of the invented city for tests of use cases."""

from pathlib import Path

import pytest

from tests.fakes.homes import capped_mapping


@pytest.fixture
def yunxi_document(tmp_path: Path) -> Path:
    """Write Yunxi's rules with a daily cap of 500 points."""
    return capped_mapping(
        tmp_path / "yunxi.yaml",
        "name: daily, of: points, per: [person, local_day], max: 500, order: accepted_sequence,"
        " late: counts_on_activity_day",
    )
