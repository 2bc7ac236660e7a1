"""Rows of shipped mappings survive the file form that each document says its platform writes."""

import csv
import io
import json
from typing import Any

import pytest

from gateway import resources
from gateway.convert import Program, load_program
from gateway.convert.selftest import source_fields
from gateway.model.source import SourceFormat, SourceRow
from gateway.plugins import find_adapter

SCHEMA = resources.schema("mapping")
SHIPPED = dict(resources.shipped_mappings())


def load(name: str) -> Program:
    return load_program(SHIPPED[name], SCHEMA, name=name)


def rows_of(program: Program) -> list[dict[str, str]]:
    given: list[Any] = [test["given"] for test in program.tests if "given" in test]
    return [source_fields(program, row, label=f"e{number}", person="p") for number, row in enumerate(given)]


def nested(row: dict[str, str]) -> dict[str, Any]:
    """Return the JSON document that these pointers point into."""
    document: dict[str, Any] = {}
    for pointer, text in row.items():
        *folders, last = pointer[1:].split("/")
        inner = document
        for folder in folders:
            inner = inner.setdefault(folder, {})
        inner[last] = text
    return document


def written(rows: list[dict[str, str]], source: SourceFormat, encoding: str) -> bytes:
    """Write rows as the platform would; a CSV file has every heading, and absent values are empty."""
    if source.kind == "ndjson":
        return "".join(json.dumps(nested(row), ensure_ascii=False) + "\n" for row in rows).encode(encoding)
    text = io.StringIO(newline="")
    headings = sorted({heading for row in rows for heading in row})
    writer = csv.DictWriter(text, headings, delimiter=source.delimiter, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def common() -> list[tuple[str, str]]:
    """Return each shipped document that any export can be read by, with each encoding it allows."""
    programs = [(name, load(name).source) for name in SHIPPED]
    return [
        (name, encoding)
        for name, source in programs
        if source.adapter == "common" and source.group is None and source.format.kind != "parquet"
        for encoding in source.format.encodings
    ]


@pytest.mark.parametrize(("name", "encoding"), common())
def test_the_rows_of_a_document_come_back_from_the_file_it_describes(name: str, encoding: str) -> None:
    program = load(name)
    source, rows = program.source.format, rows_of(program)
    document = io.BytesIO(written(rows, source, encoding))

    found = list(find_adapter("common").rows(document, "export", source=source))

    read = [
        {key: text for key, text in row.fields.items() if text} for row in found if isinstance(row, SourceRow)
    ]
    assert read == [{key: text for key, text in row.items() if text} for row in rows]
