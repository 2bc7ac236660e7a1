"""The shipped mapping that single acts and receipts are measured with."""

from pathlib import Path

from gateway.app.base.mappings import program_from_file
from gateway.convert import Program

__all__ = ["WUHAN_FILE", "wuhan"]

WUHAN_FILE = Path(__file__).resolve().parents[1] / "mappings" / "cn-420100-wuhan" / "travel.v2.yaml"


def wuhan() -> Program:
    """Return Wuhan's second version."""
    return program_from_file(WUHAN_FILE)
