"""The contract in openapi/ is what the code has; each operation says who may call it and how it fails."""

from typing import Any

import pytest
import yaml

from gateway.api import application
from tools.write_openapi import CONTRACT, contract_text

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
    assert operation["security"] == ([] if "public" in operation["tags"] else [{"signature": []}])
    assert ("requestBody" in operation) == (method in ("post", "put"))


def test_names_of_operations_are_apart() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
