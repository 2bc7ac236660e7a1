"""The contract in openapi/ is what the code has; each operation says who may call it and how it fails."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gateway.api import application
from gateway.api.problems import STATUS
from gateway.errors import GatewayError
from tools.write_openapi import CONTRACT, contract_text

REFERENCE = (CONTRACT.parents[1] / "docs" / "reference" / "http.md").read_text("utf-8")
DOCUMENT = yaml.safe_load(CONTRACT.read_text("utf-8"))
OPERATIONS = [
    (method, operation) for methods in DOCUMENT["paths"].values() for method, operation in methods.items()
]


def test_the_contract_is_that_of_the_code() -> None:
    assert CONTRACT.read_text("utf-8") == contract_text(application(None)), (
        "run: python -m tools.write_openapi"
    )


@pytest.mark.parametrize(
    ("method", "operation"), OPERATIONS, ids=[one["operationId"] for _, one in OPERATIONS]
)
def test_an_operation_says_what_a_client_must_know(method: str, operation: dict[str, Any]) -> None:
    assert operation["description"]
    assert "application/problem+json" in operation["responses"]["default"]["content"]
    schemes = ["token"] if "admin" in operation["tags"] else ["signature"]
    if "maintaining" in operation["tags"]:
        schemes = ["signature", "token"]
    wanted = [] if "public" in operation["tags"] else [{scheme: []} for scheme in schemes]
    assert operation["security"] == wanted
    assert ("requestBody" in operation) == (method in ("post", "put"))


def undecided(schema: dict[str, Any], place: str) -> Iterator[str]:
    """Yield where a schema leaves open what the server decides: the form of a text, a number, an object."""
    match schema["type"]:
        case "object":
            if "properties" in schema and schema.get("additionalProperties") is not False:
                yield place
            for name, one in schema.get("properties", {}).items():
                yield from undecided(one, f"{place}/{name}")
        case "array":
            yield from undecided(schema["items"], f"{place}/*")
        case "integer":
            if not {"minimum", "maximum"} <= schema.keys():
                yield place
        case "string":
            pattern = schema.get("pattern", "")
            free = "[^" in pattern and schema.get("format") != "nfc"
            if free or not (pattern or {"enum", "const"} & schema.keys()):
                yield place
        case _:
            yield place


def test_the_content_of_a_request_leaves_nothing_open() -> None:
    """What is free is an object without known members: rows, lines of a batch, documents signed elsewhere."""
    schemas = {
        operation["operationId"]: operation["requestBody"]["content"]["application/json"]["schema"]
        for _, operation in OPERATIONS
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }

    assert len(schemas) >= 15
    assert [place for name, schema in schemas.items() for place in undecided(schema, name)] == []


def test_names_of_operations_are_apart() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]

    assert len(set(names)) == len(names)


def test_the_reference_lists_every_resource() -> None:
    listed = re.findall(r"^\| `([A-Z]+) ([^` ]+)` \|", REFERENCE, re.MULTILINE)
    there = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]

    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("kind", STATUS, ids=lambda kind: kind.code)
def test_the_reference_lists_every_code_under_its_status(kind: type[GatewayError]) -> None:
    (codes,) = re.findall(rf"^\| {STATUS[kind]} \| (.*) \|$", REFERENCE, re.MULTILINE)

    assert f"`{kind.code}`" in codes or STATUS[kind] == 422
