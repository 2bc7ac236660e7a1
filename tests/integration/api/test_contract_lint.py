"""The contract keeps to OpenAPI 3.1, and what it shows as examples fits its own schemas."""

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from tools.write_openapi import CONTRACT

DOCUMENT = yaml.safe_load(CONTRACT.read_text("utf-8"))


def _examples(node: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield each example with its place and the schema that it must fit."""
    if isinstance(node, list):
        for number, item in enumerate(node):
            yield from _examples(item, f"{place}/{number}")
    if not isinstance(node, dict):
        return
    if "schema" in node and "example" in node:
        yield f"{place}/example", node["schema"], node["example"]
    if isinstance(node.get("examples"), list):
        for number, example in enumerate(node["examples"]):
            yield f"{place}/examples/{number}", node, example
    for name, item in node.items():
        yield from _examples(item, f"{place}/{name}")


EXAMPLES = list(_examples(DOCUMENT, "#"))


def test_the_contract_keeps_to_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


def test_an_error_in_the_contract_would_be_seen() -> None:
    wrong = yaml.safe_load(CONTRACT.read_text("utf-8"))
    wrong["paths"]["/v1/records/{record_id}"]["get"]["parameters"].pop(0)

    assert list(OpenAPIV31SpecValidator(wrong).iter_errors()) != []


def test_the_contract_has_examples() -> None:
    assert len(EXAMPLES) >= 4


@pytest.mark.parametrize(
    ("schema", "example"), [one[1:] for one in EXAMPLES], ids=[one[0] for one in EXAMPLES]
)
def test_an_example_fits_its_schema(schema: Any, example: Any) -> None:
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(example)


def test_each_operation_can_be_linked_to() -> None:
    """Where an answer leads on, there is such an operation with such parameters."""
    operations = {
        operation["operationId"]: {parameter["name"] for parameter in operation.get("parameters", [])}
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
    }
    links = [
        link
        for methods in DOCUMENT["paths"].values()
        for operation in methods.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(links) >= 8
    for link in links:
        assert set(link["parameters"]) <= operations[link["operationId"]]
