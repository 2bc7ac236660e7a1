"""The contract in openapi/ is what the code has, and every operation says who may call it and how it fails."""

import pytest
import yaml

from gateway.api import application
from tools.write_openapi import CONTRACT, contract_text

DOCUMENT = yaml.safe_load(CONTRACT.read_text("utf-8"))
OPERATIONS = [
    (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]


def test_the_contract_is_that_of_the_code() -> None:
    assert CONTRACT.read_text("utf-8") == contract_text(application(None)), (
        "run: python -m tools.write_openapi"
    )


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS]
)
def test_an_operation_says_what_a_client_must_know(
    method: str, path: str, operation: dict[str, object]
) -> None:
    answers = operation["responses"]

    assert isinstance(answers, dict)
    assert operation["description"]
    assert "application/problem+json" in answers["default"]["content"]
    assert operation["security"] == ([] if "public" in operation["tags"] else [{"signature": []}])  # type: ignore[operator]  # a list of texts
    if method in ("post", "put"):
        assert "requestBody" in operation


def test_names_of_operations_are_apart() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)
