"""The example document and edits of it, for tests of what a mapping may say."""

from pathlib import Path

import pytest

from gateway import resources
from gateway.convert.document import Finding, MappingRefused
from gateway.convert.load import load_program
from gateway.convert.program import Program

MAPPINGS = Path(__file__).resolve().parents[2] / "mappings"
SCHEMA = resources.schema("mapping")
YUNXI = (MAPPINGS / "yunxi.v3.yaml").read_text(encoding="utf-8")


def shape(name: str) -> str:
    """Return the text of one example of a formula's shape."""
    return (MAPPINGS / "shapes" / f"{name}.v1.yaml").read_text(encoding="utf-8")


def edited(text: str, *edits: tuple[str, str]) -> str:
    """Replace each first text by the second; it must be there exactly once."""
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
        text = text.replace(old, new)
    return text


def load(text: str) -> Program:
    return load_program(text.encode("utf-8"), SCHEMA, name="doc.yaml")


def findings(text: str) -> tuple[Finding, ...]:
    """Return why a document is refused."""
    with pytest.raises(MappingRefused) as refused:
        load(text)
    return refused.value.findings
