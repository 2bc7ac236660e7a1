"""The platform API's contract is that of the code, keeps to OpenAPI, and what the gateway says fits it."""

import json
import re
from typing import Any

import jsonschema
import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from gateway.ports import (
    Consent,
    Credit,
    HoldPoints,
    LinkAccount,
    LotPart,
    PlatformMessage,
    ReturnPoints,
    TellDecision,
)
from gateway.sandbox.city import Defect, Trouble, city_application
from gateway.sandbox.city.refusals import Refusal, RefusalCode, problem
from tools.write_openapi import PLATFORM_CONTRACT, contract_text

DOCUMENT = yaml.safe_load(PLATFORM_CONTRACT.read_text("utf-8"))
REFERENCE = (PLATFORM_CONTRACT.parents[1] / "docs/reference/platform-api.md").read_text("utf-8")
SANDBOX = (PLATFORM_CONTRACT.parents[1] / "docs/howto/sandbox.md").read_text("utf-8")
ULID = "01KAP7M3Q4R5S6T7V8W9X0Y1Z2"
LOTS = (
    LotPart(record="ab" * 16, points=3, co2e_mg=10, event="ride 1"),
    LotPart(record="cd" * 16, points=4, co2e_mg=0, arrived=f"tr_{ULID}", valid_through="2027-01-31"),
)
MOVE: dict[str, Any] = {
    "transfer": f"tr_{ULID}",
    "account": "ac-1",
    "unit": "cn-000000/yunxi-point",
    "points": 7,
    "expected_in_s": 30,
}
MESSAGES: dict[str, PlatformMessage] = {
    "Hold": HoldPoints(id=f"hd_{ULID}", destination="cn-000000/yuewan", lots=LOTS, **MOVE),
    "Credit": Credit(id=f"cr_{ULID}", source="cn-000000/yuewan", co2e_mg=10, lots=LOTS, **MOVE),
    "Return": ReturnPoints(id=f"rt_{ULID}", original=f"tr_{ULID}", **MOVE),
    "Link": LinkAccount(id=f"lk_{ULID}", code="YUNXI-00001"),
    "Consent": Consent(id=f"cs_{ULID}", account="ac-1", purpose="claims"),
    "Decision": TellDecision(
        transfer=f"tr_{ULID}",
        envelope={
            "body": {
                "type": "tanqiao/decision/1",
                "transfer": f"tr_{ULID}",
                "decision": "ABORT",
                "reason": "timed-out",
                "source": "cn-000000/yunxi",
                "destination": "cn-000000/yuewan",
                "points_out": "7",
                "points_in": "5",
                "recognised_mg": "10",
                "window": "12",
            },
            "signatures": [{"key": "record-1", "value": "AAAA"}],
        },
    ),
}


def valid(name: str, document: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_contract_is_that_of_the_code() -> None:
    assert PLATFORM_CONTRACT.read_text("utf-8") == contract_text(city_application(None)), (
        "run: python -m tools.write_openapi"
    )


def test_the_contract_keeps_to_openapi() -> None:
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []


@pytest.mark.parametrize("name", MESSAGES)
def test_what_the_gateway_says_fits_the_contract(name: str) -> None:
    valid(name, MESSAGES[name].document())


@pytest.mark.parametrize("name", ["Hold", "Credit", "Return"])
@pytest.mark.parametrize("points", [7, "0", "07", "-7", "7.0", "1" * 19, ""])
def test_an_amount_that_is_none_does_not_fit(name: str, points: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        valid(name, MESSAGES[name].document() | {"points": points})


@pytest.mark.parametrize("code", RefusalCode)
def test_every_refusal_is_a_problem_document(code: RefusalCode) -> None:
    valid("Problem", json.loads(json.dumps(problem(Refusal(code, "why", field="/points")))))


def test_every_message_has_a_single_form_a_batch_and_a_question() -> None:
    paths = DOCUMENT["paths"]
    for name in ("holds", "credits", "decisions", "returns", "accounts/links", "accounts/consents"):
        key = "transfer" if name == "decisions" else "id"
        assert {"post"} == set(paths[f"/v1/{name}"]) == set(paths[f"/v1/{name}:batch"])
        assert {"get"} == set(paths[f"/v1/{name}/{{{key}}}"])


def test_every_operation_but_one_is_signed_both_ways() -> None:
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    open_ones = [one["operationId"] for one in operations if not one["security"]]

    assert open_ones == ["health"]
    for one in operations:
        if one["security"]:
            assert all(set(answer["headers"]) >= {"Signature"} for answer in one["responses"].values())


def test_the_reference_lists_every_code_with_its_status() -> None:
    listed = dict(re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", REFERENCE, re.MULTILINE))

    assert listed == {str(code): str(Refusal(code, "").status) for code in RefusalCode}


def test_the_reference_lists_every_path() -> None:
    listed = re.findall(r"^\| `([A-Z]+) ([^` ]+)` \|", REFERENCE, re.MULTILINE)
    there = [(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods]

    assert sorted(listed) == sorted(there)


def test_the_howto_lists_every_fault() -> None:
    listed = re.findall(r"^\| `([a-z-]+)` \|", SANDBOX, re.MULTILINE)

    assert listed == [*Trouble, *Defect]
