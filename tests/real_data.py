"""Find the real data sets, which are not part of the repository (their licences are unclear)."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared"


def shared_folder() -> Path | None:
    """Return the folder that holds ``data/`` and ``vectors/``, or None where it is absent."""
    folder = Path(os.environ.get("TANQIAO_TEST_DATA", _BESIDE))
    return folder if (folder / "data").is_dir() else None


def real_data(name: str) -> Path:
    """Return the folder of one data set, or skip the test and say why."""
    folder = shared_folder()
    if folder is None or not (folder / "data" / name).is_dir():
        pytest.skip(f"real data set {name} is not here: set TANQIAO_TEST_DATA to a folder with data/{name}")
    return folder / "data" / name
